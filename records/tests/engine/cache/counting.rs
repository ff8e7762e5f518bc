//! What it is for: lists that are not made.

use records::Provider;
use records::provider::Operation;

use super::world::{MINUTE, World, a, create, is_applied};

/// Fewer than the 200,000 that people have; the number of lists does not depend on it.
const RECORDS: usize = 20_000;

/// One write a minute for ten minutes, and the lists that it took.
async fn lists(patch_on_apply: bool) -> (World, u64) {
    let mut world = World::new(RECORDS);
    world.settings.patch_on_apply = patch_on_apply;
    let cache = world.open();
    assert_eq!(world.read(&cache).await.len(), RECORDS);
    for minute in 0..10 {
        world.clock.advance(MINUTE);
        let new = create(a(&format!("minute{minute}.example.com"), "192.0.2.9"));
        assert!(is_applied(&world.apply(&cache, &[new]).await[0]));
        assert_eq!(
            cache.read(&world.zone).await.unwrap().records.len(),
            world.truth().len()
        );
    }
    let lists = world.calls(Operation::Read);
    drop(cache);
    (world, lists)
}

#[tokio::test]
async fn one_list_for_ten_minutes_of_writes() {
    let (world, ours) = lists(true).await;
    assert_eq!(ours, 1);
    let cache = world.open();
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(world.calls(Operation::Read), 1, "none after a restart");
    let (_, theirs) = lists(false).await;
    assert_eq!(theirs, 11);
}
