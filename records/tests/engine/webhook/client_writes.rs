//! The changes that the client sends, and what it makes of the answers.

use std::time::Duration;

use records::provider::webhook::{Settings, Webhook};
use records::{Change, Group, Name, Outcome, Provider as _, ProviderError};

use super::scripted::{CUT_OFF, Scripted, answer, apply, creation, raw, settings, zone};
use super::{endpoint, eventually};

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
    // A connection that was open may serve for a moment.
    let is_gone = async || matches!(client.read(&zone).await, Err(ProviderError::Unavailable(_)));
    eventually(is_gone).await;
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
        if let Outcome::Postponed { throttled, .. } = outcomes[0] {
            assert_eq!(throttled, status == 429, "{status}");
        }
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
