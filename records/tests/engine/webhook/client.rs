//! What the client sends, and what it makes of the answers.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{ACCEPT, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use records::provider::Confirmation;
use records::provider::webhook::{InvalidSettings, Settings, Webhook};
use records::webhook::{DomainFilter, MEDIA_TYPE};
use records::{Change, Endpoint, Group, Name, Outcome, Provider as _, ProviderError, Zone};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::endpoint;
use super::listener::Listener;

/// Answers negotiations well, and other requests as a test says.
struct Scripted {
    listener: Listener,
    /// `METHOD PATH BODY` of each request.
    requests: Arc<Mutex<Vec<String>>>,
}

type Answer = Response<Full<Bytes>>;

fn answer(status: u16, body: &str) -> Answer {
    let answer = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, MEDIA_TYPE);
    answer.body(Full::new(body.to_owned().into())).unwrap()
}

impl Scripted {
    /// Gives answers in turn; the last one for ever.
    async fn with(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Arc<Mutex<VecDeque<Answer>>> = Arc::new(Mutex::new(answers.into_iter().collect()));
        Self::by(move |request| {
            if request.starts_with("GET / ") {
                return answer(200, "{}");
            }
            let mut answers = answers.lock().unwrap();
            let last = answers.len() == 1;
            if last {
                answers[0].clone()
            } else {
                answers.pop_front().unwrap()
            }
        })
        .await
    }

