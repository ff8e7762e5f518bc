//! A zone in memory that takes changes as a strict provider does.

use records::ownership::{Affix, Holdings, Ownership, Registry, Rejected};
use records::{Change, Endpoint, Group, Labels, Property, RecordKey, RecordType, Zone, ZoneId};

pub use crate::fixtures::{name, record};

/// The zone `example.com`.
pub struct HeldZone {
    pub zone: Zone,
    pub records: Vec<Endpoint>,
}

impl HeldZone {
    pub fn new(records: impl IntoIterator<Item = Endpoint>) -> Self {
        let zone = Zone {
            id: ZoneId("zone".into()),
            name: name("example.com"),
        };
        Self {
            zone,
            records: records.into_iter().collect(),
        }
    }

    pub fn holdings(&self, ownership: &Ownership) -> Holdings {
        ownership.holdings(&self.zone, &self.records.iter().collect())
    }

    /// Groups changes by what the zone holds, and makes them.
    pub fn change(&mut self, ownership: &Ownership, changes: Vec<Change>) -> (Vec<Group>, Vec<Rejected>) {
        let (groups, rejected) = ownership.groups(&self.zone, changes, &self.holdings(ownership));
        self.apply(&groups);
        (groups, rejected)
    }

    /// Makes changes, if the zone holds what they believe to the letter.
    pub fn apply(&mut self, groups: &[Group]) {
        for change in groups.iter().flat_map(|group| &group.changes) {
            if let Some(before) = change.before() {
                let at = self.records.iter().position(|record| record == before);
                self.records
                    .swap_remove(at.unwrap_or_else(|| panic!("not there: {before:?}")));
            }
            if let Some(after) = change.after() {
                self.insert(after);
            }
        }
    }

    fn insert(&mut self, after: &Endpoint) {
        let key = after.key().unwrap();
        assert!(
            key.name.is_within(&self.zone.name),
            "outside of the zone: {after:?}"
        );
        assert!(self.get(&key).is_none(), "there already: {after:?}");
        let cname = |record: &Endpoint| record.record_type == RecordType::Cname;
        let beside = self
            .records
            .iter()
            .find(|record| record.name().unwrap() == key.name);
        assert!(
            beside.is_none_or(|beside| !cname(after) && !cname(beside)),
            "{after:?} beside a CNAME"
        );
        self.records.push(Endpoint {
            labels: Labels::new(),
            ..after.clone()
        });
    }

    pub fn get(&self, key: &RecordKey) -> Option<&Endpoint> {
        self.records.iter().find(|record| record.key().unwrap() == *key)
    }

    /// Names, types and record data, sorted.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.records.iter().map(line).collect();
        lines.sort();
        lines
    }
}

/// Name, type and record data.
pub fn line(record: &Endpoint) -> String {
    format!(
        "{} {} {}",
        record.dns_name,
        record.record_type,
        record.targets.join(" ")
    )
}

/// An ownership record with plain text.
pub fn ownership_txt(name: &str, owner: &str) -> Endpoint {
    record(
        name,
        "TXT",
        &format!("\"heritage=external-dns,external-dns/owner={owner}\""),
    )
}

/// An address that is that of another name, as at AWS.
pub fn alias() -> Endpoint {
    Endpoint {
        provider_specific: [Property {
            name: "alias".into(),
            value: "true".into(),
        }]
        .into(),
        ..record("www.example.com", "A", "lb.example.net")
    }
}

pub fn labelled(record: Endpoint, labels: &[(&str, &str)]) -> Endpoint {
    let labels = labels
        .iter()
        .map(|&(key, value)| (key.into(), value.into()))
        .collect();
    Endpoint { labels, ..record }
}

/// The registry of the owner `default`.
pub fn registry(affix: Affix) -> Registry {
    Registry::new("default", affix).unwrap()
}

pub fn ownership() -> Ownership {
    Ownership::from(registry(Affix::default()))
}

/// The record of a name and type, as it is held.
pub fn held(holdings: &Holdings, name: &str, record_type: &str) -> Endpoint {
    let found = holdings
        .records()
        .find(|record| &*record.dns_name == name && record.record_type.as_str() == record_type);
    found.unwrap_or_else(|| panic!("no {name} {record_type}"))
}

/// The record of a name and type of a zone, with the labels of its ownership record.
pub fn found(zone: &HeldZone, ownership: &Ownership, name: &str, record_type: &str) -> Endpoint {
    held(&zone.holdings(ownership), name, record_type)
}

/// The labels of a record, as they are held.
pub fn labels_of(holdings: &Holdings, name: &str, record_type: &str) -> Vec<(String, String)> {
    let labels = &held(holdings, name, record_type).labels;
    labels
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// Whom a record is of, as it is held; empty for nobody.
pub fn owner_of(holdings: &Holdings, name: &str, record_type: &str) -> String {
    held(holdings, name, record_type)
        .labels
        .get("owner")
        .map(ToString::to_string)
        .unwrap_or_default()
}
