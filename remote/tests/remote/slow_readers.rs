//! Readers that take nothing: they hold what is bounded, for a time that is, and others go on.

use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::SendRequest;
use http::HeaderMap;
use prost::Message as _;
use records::RecordType;
use remote::protocol::v1::{GetZoneStateRequest, ZoneState};
use remote::protocol::v2::ReadZoneRequest;
use remote::server::Settings;
use remote::server::listener::Bounds;
use tonic::Code;

use super::door::{Door, login, use_token};
use super::wire;
use super::world::{a, of_type};

const STATE: &str = "/remote.RemoteProvider/GetZoneState";
const READ: &str = "/records.remote.v2.ZoneService/ReadZone";
/// The zone takes more than 2 MB, and less than 3.
const MB: usize = 1024 * 1024;

/// A server with a zone that no window of HTTP/2 has room for.
async fn door(most_octets: usize) -> Door {
    let settings = Settings {
        most_octets,
        most_reads: 1,
        // Long enough to meet another who is refused meanwhile.
        patience: Duration::from_secs(4),
        ..Settings::default()
    };
    let door = Door::within(settings, Bounds::default()).await;
    for number in 0..600 {
        let record = a(&format!("host{number}.example.com"), &"x".repeat(4_000));
        door.world.memory.put(of_type(record, RecordType::Txt));
    }
    door
}

/// Has a call answered as far as the window goes, and takes nothing.
async fn stall(client: &SendRequest<Bytes>, path: &str, message: &[u8]) -> (HeaderMap, RecvStream) {
    let (response, mut stream) = wire::begin(client, path, &[]).await;
    stream.send_data(wire::framed(message), true).unwrap();
    let (head, body) = response.await.unwrap().into_parts();
    (head.headers, body)
}

/// Takes the rest; how much it was, and whether it was broken off.
async fn rest(mut body: RecvStream) -> (usize, bool) {
    let mut octets = 0;
    loop {
        match body.data().await {
            Some(Ok(data)) => {
                octets += data.len();
                body.flow_control().release_capacity(data.len()).unwrap();
            }
            Some(Err(_)) => return (octets, true),
            None => return (octets, body.trailers().await.is_err()),
        }
    }
}

#[tokio::test]
async fn who_takes_nothing_of_a_whole_zone_is_given_up() {
    let door = door(5 * MB).await;
    let pair = door.pair("garden-a");
    let mut other = door.client(&pair);
    let token = login(&mut other, "garden-a").await.unwrap();
    let request = GetZoneStateRequest {
        token: token.clone(),
        zoneid: "example.com".to_owned(),
    };
    let message = request.encode_to_vec();
    let slow = wire::http2(&door, &pair).await;
    let first = stall(&slow, STATE, &message).await;
    let second = stall(&slow, STATE, &message).await;
    // There is no room for a third.
    let answer = wire::call(&wire::http2(&door, &pair).await, STATE, &[], &message).await;
    assert_eq!(answer.code, Code::ResourceExhausted as u16, "{answer:?}");
    use_token(&mut other, &token).await.unwrap();
    // Until the two have been given up, though their connection is there.
    let client = wire::http2(&door, &pair).await;
    let state = loop {
        let answer = wire::call(&client, STATE, &[], &message).await;
        if answer.code == 0 {
            break ZoneState::decode(&*answer.octets).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(state.dns_sets.len(), 600);
    // Both at once: they share the window of the connection.
    let (first, second) = tokio::join!(rest(first.1), rest(second.1));
    for (octets, is_broken) in [first, second] {
        assert!(is_broken && octets < MB, "{octets} octets");
    }
    // The connection is good for those who read.
    assert_eq!(wire::call(&slow, STATE, &[], &message).await.code, 0);
}

#[tokio::test]
async fn who_takes_nothing_of_the_pieces_is_given_up() {
    let door = door(MB).await;
    let pair = door.pair("garden-a");
    let message = ReadZoneRequest {
        namespace: "garden-a".to_owned(),
        zone_id: "example.com".to_owned(),
        ..ReadZoneRequest::default()
    };
    let message = message.encode_to_vec();
    let slow = wire::http2(&door, &pair).await;
    let (headers, body) = stall(&slow, READ, &message).await;
    let other = wire::http2(&door, &pair).await;
    let answer = wire::call(&other, READ, &[], &message).await;
    assert_eq!(answer.code, Code::ResourceExhausted as u16, "{answer:?}");
    loop {
        let (head, body) = stall(&other, READ, &message).await;
        let is_refused = head.contains_key("grpc-status");
        let (octets, is_broken) = rest(body).await;
        if !is_refused {
            assert!(octets > 2 * MB && !is_broken, "{octets} octets");
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!headers.contains_key("grpc-status"));
    let (octets, _) = rest(body).await;
    assert!(octets < MB, "{octets} octets");
}
