//! The process killed at any step: before and after every write to its store, and before
//! and after everything that the provider does.

use std::sync::Arc;

use records::cache::Cached;
use records::cache::store::{FileStore, Store, StoreError, StoredZone, ZoneWrite};
use records::provider::Operation;
use records::{Zone, ZoneId};

use super::world::{
    Between, Life, MINUTE, TIME, World, a, copy, create, delete, group, only_zone, txt, update,
};

/// What the cache calls its provider in the file.
const IDENTITY: &str = "inmemory";

/// A store whose process may be killed.
struct MortalStore {
    store: FileStore,
    life: Arc<Life>,
}

impl MortalStore {
    fn step(&mut self, act: impl FnOnce(&mut FileStore) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let killed = || StoreError::Failed {
            path: "store".into(),
            reason: "killed".to_owned(),
        };
        if !self.life.step() {
            return Err(killed());
        }
        act(&mut self.store)?;
        if self.life.step() { Ok(()) } else { Err(killed()) }
    }
}

impl Store for MortalStore {
    fn load(&mut self) -> Result<Vec<StoredZone>, StoreError> {
        self.store.load()
    }

    fn write(&mut self, zone: &Zone, write: &ZoneWrite) -> Result<(), StoreError> {
        self.step(|store| store.write(zone, write))
    }

    fn remove(&mut self, zone: &ZoneId) -> Result<(), StoreError> {
        self.step(|store| store.remove(zone))
    }

    fn discard(&mut self) -> Result<(), StoreError> {
        self.step(FileStore::discard)
    }
}

/// A life of so many steps; whether it came to its end by itself.
async fn live(world: &World, steps: usize) -> bool {
    let life = Life::of(steps);
    let store = FileStore::open(world.directory.path(), IDENTITY).unwrap();
    let store = Box::new(MortalStore {
        store,
        life: life.clone(),
    });
    let provider = Arc::new(Between {
        life: life.clone(),
        ..Between::new(&world.memory)
    });
    let settings = world.settings.clone();
    let cache = Cached::with_store(provider, settings, world.clock.clone(), Some(store)).unwrap();
    let known = world.read(&cache).await;
    let both = group([
        records::Change::Create(a("new.example.com", "192.0.2.9")),
        records::Change::Create(txt("a-new.example.com", "heritage")),
    ]);
    let changed = a(&known[1].dns_name, "192.0.2.9");
    world
        .apply(&cache, &[both, update(known[1].clone(), changed.clone())])
        .await;
    world.clock.advance(TIME + MINUTE);
    if !life.is_over() {
        world.read(&cache).await;
    }
    world
        .apply(
            &cache,
            &[
                delete(known[2].clone()),
                create(a("last.example.com", "192.0.2.9")),
            ],
        )
        .await;
    world
        .apply(
            &cache,
            &[update(changed.clone(), a(&changed.dns_name, "192.0.2.10"))],
        )
        .await;
    // The file as it is at this moment, with the process still there.
    copy(
        world.directory.path(),
        &world.directory.path().with_extension("killed"),
    );
    !life.is_over()
}

/// Of each name that is on disk and not in doubt, the disk tells what the provider holds.
fn assert_honest(world: &World, steps: usize) {
    let mut store = FileStore::open(world.settings.directory.as_ref().unwrap(), IDENTITY).unwrap();
    let truth = world.truth();
    for zone in store.load().unwrap() {
        let rows: Vec<_> = zone.rows.iter().filter(|(_, row)| !row.doubtful).collect();
        for (name, row) in &rows {
            let held = truth.iter().filter(|record| *record.dns_name == **name);
            let held: Vec<_> = held.cloned().collect();
            let told: Vec<_> = row.records.iter().collect();
            assert_eq!(told, held, "{name}, killed after {steps} steps");
        }
        for record in &truth {
            let known = zone.rows.iter().any(|(name, _)| **name == *record.dns_name);
            assert!(
                known,
                "nobody knows of {}, killed after {steps} steps",
                record.dns_name
            );
        }
    }
}

#[tokio::test]
async fn killed_at_any_step() {
    for steps in 1.. {
        let mut world = World::new(60);
        let over = live(&world, steps).await;
        world.settings.directory = Some(world.directory.path().with_extension("killed"));
        assert_honest(&world, steps);
        let lists = world.calls(Operation::Read);
        let cache = world.open();
        let kept = !cache.status().zones.is_empty();
        assert_eq!(
            world.read(&cache).await,
            world.truth(),
            "killed after {steps} steps"
        );
        assert_eq!(only_zone(&cache.status()).doubtful, 0);
        assert_eq!(
            world.calls(Operation::Read) - lists,
            u64::from(!kept),
            "killed after {steps} steps"
        );
        drop(cache);
        std::fs::remove_dir_all(world.settings.directory.unwrap()).unwrap();
        if over {
            assert!(steps > 20, "{steps} steps are too few for all that is done");
            return;
        }
    }
}
