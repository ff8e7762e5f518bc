//! How the client negotiates and reads, and what it makes of the answers.

use std::sync::Mutex;
use std::time::Duration;

use http::Response;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use records::provider::Confirmation;
use records::provider::webhook::{InvalidSettings, Settings, Webhook};
use records::webhook::MEDIA_TYPE;
use records::{DomainFilter, Endpoint, Name, Provider as _, ProviderError};

use super::endpoint;
use super::scripted::{CUT_OFF, Scripted, answer, apply, client, raw, read, settings, zone};

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
    let expected = DomainFilter::domains(&["b.example", "a.example"], &[]).unwrap();
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
            r#"{"regexInclude":"("}"#,
            MEDIA_TYPE,
            "the domain filter \"(\" is not a regular expression",
        ),
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