    /// Answers by a function of `METHOD PATH BODY`.
    async fn by(answers: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, answers) = (Arc::clone(&requests), Arc::new(answers));
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = Listener::answering(any, move |request| {
            let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
            async move {
                let (head, body) = request.into_parts();
                assert_eq!(head.headers[ACCEPT], MEDIA_TYPE);
                assert_eq!(head.headers.contains_key(CONTENT_TYPE), head.method == "POST");
                let body = body.collect().await.unwrap().to_bytes();
                let body = str::from_utf8(&body).unwrap();
                let request = format!("{} {} {body}", head.method, head.uri);
                let answer = answers(&request);
                seen.lock().unwrap().push(request);
                answer
            }
        })
        .await;
        Self { listener, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests but the first one, the negotiation.
    fn later_requests(&self) -> Vec<String> {
        self.requests().split_off(1)
    }

    fn client(&self) -> Webhook {
        client(&self.listener.url())
    }
}

fn settings(url: &str) -> Settings {
    Settings {
        retry_pause: Duration::from_millis(1),
        ..Settings::new(url.parse().unwrap())
    }
}

fn client(url: &str) -> Webhook {
    Webhook::new(&settings(url)).unwrap()
}

async fn zone(client: &Webhook) -> Zone {
    client.zones().await.unwrap().remove(0)
}

async fn read(client: &Webhook) -> Result<Vec<Endpoint>, ProviderError> {
    let zone = zone(client).await;
    let records = client.read(&zone).await?.records;
    Ok(records.iter().map(|record| Endpoint::clone(record)).collect())
}

fn creation(name: &str) -> Group {
    Group {
        name: Name::parse(name).unwrap(),
        changes: vec![Change::Create(endpoint(name, "A", "192.0.2.1"))],
    }
}

async fn apply(client: &Webhook, names: &[&str]) -> Vec<Outcome> {
    let groups: Vec<Group> = names.iter().map(|name| creation(name)).collect();
    let zone = zone(client).await;
    client.apply(&zone, &groups).await
}

#[tokio::test]
async fn negotiation_is_tried_five_times_and_then_again() {
    let scripted = Scripted::by(|_| answer(503, "warming up")).await;
    let client = scripted.client();
    let error = client.zones().await.unwrap_err();
    let told = "status 503 Service Unavailable: warming up";
    assert_eq!(error, ProviderError::Unavailable(told.into()));
    assert_eq!(scripted.requests(), ["GET / "; 5]);
    assert!(client.zones().await.is_err());
    assert_eq!(scripted.requests().len(), 10);
}

#[tokio::test]
async fn negotiation_goes_on_after_a_failure_and_happens_once() {
    let tries = Mutex::new(0);
    let scripted = Scripted::by(move |_| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        if *tries < 4 {
            answer(500, "")
        } else {
            answer(200, r#"{"Include":["b.example","a.example"],"exclude":null}"#)
        }
    })
    .await;
    let client = scripted.client();
    let expected = DomainFilter::Domains {
        include: vec!["b.example".into(), "a.example".into()],
        exclude: Vec::new(),
    };
    assert_eq!(client.domain_filter().await.unwrap(), &expected);
    assert!(zone(&client).await.name.is_root());
    assert_eq!(scripted.requests().len(), 4);
}

#[tokio::test]
async fn negotiation_ends_at_once_with_what_speaks_something_else() {
    for (status, body, media_type, told) in [
        (404, "", MEDIA_TYPE, "status 404 Not Found"),
        (
            200,
            "{}",
            "application/json",
            "its Content-Type is application/json",
        ),
        (
            200,
            "{}",
            "application/external.dns.webhook+json; version=1",
            "speaks no webhook protocol",
        ),
        (200, "<html>", MEDIA_TYPE, "its domain filter cannot be read"),
        (
            200,
            r#"{"include":["a"],"regexInclude":"b"}"#,
            MEDIA_TYPE,
            "not both",
        ),
    ] {
        let scripted = Scripted::by(move |_| {
            let answer = Response::builder()
                .status(status)
                .header(CONTENT_TYPE, media_type);
            answer.body(Full::new(body.into())).unwrap()
        })
        .await;
        let error = scripted.client().zones().await.unwrap_err();
        assert!(matches!(error, ProviderError::Malformed(_)), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(scripted.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_base_path_is_kept() {
    let scripted = Scripted::by(|request| {
        answer(
            if request.starts_with("POST /base/records") {
                204
            } else {
                200
            },
            "null",
        )
    })
    .await;
    for base in ["/base", "/base/"] {
        scripted.requests.lock().unwrap().clear();
        let client = client(&format!("{}{base}", scripted.listener.url()));
        assert_eq!(read(&client).await.unwrap(), []);
        assert_eq!(client.adjust(Vec::new()).await.unwrap(), []);
        apply(&client, &["a.example"]).await;
        let requests = scripted.requests();
        assert_eq!(requests[0], format!("GET {base} null").replace("null", ""));
        assert_eq!(
            requests[1..3],
            ["GET /base/records ", "POST /base/adjustendpoints []"]
        );
        assert!(requests[3].starts_with("POST /base/records {"));
    }
}

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    for url in ["ftp://localhost/", "unix:/run/webhook.sock"] {
        let refused = Webhook::new(&settings(url));
        assert!(matches!(refused, Err(InvalidSettings::Address(_))), "{url}");
    }
    let client = client("http://user:secret@localhost:1/");
    let error = client.zones().await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::Unavailable(text) if text.starts_with("no connection")),
        "{error}"
    );
}

#[tokio::test]
async fn records_are_read_as_leniently_as_go_reads_them() {
    let text = r#"[{"DNSName":"a.example","TARGETS":["192.0.2.1"],"recordtype":"a","recordTTL":0,"labels":null,"new":{}},
        {"dnsName":"b.example","recordType":"TXT","recordTTL":99999999999,"targets":null}]"#;
    let scripted = Scripted::with([answer(200, text)]).await;
    let [a, b]: [Endpoint; 2] = read(&scripted.client()).await.unwrap().try_into().unwrap();
    assert_eq!(a, endpoint("a.example", "A", "192.0.2.1"));
    assert_eq!((b.targets.len(), b.ttl.unwrap().get()), (0, u32::MAX));
}

#[tokio::test]
async fn some_names_are_read_from_the_whole() {
    let text = r#"[{"dnsName":"A.example","recordType":"A"},{"dnsName":"a.example","recordType":"TXT"},
        {"dnsName":"b.example"},{"dnsName":"..","recordType":"A"}]"#;
    let scripted = Scripted::with([answer(200, text)]).await;
    let client = scripted.client();
    let zone = zone(&client).await;
    let names = [Name::parse("a.example").unwrap()];
    assert_eq!(client.read_names(&zone, &names).await.unwrap().len(), 2);
    let known = client.read(&zone).await.unwrap();
    assert_eq!(known.records.len(), 4);
    assert_eq!(client.confirm(&zone, &known).await, Ok(Confirmation::ReadAgain));
}

