//! A server that has Gardener's protocol only.

use std::sync::atomic::Ordering;

use records::provider::memory::{Fault, FaultKind};
use records::provider::{Confirmation, Operation};
use records::{Change, Endpoint, Group, Outcome, Provider as _, ProviderError, RecordType};

use remote::client::Remote;
use tokio::sync::watch;

use super::super::world::{a, an_hour_passes, name, of_type, with_property};
use super::stage::{Stage, create, group, host, read, sorted, the_zone, unhurried, until, update, words};

async fn gardeners() -> Stage {
    let stage = Stage::new().await;
    stage.is_gardeners.store(true, Ordering::Relaxed);
    stage
}

fn txt(name: &str, text: &str) -> Endpoint {
    of_type(a(name, text), RecordType::Txt)
}

#[tokio::test]
async fn zones_are_listed_read_and_changed_by_gardeners_protocol() {
    let stage = gardeners().await;
    stage.fill(20);
    stage.memory.put(with_property(
        with_property(a("alias.example.com", "lb.example.net"), "alias", "true"),
        "aws/evaluate-target-health",
        "true",
    ));
    let mut weighted = with_property(a("set.example.com", "192.0.2.1"), "aws/weight", "10");
    weighted.set_identifier = "one".into();
    stage.memory.put(weighted.clone());
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let known = read(&client, &zone).await;
    assert_eq!(sorted(&known.records), sorted(stage.truth()));
    assert_eq!(known.version, None);
    let confirmation = client.confirm(&zone, &known).await.unwrap();
    assert_eq!(confirmation, Confirmation::ReadAgain);
    let found = client
        .read_names(&zone, &[name("set.example.com")])
        .await
        .unwrap();
    assert_eq!(found, [weighted]);

    let outcomes = client
        .apply(
            &zone,
            &[
                create(host(30, "192.0.2.1")),
                update(&host(1, "192.0.2.1"), &host(1, "192.0.2.2")),
                group(Change::Delete(host(2, "192.0.2.1"))),
            ],
        )
        .await;
    assert_eq!(words(&outcomes), ["applied", "applied", "applied"]);
    assert_eq!(sorted(&read(&client, &zone).await.records), sorted(stage.truth()));
    assert_eq!(stage.truth().len(), 22);
    assert_eq!(stage.central.figures().namespaces["blue"].logins, 1);
}

