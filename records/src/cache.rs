//! A cache of zones that survives writes, restarts and doubt.
//!
//! [`Cached`] stands before a provider and is one itself. Per zone it has the records as
//! readers see them, swapped whole, and lets one at a time ask the provider or write:
//!
//! - `refresh` reads: a zone that is fresh is served as it is, one whose time is over is
//!   confirmed, one that is too old is read whole, and doubtful names are read by
//!   themselves. A failure is the caller's; what is known stays.
//! - `apply` writes: the names are noted on disk, the provider is called, and what came of
//!   each group is put in place. Only what was applied changes the records; what nobody
//!   knows makes names doubtful. A patch never makes a zone any fresher.
//! - `rotation` reads zones again in turns, so that none comes to be too old.
//! - `listing` is which zones there are, as they were listed last.
//! - `store` keeps zones on disk. What is there is never newer than what it says, and
//!   names that may have been written to since are marked; so it can be believed as far as
//!   the provider confirms it.

mod age;
mod apply;
mod clock;
mod listing;
mod persistence;
mod refresh;
mod rotation;
mod settings;
mod snapshot;
mod status;
pub mod store;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

pub use self::age::ZoneState;
pub use self::clock::{Clock, SystemClock};
pub use self::listing::ListedZones;
use self::listing::Listing;
use self::persistence::Persistence;
pub use self::settings::Settings;
use self::status::Counting;
pub use self::status::{CacheStatus, Counters, ZoneStatus};
use self::store::{FileStore, Store, StoreError};
use self::zone::{CachedZone, Knowledge};
use crate::provider::{Calls, Confirmation, Operation};
use crate::{
    DomainFilter, Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneId, ZoneRecords, batch,
};

/// A provider whose zones are kept.
pub struct Cached {
    provider: Arc<dyn Provider>,
    settings: Settings,
    clock: Arc<dyn Clock>,
    zones: Mutex<BTreeMap<ZoneId, Arc<CachedZone>>>,
    listing: Mutex<Option<Listing>>,
    persistence: Persistence,
    turns: Mutex<Turns>,
    calls: Calls,
    counters: Counting,
    restored: (u64, Duration),
}

/// Whose turn it was to be read again.
struct Turns {
    last: Duration,
    tried: BTreeMap<ZoneId, Duration>,
}

impl Cached {
    /// A cache before a provider, with what its directory has kept. Reads that directory,
    /// and so may take a second.
    pub fn open(
        provider: Arc<dyn Provider>,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let identity = format!("{} {}", provider.name(), settings.identity)
            .trim_end()
            .to_owned();
        let store: Option<Box<dyn Store>> = match &settings.directory {
            Some(directory) if !settings.time.is_zero() => {
                Some(Box::new(FileStore::open(directory, &identity)?))
            }
            _ => None,
        };
        Self::with_store(provider, settings, clock, store)
    }

    /// A cache that is kept in a store of another kind.
    pub fn with_store(
        provider: Arc<dyn Provider>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        mut store: Option<Box<dyn Store>>,
    ) -> Result<Self, StoreError> {
        let (start, wall) = (clock.monotonic(), clock.wall());
        let stored = store
            .as_mut()
            .map_or_else(|| Ok(Vec::new()), |store| store.load())?;
        let list = store.as_mut().map_or(Ok(None), |store| store.load_list())?;
        let zones: BTreeMap<ZoneId, Arc<CachedZone>> = stored
            .into_iter()
            .map(|stored| {
                (
                    stored.zone.id.clone(),
                    Arc::new(CachedZone::restored(stored, start, wall)),
                )
            })
            .collect();
        let restored = (zones.len() as u64, clock.monotonic().saturating_sub(start));
        Ok(Self {
            provider,
            settings,
            clock,
            zones: Mutex::new(zones),
            listing: Mutex::new(list.map(|list| Listing::restored(list, start, wall))),
            persistence: Persistence::new(store),
            turns: Mutex::new(Turns {
                last: start,
                tried: BTreeMap::new(),
            }),
            calls: Calls::default(),
            counters: Counting::default(),
            restored,
        })
    }

    /// A zone's records as [`Provider::read`] tells them, in the order of the zone and not
    /// copied: they are the same ones until something changes.
    pub async fn shared(&self, zone: &Zone) -> Result<Arc<ZoneRecords>, ProviderError> {
        if !self.is_transparent() {
            return self.current(&self.cached(zone)).await;
        }
        self.calls.count(Operation::Read);
        let mut read = self.provider.read(zone).await?;
        self.counters.miss();
        read.records.sort();
        Ok(Arc::new(read))
    }

