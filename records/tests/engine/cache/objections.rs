//! What reviewers held against a cache that is patched, and the answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use records::cache::ZoneState;
use records::provider::memory::FaultKind;
use records::provider::{Confirmation, Operation};
use records::{Outcome, Provider, ProviderError};

use super::world::{
    Between, MAX_AGE, MINUTE, TIME, World, a, create, delete, is_applied, is_conflict, is_postponed, name,
    only_zone, update,
};

/// 1 and 2: a restart costs no list, for the zone is on disk and the provider confirms it.
#[tokio::test]
async fn a_restart_costs_no_list() {
    let world = World::new(100);
    world.read(&world.open()).await;
    let theirs = a("meanwhile.example.com", "198.51.100.1");
    world.memory.put(theirs.clone());
    let cache = world.open();
    assert_eq!(only_zone(&cache.status()).state, ZoneState::Restored);
    assert_eq!(cache.status().counters.restores, 1);
    assert!(world.read(&cache).await.contains(&theirs));
    assert_eq!(only_zone(&cache.status()).state, ZoneState::Live);
    assert_eq!(
        (world.calls(Operation::Read), world.calls(Operation::Confirm)),
        (1, 1)
    );
}

/// 1 and 2: deletes wait until a restored zone is confirmed, creates do not.
#[tokio::test]
async fn deletes_wait_for_a_confirmation() {
    let world = World::new(100);
    let old = world.read(&world.open()).await[0].clone();
    for lost in [Operation::Confirm, Operation::Read] {
        let cache = world.open();
        if lost == Operation::Read {
            world.clock.advance(MAX_AGE + MINUTE);
            assert_eq!(only_zone(&cache.status()).state, ZoneState::Expired);
        }
        world.fail(lost, FaultKind::Unavailable);
        let new = a(&format!("{lost}.example.com"), "192.0.2.9");
        let outcomes = world
            .apply(&cache, &[delete(old.clone()), create(new.clone())])
            .await;
        assert!(
            is_postponed(&outcomes[0]) && is_applied(&outcomes[1]),
            "{outcomes:?}"
        );
        assert!(world.truth().contains(&old) && world.truth().contains(&new));
    }
    let outcomes = world.apply(&world.open(), &[delete(old.clone())]).await;
    assert!(is_applied(&outcomes[0]), "{outcomes:?}");
    assert!(!world.truth().contains(&old));
}

/// 3: of an apply that fails, only the names that nobody knows of are read again.
#[tokio::test]
async fn a_failure_costs_the_names_in_doubt() {
    let world = World::without_disk(100);
    let cache = world.open();
    world.read(&cache).await;
    world.fail(Operation::Apply, FaultKind::Throttled);
    let groups: Vec<_> = (0..3)
        .map(|number| create(a(&format!("new{number}.example.com"), "192.0.2.9")))
        .collect();
    assert!(world.apply(&cache, &groups).await.iter().all(is_postponed));
    assert_eq!(only_zone(&cache.status()).doubtful, 0);
    world.fail(Operation::Apply, FaultKind::LostReply { written: 2 });
    world.apply(&cache, &groups).await;
    assert_eq!(only_zone(&cache.status()).doubtful, 3);
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(world.truth().len(), 102);
    assert_eq!(
        (world.calls(Operation::Read), world.calls(Operation::ReadNames)),
        (1, 1)
    );
}

/// 3: where many names are in doubt, one list costs less.
#[tokio::test]
async fn much_doubt_costs_one_list() {
    let world = World::without_disk(100);
    let cache = world.open();
    world.read(&cache).await;
    world.fail(Operation::Apply, FaultKind::LostReply { written: 0 });
    let groups: Vec<_> = (0..6)
        .map(|number| create(a(&format!("new{number}.example.com"), "192.0.2.9")))
        .collect();
    world.apply(&cache, &groups).await;
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(
        (world.calls(Operation::Read), world.calls(Operation::ReadNames)),
        (2, 0)
    );
}

/// 4: patches make nothing fresher: the zone is confirmed when its time is over, and read
/// when its age is.
#[tokio::test]
async fn patches_extend_nothing() {
    let world = World::without_disk(100);
    let cache = world.open();
    world.read(&cache).await;
    for minute in 0..12 {
        world.clock.advance(MINUTE);
        world
            .apply(
                &cache,
                &[create(a(&format!("m{minute}.example.com"), "192.0.2.9"))],
            )
            .await;
        assert_eq!(world.read(&cache).await, world.truth());
        let status = cache.status();
        assert_eq!(only_zone(&status).age, Some(MINUTE * (minute + 1)));
        assert_eq!(only_zone(&status).patched, Some(Duration::ZERO));
        assert_eq!(world.calls(Operation::Confirm), u64::from(minute >= 10));
    }
    assert_eq!(world.calls(Operation::Read), 1);
    world.clock.advance(MAX_AGE);
    world.read(&cache).await;
    assert_eq!(world.calls(Operation::Read), 2);
}

/// 5: a stale view cannot do damage: neither that of the cache nor that of a planner.
#[tokio::test]
async fn a_stale_view_does_no_damage() {
    let world = World::without_disk(100);
    let cache = world.open();
    let old = world.read(&cache).await[0].clone();
    let theirs = a("host0.example.com", "198.51.100.1");
    world.memory.put(theirs.clone());
    assert!(is_conflict(&world.apply(&cache, &[delete(old.clone())]).await[0]));
    assert!(world.read(&cache).await.contains(&theirs));
    let calls = world.calls(Operation::Apply);
    assert!(is_conflict(
        &world
            .apply(&cache, &[update(old.clone(), a(&old.dns_name, "192.0.2.9"))])
            .await[0]
    ));
    assert_eq!(
        world.calls(Operation::Apply),
        calls,
        "the cache knows better without asking"
    );
    assert!(world.truth().contains(&theirs));
}

