//! Groups of changes, each with its outcome.

use std::time::Duration;

use records::provider::Operation;
use records::{Change, Outcome, Provider as _};
use remote::server::{Quota, Settings as ServerSettings};

use super::super::world::{a, name};
use super::stage::{Stage, create, host, read, sorted, the_zone, until, update, words};

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
    let group = [create(host(0, "192.0.2.1"))];
    let outcomes = stage.cut_while_applying(&client, &zone, &group).await;
    assert_eq!(words(&outcomes), ["unknown"], "{outcomes:?}");
    until("it is made all the same", async || stage.truth().len() == 1).await;
    let found = client
        .read_names(&zone, &[name("host0.example.com")])
        .await
        .unwrap();
    assert_eq!(found, [host(0, "192.0.2.1")]);
    assert_eq!(stage.memory.calls().of(Operation::Apply), 1);
}

/// What was not yet sent when a call failed is not sent in this pass.
#[tokio::test]
async fn after_a_call_that_fails_the_rest_is_put_off() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let groups: Vec<_> = (0..600).map(|number| create(host(number, "192.0.2.1"))).collect();
    let outcomes = stage.cut_while_applying(&client, &zone, &groups).await;
    let words = words(&outcomes);
    assert!(words[..500].iter().all(|word| *word == "unknown"));
    assert!(words[500..].iter().all(|word| *word == "postponed"));
    assert_eq!(stage.central.figures().namespaces["blue"].writes, 1);
}

/// A call that is refused whole is cut until what is wrong stands alone.
#[tokio::test]
async fn a_group_that_the_server_does_not_take_keeps_no_other_out() {
    let settings = ServerSettings {
        most_changes: 1,
        ..ServerSettings::default()
    };
    let stage = Stage::with(settings).await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let mut groups: Vec<_> = (0..5).map(|number| create(host(number, "192.0.2.1"))).collect();
    groups[1].changes.push(Change::Create(host(9, "192.0.2.1")));
    let outcomes = client.apply(&zone, &groups).await;
    assert_eq!(
        words(&outcomes),
        ["applied", "rejected", "applied", "applied", "applied"]
    );
    assert_eq!(stage.truth().len(), 4);
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

/// What a server refuses for its number goes again when it said, and not before.
#[tokio::test]
async fn a_server_that_says_when_is_asked_again_then() {
    let interval = Duration::from_secs(2);
    let settings = ServerSettings {
        quota: Some(Quota { burst: 1, interval }),
        ..ServerSettings::default()
    };
    let stage = Stage::with(settings).await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let (first, second) = ([create(host(0, "192.0.2.1"))], [create(host(1, "192.0.2.1"))]);
    assert_eq!(words(&client.apply(&zone, &first).await), ["applied"]);
    let overloads = || stage.central.figures().namespaces["blue"].overloads;
    let passing = async {
        until("the server has refused", async || overloads() > 0).await;
        stage.clock.advance(interval);
    };
    let (outcomes, ()) = tokio::join!(client.apply(&zone, &second), passing);
    assert_eq!(words(&outcomes), ["applied"]);
    assert_eq!(overloads(), 1);
}

/// A server that is going down says so before it has done anything.
#[tokio::test]
async fn a_server_that_goes_down_leaves_no_doubt() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    stage.central.close();
    let outcomes = client.apply(&zone, &[create(host(0, "192.0.2.1"))]).await;
    assert_eq!(words(&outcomes), ["postponed"], "{outcomes:?}");
}