#[tokio::test]
async fn failures_to_read_are_told_apart() {
    let mut throttled = answer(429, "slow down");
    throttled
        .headers_mut()
        .insert("retry-after", "7".parse().unwrap());
    let scripted = Scripted::with([
        throttled,
        answer(401, ""),
        answer(403, ""),
        answer(500, "no backend"),
        answer(404, ""),
        answer(200, "[{]"),
        answer(200, "[null]"),
    ])
    .await;
    let client = scripted.client();
    let expected = ProviderError::Throttled {
        message: "status 429 Too Many Requests: slow down".into(),
        retry_after: Some(Duration::from_secs(7)),
    };
    assert_eq!(read(&client).await, Err(expected));
    assert!(matches!(read(&client).await, Err(ProviderError::Denied(_))));
    assert!(matches!(read(&client).await, Err(ProviderError::Denied(_))));
    let expected = "status 500 Internal Server Error: no backend";
    assert_eq!(
        read(&client).await,
        Err(ProviderError::Unavailable(expected.into()))
    );
    for _ in 0..3 {
        assert!(matches!(read(&client).await, Err(ProviderError::Malformed(_))));
    }
}

#[tokio::test]
async fn a_list_over_the_limit_is_no_list() {
    let text = r#"[{"dnsName":"a.example"}]"#;
    let scripted =
        Scripted::by(move |request| answer(200, if request == "GET / " { "{}" } else { text })).await;
    let limited = |limit| {
        let settings = Settings {
            max_body_size: limit,
            ..settings(&scripted.listener.url())
        };
        Webhook::new(&settings).unwrap()
    };
    let error = read(&limited(Some(text.len() - 1))).await.unwrap_err();
    let told = "the body is longer than 24 octets of --webhook-provider-max-body-size";
    assert_eq!(error, ProviderError::Malformed(told.into()));
    for limit in [Some(text.len()), None] {
        assert_eq!(read(&limited(limit)).await.unwrap().len(), 1);
    }
}

/// Answers the first request well, and the next with some bytes; then it closes the connection,
/// or waits for ever.
async fn raw(second: &'static [u8], then_close: bool) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: 2\r\n\r\n{{}}");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
        stream.write_all(second).await.unwrap();
        if !then_close {
            std::future::pending::<()>().await;
        }
    });
    url
}

const CUT_OFF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[]";

#[tokio::test]
async fn a_list_that_is_cut_off_is_no_list() {
    let client = client(&raw(CUT_OFF, true).await);
    let error = read(&client).await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::Malformed(text) if text.contains("cut off")),
        "{error:?}"
    );
}

#[tokio::test]
async fn changes_without_an_answer_are_unknown() {
    for (second, then_close) in [(CUT_OFF, true), (b"", true), (b"", false), (CUT_OFF, false)] {
        let settings = Settings {
            read_timeout: Duration::from_millis(100),
            write_timeout: Duration::from_millis(100),
            ..settings(&raw(second, then_close).await)
        };
        let outcomes = apply(&Webhook::new(&settings).unwrap(), &["a.example", "b.example"]).await;
        assert_eq!(outcomes.len(), 2);
        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Outcome::Unknown { .. })),
            "{outcomes:?}"
        );
    }
}

