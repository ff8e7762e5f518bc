//! A provider, a clock and a directory, and the words of the tests.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use records::cache::{CacheStatus, Cached, Clock, Settings, ZoneStatus};
use records::provider::memory::{Fault, FaultKind, Memory};
use records::provider::{Confirmation, Operation};
use records::{Change, Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneRecords};
use tempfile::TempDir;

use crate::fixtures::record;
pub use crate::fixtures::{a, name, zone};

pub const MINUTE: Duration = Duration::from_secs(60);
/// The provider-cache-time of the tests.
pub const TIME: Duration = Duration::from_secs(600);
/// The record-cache-max-age of the tests.
pub const MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// A clock that stands until it is moved.
pub struct HandClock {
    monotonic: AtomicU64,
    wall: AtomicU64,
}

impl HandClock {
    pub fn advance(&self, by: Duration) {
        self.monotonic.fetch_add(by.as_secs(), Ordering::Relaxed);
        self.wall.fetch_add(by.as_secs(), Ordering::Relaxed);
    }

    /// Sets the wall clock back.
    pub fn set_back(&self, by: Duration) {
        self.wall.fetch_sub(by.as_secs(), Ordering::Relaxed);
    }
}

impl Default for HandClock {
    fn default() -> Self {
        Self {
            monotonic: 0.into(),
            wall: 1_800_000_000.into(),
        }
    }
}

impl Clock for HandClock {
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.monotonic.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Duration {
        Duration::from_secs(self.wall.load(Ordering::Relaxed))
    }
}

/// The zone `example.com` at a provider in memory, and where its cache is kept.
pub struct World {
    pub memory: Arc<Memory>,
    pub clock: Arc<HandClock>,
    pub zone: Zone,
    pub settings: Settings,
    pub directory: TempDir,
}

impl World {
    /// With so many records `host0`, `host1` and so on, kept on disk.
    pub fn new(records: usize) -> Self {
        let zone = zone("example.com");
        let memory = Arc::new(Memory::new([zone.name.clone()]));
        for number in 0..records {
            memory.put(a(&format!("host{number}.example.com"), "192.0.2.1"));
        }
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            time: TIME,
            patch_on_apply: true,
            directory: Some(directory.path().to_owned()),
            max_age: Some(MAX_AGE),
            ..Settings::default()
        };
        Self {
            memory,
            clock: Arc::default(),
            zone,
            settings,
            directory,
        }
    }

    /// The same, in memory only.
    pub fn without_disk(records: usize) -> Self {
        let mut world = Self::new(records);
        world.settings.directory = None;
        world
    }

    pub fn open(&self) -> Cached {
        Cached::open(self.memory.clone(), self.settings.clone(), self.clock.clone()).unwrap()
    }

    /// A cache before something that stands before the provider.
    pub fn open_before(&self, provider: Arc<dyn Provider>) -> Cached {
        Cached::open(provider, self.settings.clone(), self.clock.clone()).unwrap()
    }

    pub fn calls(&self, operation: Operation) -> u64 {
        self.memory.calls().of(operation)
    }

    pub fn fail(&self, operation: Operation, kind: FaultKind) {
        self.memory.fail(Fault {
            operation,
            after: 0,
            kind,
        });
    }

    /// What the provider holds.
    pub fn truth(&self) -> Vec<Endpoint> {
        self.memory.records(&self.zone.id)
    }

    pub fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("zones.redb")
    }

    pub async fn read(&self, cache: &Cached) -> Vec<Endpoint> {
        cache.read(&self.zone).await.unwrap().records.iter().collect()
    }

    pub async fn apply(&self, cache: &Cached, groups: &[Group]) -> Vec<Outcome> {
        cache.apply(&self.zone, groups).await
    }
}

pub fn txt(name: &str, text: &str) -> Endpoint {
    record(name, "TXT", text)
}

/// A group for the name of its first change.
pub fn group(changes: impl IntoIterator<Item = Change>) -> Group {
    let changes: Vec<Change> = changes.into_iter().collect();
    let first = changes[0].after().or(changes[0].before()).unwrap();
    Group {
        name: first.name().unwrap(),
        changes,
    }
}

pub fn create(endpoint: Endpoint) -> Group {
    group([Change::Create(endpoint)])
}

pub fn update(old: Endpoint, new: Endpoint) -> Group {
    group([Change::Update { old, new }])
}

pub fn delete(endpoint: Endpoint) -> Group {
    group([Change::Delete(endpoint)])
}

pub fn is_applied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied { .. })
}

pub fn is_conflict(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Conflict { .. })
}

pub fn is_postponed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Postponed { .. })
}

/// The status of the one zone.
pub fn only_zone(status: &CacheStatus) -> &ZoneStatus {
    assert_eq!(status.zones.len(), 1);
    &status.zones[0]
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A life of some steps: after them, nothing has any effect.
#[derive(Default)]
pub struct Life(AtomicUsize);

impl Life {
    pub fn of(steps: usize) -> Arc<Self> {
        Arc::new(Self(steps.into()))
    }

    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Takes a step; whether there was one left.
    pub fn step(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
    }
}

type Altered<T> = Box<dyn Fn(T) -> T + Send + Sync>;

/// Stands before the provider in memory and changes what it answers.
pub struct Between {
    pub memory: Arc<Memory>,
    pub outcomes: Altered<Vec<Outcome>>,
    pub confirmation: Altered<Confirmation>,
    pub life: Arc<Life>,
}

impl Between {
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self {
            memory: memory.clone(),
            outcomes: Box::new(|outcomes| outcomes),
            confirmation: Box::new(|confirmation| confirmation),
            life: Life::of(usize::MAX),
        }
    }
}

impl Provider for Between {
    fn name(&self) -> &'static str {
        self.memory.name()
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        self.memory.zones()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        self.memory.read(zone)
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        self.memory.read_names(zone, names)
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        self.memory
            .confirm(zone, known)
            .map(|result| result.map(&self.confirmation))
            .boxed()
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            let dead = vec![
                Outcome::Unknown {
                    reason: "killed".to_owned()
                };
                groups.len()
            ];
            if !self.life.step() {
                return dead;
            }
            let outcomes = self.memory.apply(zone, groups).await;
            if self.life.step() {
                (self.outcomes)(outcomes)
            } else {
                dead
            }
        }
        .boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.memory.adjust(wanted)
    }
}
