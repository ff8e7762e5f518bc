//! Any sequence of reads, writes, faults, foreign changes, restarts, kills and time: once
//! the zone is confirmed, the cache is what the provider holds; and nothing that somebody
//! else wrote goes by a view that did not have it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use proptest::prelude::*;
use records::cache::Cached;
use records::cache::store::{Row, Store, StoreError, StoredTimes, StoredZone, ZoneWrite};
use records::provider::Operation;
use records::provider::memory::FaultKind;
use records::{Change, Endpoint, Group, Outcome, Provider, RecordKey, Zone, ZoneId, ZoneVersion};

use super::world::{MINUTE, TIME, World, a, group, only_zone};

/// Names that are fought for, beside many that are not.
const NAMES: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Read,
    /// Each name gets an address, or none, by the view that was read last.
    Apply(Vec<(usize, Option<u8>)>),
    /// As before, and the writer is stopped after so many turns.
    ApplyAndStop(Vec<(usize, Option<u8>)>, usize),
    /// Somebody else writes.
    Foreign(usize, bool),
    /// Somebody else writes while we do.
    ForeignMeanwhile(usize),
    Fault(Operation, FaultKind),
    /// The disk is full, or no longer.
    Disk(bool),
    Restart,
    Minutes(u32),
    Confirm,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = || prop::collection::vec((0..NAMES, prop::option::of(1..250_u8)), 1..4);
    let operation = prop::sample::select(vec![
        Operation::Read,
        Operation::ReadNames,
        Operation::Confirm,
        Operation::Apply,
        Operation::Apply,
    ]);
    let kind = prop_oneof![
        Just(FaultKind::Throttled),
        Just(FaultKind::Unavailable),
        Just(FaultKind::Malformed),
        (0..3_usize).prop_map(|written| FaultKind::LostReply { written }),
    ];
    let step = prop_oneof![
        4 => Just(Step::Read),
        6 => write().prop_map(Step::Apply),
        2 => (write(), 0..4_usize).prop_map(|(write, turns)| Step::ApplyAndStop(write, turns)),
        3 => (0..NAMES, any::<bool>()).prop_map(|(name, put)| Step::Foreign(name, put)),
        1 => (0..NAMES).prop_map(Step::ForeignMeanwhile),
        3 => (operation, kind).prop_map(|(operation, kind)| Step::Fault(operation, kind)),
        1 => any::<bool>().prop_map(Step::Disk),
        2 => Just(Step::Restart),
        3 => prop::sample::select(vec![1_u32, 11, 60 * 25]).prop_map(Step::Minutes),
        1 => Just(Step::Confirm),
    ];
    prop::collection::vec(step, 1..40)
}

/// A disk that lasts longer than the process.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    zones: BTreeMap<ZoneId, Kept>,
    full: bool,
}

struct Kept {
    zone: Zone,
    version: Option<ZoneVersion>,
    times: StoredTimes,
    rows: BTreeMap<Box<str>, Row>,
}

impl Disk {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap()
    }
}

impl Store for Disk {
    fn load(&mut self) -> Result<Vec<StoredZone>, StoreError> {
        let disk = self.contents();
        let zones = disk.zones.values().map(|kept| StoredZone {
            zone: kept.zone.clone(),
            version: kept.version.clone(),
            times: kept.times,
            rows: kept.rows.clone().into_iter().collect(),
        });
        Ok(zones.collect())
    }

    fn write(&mut self, zone: &Zone, write: &ZoneWrite) -> Result<(), StoreError> {
        let mut disk = self.contents();
        let known = disk.zones.remove(&zone.id);
        let full = StoreError::Failed {
            path: "disk".into(),
            reason: "full".to_owned(),
        };
        if disk.full || (known.is_none() && !write.whole) {
            disk.zones.extend(known.map(|known| (zone.id.clone(), known)));
            return Err(full);
        }
        let mut rows = known
            .filter(|_| !write.whole)
            .map(|kept| kept.rows)
            .unwrap_or_default();
        rows.extend(write.rows.iter().cloned());
        rows.retain(|_, row| !row.is_empty());
        let kept = Kept {
            zone: zone.clone(),
            version: write.version.clone(),
            times: write.times,
            rows,
        };
        disk.zones.insert(zone.id.clone(), kept);
        Ok(())
    }

    fn remove(&mut self, zone: &ZoneId) -> Result<(), StoreError> {
        self.contents().zones.remove(zone);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), StoreError> {
        self.contents().zones.clear();
        Ok(())
    }
}

/// A run of the model.
struct Run {
    world: World,
    disk: Disk,
    cache: Cached,
    /// What was read last.
    view: BTreeMap<RecordKey, Endpoint>,
    /// What somebody else is to write during the next apply.
    meanwhile: Vec<Endpoint>,
    foreign: u8,
}

impl Run {
    fn new(forgetful: bool, patch_on_apply: bool) -> Self {
        let mut world = World::without_disk(60);
        world.settings.patch_on_apply = patch_on_apply;
        world.memory.set_forgetful(forgetful);
        let disk = Disk::default();
        let cache = start(&world, &disk);
        Self {
            world,
            disk,
            cache,
            view: BTreeMap::new(),
            meanwhile: Vec::new(),
            foreign: 0,
        }
    }

    fn truth(&self) -> BTreeMap<RecordKey, Endpoint> {
        by_key(self.world.truth())
    }

