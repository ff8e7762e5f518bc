//! What the server answers to which request, to the letter.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use http_body::Body as _;
use http_body_util::{BodyExt as _, StreamBody};
use records::webhook::{Server, Settings, decode};
use records::{DomainFilter, Endpoint, Property};
use serde_json::json;

use super::zones::Zones;
use super::{change, endpoint, eventually, get, post, read, request, server};

const MEDIA_TYPE: &str = "application/external.dns.webhook+json;version=1";

fn impatient(zones: &Arc<Zones>) -> Server {
    let settings = Settings {
        patience: Duration::from_millis(20),
        ..Settings::default()
    };
    Server::new(Arc::clone(zones) as _, settings)
}

#[tokio::test]
async fn negotiation_needs_no_provider() {
    let zones = Zones::new(&["example.com"]);
    zones.close();
    let answer = server(&zones).respond(request(Method::GET, "/", "")).await;
    assert_eq!(answer.headers()[CONTENT_TYPE], MEDIA_TYPE);
    assert_eq!(read(answer).await, (200, "{}".into()));
}

#[tokio::test]
async fn the_domain_filter_is_told() {
    let zones = Zones::new(&[]);
    let told = async |filter| {
        let settings = Settings {
            filter,
            ..Settings::default()
        };
        get(&Server::new(Arc::clone(&zones) as _, settings), "/").await.1
    };
    let domains = DomainFilter::domains(&["b.example", ".a.example"], &["x.b.example"]);
    assert_eq!(
        told(domains.unwrap()).await,
        r#"{"include":[".a.example","b.example"],"exclude":["x.b.example"]}"#
    );
    let patterns = DomainFilter::patterns(r"\.example$", "").unwrap();
    let text = told(patterns.clone()).await;
    assert_eq!(text, r#"{"regexInclude":"\\.example$"}"#);
    assert_eq!(decode::<DomainFilter>(text.as_bytes()).unwrap(), patterns);
    assert_eq!(decode::<DomainFilter>(b"null").unwrap(), DomainFilter::default());
    let both = decode::<DomainFilter>(br#"{"include":["a"],"regexExclude":"b"}"#);
    assert!(both.unwrap_err().to_string().contains("not both"));
}

#[tokio::test]
async fn records_of_all_zones_are_listed() {
    let zones = Zones::new(&["example.com", "example.net"]);
    zones.put(Endpoint {
        ttl: 300.try_into().ok(),
        labels: [("owner".into(), "default".into())].into(),
        provider_specific: [Property {
            name: "webhook/x".into(),
            value: "1".into(),
        }]
        .into(),
        ..endpoint("a.example.com", "A", "192.0.2.1")
    });
    zones.put(Endpoint {
        set_identifier: "one".into(),
        ..endpoint("b.example.net", "TXT", "\"some <text>\"")
    });
    let server = server(&zones);
    let answer = server.respond(request(Method::GET, "/records", "")).await;
    assert_eq!(answer.headers()[CONTENT_TYPE], MEDIA_TYPE);
    let expected = concat!(
        r#"[{"dnsName":"a.example.com","targets":["192.0.2.1"],"recordType":"A","recordTTL":300,"#,
        r#""labels":{"owner":"default"},"providerSpecific":[{"name":"webhook/x","value":"1"}]},"#,
        r#"{"dnsName":"b.example.net","targets":["\"some <text>\""],"recordType":"TXT","#,
        r#""setIdentifier":"one"}]"#,
        "\n"
    );
    assert_eq!(read(answer).await, (200, expected.into()));
}

#[tokio::test]
async fn empty_zones_are_an_empty_list() {
    let zones = Zones::new(&["example.com"]);
    assert_eq!(get(&server(&zones), "/records").await, (200, "[]\n".into()));
    assert_eq!(
        get(&server(&Zones::new(&[])), "/records").await,
        (200, "[]\n".into())
    );
}

#[tokio::test]
async fn a_long_listing_is_sent_piece_by_piece() {
    let zones = Zones::new(&["example.com"]);
    for number in 0..5000 {
        zones.put(endpoint(&format!("n{number}.example.com"), "A", "192.0.2.1"));
    }
    let answer = server(&zones).respond(request(Method::GET, "/records", "")).await;
    let mut body = answer.into_body();
    let mut text = Vec::new();
    let mut longest = 0;
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        longest = longest.max(piece.len());
        text.extend(piece);
    }
    assert!(body.is_end_stream());
    assert!(
        longest < 66_000 && text.len() > 3 * longest,
        "{longest} of {}",
        text.len()
    );
    assert_eq!(decode::<Vec<Endpoint>>(&text).unwrap(), zones.records());
}

#[tokio::test]
async fn a_zone_that_cannot_be_read_is_no_empty_zone() {
    let zones = Zones::new(&["example.com", "example.net"]);
    zones.put(endpoint("a.example.com", "A", "192.0.2.1"));
    zones.set_unreadable(&["example.net"]);
    let server = server(&zones);
    let told = "example.net cannot be read: the transfer was refused\n";
    assert_eq!(get(&server, "/records").await, (503, told.into()));
    zones.set_unreadable(&[]);
    assert_eq!(get(&server, "/records").await.0, 200);
}

#[tokio::test]
async fn a_slow_listing_is_answered_with_503_and_read_once() {
    let zones = Zones::new(&["example.com"]);
    zones.put(endpoint("a.example.com", "A", "192.0.2.1"));
    let server = impatient(&zones);
    zones.close();
    for _ in 0..3 {
        let (status, text) = get(&server, "/records").await;
        assert_eq!((status, text.as_str()), (503, "the zones are still being read\n"));
    }
    assert_eq!(zones.reads(), 1);
    zones.open();
    assert_eq!(get(&server, "/records").await.0, 200);
}

#[tokio::test]
async fn slow_changes_are_answered_with_503_and_made() {
    let zones = Zones::new(&["example.com"]);
    let server = impatient(&zones);
    zones.close();
    let create = |name: &str| json!({"create": [endpoint(name, "A", "192.0.2.1")]});
    let first = change(&server, create("a.example.com")).await;
    assert_eq!(first, (503, "the changes are still being made\n".into()));
    let second = change(&server, create("b.example.com")).await;
    assert_eq!(second.1, "changes that came before are still being made\n");
    assert_eq!(second.0, 503);
    zones.open();
    eventually(async || !zones.lines().is_empty()).await;
    assert_eq!(zones.lines(), ["a.example.com A 192.0.2.1"]);
}

#[tokio::test]
async fn changes_go_on_when_the_client_leaves() {
    let zones = Zones::new(&["example.com"]);
    let server = server(&zones);
    zones.close();
    let changes = json!({"create": [endpoint("a.example.com", "A", "192.0.2.1")]});
    let request = change(&server, changes);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), request)
            .await
            .is_err()
    );
    zones.open();
    eventually(async || !zones.lines().is_empty()).await;
}

