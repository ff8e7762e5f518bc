//! What can be wrong with the directory of a cache, and with the time.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use records::cache::store::{FileStore, Store, StoreError, StoredZone, ZoneWrite};
use records::cache::{Cached, ZoneState};
use records::provider::Operation;
use records::{Zone, ZoneId};

use super::world::{MAX_AGE, MINUTE, TIME, World, a, create, is_applied, is_postponed, only_zone};

/// A cache whose file is broken lists the zone once, and keeps the file aside.
async fn assert_set_aside(world: &World) {
    let lists = world.calls(Operation::Read);
    let cache = world.open();
    assert!(cache.status().zones.is_empty());
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(world.calls(Operation::Read) - lists, 1);
    assert!(world.directory.path().join("zones.redb.set-aside").exists());
    drop(cache);
    let cache = world.open();
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(world.calls(Operation::Read) - lists, 1, "the new file is kept");
}

#[tokio::test]
async fn what_is_no_cache_is_set_aside() {
    for contents in ["no cache at all\n".repeat(1000), "x".to_owned()] {
        let world = World::new(50);
        fs::write(world.file(), contents).unwrap();
        assert_set_aside(&world).await;
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_set_aside() {
    for part in 1..4 {
        let world = World::new(50);
        world.read(&world.open()).await;
        let length = fs::metadata(world.file()).unwrap().len();
        fs::File::options()
            .write(true)
            .open(world.file())
            .unwrap()
            .set_len(length * part / 4)
            .unwrap();
        assert_set_aside(&world).await;
    }
}

/// A byte that is another one is found, or is in a page that nobody reads.
#[tokio::test]
async fn a_broken_byte_is_never_believed() {
    let world = World::new(50);
    let truth = world.read(&world.open()).await;
    let whole = fs::read(world.file()).unwrap();
    let mut set_aside = 0;
    for place in (0..whole.len()).step_by(whole.len() / 300 + 1) {
        let mut broken = whole.clone();
        broken[place] ^= 0x55;
        fs::write(world.file(), &broken).unwrap();
        let cache = world.open();
        set_aside += usize::from(cache.status().zones.is_empty());
        assert_eq!(world.read(&cache).await, truth, "byte {place}");
    }
    assert!(set_aside > 0);
}

#[tokio::test]
async fn the_cache_of_another_provider_is_set_aside() {
    let mut world = World::new(50);
    world.read(&world.open()).await;
    world.settings.identity = "another account".to_owned();
    assert_set_aside(&world).await;
}

#[tokio::test]
async fn other_formats_are_set_aside() {
    const HEADER: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("header");
    for (key, value) in [("format", "2"), ("something", "else")] {
        let world = World::new(50);
        let database = redb::Database::create(world.file()).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(HEADER)
            .unwrap()
            .insert(key, value)
            .unwrap();
        transaction.commit().unwrap();
        drop(database);
        assert_set_aside(&world).await;
    }
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_set_aside() {
    const ROWS: redb::TableDefinition<'_, (&str, &str), &[u8]> = redb::TableDefinition::new("rows");
    let world = World::new(50);
    world.read(&world.open()).await;
    let database = redb::Database::create(world.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(ROWS)
        .unwrap()
        .insert(("example.com", "x"), &b"{"[..])
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_set_aside(&world).await;
}

#[tokio::test]
async fn one_process_for_a_directory() {
    let world = World::new(50);
    let first = world.open();
    world.read(&first).await;
    let second = Cached::open(world.memory.clone(), world.settings.clone(), world.clock.clone());
    let Err(error) = second else {
        panic!("both have it")
    };
    assert_eq!(error, StoreError::InUse(world.file()));
    assert!(error.to_string().contains("in use by another process"), "{error}");
    assert!(is_applied(
        &world
            .apply(&first, &[create(a("new.example.com", "192.0.2.9"))])
            .await[0]
    ));
    drop(first);
    assert_eq!(world.read(&world.open()).await, world.truth());
    assert_eq!(world.calls(Operation::Read), 1);
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_told() {
    let mut world = World::new(1);
    let file = world.directory.path().join("file");
    fs::write(&file, "").unwrap();
    world.settings.directory = Some(file.join("below"));
    let opened = Cached::open(world.memory.clone(), world.settings.clone(), world.clock.clone());
    let Err(error) = opened else {
        panic!("there is no such directory")
    };
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

/// A store on a disk that may be full; a full one lets files be removed, a stuck one nothing.
struct Disk {
    store: FileStore,
    full: Arc<AtomicBool>,
    stuck: Arc<AtomicBool>,
}

fn check(flag: &AtomicBool) -> Result<(), StoreError> {
    let full = StoreError::Failed {
        path: "disk".into(),
        reason: "no space left on device".to_owned(),
    };
    if flag.load(Ordering::Relaxed) {
        Err(full)
    } else {
        Ok(())
    }
}

impl Store for Disk {
    fn load(&mut self) -> Result<Vec<StoredZone>, StoreError> {
        self.store.load()
    }

    fn write(&mut self, zone: &Zone, write: &ZoneWrite) -> Result<(), StoreError> {
        check(&self.full)?;
        self.store.write(zone, write)
    }

    fn remove(&mut self, zone: &ZoneId) -> Result<(), StoreError> {
        check(&self.full)?;
        self.store.remove(zone)
    }

    fn discard(&mut self) -> Result<(), StoreError> {
        check(&self.stuck)?;
        self.store.discard()
    }
}

fn on_disk(world: &World) -> (Cached, Arc<AtomicBool>, Arc<AtomicBool>) {
    let (full, stuck) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let store = FileStore::open(world.directory.path(), "inmemory").unwrap();
    let disk = Box::new(Disk {
        store,
        full: full.clone(),
        stuck: stuck.clone(),
    });
    let cache = Cached::with_store(
        world.memory.clone(),
        world.settings.clone(),
        world.clock.clone(),
        Some(disk),
    );
    (cache.unwrap(), full, stuck)
}

/// On a full disk the cache goes on in memory and says so, and what is on disk is not
/// believed after a restart. Once there is space it is kept again.
#[tokio::test]
async fn a_full_disk_stops_nothing() {
    let world = World::new(50);
    let (cache, full, _) = on_disk(&world);
    world.read(&cache).await;
    assert_eq!(cache.status().not_kept, None);
    full.store(true, Ordering::Relaxed);
    for turn in 0..3 {
        let new = create(a(&format!("new{turn}.example.com"), "192.0.2.9"));
        assert!(is_applied(&world.apply(&cache, &[new]).await[0]));
        assert_eq!(world.read(&cache).await, world.truth());
        assert!(!world.file().exists(), "it would not tell what was written");
        let told = cache.status().not_kept.unwrap();
        assert!(told.contains("no space left"), "nothing is kept: {told}");
    }
    assert_eq!(world.calls(Operation::Read), 1);
    world.clock.advance(TIME + MINUTE);
    world.read(&cache).await;
    assert!(cache.status().not_kept.unwrap().contains("no space left"));
    full.store(false, Ordering::Relaxed);
    world.clock.advance(TIME + MINUTE);
    world.read(&cache).await;
    assert_eq!(cache.status().not_kept, None);
    drop(cache);
    let cache = world.open();
    assert_eq!(only_zone(&cache.status()).state, ZoneState::Restored);
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(world.calls(Operation::Read), 1);
}

/// Where what is on disk can neither be added to nor taken away, nothing is written.
#[tokio::test]
async fn a_stuck_disk_stops_writes() {
    let world = World::new(50);
    let (cache, full, stuck) = on_disk(&world);
    world.read(&cache).await;
    full.store(true, Ordering::Relaxed);
    stuck.store(true, Ordering::Relaxed);
    let new = create(a("new.example.com", "192.0.2.9"));
    let outcomes = world.apply(&cache, std::slice::from_ref(&new)).await;
    assert!(is_postponed(&outcomes[0]), "{outcomes:?}");
    assert_eq!(world.calls(Operation::Apply), 0);
    full.store(false, Ordering::Relaxed);
    assert!(is_applied(&world.apply(&cache, &[new]).await[0]));
    drop(cache);
    assert_eq!(world.read(&world.open()).await, world.truth());
    assert_eq!(world.calls(Operation::Read), 1);
}

/// A file that is gone, or taken by somebody else, is never written a part of a zone into.
#[tokio::test]
async fn a_part_is_never_taken_for_a_zone() {
    let world = World::new(50);
    world.read(&world.open()).await;
    let mut store = FileStore::open(world.directory.path(), "inmemory").unwrap();
    store.discard().unwrap();
    let part = ZoneWrite::default();
    assert!(store.write(&world.zone, &part).is_err());
    assert!(store.load().unwrap().is_empty());
    store
        .write(&world.zone, &ZoneWrite { whole: true, ..part })
        .unwrap();
    assert_eq!(store.load().unwrap().len(), 1);
}

/// A zone that was kept at a time which is yet to come is read whole: the clock was wrong
/// then, or is now.
#[tokio::test]
async fn a_clock_that_was_set_back_is_noticed() {
    let world = World::new(50);
    world.read(&world.open()).await;
    world.clock.set_back(MINUTE);
    let cache = world.open();
    assert_eq!(only_zone(&cache.status()).state, ZoneState::Expired);
    assert_eq!(world.read(&cache).await, world.truth());
    assert_eq!(world.calls(Operation::Read), 2);
}

/// So is one that was kept after its last full read by a clock which has since gone back.
#[tokio::test]
async fn a_clock_that_goes_back_behind_a_write_is_noticed() {
    let world = World::new(50);
    let cache = world.open();
    world.read(&cache).await;
    world.clock.advance(MINUTE * 5);
    world
        .apply(&cache, &[create(a("new.example.com", "192.0.2.9"))])
        .await;
    drop(cache);
    world.clock.set_back(MINUTE);
    assert_eq!(only_zone(&world.open().status()).state, ZoneState::Expired);
}

/// A clock that is set back while the process runs makes nothing fresher, now or after a
/// restart.
#[tokio::test]
async fn ages_do_not_follow_the_wall_clock() {
    let world = World::new(50);
    let cache = world.open();
    world.read(&cache).await;
    world.clock.advance(MAX_AGE / 2);
    world.clock.set_back(MAX_AGE);
    world
        .apply(&cache, &[create(a("new.example.com", "192.0.2.9"))])
        .await;
    assert_eq!(only_zone(&cache.status()).age, Some(MAX_AGE / 2));
    drop(cache);
    let cache = world.open();
    assert_eq!(only_zone(&cache.status()).age, Some(MAX_AGE / 2));
    world.clock.advance(MAX_AGE / 2 + MINUTE);
    assert_eq!(only_zone(&cache.status()).state, ZoneState::Expired);
}
