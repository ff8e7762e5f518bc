//! A recorded exchange of a client of Gardener's protocol (`cases/gardener/`), replayed over
//! mutual TLS: the answers are compared octet for octet with what the numbers of the fields
//! tell, without any generated code.

use std::collections::BTreeMap;

use bytes::Bytes;
use h2::client::SendRequest;
use records::RecordType;
use serde::Deserialize;

use super::door::Door;
use super::protobuf::{encoded, first_text, lengthy, octets_of_hex};
use super::wire::{self, Answer};
use super::world::{a, of_type};

const EXCHANGE: &str = include_str!("../cases/gardener/exchange.json");
/// What the recorded client had for a token.
const TOKEN: &str = "TOKEN";

/// A call as it was recorded, and what is to be answered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    /// What happens here.
    about: String,
    path: String,
    headers: BTreeMap<String, String>,
    /// The message, as its client wrote it.
    message: String,
    /// Its octets, in hexadecimal digits.
    octets: String,
    /// Whether the token is the recorded one, which no server knows.
    #[serde(default)]
    stale: bool,
    answer: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Expected {
    /// Numbers of fields and their values.
    Fields(Vec<String>),
    /// gRPC's code, and what the client looks for in the text.
    Error(u16, String),
}

struct Replay {
    client: SendRequest<Bytes>,
    token: String,
}

impl Replay {
    async fn make(&mut self, call: &Call) -> Answer {
        let mut message = octets_of_hex(&call.octets);
        let is_bound = call.message.starts_with(&format!("token: {TOKEN:?}"));
        if is_bound && !call.stale {
            let (mut recorded, mut token) = (Vec::new(), Vec::new());
            lengthy(1, TOKEN.as_bytes(), &mut recorded);
            lengthy(1, self.token.as_bytes(), &mut token);
            // The fields of a message come in any order.
            let mut places = message.windows(recorded.len());
            let place = places.position(|octets| octets == recorded).unwrap();
            message.splice(place..place + recorded.len(), token);
        }
        let headers = call.headers.iter().filter(|(name, _)| !name.starts_with(':'));
        let headers: Vec<_> = headers.map(|(name, value)| (&**name, &**value)).collect();
        wire::call(&self.client, &call.path, &headers, &message).await
    }
}

#[tokio::test]
async fn a_recorded_exchange_is_answered_to_the_octet() {
    let calls: Vec<Call> = serde_json::from_str(EXCHANGE).unwrap();
    let door = Door::new().await;
    let mut wild = a("\\052.wild.example.com.", "192.0.2.100");
    wild.ttl = std::num::NonZeroU32::new(300);
    door.world.memory.put(wild);
    let mail = of_type(a("example.com", "10 mail.example.com"), RecordType::Mx);
    door.world.memory.put(mail);
    let mut replay = Replay {
        client: wire::http2(&door, &door.pair("garden-a")).await,
        token: String::new(),
    };
    for call in &calls {
        let about = &call.about;
        let answer = replay.make(call).await;
        let fields = match &call.answer {
            Expected::Fields(fields) => fields.join(" "),
            Expected::Error(code, text) => {
                assert_eq!(answer.code, *code, "{about}: {answer:?}");
                assert!(answer.message.contains(text), "{about}: {answer:?}");
                continue;
            }
        };
        assert_eq!(answer.code, 0, "{about}: {answer:?}");
        let expected = encoded(&fields);
        let mut told = &*answer.octets;
        if call.path.ends_with("/Login") {
            let (token, rest) = first_text(told);
            replay.token = str::from_utf8(token).unwrap().to_owned();
            told = rest;
        }
        assert!(
            told == expected,
            "{about}:\n{}\nis not\n{}",
            String::from_utf8_lossy(told),
            String::from_utf8_lossy(&expected)
        );
    }
}

/// What the test itself encodes is what Gardener's own library does.
#[test]
fn fields_are_encoded_as_they_were_recorded() {
    let calls: Vec<Call> = serde_json::from_str(EXCHANGE).unwrap();
    let login = calls.first().unwrap();
    let fields = "1 \"garden-a\" 2 \"dns-controller-7f4d\" 3 1";
    let octets = encoded(fields);
    assert_eq!(octets, octets_of_hex(&login.octets));
}
