//! Groups of changes, each with its outcome.

use std::time::Duration;

use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind};
use records::{Outcome, Provider as _, RESOURCE_LABEL};
use remote::server::{Quota, Settings as ServerSettings};

use super::super::world::{a, name};
use super::stage::{Stage, create, group, host, read, sorted, the_zone, until, update, words};

#[tokio::test]
async fn each_group_has_its_own_outcome() {
    let stage = Stage::new().await;
    stage.fill(3);
    stage.memory.refuse(name("bad.example.com"), Some("not here"));
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let outcomes = client
        .apply(
            &zone,
            &[
                create(host(10, "192.0.2.1")),
                create(a("bad.example.com", "192.0.2.1")),
                create(host(1, "192.0.2.9")),
                update(&host(2, "192.0.2.1"), &host(2, "192.0.2.2")),
                create(a("www.example.org", "192.0.2.1")),
            ],
        )
        .await;
    assert_eq!(
        words(&outcomes),
        ["applied", "rejected", "conflict", "applied", "rejected"]
    );
    assert!(matches!(&outcomes[1], Outcome::Rejected { reason } if reason.contains("not here")));
    assert_eq!(sorted(&read(&client, &zone).await.records), sorted(stage.truth()));
}

/// More groups than a call has, and the answers in their places.
#[tokio::test]
async fn many_groups_go_in_several_calls() {
    let stage = Stage::new().await;
    stage.memory.refuse(name("host777.example.com"), Some("not here"));
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let groups: Vec<_> = (0..1_200)
        .map(|number| create(host(number, "192.0.2.1")))
        .collect();
    let outcomes = client.apply(&zone, &groups).await;
    let bad: Vec<_> = (0..1_200)
        .filter(|place| words(&outcomes[*place..=*place]) != ["applied"])
        .collect();
    assert_eq!(bad, [777]);
    assert_eq!(stage.central.figures().namespaces["blue"].writes, 3);
}

#[tokio::test]
async fn the_second_of_two_writers_is_told_of_the_conflict() {
    let stage = Stage::new().await;
    stage.fill(1);
    let (blue, red) = (stage.client("blue"), stage.client("red"));
    let zone = the_zone(&blue).await;
    let seen = host(0, "192.0.2.1");
    let by_blue = blue.apply(&zone, &[update(&seen, &host(0, "192.0.2.2"))]).await;
    let by_red = red.apply(&zone, &[update(&seen, &host(0, "192.0.2.3"))]).await;
    assert_eq!(
        (words(&by_blue), words(&by_red)),
        (vec!["applied"], vec!["conflict"])
    );
    assert_eq!(stage.truth(), [host(0, "192.0.2.2")]);
}

/// What is on its way when the connection is cut is neither lost sight of nor sent again.
#[tokio::test]
async fn a_call_that_is_cut_leaves_its_groups_unknown() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    stage.memory.fail(Fault {
        operation: Operation::Apply,
        after: 0,
        kind: FaultKind::Latency(Duration::from_millis(300)),
    });
    let group = [create(host(0, "192.0.2.1"))];
    let writing = client.apply(&zone, &group);
    let cutting = async {
        until("the provider is called", async || {
            stage.memory.calls().of(Operation::Apply) == 1
        })
        .await;
        stage.wire.cut();
    };
    let (outcomes, ()) = tokio::join!(writing, cutting);
    assert_eq!(words(&outcomes), ["unknown"], "{outcomes:?}");
    until("it is made all the same", async || stage.truth().len() == 1).await;
    let found = client
        .read_names(&zone, &[name("host0.example.com")])
        .await
        .unwrap();
    assert_eq!(found, [host(0, "192.0.2.1")]);
    assert_eq!(stage.memory.calls().of(Operation::Apply), 1);
}

/// Where nobody listens, nothing was sent.
#[tokio::test]
async fn without_a_connection_groups_are_put_off() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    stage.wire.lead_to(None);
    stage.wire.cut();
    // The end of the connection has come to be known.
    until("the server is away", async || client.read(&zone).await.is_err()).await;
    let groups: Vec<_> = (0..600).map(|number| create(host(number, "192.0.2.1"))).collect();
    let outcomes = client.apply(&zone, &groups).await;
    assert!(
        words(&outcomes).iter().all(|word| *word == "postponed"),
        "{:?}",
        outcomes[0]
    );
    assert!(stage.truth().is_empty());
}

#[tokio::test]
async fn a_server_that_is_asked_for_too_much_is_waited_for() {
    let settings = ServerSettings {
        quota: Some(Quota {
            burst: 2,
            interval: Duration::from_secs(3_600),
        }),
        ..ServerSettings::default()
    };
    let stage = Stage::with(settings).await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let two = [create(host(0, "192.0.2.1")), create(host(1, "192.0.2.1"))];
    assert_eq!(words(&client.apply(&zone, &two).await), ["applied", "applied"]);
    // The bucket is empty, and an hour is longer than a pass waits.
    let outcomes = client.apply(&zone, &[create(host(2, "192.0.2.1"))]).await;
    assert_eq!(words(&outcomes), ["postponed"]);
}

#[tokio::test]
async fn wanted_records_are_adjusted_by_the_server_once() {
    let stage = Stage::new().await;
    stage.memory.set_default_ttl(std::num::NonZeroU32::new(120));
    let client = stage.client("blue");
    the_zone(&client).await;
    let mut wanted: Vec<_> = (0..50).map(|number| host(number, "192.0.2.1")).collect();
    for record in &mut wanted {
        record
            .labels
            .insert(RESOURCE_LABEL.into(), "service/one/two".into());
    }
    wanted.push(a("www.example.org", "192.0.2.1"));
    wanted[1].ttl = std::num::NonZeroU32::new(60);
    let adjusted = client.adjust(wanted.clone()).await.unwrap();
    assert_eq!(adjusted.len(), 51);
    for record in &adjusted {
        let ttl = match &*record.dns_name {
            "www.example.org" => None,
            "host1.example.com" => Some(60),
            _ => Some(120),
        };
        assert_eq!(record.ttl.map(u32::from), ttl, "{}", record.dns_name);
        let is_ours = record.resource() == Some("service/one/two");
        assert_eq!(is_ours, &*record.dns_name != "www.example.org");
    }
    let calls = stage.memory.calls().of(Operation::Adjust);
    assert_eq!(calls, 1);
    assert_eq!(client.adjust(wanted.clone()).await.unwrap(), adjusted);
    assert_eq!(stage.memory.calls().of(Operation::Adjust), calls);
    wanted[0].targets = ["192.0.2.9".into()].into();
    stage.wire.octets();
    client.adjust(wanted).await.unwrap();
    assert_eq!(stage.memory.calls().of(Operation::Adjust), calls + 1);
    let (sent, _) = stage.wire.octets();
    assert!(sent < 1_000, "only what is new: {sent}");
    let outcomes = client
        .apply(
            &the_zone(&client).await,
            &[group(records::Change::Create(host(70, "192.0.2.1")))],
        )
        .await;
    match &outcomes[0] {
        Outcome::Applied {
            written: Some(written),
        } => assert_eq!(written[0].ttl.map(u32::from), Some(120)),
        other => panic!("{other:?}"),
    }
}
