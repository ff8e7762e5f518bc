//! A zone in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Confirmation;
use crate::{Change, Endpoint, Name, RecordKey, Zone, ZoneVersion};

/// A zone.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    pub zone: Zone,
    version: u64,
    pub records: BTreeMap<RecordKey, Endpoint>,
    /// The version at which each name was last written to.
    written: BTreeMap<Name, u64>,
}

impl Contents {
    /// Without records.
    pub fn new(zone: Zone) -> Self {
        Self {
            zone,
            version: 1,
            records: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }

    /// Whether a change goes with what is there.
    pub fn compare(&self, key: &RecordKey, change: &Change) -> Result<(), String> {
        match (change.before(), self.records.get(key)) {
            (None, Some(_)) => Err(format!("{} {} exists", key.name, key.record_type)),
            (Some(_), None) => Err(format!("{} {} does not exist", key.name, key.record_type)),
            (Some(before), Some(found)) if !before.same_records(found) => {
                Err(format!("{} {} is another one", key.name, key.record_type))
            }
            _ => Ok(()),
        }
    }

    pub fn write(&mut self, plan: impl IntoIterator<Item = (RecordKey, Option<Endpoint>)>) {
        self.version += 1;
        for (key, endpoint) in plan {
            self.written.insert(key.name.clone(), self.version);
            match endpoint {
                Some(endpoint) => self.records.insert(key, endpoint),
                None => self.records.remove(&key),
            };
        }
    }

    pub fn version(&self) -> ZoneVersion {
        ZoneVersion(self.version.to_string().into())
    }

    /// What stands at some names.
    pub fn at(&self, names: &BTreeSet<&Name>) -> BTreeMap<Name, Vec<Endpoint>> {
        let mut found: BTreeMap<Name, Vec<Endpoint>> =
            names.iter().map(|name| ((*name).clone(), Vec::new())).collect();
        for (key, endpoint) in &self.records {
            if let Some(there) = found.get_mut(&key.name) {
                there.push(endpoint.clone());
            }
        }
        found
    }

    /// What has changed since a version.
    pub fn since(&self, known: &ZoneVersion) -> Confirmation {
        let Ok(known) = known.0.parse::<u64>() else {
            return Confirmation::ReadAgain;
        };
        if known == self.version {
            return Confirmation::Same;
        }
        let changed = self.written.iter().filter(|(_, version)| **version > known);
        let names = changed.map(|(name, _)| name).collect();
        Confirmation::Changed {
            names: self.at(&names),
            version: self.version(),
        }
    }
}
