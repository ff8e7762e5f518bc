//! Zones at a provider.

use serde::{Deserialize, Serialize};

use crate::{Name, RecordList};

/// What a provider calls a zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneId(pub Box<str>);

/// A zone that a provider serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Zone {
    /// What the provider calls it.
    pub id: ZoneId,
    /// The name of its apex.
    pub name: Name,
}

/// A state of a zone, in the provider's own words: a serial number, a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneVersion(pub Box<str>);

/// All records of a zone, and the state that they were read at. A copy shares the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneRecords {
    /// The record sets, those that tell ownership among them, as the provider writes them.
    pub records: RecordList,
    /// The state; none where the provider has nothing of the kind.
    pub version: Option<ZoneVersion>,
}

impl Zone {
    /// The zone that a name belongs to: the one with the longest name.
    pub fn of<'a>(zones: impl IntoIterator<Item = &'a Self>, name: &Name) -> Option<&'a Self> {
        zones
            .into_iter()
            .filter(|zone| name.is_within(&zone.name))
            .max_by_key(|zone| zone.name.as_str().len())
    }
}
