//! What becomes of records that Cloudflare lists.

use std::net::Ipv4Addr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use records::provider::cloudflare::{COMMENT, Cloudflare, PROXIED, Settings, TAGS};
use records::{Endpoint, Name, Provider as _, ProviderError, RECORD_IDS_LABEL, Zone, ZoneId};
use serde_json::{Value, json};

use super::settings;
use crate::webhook::listener::Listener;

/// What is read of a list that is answered so.
async fn read(answer: Value) -> Result<Vec<Endpoint>, ProviderError> {
    let body = Bytes::from(answer.to_string());
    let answer = move |_: Request<Incoming>| {
        let body = Full::new(body.clone());
        async { Response::new(body) }
    };
    let listener = Listener::answering((Ipv4Addr::LOCALHOST, 0).into(), answer).await;
    let provider = Cloudflare::new(Settings {
        base_url: listener.url().parse().unwrap(),
        ..settings()
    });
    let zone = Zone {
        id: ZoneId("z".into()),
        name: Name::parse("example.com").unwrap(),
    };
    let records = provider.unwrap().read(&zone).await?;
    Ok(records.records.iter().collect())
}

pub fn page(records: &[Value], total: usize) -> Value {
    json!({
        "success": true, "errors": [], "messages": [], "result": records,
        "result_info": { "page": 1, "per_page": 5000, "count": records.len(), "total_count": total },
    })
}

pub fn record(id: &str, record_type: &str, content: &str, rest: &Value) -> Value {
    let mut record = json!({
        "id": id, "name": "a.example.com", "type": record_type, "content": content, "ttl": 1,
        "proxied": false, "comment": null, "tags": null, "created_on": "2026-01-01T00:00:00Z",
    });
    for (name, value) in rest.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

#[tokio::test]
async fn records_are_put_together_into_sets() {
    let records = [
        record(
            "3",
            "A",
            "192.0.2.2",
            &json!({ "ttl": 300, "comment": "c", "tags": ["b", "a"] }),
        ),
        record(
            "2",
            "A",
            "192.0.2.1",
            &json!({ "ttl": 300, "comment": "c", "tags": ["a", "b"] }),
        ),
        record(
            "1",
            "A",
            "192.0.2.3",
            &json!({ "ttl": 600, "comment": "c", "tags": ["a", "b"] }),
        ),
        record("4", "AAAA", "2001:DB8::1", &json!({ "proxied": true })),
        record("5", "MX", "Mail.example.com", &json!({ "priority": 10 })),
        record(
            "6",
            "SRV",
            "5\t5060\tsip.example.com",
            &json!({
                "priority": 10, "data": { "priority": 10, "weight": 5, "port": 5060, "target": "sip.example.com" },
            }),
        ),
        record(
            "7",
            "CAA",
            "0 issue ca.example",
            &json!({ "data": { "flags": 0, "tag": "issue", "value": "ca.example" } }),
        ),
        record("8", "TXT", "bare", &json!({})),
        record("9", "OPENPGPKEY", "mQINBF", &json!({})),
    ];
    let sets = read(page(&records, 9)).await.unwrap();
    let shown: Vec<String> = sets
        .iter()
        .map(|set| {
            let ids = set.labels.get(RECORD_IDS_LABEL).unwrap();
            format!("{} {} [{ids}]", set.record_type, set.targets.join(" | "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "A 192.0.2.1 | 192.0.2.2 | 192.0.2.3 [2,3,1~]",
            "AAAA 2001:db8::1 [4]",
            "MX 10 mail.example.com [5]",
            "SRV 10 5 5060 sip.example.com [6]",
            "TXT \"bare\" [8]",
            "CAA 0 issue \"ca.example\" [7]",
            "OPENPGPKEY mQINBF [9]",
        ]
    );
    assert_eq!(sets[0].ttl.unwrap().get(), 300);
    assert_eq!(sets[1].ttl, None);
    let properties = |set: &Endpoint| -> Vec<(String, String)> {
        let properties = set.provider_specific.iter();
        properties
            .map(|property| (property.name.to_string(), property.value.to_string()))
            .collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        properties(&sets[0]),
        [pair(PROXIED, "false"), pair(COMMENT, "c"), pair(TAGS, "a,b")]
    );
    assert_eq!(properties(&sets[1]), [pair(PROXIED, "true")]);
}

#[tokio::test]
async fn what_is_no_list_is_no_zone() {
    let one = || record("1", "A", "192.0.2.1", &json!({}));
    let mut nameless = one();
    nameless.as_object_mut().unwrap().remove("name");
    let mut uncounted = page(&[one()], 1);
    uncounted.as_object_mut().unwrap().remove("result_info");
    for (answer, words) in [
        (page(&[one()], 2), "2 that it counts"),
        (page(&[one(), one()], 2), "has 1 entries of 2"),
        (page(&[one()], 0), "has 1 entries of 0"),
        (uncounted, "does not say how long it is"),
        (page(&[nameless], 1), "missing field `name`"),
        (
            json!({ "success": true, "errors": [], "result": null }),
            "no result",
        ),
        (
            json!({ "success": false, "errors": [{ "code": 1, "message": "no" }], "result": null }),
            "no (1)",
        ),
        (json!([]), "of no form that is known"),
    ] {
        let error = read(answer).await.unwrap_err();
        assert!(matches!(error, ProviderError::Malformed(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(read(page(&[], 0)).await.unwrap(), []);
}