#[tokio::test]
async fn states_of_changes_are_outcomes_of_their_groups() {
    let stage = gardeners().await;
    stage.fill(3);
    stage.memory.refuse(name("bad.example.com"), Some("not here"));
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let both = |first: Endpoint, second: Endpoint| Group {
        name: first.name().unwrap(),
        changes: vec![Change::Create(first), Change::Create(second)],
    };
    let groups = [
        both(host(10, "192.0.2.1"), txt("a-host10.example.com", "\"owner\"")),
        create(a("bad.example.com", "192.0.2.1")),
        create(of_type(
            a("mail.example.com", "10 mx.example.com"),
            RecordType::from("MX"),
        )),
        // One of them is made and the other not.
        both(host(11, "192.0.2.1"), txt("bad.example.com", "\"owner\"")),
        create(host(1, "192.0.2.9")),
        create(host(12, "192.0.2.1")),
    ];
    let outcomes = client.apply(&zone, &groups).await;
    assert_eq!(
        words(&outcomes),
        ["applied", "rejected", "rejected", "unknown", "unknown", "applied"]
    );
    let reason = |place: usize| match &outcomes[place] {
        Outcome::Rejected { reason } | Outcome::Unknown { reason } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert!(reason(1).contains("not here"), "{}", reason(1));
    assert!(reason(2).contains("\"MX\""), "{}", reason(2));
    assert!(
        reason(3).starts_with("only a part of it was made: "),
        "{}",
        reason(3)
    );
    stage.memory.fail(Fault {
        operation: Operation::Apply,
        after: 0,
        kind: FaultKind::Throttled,
    });
    let outcomes = client.apply(&zone, &[create(host(40, "192.0.2.1"))]).await;
    assert!(
        matches!(outcomes[0], Outcome::Postponed { throttled: true, .. }),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn wanted_records_are_as_the_protocol_tells_them() {
    let stage = gardeners().await;
    let client = stage.client("blue");
    the_zone(&client).await;
    let cname = of_type(a("c.example.com", "target.example.net."), RecordType::Cname);
    let wanted = vec![
        txt("t.example.com", "plain"),
        cname,
        with_property(a("p.example.com", "192.0.2.1"), "cloudflare/proxied", "true"),
        of_type(a("m.example.com", "10 mx.example.com"), RecordType::from("MX")),
    ];
    let adjusted = client.adjust(wanted.clone()).await.unwrap();
    assert_eq!(adjusted[0].targets[0].as_ref(), "\"plain\"");
    assert_eq!(adjusted[1].targets[0].as_ref(), "target.example.net");
    assert!(adjusted[2].provider_specific.is_empty());
    assert_eq!(adjusted[3], wanted[3]);
}

/// A server that has lost the token is logged in to once more, and then asked again.
#[tokio::test]
async fn a_lost_token_is_renewed_once() {
    let mut stage = gardeners().await;
    stage.fill(1);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    stage.restart().await;
    until("the new server is found", async || {
        client.read(&zone).await.is_ok()
    })
    .await;
    for _ in 0..3 {
        read(&client, &zone).await;
    }
    assert_eq!(stage.central.figures().namespaces["blue"].logins, 1);
    assert!(stage.central.figures().denied >= 1, "the old token was tried");
}

/// When the connection is lost, it is looked again whether there is our protocol.
#[tokio::test]
async fn our_protocol_is_found_after_a_reconnect() {
    let mut stage = gardeners().await;
    stage.fill(1);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    assert_eq!(read(&client, &zone).await.version, None);
    stage.is_gardeners.store(false, Ordering::Relaxed);
    assert_eq!(
        read(&client, &zone).await.version,
        None,
        "it is not asked at each call"
    );
    let target = stage.wire.target();
    stage.wire.lead_to(None);
    stage.wire.cut();
    until("the server is away", async || client.read(&zone).await.is_err()).await;
    stage.wire.lead_to(target);
    stage.restart().await;
    until(
        "our protocol is found",
        async || matches!(client.read(&zone).await, Ok(records) if records.version.is_some()),
    )
    .await;
}

#[tokio::test]
async fn our_protocol_is_found_after_an_hour() {
    let stage = gardeners().await;
    stage.fill(1);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    stage.is_gardeners.store(false, Ordering::Relaxed);
    assert_eq!(read(&client, &zone).await.version, None);
    an_hour_passes().await;
    assert!(read(&client, &zone).await.version.is_some());
}

/// Another Secret may lead to another server.
#[tokio::test]
async fn our_protocol_is_found_with_another_secret() {
    let stage = gardeners().await;
    stage.fill(1);
    let (sender, receiver) = watch::channel(stage.access("blue").borrow().clone());
    let client = Remote::new(receiver, unhurried());
    let zone = the_zone(&client).await;
    stage.is_gardeners.store(false, Ordering::Relaxed);
    assert_eq!(read(&client, &zone).await.version, None);
    sender.send_replace(stage.access("blue").borrow().clone());
    assert!(read(&client, &zone).await.version.is_some());
}

/// More changes than a call has, and the answers in their places.
#[tokio::test]
async fn many_changes_go_in_several_calls() {
    let stage = gardeners().await;
    stage
        .memory
        .refuse(name("host1100.example.com"), Some("not here"));
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let groups: Vec<_> = (0..1_200)
        .map(|number| create(host(number, "192.0.2.1")))
        .collect();
    let outcomes = client.apply(&zone, &groups).await;
    let bad: Vec<_> = (0..1_200)
        .filter(|place| words(&outcomes[*place..=*place]) != ["applied"])
        .collect();
    assert_eq!(bad, [1_100]);
    assert_eq!(stage.central.figures().namespaces["blue"].writes, 2);
}

/// What was on its way may be made, and what was not yet sent is not sent in this pass.
#[tokio::test]
async fn after_a_call_that_fails_the_rest_is_put_off() {
    let stage = gardeners().await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let groups: Vec<_> = (0..1_200)
        .map(|number| create(host(number, "192.0.2.1")))
        .collect();
    let outcomes = stage.cut_while_applying(&client, &zone, &groups).await;
    let words = words(&outcomes);
    assert!(words[..1_000].iter().all(|word| *word == "unknown"));
    assert!(words[1_000..].iter().all(|word| *word == "postponed"));
    assert_eq!(stage.central.figures().namespaces["blue"].writes, 1);
}

#[tokio::test]
async fn a_zone_that_is_too_large_for_a_message_is_told_so() {
    let stage = gardeners().await;
    for number in 0..4_500 {
        let text = format!("\"{}\"", "x".repeat(4_000));
        stage.memory.put(txt(&format!("text{number}.example.com"), &text));
    }
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let error = client.read(&zone).await.unwrap_err();
    let ProviderError::Malformed(message) = &error else {
        panic!("{error:?}");
    };
    assert!(message.contains("16 MiB at most"), "{message}");
}
