//! Answers that do not tell what was asked for, and what is never asked.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use records::provider::cloudflare::{Cloudflare, REGION_KEY, Settings};
use records::{Change, Endpoint, Group, Name, Outcome, Property, Provider as _, RecordType, Zone, ZoneId};
use serde_json::{Value, json};

use super::listed::{page, record};
use super::settings;
use crate::webhook::listener::Listener;

/// An account that is answered so, one answer a call.
async fn account(answers: Vec<Value>) -> (Listener, Cloudflare) {
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let answer = move |_: Request<Incoming>| {
        let answer = answers.lock().unwrap().pop_front().unwrap_or_default();
        let body = Full::new(Bytes::from(answer.to_string()));
        async { Response::new(body) }
    };
    let listener = Listener::answering((Ipv4Addr::LOCALHOST, 0).into(), answer).await;
    let settings = Settings {
        base_url: listener.url().parse().unwrap(),
        ..settings()
    };
    (listener, Cloudflare::new(settings).unwrap())
}

fn zone() -> Zone {
    Zone {
        id: ZoneId("z".into()),
        name: Name::parse("example.com").unwrap(),
    }
}

fn address(target: &str) -> Endpoint {
    Endpoint {
        dns_name: "a.example.com".into(),
        targets: [target.into()].into(),
        ..Endpoint::default()
    }
}

fn group(changes: Vec<Change>) -> Group {
    Group {
        name: Name::parse("a.example.com").unwrap(),
        changes,
    }
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_read_once_more() {
    let records = ["1", "2"].map(|id| record(id, "A", &format!("192.0.2.{id}"), &json!({})));
    let answers = vec![page(&records[..1], 2), page(&[], 2), page(&records, 2)];
    let (_listener, provider) = account(answers).await;
    let read = provider.read(&zone()).await.unwrap();
    let targets = read.records.iter().flat_map(|set| set.targets);
    let targets: Vec<String> = targets.map(String::from).collect();
    assert_eq!(targets, ["192.0.2.1", "192.0.2.2"]);
}

/// A batch counts as made only where its answer tells of each record.
#[tokio::test]
async fn an_answer_that_tells_of_something_else_leaves_doubt() {
    let written = |posts: &[Value]| json!({ "success": true, "errors": [], "result": { "posts": posts } });
    let one = |record_type: &str, rest: &Value| record("1", record_type, "192.0.2.1", rest);
    for (answer, is_made) in [
        (written(&[one("A", &json!({}))]), true),
        (written(&[]), false),
        (written(&[one("A", &json!({})), one("A", &json!({}))]), false),
        (written(&[one("A", &json!({ "name": "b.example.com" }))]), false),
        (written(&[one("TXT", &json!({}))]), false),
    ] {
        let (_listener, provider) = account(vec![answer.clone()]).await;
        let groups = [group(vec![Change::Create(address("192.0.2.1"))])];
        let outcomes = provider.apply(&zone(), &groups).await;
        match &outcomes[..] {
            [Outcome::Applied { .. }] if is_made => {}
            [Outcome::Unknown { .. }] if !is_made => {}
            _ => panic!("{answer}: {outcomes:?}"),
        }
    }
}

/// Which records are meant is looked up where that is not known, and nothing is written over
/// what somebody else has put there.
#[tokio::test]
async fn what_is_not_as_it_was_believed_is_a_conflict() {
    let answers = vec![page(&[record("1", "A", "192.0.2.9", &json!({}))], 1)];
    let (_listener, provider) = account(answers).await;
    let update = Change::Update {
        old: address("192.0.2.1"),
        new: address("192.0.2.2"),
    };
    let outcomes = provider.apply(&zone(), &[group(vec![update])]).await;
    assert!(
        matches!(&outcomes[..], [Outcome::Conflict { reason }] if reason.contains("not what it was believed")),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_name_has_one_region() {
    let provider = Cloudflare::new(Settings {
        region_key: Some("eu".into()),
        ..settings()
    });
    let there = |record_type, target: &str, region: &str| Endpoint {
        record_type,
        provider_specific: [Property {
            name: REGION_KEY.into(),
            value: region.into(),
        }]
        .into(),
        ..address(target)
    };
    let changes = vec![
        Change::Create(there(RecordType::A, "192.0.2.1", "eu")),
        Change::Create(there(RecordType::Aaaa, "2001:db8::1", "us")),
    ];
    let outcomes = provider.unwrap().apply(&zone(), &[group(changes)]).await;
    assert!(
        matches!(&outcomes[..], [Outcome::Rejected { reason }] if reason.contains("a name has one")),
        "{outcomes:?}"
    );
}
