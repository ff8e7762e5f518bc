//! A provider in memory (`--provider=inmemory`): for tests, and for plans without a server.
//!
//! It compares before it writes, counts its versions up, and tells what has changed since
//! an earlier one. With a [`Dispatcher`] it takes its changes in batches. [`Fault`]s make it
//! fail as real ones do.

mod batches;
mod contents;
mod faults;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;

pub use self::batches::Naming;
use self::batches::Till;
use self::contents::Contents;
pub use self::faults::{Fault, FaultKind};
use super::{Calls, Confirmation, Operation};
use crate::batch::{Counters, Dispatcher};
use crate::{Endpoint, Group, Name, Outcome, Provider, ProviderError, RecordKey, Zone, ZoneId, ZoneRecords};

/// Zones in memory.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
    calls: Calls,
    /// What cuts changes into batches; none if all groups of a call are taken, each for
    /// itself.
    dispatcher: Option<Dispatcher>,
}

#[derive(Clone, Debug, Default)]
struct State {
    zones: BTreeMap<ZoneId, Contents>,
    faults: Vec<Fault>,
    /// Names whose records are refused, and why.
    refused: BTreeMap<Name, String>,
    /// The TTL of records that were written without one.
    default_ttl: Option<NonZeroU32>,
    /// Whether it cannot tell what has changed.
    forgets: bool,
    /// How batches are taken.
    till: Till,
}

impl Memory {
    /// Zones of these names, without records. Each name is also the zone's identifier.
    #[must_use]
    pub fn new(zones: impl IntoIterator<Item = Name>) -> Self {
        let memory = Self::default();
        for name in zones {
            let zone = Zone {
                id: ZoneId(name.as_str().into()),
                name,
            };
            memory.state().zones.insert(zone.id.clone(), Contents::new(zone));
        }
        memory
    }

    /// Has record sets listed with this TTL where they are written without one.
    pub fn set_default_ttl(&self, ttl: Option<NonZeroU32>) {
        self.state().default_ttl = ttl;
    }

    /// Whether it answers that only a full read tells what has changed, and has no versions.
    pub fn set_forgetful(&self, forgets: bool) {
        self.state().forgets = forgets;
    }

    /// Takes a zone away.
    pub fn remove_zone(&self, zone: &ZoneId) {
        self.state().zones.remove(zone);
    }

    /// Makes a later call fail.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Refuses records at a name from now on, for this reason; none accepts them again.
    pub fn refuse(&self, name: Name, reason: Option<&str>) {
        let mut state = self.state();
        match reason {
            Some(reason) => state.refused.insert(name, reason.to_owned()),
            None => state.refused.remove(&name),
        };
    }

    /// Puts a record set into the zone of its name, in place of any other of its key, as
    /// somebody else would. One that is in no zone is left out.
    pub fn put(&self, endpoint: Endpoint) {
        self.state().put(endpoint);
    }

    /// Takes a record set away, as somebody else would.
    pub fn remove(&self, key: &RecordKey) {
        self.state().remove(key);
    }

    /// All record sets of a zone, without a call being counted.
    #[must_use]
    pub fn records(&self, zone: &ZoneId) -> Vec<Endpoint> {
        let state = self.state();
        state
            .zones
            .get(zone)
            .map(|zone| zone.records.values().cloned().collect())
            .unwrap_or_default()
    }

    /// How often it was asked for what.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, unless a fault stands in the way.
    async fn ask<T>(
        &self,
        operation: Operation,
        read: impl FnOnce(&State) -> Result<T, ProviderError> + Send,
    ) -> Result<T, ProviderError> {
        self.calls.count(operation);
        let faults = self.state().due(operation);
        faults::wait(&faults).await;
        match faults.iter().find_map(FaultKind::error) {
            Some(error) => Err(error),
            None => read(&self.state()),
        }
    }

    async fn write(&self, zone: &Zone, groups: &[Group]) -> Vec<Outcome> {
        self.calls.count(Operation::Apply);
        let faults = self.state().due(Operation::Apply);
        faults::wait(&faults).await;
        if let Some(outcome) = faults.iter().find_map(FaultKind::refusal) {
            return vec![outcome; groups.len()];
        }
        let lost = faults.iter().find_map(FaultKind::written);
        let written = &groups[..lost.unwrap_or(groups.len()).min(groups.len())];
        let outcomes = self.state().apply(zone, written);
        // A writer that is stopped here has written, and does not know it.
        tokio::task::yield_now().await;
        if lost.is_none() {
            return outcomes;
        }
        vec![
            Outcome::Unknown {
                reason: "the reply was lost".to_owned()
            };
            groups.len()
        ]
    }
}

impl State {
    fn zone(&self, zone: &Zone) -> Result<&Contents, ProviderError> {
        let contents = self.zones.get(&zone.id);
        contents.ok_or_else(|| ProviderError::NoSuchZone(format!("there is no zone {}", zone.name)))
    }

