//! Changes with expected values.

use std::sync::Arc;
use std::time::Duration;

use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind};
use records::{Change, Endpoint, Group, RecordType, ZoneRecords};
use remote::protocol::v2::outcome::{Outcome, Postponed};
use remote::protocol::v2::{AdjustRequest, ApplyResponse};
use remote::protocol::zones;
use remote::revision::Digests;
use remote::server::publication::Publication;
use remote::server::{Limits, Quota, Settings, Work};
use tonic::{Code, Status};

use super::world::{World, a, apply, delay, group, name, of_type, words, zone};

async fn make(world: &World, namespace: &'static str, changes: Vec<Change>) -> Result<ApplyResponse, Status> {
    let groups = changes.into_iter().map(group).collect();
    let mut client = world.zones(namespace).await;
    let response = client.apply(apply(namespace, groups)).await?;
    Ok(response.into_inner())
}

fn update(old: &Endpoint, new: &Endpoint) -> Change {
    Change::Update {
        old: old.clone(),
        new: new.clone(),
    }
}

#[tokio::test]
async fn changes_are_made_and_told() {
    let world = World::new();
    let (old, new) = (
        a("www.example.com", "192.0.2.1"),
        a("www.example.com", "192.0.2.2"),
    );
    let made = make(&world, "blue", vec![Change::Create(old.clone())])
        .await
        .unwrap();
    assert_eq!(words(&made), ["applied"]);
    let made = make(&world, "blue", vec![update(&old, &new)]).await.unwrap();
    assert_eq!(words(&made), ["applied"]);
    let truth = world.memory.records(&zone("example.com").id);
    assert_eq!(truth, [new]);
    assert_eq!(made.revision, Digests::of(&truth).revision().to_octets());
    let figures = world.central.figures().namespaces["blue"];
    assert_eq!((figures.writes, figures.applied), (2, 2));
}

/// Two clients write one name: the second is told of the conflict, and the provider is not
/// even asked.
#[tokio::test]
async fn the_second_of_two_is_told_of_the_conflict() {
    let world = World::new();
    let seen = a("www.example.com", "192.0.2.1");
    world.memory.put(seen.clone());
    let by_blue = update(&seen, &a("www.example.com", "192.0.2.2"));
    let by_red = update(&seen, &a("www.example.com", "192.0.2.3"));
    assert_eq!(
        words(&make(&world, "blue", vec![by_blue]).await.unwrap()),
        ["applied"]
    );
    let calls = world.memory.calls().of(Operation::Apply);
    let told = make(&world, "red", vec![by_red, Change::Delete(seen)])
        .await
        .unwrap();
    assert_eq!(words(&told), ["conflict", "conflict"]);
    assert_eq!(world.memory.calls().of(Operation::Apply), calls);
    let truth = world.memory.records(&zone("example.com").id);
    assert_eq!(truth, [a("www.example.com", "192.0.2.2")]);
    assert_eq!(
        told.revision,
        Digests::of(&truth).revision().to_octets(),
        "to read from"
    );
}

/// Providers that have to name what they replace get it as the zone lists it.
#[test]
fn the_old_side_is_what_the_zone_lists_to_the_letter() {
    let mut listed = a("www.example.com", "192.0.2.1");
    listed.targets = ["192.0.2.1".into(), "192.0.2.2".into()].into();
    let mut held = listed.clone();
    held.targets.reverse();
    let records = [&listed].into_iter().collect();
    let state = Publication::default().publish(&Arc::new(ZoneRecords {
        records,
        version: None,
    }));
    let delete = |record: &Endpoint| Group {
        name: name("www.example.com"),
        changes: vec![Change::Delete(record.clone())],
    };
    let prepared = |record| Work::exact(delete(record)).unwrap().prepare(&state).unwrap();
    assert_eq!(prepared(&held), delete(&listed));
    let other = a("www.example.com", "192.0.2.3");
    assert_eq!(
        prepared(&other),
        delete(&other),
        "a conflict, which the cache tells"
    );
}

#[tokio::test]
async fn what_the_client_holds_in_other_letters_is_the_same() {
    let world = World::new();
    let mut held = a("www.example.com", "192.0.2.1");
    held.targets = ["192.0.2.1".into(), "192.0.2.2".into()].into();
    world.memory.put(held.clone());
    held.targets.reverse();
    held.dns_name = "WWW.example.com.".into();
    let made = make(&world, "blue", vec![Change::Delete(held)]).await.unwrap();
    assert_eq!(words(&made), ["applied"]);
}

#[tokio::test]
async fn a_bad_group_takes_no_other_with_it() {
    let world = World::new();
    let good = |text: &str| Change::Create(a(text, "192.0.2.1"));
    world.memory.refuse(name("bad.example.com"), Some("not here"));
    let changes = vec![
        good("one.example.com"),
        Change::Create(a("x.example.com", "no address")),
        good("bad.example.com"),
        good("www.example.org"),
        good("two.example.com"),
    ];
    let made = make(&world, "blue", changes).await.unwrap();
    assert_eq!(
        words(&made),
        ["applied", "rejected", "rejected", "rejected", "applied"]
    );
    assert_eq!(
        made.outcomes[2].outcome,
        Some(Outcome::Rejected("not here".to_owned()))
    );
    let Some(Outcome::Rejected(reason)) = &made.outcomes[1].outcome else {
        panic!();
    };
    assert!(
        reason.contains("changes[0].wanted.targets[0] is \"no address\""),
        "{reason}"
    );
}

