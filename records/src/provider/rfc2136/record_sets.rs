//! Resource records put together into record sets.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::presentation::InvalidData;
use super::record_data::{canonical, wire_type};
use crate::{Endpoint, Name, RecordType};

/// The longest TTL, in seconds (RFC 2181, section 8).
const MAX_TTL: u32 = i32::MAX as u32;

/// Record sets that are being put together, in the order in which they came.
#[derive(Default)]
pub(super) struct RecordSets {
    sets: Vec<RecordSet>,
    /// Where the set of a name and type is.
    places: HashMap<(Box<str>, RecordType), usize>,
}

/// The records of one name and type.
#[derive(Clone, Debug)]
pub(super) struct RecordSet {
    pub name: Box<str>,
    pub record_type: RecordType,
    /// In seconds.
    pub ttl: u32,
    pub targets: Vec<Box<str>>,
}

impl RecordSets {
    /// Takes a record. Names that cannot be told apart from others as text are passed over:
    /// the engine cannot have them.
    pub(super) fn add(&mut self, name: Box<str>, record_type: RecordType, ttl: u32, target: Box<str>) {
        let last = self.sets.len().wrapping_sub(1);
        let is_last = |set: &RecordSet| set.name == name && set.record_type == record_type;
        let place = if self.sets.last().is_some_and(is_last) {
            Some(last)
        } else {
            self.places.get(&(name.clone(), record_type.clone())).copied()
        };
        if let Some(set) = place.and_then(|place| self.sets.get_mut(place)) {
            // Servers see to it that they are the same (RFC 2181, 5.2).
            set.ttl = set.ttl.min(ttl);
            set.targets.push(target);
        } else if Name::parse(&name).is_ok() {
            self.places
                .insert((name.clone(), record_type.clone()), self.sets.len());
            self.sets.push(RecordSet {
                name,
                record_type,
                ttl,
                targets: vec![target],
            });
        }
    }

    /// The sets as endpoints.
    pub(super) fn into_endpoints(self) -> impl Iterator<Item = Endpoint> {
        self.sets.into_iter().map(RecordSet::into_endpoint)
    }
}

impl RecordSet {
    /// The set as an endpoint, its targets in order. A TTL of 0 is none to external-dns.
    pub(super) fn into_endpoint(mut self) -> Endpoint {
        self.targets.sort_unstable();
        self.targets.dedup();
        Endpoint {
            dns_name: self.name,
            targets: self.targets.into(),
            record_type: self.record_type,
            ttl: NonZeroU32::new(self.ttl),
            ..Endpoint::default()
        }
    }

    /// The set that a wanted record becomes.
    pub(super) fn wanted(endpoint: &Endpoint, min_ttl: u32) -> Result<Self, InvalidData> {
        let record_type = &endpoint.record_type;
        if wire_type(record_type).is_none() {
            return Err(InvalidData(format!("records of type {record_type} are not kept")));
        }
        if !endpoint.set_identifier.is_empty() {
            return Err(InvalidData(format!(
                "setIdentifier: {:?} is not allowed; a zone has one set of a name and type",
                endpoint.set_identifier
            )));
        }
        if endpoint.targets.is_empty() {
            return Err(InvalidData("targets: at least one is required".into()));
        }
        let name = endpoint
            .name()
            .map_err(|error| InvalidData(format!("dnsName: {error}")))?;
        let targets = endpoint.targets.iter().map(|target| {
            canonical(record_type, target)
                .map(Box::from)
                .map_err(|error| InvalidData(format!("targets: {error}")))
        });
        Ok(Self {
            name: name.as_str().into(),
            record_type: record_type.clone(),
            ttl: endpoint.ttl.map_or(0, NonZeroU32::get).max(min_ttl).min(MAX_TTL),
            targets: targets.collect::<Result<_, _>>()?,
        })
    }
}

/// A wanted record as the zone lists it, with its labels. One that no zone can list stays
/// as it is: writing it tells why.
pub(super) fn adjusted(endpoint: Endpoint, min_ttl: u32) -> Endpoint {
    match RecordSet::wanted(&endpoint, min_ttl) {
        Ok(set) => Endpoint {
            labels: endpoint.labels,
            ..set.into_endpoint()
        },
        Err(_) => endpoint,
    }
}