#[tokio::test]
async fn wanted_records_are_adjusted() {
    let zones = Zones::new(&["example.com"]);
    let server = server(&zones);
    let wanted = r#"[{"dnsName":"A.example.com","targets":["192.0.2.1"],"recordType":"A","recordTTL":0}]"#;
    let adjusted =
        r#"[{"dnsName":"a.example.com","targets":["192.0.2.1"],"recordType":"A","recordTTL":300}]"#;
    let answer = post(&server, "/adjustendpoints", wanted).await;
    assert_eq!(answer, (200, format!("{adjusted}\n")));
    assert_eq!(post(&server, "/adjustendpoints", adjusted).await, answer);
    assert_eq!(
        post(&server, "/adjustendpoints", "null").await,
        (200, "[]\n".into())
    );
    zones.set_unreadable(&["adjust"]);
    assert_eq!(
        post(&server, "/adjustendpoints", wanted).await,
        (503, "out of order\n".into())
    );
}

#[tokio::test]
async fn empty_change_sets_ask_nobody() {
    let zones = Zones::new(&["example.com"]);
    let server = server(&zones);
    zones.close();
    for body in ["{}", "null", r#"{"create":null,"delete":[]}"#] {
        assert_eq!(
            post(&server, "/records", body).await,
            (204, String::new()),
            "{body}"
        );
    }
    assert_eq!(zones.reads(), 0);
}

#[tokio::test]
async fn malformed_bodies_are_refused() {
    let zones = Zones::new(&["example.com"]);
    let server = server(&zones);
    let update = r#"{"updateOld":[{"dnsName":"a.example.com"}]}"#;
    for (path, body, told) in [
        ("/records", "", "EOF"),
        ("/records", "{", "EOF"),
        ("/records", "[]", "expected a change set"),
        ("/records", r#"{"create":[1]}"#, "expected an endpoint"),
        ("/records", r#"{"create":[{"dnsName":1}]}"#, "expected a string"),
        (
            "/records",
            r#"{"create":[{"targets":"192.0.2.1"}]}"#,
            "expected a sequence",
        ),
        ("/records", update, "updateOld has 1 endpoints and updateNew 0"),
        ("/adjustendpoints", "{}", "expected a sequence"),
        ("/adjustendpoints", "", "EOF"),
    ] {
        let (status, text) = post(&server, path, body).await;
        assert_eq!(status, 400, "{body}");
        assert!(text.contains(told), "{body}: {text}");
    }
    assert!(zones.take_groups().is_empty());
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused() {
    let zones = Zones::new(&["example.com"]);
    let limited = |body_limit| {
        let settings = Settings {
            body_limit,
            ..Settings::default()
        };
        Server::new(Arc::clone(&zones) as _, settings)
    };
    let body = json!({"create": [endpoint("a.example.com", "A", "192.0.2.1")]}).to_string();
    let too_long = format!("the body is longer than {} octets\n", body.len() - 1);
    let answer = post(&limited(body.len() - 1), "/records", body.clone()).await;
    assert_eq!(answer, (413, too_long));
    assert!(zones.take_groups().is_empty());
    assert_eq!(post(&limited(body.len()), "/records", body).await.0, 204);
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let zones = Zones::new(&["example.com"]);
    let pieces = [
        Ok(http_body::Frame::data(Bytes::from("{}"))),
        Err("connection reset"),
    ];
    let body = StreamBody::new(futures::stream::iter(pieces));
    let (head, ()) = http::Request::post("/records").body(()).unwrap().into_parts();
    let answer = server(&zones)
        .respond(http::Request::from_parts(head, body))
        .await;
    assert_eq!(
        read(answer).await,
        (400, "the body broke off: connection reset\n".into())
    );
}

#[tokio::test]
async fn other_paths_and_methods_are_not_served() {
    let zones = Zones::new(&["example.com"]);
    let server = server(&zones);
    assert_eq!(get(&server, "/healthz").await, (200, "ok\n".into()));
    for (method, path, status) in [
        (Method::GET, "/records/", 404),
        (Method::GET, "/applychanges", 404),
        (Method::POST, "/", 405),
        (Method::PUT, "/records", 405),
        (Method::GET, "/adjustendpoints", 405),
    ] {
        let answer = server.respond(request(method.clone(), path, "{}")).await;
        assert_eq!(read(answer).await.0, status, "{method} {path}");
    }
}
