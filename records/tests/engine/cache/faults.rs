//! Every call of the provider failing once in every way.

use std::time::Duration;

use records::cache::Cached;
use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind};
use records::{Endpoint, Group, Provider};

use super::world::{MINUTE, TIME, World, a, create, delete, only_zone, update};

/// What the zone is to hold, and the groups that make it so.
fn groups(known: &[Endpoint], wanted: &[Endpoint]) -> Vec<Group> {
    let find = |records: &[Endpoint], one: &Endpoint| {
        records.iter().find(|record| record.key() == one.key()).cloned()
    };
    let mut groups = Vec::new();
    for new in wanted {
        match find(known, new) {
            None => groups.push(create(new.clone())),
            Some(old) if !old.same_records(new) => groups.push(update(old, new.clone())),
            Some(_) => {}
        }
    }
    groups.extend(
        known
            .iter()
            .filter(|old| find(wanted, old).is_none())
            .cloned()
            .map(delete),
    );
    groups
}

/// Passes until the zone holds what is wanted, one a minute; the number of passes.
async fn converge(world: &World, cache: &Cached, wanted: &[Endpoint]) -> usize {
    let records = || only_zone(&cache.status()).records;
    let mut last = records();
    for pass in 0..20 {
        world.clock.advance(MINUTE);
        let Ok(known) = cache.read(&world.zone).await else {
            assert_eq!(records(), last, "a failure loses nothing");
            continue;
        };
        let known: Vec<Endpoint> = known.records.iter().collect();
        let groups = groups(&known, wanted);
        if groups.is_empty() {
            return pass;
        }
        world.apply(cache, &groups).await;
        last = records();
    }
    panic!("the zone does not come to hold what is wanted");
}

async fn survive(fault: Fault) {
    let world = World::without_disk(100);
    let cache = world.open();
    let first = world.read(&cache).await;
    world.memory.fail(Fault {
        operation: Operation::Apply,
        after: 1,
        kind: FaultKind::LostReply { written: 1 },
    });
    world.memory.fail(fault.clone());
    let mut wanted: Vec<Endpoint> = first.iter().skip(2).cloned().collect();
    wanted[0].targets = ["192.0.2.77".into()].into();
    wanted.push(a("new.example.com", "192.0.2.9"));
    assert!(converge(&world, &cache, &wanted).await < 5, "{fault:?}");
    wanted.push(a("newer.example.com", "192.0.2.9"));
    assert!(converge(&world, &cache, &wanted).await < 5, "{fault:?}");
    world.clock.advance(TIME);
    wanted.pop();
    assert!(converge(&world, &cache, &wanted).await < 5, "{fault:?}");
    world.clock.advance(TIME);
    while cache.read(&world.zone).await.is_err() {}
    assert_eq!(world.read(&cache).await, world.truth(), "{fault:?}");
    let theirs = world
        .truth()
        .iter()
        .filter(|record| *record.dns_name == *"theirs.example.com")
        .count();
    let put = matches!(&fault.kind, FaultKind::Put(record) if *record.dns_name == *"theirs.example.com");
    // It is not wanted, so once it was seen it is taken away as any other: by a view that had it.
    assert!(theirs <= usize::from(put));
}

#[tokio::test]
async fn every_call_fails_once_in_every_way() {
    let kinds = [
        FaultKind::Latency(Duration::from_millis(1)),
        FaultKind::Throttled,
        FaultKind::Unavailable,
        FaultKind::Malformed,
        FaultKind::LostReply { written: 0 },
        FaultKind::LostReply { written: 1 },
        FaultKind::LostReply { written: usize::MAX },
        FaultKind::Put(Box::new(a("theirs.example.com", "198.51.100.1"))),
        FaultKind::Put(Box::new(a("new.example.com", "198.51.100.1"))),
        FaultKind::Remove(a("host50.example.com", "").key().unwrap()),
    ];
    for operation in [
        Operation::Read,
        Operation::ReadNames,
        Operation::Confirm,
        Operation::Apply,
    ] {
        for kind in &kinds {
            for after in 0..3 {
                survive(Fault {
                    operation,
                    after,
                    kind: kind.clone(),
                })
                .await;
            }
        }
    }
}
