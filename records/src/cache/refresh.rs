//! Reading: what is asked of the provider before a zone can be served.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Cached;
use super::age::Moment;
use super::snapshot::ByName;
use super::store::StoreError;
use super::zone::{CachedZone, Knowledge, Need, Unsaved};
use crate::provider::{Confirmation, Operation};
use crate::{Endpoint, Name, ProviderError, RecordList, ZoneRecords, ZoneVersion};

impl Cached {
    /// The zone's records: those that are known, or what the provider makes of them.
    pub(super) async fn current(&self, zone: &CachedZone) -> Result<Arc<ZoneRecords>, ProviderError> {
        if let Some(records) = zone.serve(self.now(), &self.settings) {
            self.counters.hit();
            return Ok(records);
        }
        let mut unsaved = zone.turn.lock().await;
        if let Some(records) = zone.serve(self.now(), &self.settings) {
            self.counters.hit();
            return Ok(records);
        }
        self.refresh(zone, &mut unsaved).await?;
        self.counters.miss();
        let known = zone.knowledge().records.clone();
        Ok(known.unwrap_or_default())
    }

    /// Makes the zone one that can be served. What is known stays if that fails.
    pub(super) async fn refresh(
        &self,
        zone: &CachedZone,
        unsaved: &mut Unsaved,
    ) -> Result<(), ProviderError> {
        let need = zone.knowledge().need(self.now(), &self.settings);
        if need == Need::Read {
            self.read_again(zone, unsaved).await?;
        }
        if need == Need::Confirm {
            self.confirm_zone(zone, unsaved).await?;
        }
        self.settle(zone, unsaved).await?;
        self.keep(zone, unsaved).await;
        Ok(())
    }

    /// Makes sure of all of the zone: reads it, or holds what is known beside it where the
    /// provider can.
    pub(super) async fn read_again(
        &self,
        zone: &CachedZone,
        unsaved: &mut Unsaved,
    ) -> Result<(), ProviderError> {
        if self.provider.compares() {
            return self.confirm_zone(zone, unsaved).await;
        }
        self.read_whole(zone, unsaved).await
    }

    /// Reads all of the zone.
    async fn read_whole(&self, zone: &CachedZone, unsaved: &mut Unsaved) -> Result<(), ProviderError> {
        self.calls.count(Operation::Read);
        let now = self.now();
        let read = self.provider.read(&zone.zone).await?;
        take_whole(zone, read, now, unsaved);
        Ok(())
    }

    /// Asks what has changed, and takes it in; reads all where the provider cannot tell.
    async fn confirm_zone(&self, zone: &CachedZone, unsaved: &mut Unsaved) -> Result<(), ProviderError> {
        let Some(known) = zone.knowledge().records.clone() else {
            return self.read_whole(zone, unsaved).await;
        };
        self.calls.count(Operation::Confirm);
        let now = self.now();
        match self.provider.confirm(&zone.zone, &known).await? {
            Confirmation::ReadAgain => self.read_whole(zone, unsaved).await,
            Confirmation::Whole(read) => {
                take_whole(zone, read, now, unsaved);
                Ok(())
            }
            Confirmation::Same => {
                zone.knowledge().confirm(BTreeMap::new(), None, now, unsaved);
                Ok(())
            }
            Confirmation::Compared { names, version, age } => {
                zone.knowledge().compare(names, version, age, now, unsaved);
                Ok(())
            }
            Confirmation::Part { names, version } => {
                zone.knowledge().confirm_part(names, version, now, unsaved);
                Ok(())
            }
            Confirmation::Changed { names, version } => {
                zone.knowledge().confirm(names, Some(version), now, unsaved);
                Ok(())
            }
        }
    }

    /// Reads the doubtful names, and those only; all of the zone where that costs less.
    pub(super) async fn settle(&self, zone: &CachedZone, unsaved: &mut Unsaved) -> Result<(), ProviderError> {
        let (doubtful, too_many) = {
            let knowledge = zone.knowledge();
            (knowledge.doubtful.clone(), knowledge.too_doubtful())
        };
        if doubtful.is_empty() {
            return Ok(());
        }
        if too_many {
            return self.read_again(zone, unsaved).await;
        }
        let names: Vec<Name> = doubtful.iter().cloned().collect();
        self.calls.count(Operation::ReadNames);
        let found = self.provider.read_names(&zone.zone, &names).await?;
        let mut read: ByName = names.into_iter().map(|name| (name, Vec::new())).collect();
        for endpoint in found {
            if let Ok(name) = endpoint.name()
                && let Some(there) = read.get_mut(&name)
            {
                there.push(endpoint);
            }
        }
        let mut knowledge = zone.knowledge();
        knowledge.take_names(read);
        knowledge.doubtful.retain(|name| !doubtful.contains(name));
        unsaved.names.extend(doubtful);
        Ok(())
    }

