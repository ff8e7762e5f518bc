//! Zones of which a write replaces but a part.

use std::collections::BTreeSet;

use records::{Endpoint, Group, RecordKey};

use super::super::record_list::led;
use super::world::{World, a, create, delete, is_applied};

/// How many records there are in the beginning.
const RECORDS: usize = 700;

/// Creates the host of each number, or deletes it if it is there.
fn groups(truth: &[Endpoint], numbers: impl Iterator<Item = usize>) -> Vec<Group> {
    let there: BTreeSet<RecordKey> = truth.iter().map(|record| record.key().unwrap()).collect();
    let hosts: BTreeSet<usize> = numbers.collect();
    let hosts = hosts
        .iter()
        .map(|number| a(&format!("host{number}.example.com"), "192.0.2.1"));
    let group = |host: Endpoint| {
        if there.contains(&host.key().unwrap()) {
            delete(host)
        } else {
            create(host)
        }
    };
    hosts.map(group).collect()
}

#[tokio::test]
async fn what_is_written_here_and_there_leaves_the_rest_as_it_is() {
    let world = World::without_disk(RECORDS);
    let cache = world.open();
    assert_eq!(world.read(&cache).await, world.truth());
    let mut before = cache.shared(&world.zone).await.unwrap();
    for step in 1..200 {
        // One host at a time, then many, then a run of neighbours.
        let count = [1, 1, 30, RECORDS / 2][step % 4];
        let stride = [1, 379][step % 2];
        let numbers = (0..count).map(|number| (number * stride + step * 61) % (2 * RECORDS));
        let groups = groups(&world.truth(), numbers);
        let outcomes = world.apply(&cache, &groups).await;
        assert!(outcomes.iter().all(is_applied), "step {step}");
        assert_eq!(world.read(&cache).await, world.truth(), "step {step}");
        let now = cache.shared(&world.zone).await.unwrap();
        assert!(led(&before.records, &now.records) == now.records, "step {step}");
        before = now;
    }
}
