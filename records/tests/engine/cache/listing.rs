//! Which zones the provider has, while it cannot be asked and after a restart.

use std::fs;
use std::time::Duration;

use records::cache::store::{FileStore, StoreError};
use records::provider::Operation;
use records::provider::memory::FaultKind;
use records::{Provider as _, ZoneId};

use super::world::{MINUTE, World, copy, zone};

#[tokio::test]
async fn all_zones_that_were_listed_are_known_after_a_restart() {
    let world = World::new(3);
    let cache = world.open();
    assert_eq!(cache.listed(), None);
    assert_eq!(cache.zones().await.unwrap(), std::slice::from_ref(&world.zone));
    assert_eq!(cache.listed(), None, "it is kept by who says so");
    // One of them is never read.
    let zones = [world.zone.clone(), zone("never-read.example")];
    cache.keep_listed(&zones).await;
    world.clock.advance(MINUTE);
    let listed = cache.listed().unwrap();
    assert_eq!((&*listed.zones, listed.age), (&zones[..], Some(MINUTE)));
    drop(cache);

    world.clock.advance(MINUTE);
    let listed = world.open().listed().unwrap();
    assert_eq!((&*listed.zones, listed.age), (&zones[..], Some(2 * MINUTE)));
    world.clock.set_back(10 * MINUTE);
    let listed = world.open().listed().unwrap();
    assert_eq!((&*listed.zones, listed.age), (&zones[..], None));
    assert_eq!(world.calls(Operation::Zones), 1, "nobody was asked");
}

#[tokio::test]
async fn what_was_kept_of_a_zone_is_known_while_the_provider_is_away() {
    let world = World::new(3);
    let truth = world.read(&world.open()).await;
    world.clock.advance(MINUTE);
    let cache = world.open();
    world.fail(Operation::Confirm, FaultKind::Unavailable);
    assert!(cache.read(&world.zone).await.is_err());
    let known = cache.known(&world.zone.id).unwrap();
    assert_eq!(known.records.iter().collect::<Vec<_>>(), truth);
    assert_eq!(cache.age(&world.zone.id), Some(MINUTE));
    assert_eq!(cache.known(&ZoneId("other".into())), None);
    drop(cache);
    // Of no known age, it is not told as if it were new.
    world.clock.set_back(10 * MINUTE);
    assert_eq!(world.open().known(&world.zone.id), None);
}

#[tokio::test]
async fn a_directory_tells_whom_it_is_for_and_goes_with_nothing_of_others() {
    let world = World::new(3);
    world.open().keep_listed(std::slice::from_ref(&world.zone)).await;
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().join("cache");
    copy(world.directory.path(), &folder);
    assert_eq!(FileStore::identity(&folder).unwrap(), "inmemory");
    let store = FileStore::open(&folder, "inmemory").unwrap();
    assert!(matches!(FileStore::identity(&folder), Err(StoreError::InUse(_))));
    drop(store);

    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert!(FileStore::remove_directory(&folder).is_err());
    assert!(folder.join("notes.txt").exists());
    fs::remove_file(folder.join("notes.txt")).unwrap();
    FileStore::remove_directory(&folder).unwrap();
    assert!(!folder.exists());
    assert!(FileStore::identity(&folder).is_err());
    assert!(!folder.exists(), "looking makes nothing");
    assert_eq!(world.open().listed().unwrap().age, Some(Duration::ZERO));
}