    /// Keeps what is not on disk yet. That it fails is told, and no reason to fail.
    pub(super) async fn keep(&self, zone: &CachedZone, unsaved: &mut Unsaved) {
        self.catch_up(unsaved);
        if !unsaved.all && unsaved.names.is_empty() {
            return;
        }
        // The store has told of the failure.
        let _told = self.keep_with(zone, unsaved, &BTreeSet::new()).await;
    }

    /// Keeps what is not on disk yet, and that some names are about to be written to.
    pub(super) async fn keep_with(
        &self,
        zone: &CachedZone,
        unsaved: &mut Unsaved,
        intents: &BTreeSet<Name>,
    ) -> Result<(), StoreError> {
        if !self.persistence.is_used() {
            return Ok(());
        }
        self.catch_up(unsaved);
        // A copy shares the records: readers do not wait until all is looked through.
        let known = zone.knowledge().clone();
        let write = known.unsaved(unsaved, intents, self.now(), self.clock.wall());
        let Some(write) = write else { return Ok(()) };
        // From now on it may be there, whatever comes of the call.
        unsaved.on_disk = true;
        self.persistence.write(&zone.zone, write).await?;
        unsaved.all = false;
        unsaved.names.clear();
        Ok(())
    }

    /// Takes note of it when all that was kept has been thrown away.
    pub(super) fn catch_up(&self, unsaved: &mut Unsaved) {
        let epoch = self.persistence.epoch();
        if unsaved.epoch != epoch {
            *unsaved = Unsaved {
                all: true,
                epoch,
                ..Unsaved::default()
            };
        }
    }
}

/// Takes in all of the zone, in whichever order the provider has it.
fn take_whole(zone: &CachedZone, mut read: ZoneRecords, now: Duration, unsaved: &mut Unsaved) {
    read.records.sort();
    zone.knowledge().take_all(read, now);
    unsaved.all = true;
}

impl Knowledge {
    /// What the provider found out: the names that have changed since the version that is
    /// known, and the version now (none: the same).
    fn confirm(
        &mut self,
        names: BTreeMap<Name, Vec<Endpoint>>,
        version: Option<ZoneVersion>,
        now: Duration,
        unsaved: &mut Unsaved,
    ) {
        let versioned = self.records.as_ref().is_some_and(|known| known.version.is_some());
        let patched = std::mem::take(&mut self.patched);
        unsaved
            .names
            .extend(names.keys().chain(&patched).chain(&self.doubtful).cloned());
        if versioned {
            // What is the same as at that version is as it is known, doubt or not; but for
            // what we changed since: somebody has undone that in between.
            self.doubtful = patched;
        }
        self.doubtful.retain(|name| !names.contains_key(name));
        self.put(names);
        if let (Some(version), Some(known)) = (version, &mut self.records) {
            Arc::make_mut(known).version = Some(version);
        }
        self.times.confirmed = Some(Moment::now(now));
    }

    /// All that is known was held beside all that the zone holds: only at these names there
    /// is something else. What was patched is as good as the rest, and nothing is in doubt.
    fn compare(
        &mut self,
        names: BTreeMap<Name, Vec<Endpoint>>,
        version: ZoneVersion,
        age: Duration,
        now: Duration,
        unsaved: &mut Unsaved,
    ) {
        let touched = names.keys().chain(&self.patched).chain(&self.doubtful);
        unsaved.names.extend(touched.cloned());
        self.put(names);
        if let Some(known) = &mut self.records {
            Arc::make_mut(known).version = Some(version);
        }
        self.doubtful.clear();
        self.patched.clear();
        self.reset = false;
        self.times.full_read = Some(Moment::of_age(now, age));
        self.times.confirmed = Some(Moment::now(now));
    }

    /// What the provider found out about a part of the zone. Doubt stays where it did not
    /// look; what was patched is as good as the rest.
    fn confirm_part(
        &mut self,
        names: BTreeMap<Name, Vec<Endpoint>>,
        version: ZoneVersion,
        now: Duration,
        unsaved: &mut Unsaved,
    ) {
        unsaved.names.extend(names.keys().chain(&self.patched).cloned());
        self.patched.clear();
        self.doubtful.retain(|name| !names.contains_key(name));
        self.put(names);
        if let Some(known) = &mut self.records {
            Arc::make_mut(known).version = Some(version);
        }
        self.times.confirmed = Some(Moment::now(now));
    }

    /// What was read at some names by themselves. Where that is not what was known, it is
    /// newer than the version of the zone.
    fn take_names(&mut self, read: ByName) {
        let Some(known) = self.records.clone() else { return };
        for (name, records) in &read {
            let mut now: RecordList = records.iter().collect();
            now.sort();
            if !now.iter().eq(known.records.at_place(name.as_str())) {
                self.patched.insert(name.clone());
            }
        }
        self.put(read);
    }
}