    /// How long ago the provider said what a zone holds; none if nothing is known of it.
    #[must_use]
    pub fn age(&self, zone: &ZoneId) -> Option<Duration> {
        let zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        let zone = zones.get(zone)?.clone();
        drop(zones);
        let times = zone.knowledge().times;
        let asked = times.confirmed.or(times.full_read)?;
        Some(asked.age(self.now()))
    }

    /// The cache as it is now; asks nobody.
    #[must_use]
    pub fn status(&self) -> CacheStatus {
        let now = self.now();
        CacheStatus {
            zones: self
                .known_zones()
                .iter()
                .map(|zone| self.zone_status(zone, now))
                .collect(),
            counters: self.counters.read(self.restored),
            provider_calls: Operation::ALL
                .map(|operation| (operation, self.calls.of(operation)))
                .into(),
            not_kept: self.persistence.failure(),
        }
    }

    fn zone_status(&self, zone: &CachedZone, now: Duration) -> ZoneStatus {
        let knowledge = zone.knowledge();
        let times = &knowledge.times;
        ZoneStatus {
            zone: zone.zone.clone(),
            state: knowledge.state(now, &self.settings),
            records: knowledge.records.as_ref().map_or(0, |zone| zone.records.len()),
            age: times.full_read.map(|moment| moment.age(now)),
            confirmed: times.confirmed.map(|moment| moment.age(now)),
            patched: times.patched.map(|moment| moment.age(now)),
            doubtful: knowledge.doubtful.len(),
        }
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Whether reads go through, and nothing is kept.
    fn is_transparent(&self) -> bool {
        self.settings.time.is_zero()
    }

    fn known_zones(&self) -> Vec<Arc<CachedZone>> {
        self.zones
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    fn cached(&self, zone: &Zone) -> Arc<CachedZone> {
        let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = zones.entry(zone.id.clone());
        cached
            .or_insert_with(|| Arc::new(CachedZone::new(zone.clone())))
            .clone()
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_turn(&self) -> Duration {
        self.turns().last
    }

    fn tried(&self, zone: &ZoneId) -> Option<Duration> {
        self.turns().tried.get(zone).copied()
    }

    fn take_turn(&self, now: Duration, zone: &ZoneId) {
        let mut turns = self.turns();
        turns.last = now;
        turns.tried.insert(zone.clone(), now);
    }

    /// Forgets the zones that the provider does not have any more, but for those that
    /// somebody works on.
    async fn forget_others(&self, zones: &[Zone]) {
        let listed: BTreeSet<&ZoneId> = zones.iter().map(|zone| &zone.id).collect();
        for zone in self.known_zones() {
            if listed.contains(&zone.zone.id) {
                continue;
            }
            let Ok(mut unsaved) = zone.turn.try_lock() else {
                continue;
            };
            unsaved.all = true;
            if zone.knowledge().records.is_some() && self.persistence.remove(&zone.zone.id).await.is_ok() {
                unsaved.on_disk = false;
                *zone.knowledge() = Knowledge::default();
            }
        }
    }
}

impl Provider for Cached {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        async {
            self.calls.count(Operation::Zones);
            let zones = self.provider.zones().await?;
            self.forget_others(&zones).await;
            Ok(zones)
        }
        .boxed()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        async { Ok((*self.shared(zone).await?).clone()) }.boxed()
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        self.calls.count(Operation::ReadNames);
        self.provider.read_names(zone, names)
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        self.calls.count(Operation::Confirm);
        self.provider.confirm(zone, known)
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            if groups.is_empty() {
                return Vec::new();
            }
            if self.settings.dry_run {
                return vec![Outcome::postponed("dry run: nothing is written"); groups.len()];
            }
            if self.is_transparent() {
                self.calls.count(Operation::Apply);
                self.counters.apply_call();
                return self.provider.apply(zone, groups).await;
            }
            self.change(&self.cached(zone), groups).await
        }
        .boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.calls.count(Operation::Adjust);
        self.provider.adjust(wanted)
    }

    fn domain_filters(&self, zone: &Zone) -> Vec<DomainFilter> {
        self.provider.domain_filters(zone)
    }

    fn batches(&self) -> Option<batch::Counters> {
        self.provider.batches()
    }
}