#[tokio::test]
async fn changes_that_were_not_sent_are_postponed() {
    let scripted = Scripted::with([answer(204, "")]).await;
    let client = scripted.client();
    let zone = zone(&client).await;
    drop(scripted);
    tokio::task::yield_now().await;
    let outcomes = client.apply(&zone, &[creation("a.example")]).await;
    assert!(
        matches!(&outcomes[..], [Outcome::Postponed { .. }]),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn changes_are_sent_to_the_letter() {
    let scripted = Scripted::with([answer(204, "")]).await;
    let client = scripted.client();
    let zone = zone(&client).await;
    let text = |target| endpoint("x.example", "TXT", target);
    let groups = [
        Group {
            name: Name::parse("a.example").unwrap(),
            changes: vec![
                Change::Update {
                    old: endpoint("a.example", "A", "192.0.2.1"),
                    new: endpoint("a.example", "A", "192.0.2.2"),
                },
                Change::Create(endpoint("a.example", "TXT", "\"its own\"")),
                Change::Update {
                    old: text("\"1\""),
                    new: text("\"2\""),
                },
            ],
        },
        Group {
            name: Name::parse("b.example").unwrap(),
            changes: vec![Change::Delete(endpoint("b.example", "A", "192.0.2.3"))],
        },
    ];
    let outcomes = client.apply(&zone, &groups).await;
    assert_eq!(
        outcomes,
        [
            Outcome::Applied { written: None },
            Outcome::Applied { written: None }
        ]
    );
    let expected = concat!(
        "POST /records ",
        r#"{"create":[{"dnsName":"a.example","targets":["\"its own\""],"recordType":"TXT"}],"#,
        r#""updateOld":[{"dnsName":"a.example","targets":["192.0.2.1"],"recordType":"A"},"#,
        r#"{"dnsName":"x.example","targets":["\"1\""],"recordType":"TXT","labels":{"ownedRecord":"a.example"}}],"#,
        r#""updateNew":[{"dnsName":"a.example","targets":["192.0.2.2"],"recordType":"A"},"#,
        r#"{"dnsName":"x.example","targets":["\"2\""],"recordType":"TXT","labels":{"ownedRecord":"a.example"}}],"#,
        r#""delete":[{"dnsName":"b.example","targets":["192.0.2.3"],"recordType":"A"}]}"#,
    );
    assert_eq!(scripted.later_requests(), [expected]);
    assert_eq!(client.apply(&zone, &[]).await, []);
    assert_eq!(scripted.later_requests().len(), 1);
}

#[tokio::test]
async fn the_status_tells_the_outcome() {
    for (status, expected) in [
        (200, "Unknown"),
        (301, "Unknown"),
        (500, "Unknown"),
        (503, "Unknown"),
        (511, "Unknown"),
        (400, "Rejected"),
        (413, "Rejected"),
        (422, "Rejected"),
        (401, "Postponed"),
        (404, "Postponed"),
        (429, "Postponed"),
    ] {
        let scripted = Scripted::with([answer(status, "why")]).await;
        let outcomes = apply(&scripted.client(), &["a.example"]).await;
        let outcome = format!("{:?}", outcomes[0]);
        assert!(outcome.starts_with(expected), "{status}: {outcome}");
        assert_eq!(scripted.later_requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_refused_set_is_halved_until_the_bad_group_stands_alone() {
    let scripted = Scripted::by(|request| match request {
        "GET / " => answer(200, "{}"),
        bad if bad.contains("c.example") => answer(422, "c is bad"),
        _ => answer(204, ""),
    })
    .await;
    let outcomes = apply(
        &scripted.client(),
        &["a.example", "b.example", "c.example", "d.example"],
    )
    .await;
    let applied = Outcome::Applied { written: None };
    let rejected = Outcome::Rejected {
        reason: "status 422 Unprocessable Entity: c is bad".into(),
    };
    assert_eq!(outcomes, [applied.clone(), applied.clone(), rejected, applied]);
    // All; a and b; c and d; c; d.
    assert_eq!(scripted.later_requests().len(), 5);
}

#[tokio::test]
async fn nothing_is_sent_to_a_provider_that_fails() {
    let scripted = Scripted::with([answer(400, ""), answer(503, "")]).await;
    let outcomes = apply(&scripted.client(), &["a.example", "b.example", "c.example"]).await;
    assert!(matches!(
        &outcomes[..],
        [
            Outcome::Unknown { .. },
            Outcome::Postponed { .. },
            Outcome::Postponed { .. }
        ]
    ));
    assert_eq!(scripted.later_requests().len(), 2);
}

#[tokio::test]
async fn wanted_records_are_adjusted_by_the_provider() {
    let scripted = Scripted::with([
        answer(200, r#"[{"dnsName":"b.example","recordTTL":60}]"#),
        answer(204, ""),
        answer(400, ""),
        answer(500, ""),
    ])
    .await;
    let client = scripted.client();
    let adjust = || client.adjust(vec![endpoint("a.example", "A", "192.0.2.1")]);
    assert_eq!(&*adjust().await.unwrap()[0].dns_name, "b.example");
    let sent = r#"POST /adjustendpoints [{"dnsName":"a.example","targets":["192.0.2.1"],"recordType":"A"}]"#;
    assert_eq!(scripted.later_requests(), [sent]);
    assert!(matches!(adjust().await, Err(ProviderError::Malformed(_))));
    assert!(matches!(adjust().await, Err(ProviderError::Malformed(_))));
    assert!(matches!(adjust().await, Err(ProviderError::Unavailable(_))));
}