#[tokio::test]
async fn a_group_is_made_whole_or_not_at_all() {
    let world = World::new();
    world
        .memory
        .put(of_type(a("www.example.com", "\"x\""), RecordType::Txt));
    let both = Group {
        name: name("www.example.com"),
        changes: vec![
            Change::Create(a("www.example.com", "192.0.2.1")),
            Change::Create(of_type(a("www.example.com", "\"y\""), RecordType::Txt)),
        ],
    };
    let mut client = world.zones("blue").await;
    let request = apply("blue", vec![zones::group_message(&both)]);
    let made = client.apply(request).await.unwrap().into_inner();
    assert_eq!(words(&made), ["conflict"]);
    assert_eq!(world.memory.records(&zone("example.com").id).len(), 1);
}

/// Names that are written to while nobody knows what comes of it are read before they are
/// told again.
#[tokio::test]
async fn a_lost_reply_is_unknown_and_then_known() {
    let world = World::new();
    world.central.refresh().await;
    world.memory.fail(Fault {
        operation: Operation::Apply,
        after: 0,
        kind: FaultKind::LostReply { written: 1 },
    });
    let changes = vec![
        Change::Create(a("one.example.com", "192.0.2.1")),
        Change::Create(a("two.example.com", "192.0.2.1")),
    ];
    let made = make(&world, "blue", changes).await.unwrap();
    assert_eq!(words(&made), ["unknown", "unknown"]);
    let truth = world.memory.records(&zone("example.com").id);
    assert_eq!(truth.len(), 1);
    assert_eq!(made.revision, Digests::of(&truth).revision().to_octets());
}

#[tokio::test]
async fn what_cannot_be_tried_is_postponed() {
    let world = World::new();
    world.memory.fail(Fault {
        operation: Operation::Apply,
        after: 0,
        kind: FaultKind::Throttled,
    });
    let create = || vec![Change::Create(a("one.example.com", "192.0.2.1"))];
    let made = make(&world, "blue", create()).await.unwrap();
    let postponed = Outcome::Postponed(Postponed {
        reason: "asked too often".to_owned(),
        retry_after_milliseconds: 1000,
        throttled: true,
    });
    assert_eq!(made.outcomes[0].outcome, Some(postponed));
    assert_eq!(words(&make(&world, "blue", create()).await.unwrap()), ["applied"]);
}

#[tokio::test]
async fn too_much_at_once_is_refused() {
    let settings = Settings {
        most_groups: 2,
        most_changes: 1,
        ..Settings::default()
    };
    let world = World::with(settings, Limits::default());
    let create = |number: usize| Change::Create(a(&format!("host{number}.example.com"), "192.0.2.1"));
    let error = make(&world, "blue", (0..3).map(create).collect())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.message(), "groups is \"3\": at most 2 are allowed");
    let wide = zones::group_message(&Group {
        name: name("example.com"),
        changes: (0..2).map(create).collect(),
    });
    let mut client = world.zones("blue").await;
    let error = client.apply(apply("blue", vec![wide])).await.unwrap_err();
    assert_eq!(
        error.message(),
        "groups[0].changes is \"2\": at most 1 are allowed"
    );
}

/// A bucket of changes: a large request is paid for afterwards.
#[tokio::test]
async fn a_namespace_has_a_quota() {
    let quota = Quota {
        burst: 10,
        interval: Duration::from_secs(1),
    };
    let settings = Settings {
        quota: Some(quota),
        ..Settings::default()
    };
    let world = World::with(settings, Limits::default());
    let some = |from: usize, count: usize| -> Vec<Change> {
        let create = |number| Change::Create(a(&format!("host{number}.example.com"), "192.0.2.1"));
        (from..from + count).map(create).collect()
    };
    assert!(make(&world, "blue", some(0, 30)).await.is_ok());
    let error = make(&world, "blue", some(30, 1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(delay(&error), Duration::from_secs(21));
    assert!(make(&world, "red", some(30, 1)).await.is_ok(), "it has its own");
    world.clock.advance(Duration::from_secs(21));
    assert!(make(&world, "blue", some(31, 1)).await.is_ok());
    assert!(
        make(&world, "blue", some(32, 1)).await.is_err(),
        "it is empty again"
    );
    assert_eq!(world.central.figures().namespaces["blue"].overloads, 2);
}

#[tokio::test]
async fn wanted_records_are_adjusted_as_the_provider_does() {
    let world = World::new();
    world.memory.set_default_ttl(std::num::NonZeroU32::new(300));
    let mut client = world.zones("blue").await;
    let request = AdjustRequest {
        namespace: "blue".to_owned(),
        zone_id: "example.com".to_owned(),
        record_sets: vec![zones::record_set(&a("www.example.com", "192.0.2.1"))],
    };
    let adjusted = client.adjust(request).await.unwrap().into_inner().record_sets;
    assert_eq!(adjusted[0].ttl, 300);
}