    /// The faults of a call that is made now. What others write meanwhile is written.
    fn due(&mut self, operation: Operation) -> Vec<FaultKind> {
        let due = faults::due(&mut self.faults, operation);
        for fault in &due {
            match fault {
                FaultKind::Put(endpoint) => self.put((**endpoint).clone()),
                FaultKind::Remove(key) => self.remove(key),
                _ => {}
            }
        }
        due
    }

    fn put(&mut self, endpoint: Endpoint) {
        let endpoint = self.listed(endpoint);
        let Ok(key) = endpoint.key() else { return };
        let zones: Vec<Zone> = self
            .zones
            .values()
            .map(|contents| contents.zone.clone())
            .collect();
        let zone = Zone::of(&zones, &key.name).and_then(|zone| self.zones.get_mut(&zone.id));
        if let Some(contents) = zone {
            contents.write([(key, Some(endpoint))]);
        }
    }

    fn remove(&mut self, key: &RecordKey) {
        for contents in self.zones.values_mut() {
            if contents.records.contains_key(key) {
                contents.write([(key.clone(), None)]);
            }
        }
    }

    /// A record set as it is listed once it is written.
    fn listed(&self, mut endpoint: Endpoint) -> Endpoint {
        endpoint.ttl = endpoint.ttl.or(self.default_ttl);
        endpoint
    }

    fn apply(&mut self, zone: &Zone, groups: &[Group]) -> Vec<Outcome> {
        groups.iter().map(|group| self.apply_group(zone, group)).collect()
    }

    /// Writes all of a group or nothing of it.
    fn apply_group(&mut self, zone: &Zone, group: &Group) -> Outcome {
        let plan = match self.check(zone, group) {
            Ok(plan) => plan,
            Err(outcome) => return outcome,
        };
        let written = plan.values().flatten().cloned().collect();
        if let Some(contents) = self.zones.get_mut(&zone.id) {
            contents.write(plan);
        }
        Outcome::Applied {
            written: Some(written),
        }
    }

    /// What a group would write, if the zone holds what it believes.
    fn check(&self, zone: &Zone, group: &Group) -> Result<BTreeMap<RecordKey, Option<Endpoint>>, Outcome> {
        let rejected = |reason: String| Outcome::Rejected { reason };
        let contents = self.zone(zone).map_err(|error| rejected(error.to_string()))?;
        let mut plan = BTreeMap::new();
        for change in &group.changes {
            let sides = [change.after(), change.before()];
            for side in sides.into_iter().flatten() {
                let key = side.key().map_err(|error| rejected(error.to_string()))?;
                if !key.name.is_within(&contents.zone.name) {
                    return Err(rejected(format!(
                        "{} is not in the zone {}",
                        key.name, contents.zone.name
                    )));
                }
                if let Some(reason) = self.refused.get(&key.name) {
                    return Err(rejected(reason.clone()));
                }
                contents
                    .compare(&key, change)
                    .map_err(|reason| Outcome::Conflict { reason })?;
                let after = change.after().map(|after| self.listed(after.clone()));
                plan.insert(key, after);
            }
        }
        if plan.len() != group.changes.len() {
            return Err(rejected(
                "two changes of one group are to one record set".to_owned(),
            ));
        }
        Ok(plan)
    }
}

impl Provider for Memory {
    fn name(&self) -> &'static str {
        "inmemory"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        let zones = |state: &State| {
            Ok(state
                .zones
                .values()
                .map(|contents| contents.zone.clone())
                .collect())
        };
        self.ask(Operation::Zones, zones).boxed()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        self.ask(Operation::Read, |state| {
            let contents = state.zone(zone)?;
            Ok(ZoneRecords {
                records: contents.records.values().cloned().map(Into::into).collect(),
                version: (!state.forgets).then(|| contents.version()),
            })
        })
        .boxed()
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        self.ask(Operation::ReadNames, |state| {
            let found = state.zone(zone)?.at(&names.iter().collect());
            Ok(found.into_values().flatten().collect())
        })
        .boxed()
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        self.ask(Operation::Confirm, |state| {
            let contents = state.zone(zone)?;
            Ok(match &known.version {
                Some(version) if !state.forgets => contents.since(version),
                _ => Confirmation::ReadAgain,
            })
        })
        .boxed()
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        match &self.dispatcher {
            Some(dispatcher) => dispatcher.apply(self, zone, groups).boxed(),
            None => self.write(zone, groups).boxed(),
        }
    }

    fn batches(&self) -> Option<Counters> {
        self.dispatcher.as_ref().map(Dispatcher::counters)
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.ask(Operation::Adjust, |state| {
            Ok(wanted
                .into_iter()
                .map(|endpoint| state.listed(endpoint))
                .collect())
        })
        .boxed()
    }
}
