//! The traps that a cache which is patched walks into.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use records::provider::memory::FaultKind;
use records::provider::{Confirmation, Operation};
use records::{Change, Outcome, Provider, ZoneRecords};

use super::world::{
    Between, TIME, World, a, create, delete, group, is_applied, is_conflict, is_postponed, only_zone, txt,
    update,
};

/// A call that succeeds may have skipped some of it: only what was applied is patched.
#[tokio::test]
async fn trap_1_success_is_not_applied() {
    let world = World::without_disk(100);
    let refused = a("refused.example.com", "192.0.2.9");
    world.memory.refuse(refused.name().unwrap(), Some("not this one"));
    let cache = world.open();
    world.read(&cache).await;
    let good = a("good.example.com", "192.0.2.8");
    let outcomes = world
        .apply(&cache, &[create(refused), create(good.clone())])
        .await;
    assert_eq!(
        outcomes[0],
        Outcome::Rejected {
            reason: "not this one".to_owned()
        }
    );
    assert!(is_applied(&outcomes[1]));
    let seen = world.read(&cache).await;
    assert_eq!(seen, world.truth());
    assert!(seen.contains(&good));
    assert_eq!(world.calls(Operation::Read), 1);
}

/// A group that the provider says nothing about may be in the zone or not.
#[tokio::test]
async fn trap_1_silence_is_doubt() {
    let world = World::without_disk(100);
    let between = Between {
        outcomes: Box::new(|outcomes| outcomes[..1].to_vec()),
        ..Between::new(&world.memory)
    };
    let cache = world.open_before(Arc::new(between));
    world.read(&cache).await;
    let groups = ["one", "two"].map(|name| create(a(&format!("{name}.example.com"), "192.0.2.9")));
    let outcomes = world.apply(&cache, &groups).await;
    assert!(is_applied(&outcomes[0]) && matches!(outcomes[1], Outcome::Unknown { .. }));
    assert_eq!(only_zone(&cache.status()).doubtful, 1);
    assert_eq!(world.read(&cache).await, world.truth());
}

/// A dry run writes nothing, and does not say that it has.
#[tokio::test]
async fn trap_2_dry_run_changes_nothing() {
    let mut world = World::without_disk(10);
    world.settings.dry_run = true;
    let cache = world.open();
    let before = world.read(&cache).await;
    let outcomes = world
        .apply(&cache, &[create(a("new.example.com", "192.0.2.9"))])
        .await;
    assert!(is_postponed(&outcomes[0]));
    assert_eq!(world.read(&cache).await, before);
    assert_eq!(world.truth(), before);
    assert_eq!(world.calls(Operation::Apply), 0);
}

/// What is listed is not always what was sent.
#[tokio::test]
async fn trap_3_the_cache_has_what_is_listed() {
    let world = World::without_disk(10);
    world.memory.set_default_ttl(NonZeroU32::new(300));
    let cache = world.open();
    world.read(&cache).await;
    world
        .apply(&cache, &[create(a("new.example.com", "192.0.2.9"))])
        .await;
    let seen = world.read(&cache).await;
    assert_eq!(seen, world.truth());
    assert!(seen.iter().any(|record| record.ttl == NonZeroU32::new(300)));
}

/// Records are replaced by their key, however their name is spelt, and never appended.
#[tokio::test]
async fn trap_4_records_are_replaced() {
    let world = World::without_disk(10);
    let cache = world.open();
    let mut old = world.read(&cache).await[3].clone();
    for (turn, spelling) in ["HOST3.example.com.", "host3.Example.com"]
        .into_iter()
        .enumerate()
    {
        let new = a(spelling, &format!("192.0.2.{turn}"));
        let outcomes = world.apply(&cache, &[update(old, new.clone())]).await;
        assert!(is_applied(&outcomes[0]), "{outcomes:?}");
        old = new;
        assert_eq!(world.read(&cache).await, world.truth());
        assert_eq!(world.truth().len(), 10);
    }
}

/// Ownership records have names of their own, which are in doubt as much.
#[tokio::test]
async fn trap_5_ownership_records_count() {
    let world = World::without_disk(100);
    let cache = world.open();
    world.read(&cache).await;
    let (main, owner) = (
        a("\\052.example.com", "192.0.2.9"),
        txt("a-any.example.com", "heritage"),
    );
    world.fail(Operation::Apply, FaultKind::LostReply { written: 1 });
    let both = [Change::Create(main.clone()), Change::Create(owner.clone())];
    assert!(matches!(
        world.apply(&cache, &[group(both)]).await[0],
        Outcome::Unknown { .. }
    ));
    assert_eq!(only_zone(&cache.status()).doubtful, 2);
    let seen = world.read(&cache).await;
    assert!(seen.contains(&main) && seen.contains(&owner));
    assert_eq!(world.calls(Operation::ReadNames), 1);
    assert_eq!(world.calls(Operation::Read), 1);
    let outcomes = world
        .apply(&cache, &[delete(a("*.EXAMPLE.com.", "192.0.2.9"))])
        .await;
    assert!(is_applied(&outcomes[0]), "{outcomes:?}");
    assert_eq!(world.read(&cache).await, world.truth());
}