/// 6: many read and write at once, and one at a time asks the provider.
#[tokio::test]
async fn many_at_once() {
    let world = World::without_disk(100);
    let cache = world.open();
    world.fail(Operation::Read, FaultKind::Latency(Duration::from_millis(5)));
    let reads = join_all((0..20).map(|_| cache.read(&world.zone))).await;
    assert!(
        reads
            .iter()
            .all(|read| read.as_ref().unwrap().records.len() == 100)
    );
    assert_eq!(world.calls(Operation::Read), 1);
    let groups: Vec<_> = (0..20)
        .map(|number| [create(a(&format!("n{number}.example.com"), "192.0.2.9"))])
        .collect();
    let applied = join_all(groups.iter().map(|group| cache.apply(&world.zone, group))).await;
    assert!(applied.iter().flatten().all(is_applied));
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(world.truth().len(), 120);
}

/// 7: drift is seen when the time is over, for a question instead of a list. What we wrote
/// and somebody undid is seen even where the provider calls it the same as before.
#[tokio::test]
async fn drift_is_seen() {
    let world = World::without_disk(100);
    let undone = name("host0.example.com");
    let between = Between {
        confirmation: Box::new(move |confirmation| match confirmation {
            Confirmation::Changed { names, version } => Confirmation::Changed {
                names: names
                    .into_iter()
                    .filter(|(name, _)| *name != undone)
                    .collect::<BTreeMap<_, _>>(),
                version,
            },
            other => other,
        }),
        ..Between::new(&world.memory)
    };
    let cache = world.open_before(Arc::new(between));
    let old = world.read(&cache).await[0].clone();
    world
        .apply(&cache, &[update(old.clone(), a(&old.dns_name, "192.0.2.9"))])
        .await;
    world.memory.put(old);
    world.memory.put(a("drift.example.com", "198.51.100.1"));
    world.clock.advance(TIME + MINUTE);
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(
        (world.calls(Operation::Read), world.calls(Operation::ReadNames)),
        (1, 1)
    );
}

/// 8: a write is seen at once, however seldom the zone is read; without patches it is read
/// after every write, as external-dns does, whatever came of it.
#[tokio::test]
async fn without_patches_every_write_is_followed_by_a_list() {
    for kind in [
        FaultKind::Latency(Duration::ZERO),
        FaultKind::Throttled,
        FaultKind::Malformed,
    ] {
        let mut world = World::without_disk(100);
        world.settings.patch_on_apply = false;
        let cache = world.open();
        world.read(&cache).await;
        world.fail(Operation::Apply, kind);
        world
            .apply(&cache, &[create(a("new.example.com", "192.0.2.9"))])
            .await;
        world.fail(Operation::Read, FaultKind::Unavailable);
        assert!(matches!(
            cache.read(&world.zone).await,
            Err(ProviderError::Unavailable(_))
        ));
        assert_eq!(only_zone(&cache.status()).records, 100, "what is known stays");
        assert_eq!(world.read(&cache).await, world.truth());
        assert_eq!(world.calls(Operation::Read), 3);
        world.read(&cache).await;
        assert_eq!(world.calls(Operation::Read), 3);
    }
}

/// 9: the list of zones is another thing: it is asked for every time, and a zone that is
/// gone is forgotten.
#[tokio::test]
async fn zones_that_are_gone_are_forgotten() {
    let world = World::new(10);
    let cache = world.open();
    world.read(&cache).await;
    world.memory.remove_zone(&world.zone.id);
    assert!(cache.zones().await.unwrap().is_empty());
    assert_eq!(only_zone(&cache.status()).state, ZoneState::Cold);
    drop(cache);
    assert!(world.open().status().zones.is_empty());
}

/// Without a cache time every read goes through, and nothing is kept.
#[tokio::test]
async fn no_time_is_no_cache() {
    let mut world = World::new(10);
    world.settings.time = Duration::ZERO;
    let cache = world.open();
    for reads in 1..4 {
        assert_eq!(world.read(&cache).await, world.truth());
        assert_eq!(world.calls(Operation::Read), reads);
    }
    assert!(is_applied(
        &world
            .apply(&cache, &[create(a("new.example.com", "192.0.2.9"))])
            .await[0]
    ));
    assert!(cache.status().zones.is_empty() && !world.file().exists());
}

/// A group whose names cannot be compared is rejected by itself.
#[tokio::test]
async fn what_has_no_name_is_rejected() {
    let world = World::without_disk(10);
    let cache = world.open();
    world.read(&cache).await;
    let mut bad = create(a("good.example.com", "192.0.2.9"));
    bad.changes
        .push(records::Change::Create(a("a..b.example.com", "192.0.2.9")));
    let outcomes = world
        .apply(&cache, &[bad, create(a("new.example.com", "192.0.2.9"))])
        .await;
    assert!(matches!(&outcomes[0], Outcome::Rejected { reason } if reason.contains("a..b.example.com")));
    assert!(is_applied(&outcomes[1]));
}
