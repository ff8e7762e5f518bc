//! Rolling confirmation.

use std::sync::Arc;
use std::time::Duration;

use records::cache::{Cached, Clock, Settings};
use records::provider::memory::{Fault, FaultKind, Memory};
use records::provider::{Operation, Provider};

use super::world::{HandClock, MAX_AGE, MINUTE, TIME, World, name};

const ZONES: usize = 12;

/// Twelve zones, all read at once, and ten days: none becomes too old, and never two are
/// read in one hour.
#[tokio::test]
async fn zones_take_turns() {
    let memory = Arc::new(Memory::new(
        (0..ZONES).map(|number| name(&format!("zone{number}.example"))),
    ));
    let clock = Arc::new(HandClock::default());
    let settings = Settings {
        time: MAX_AGE * 100,
        max_age: Some(MAX_AGE),
        patch_on_apply: true,
        ..Settings::default()
    };
    let cache = Cached::open(memory.clone(), settings, clock.clone()).unwrap();
    assert_eq!(cache.next_confirmation(), None);
    let zones = cache.zones().await.unwrap();
    for zone in &zones {
        cache.read(zone).await.unwrap();
    }
    memory.fail(Fault {
        operation: Operation::Read,
        after: 20,
        kind: FaultKind::Throttled,
    });
    let mut turns = Vec::new();
    while clock.monotonic() < MAX_AGE * 10 {
        clock.advance(MINUTE);
        while cache.next_confirmation() == Some(Duration::ZERO) {
            let (_, read) = cache.confirm_one().await.unwrap();
            turns.push(clock.monotonic());
            assert_eq!(read.is_err(), turns.len() == 21);
        }
        let oldest = cache
            .status()
            .zones
            .iter()
            .filter_map(|zone| zone.age)
            .max()
            .unwrap();
        let spared = if turns.len() > 20 { MAX_AGE } else { Duration::ZERO };
        assert!(oldest <= MAX_AGE + spared, "a zone is {oldest:?} old");
    }
    assert!(turns.windows(2).all(|pair| pair[1] >= pair[0] + MINUTE * 60));
    let (reads, ages) = (memory.calls().of(Operation::Read), 10);
    assert!(reads <= (ZONES * (ages + 3)) as u64, "{reads}");
    assert_eq!(cache.status().counters.hits, 0);
}

/// A zone that was read anyway has no turn until it needs one, and without a bound nobody
/// has.
#[tokio::test]
async fn a_turn_is_not_taken_twice() {
    let mut world = World::without_disk(10);
    let cache = world.open();
    world.read(&cache).await;
    let step = MAX_AGE * 9 / 10;
    assert_eq!(cache.next_confirmation(), Some(step));
    world.clock.advance(TIME);
    assert_eq!(cache.next_confirmation(), Some(step.saturating_sub(TIME)));
    cache.confirm_one().await.unwrap().1.unwrap();
    assert_eq!(cache.next_confirmation(), Some(step));
    world.settings.max_age = None;
    let cache = world.open();
    world.read(&cache).await;
    assert_eq!(cache.next_confirmation(), None);
    assert!(cache.confirm_one().await.is_none());
}