/// A name that somebody else has taken is read again, and nothing but that name.
#[tokio::test]
async fn trap_6_a_collision_costs_one_name() {
    let world = World::without_disk(100);
    let cache = world.open();
    world.read(&cache).await;
    let theirs = a("new.example.com", "198.51.100.1");
    world.memory.put(theirs.clone());
    let outcomes = world
        .apply(&cache, &[create(a("new.example.com", "192.0.2.9"))])
        .await;
    assert!(is_conflict(&outcomes[0]));
    assert!(world.read(&cache).await.contains(&theirs));
    assert_eq!(world.truth(), world.read(&cache).await);
    assert_eq!(
        (world.calls(Operation::Read), world.calls(Operation::ReadNames)),
        (1, 1)
    );
    assert_eq!(cache.status().counters.conflicts, 1);
}

/// Whoever has read a zone keeps what he has read, and nobody waits for a writer.
#[tokio::test]
async fn trap_7_readers_keep_what_they_have() {
    let world = World::without_disk(10);
    let cache = world.open();
    let before = cache.read(&world.zone).await.unwrap();
    world.fail(Operation::Apply, FaultKind::Latency(Duration::from_millis(20)));
    let groups = [create(a("new.example.com", "192.0.2.9"))];
    let mut apply = cache.apply(&world.zone, &groups);
    assert!((&mut apply).now_or_never().is_none());
    let meanwhile = cache
        .read(&world.zone)
        .now_or_never()
        .expect("readers do not wait")
        .unwrap();
    assert_eq!(meanwhile, before);
    assert!(is_applied(&apply.await[0]));
    assert_eq!(before.records.len(), 10);
    assert_eq!(cache.read(&world.zone).await.unwrap().records.len(), 11);
}

/// A reply that is lost leaves its names in doubt, after a restart too.
#[tokio::test]
async fn trap_8_a_lost_reply_is_doubt_after_a_restart() {
    let world = World::new(100);
    let cache = world.open();
    let old = world.read(&cache).await[0].clone();
    world.fail(Operation::Apply, FaultKind::LostReply { written: 1 });
    let new = a("host0.example.com", "192.0.2.9");
    world.apply(&cache, &[update(old.clone(), new.clone())]).await;
    drop(cache);
    let cache = world.open();
    assert_eq!(only_zone(&cache.status()).doubtful, 1);
    let outcomes = world.apply(&cache, &[delete(old)]).await;
    assert!(is_conflict(&outcomes[0]), "it is not what it was: {outcomes:?}");
    assert!(world.read(&cache).await.contains(&new));
    assert_eq!(world.calls(Operation::Read), 1);
}

/// A writer that is stopped while the provider writes leaves doubt as well.
#[tokio::test]
async fn trap_8_a_call_that_nobody_waits_for_is_doubt() {
    let world = World::without_disk(100);
    let cache = world.open();
    world.read(&cache).await;
    let groups = [create(a("new.example.com", "192.0.2.9"))];
    assert!(cache.apply(&world.zone, &groups).now_or_never().is_none());
    assert_eq!(world.truth().len(), 101);
    assert_eq!(only_zone(&cache.status()).doubtful, 1);
    assert_eq!(world.read(&cache).await, world.truth());
    world.clock.advance(TIME);
    assert_eq!(world.calls(Operation::Read), 1);
}

/// A provider may hand over a zone whole when it is asked what has changed, and has an order of
/// its own.
#[tokio::test]
async fn a_zone_that_is_handed_over_whole_is_in_any_order() {
    let world = World::without_disk(20);
    let memory = world.memory.clone();
    let zone = world.zone.id.clone();
    let whole = move |_| {
        let records = memory.records(&zone).into_iter().rev();
        Confirmation::Whole(ZoneRecords {
            records: records.collect(),
            version: None,
        })
    };
    let between = Between {
        confirmation: Box::new(whole),
        ..Between::new(&world.memory)
    };
    let cache = world.open_before(Arc::new(between));
    world.read(&cache).await;
    world.clock.advance(TIME + Duration::from_secs(1));
    world.read(&cache).await;
    for number in 0..20 {
        let old = a(&format!("host{number}.example.com"), "192.0.2.1");
        let new = a(&old.dns_name, "192.0.2.2");
        let outcomes = world.apply(&cache, &[update(old, new)]).await;
        assert!(is_applied(&outcomes[0]), "{outcomes:?}");
    }
    assert_eq!(world.read(&cache).await, world.truth());
}