    /// What somebody else writes: like nothing else.
    fn theirs(&mut self, name: usize) -> Endpoint {
        self.foreign = self.foreign.wrapping_add(1);
        a(
            &format!("name{name}.example.com"),
            &format!("198.51.100.{}", self.foreign),
        )
    }

    fn groups(&self, wanted: &[(usize, Option<u8>)]) -> Vec<Group> {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        wanted.dedup_by_key(|(name, _)| *name);
        wanted
            .into_iter()
            .filter_map(|(name, address)| {
                let name = format!("name{name}.example.com");
                let new = address.map(|address| a(&name, &format!("192.0.2.{address}")));
                let old = self.view.get(&a(&name, "").key().unwrap()).cloned();
                Some(group([match (old, new) {
                    (None, None) => return None,
                    (None, Some(new)) => Change::Create(new),
                    (Some(old), None) => Change::Delete(old),
                    (Some(old), Some(new)) => Change::Update { old, new },
                }]))
            })
            .collect()
    }

    async fn read(&mut self) -> bool {
        let Ok(read) = self.cache.read(&self.world.zone).await else {
            return false;
        };
        self.view = by_key(read.records.iter().collect());
        true
    }

    /// Writes, all of it or until the writer is stopped, and looks at what became of what
    /// somebody else wrote.
    async fn apply(&mut self, wanted: &[(usize, Option<u8>)], turns: Option<usize>) {
        let groups = self.groups(wanted);
        let (before, calls) = (self.truth(), self.world.calls(Operation::Apply));
        let mut apply = self.cache.apply(&self.world.zone, &groups);
        let mut outcomes = None;
        match turns {
            None => outcomes = Some(apply.await),
            Some(turns) => {
                for _ in 0..=turns {
                    if (&mut apply).now_or_never().is_some() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                drop(apply);
            }
        }
        let after = self.truth();
        let written = self.world.calls(Operation::Apply) > calls;
        let meanwhile = if written {
            std::mem::take(&mut self.meanwhile)
        } else {
            Vec::new()
        };
        for theirs in by_key(meanwhile).values() {
            assert_eq!(
                after.get(&theirs.key().unwrap()),
                Some(theirs),
                "nobody had seen it"
            );
        }
        for (key, held) in &before {
            let stays = after.get(key) == Some(held) || after.get(key).is_some_and(is_foreign);
            assert!(
                stays || !is_foreign(held) || self.view.get(key) == Some(held),
                "nobody had seen {held:?}"
            );
        }
        for (group, outcome) in groups.iter().zip(outcomes.iter().flatten()) {
            if matches!(outcome, Outcome::Applied { .. }) {
                let after = after.get(&key_of(group));
                assert_eq!(after, group.changes[0].after(), "it was said to be applied");
            }
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Read => {
                self.read().await;
            }
            Step::Apply(wanted) => self.apply(&wanted, None).await,
            Step::ApplyAndStop(wanted, turns) => self.apply(&wanted, Some(turns)).await,
            Step::Foreign(name, true) => {
                let theirs = self.theirs(name);
                self.world.memory.put(theirs);
            }
            Step::Foreign(name, false) => {
                self.world
                    .memory
                    .remove(&a(&format!("name{name}.example.com"), "").key().unwrap());
            }
            Step::ForeignMeanwhile(name) => {
                let theirs = self.theirs(name);
                self.meanwhile.push(theirs.clone());
                self.world
                    .fail(Operation::Apply, FaultKind::Put(Box::new(theirs)));
            }
            Step::Fault(operation, kind) => self.world.fail(operation, kind),
            Step::Disk(full) => self.disk.contents().full = full,
            Step::Restart => self.cache = start(&self.world, &self.disk),
            Step::Minutes(minutes) => self.world.clock.advance(MINUTE * minutes),
            Step::Confirm => drop(self.cache.confirm_one().await),
        }
    }

    /// Once the zone is confirmed, the cache is what the provider holds.
    async fn finish(&mut self) {
        self.world.clock.advance(TIME + MINUTE);
        let mut tries = 0;
        while !self.read().await {
            tries += 1;
            assert!(tries < 100, "it never reads again");
        }
        assert_eq!(self.view, self.truth());
        assert_eq!(only_zone(&self.cache.status()).doubtful, 0);
    }
}

fn start(world: &World, disk: &Disk) -> Cached {
    let store = Box::new(disk.clone());
    Cached::with_store(
        world.memory.clone(),
        world.settings.clone(),
        world.clock.clone(),
        Some(store),
    )
    .unwrap()
}

fn by_key(records: Vec<Endpoint>) -> BTreeMap<RecordKey, Endpoint> {
    records
        .into_iter()
        .map(|record| (record.key().unwrap(), record))
        .collect()
}

fn is_foreign(record: &Endpoint) -> bool {
    record.targets[0].starts_with("198.")
}

fn key_of(group: &Group) -> RecordKey {
    let change = &group.changes[0];
    change.after().or(change.before()).unwrap().key().unwrap()
}

fn run(forgetful: bool, patch_on_apply: bool, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut run = Run::new(forgetful, patch_on_apply);
        run.read().await;
        for step in steps {
            run.step(step).await;
        }
        run.finish().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn the_cache_equals_the_provider(forgetful in any::<bool>(), patch in prop::bool::weighted(0.8), steps in steps()) {
        run(forgetful, patch, steps);
    }
}
