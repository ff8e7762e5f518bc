//! A whole zone in one message.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use prost::Message as _;
use records::Endpoint;
use thiserror::Error;

use super::super::{v1, wire_name};
use super::{WITH_ROUTING, routing, wire_type, wire_value};

/// A zone that is too large for one message.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "the zone takes more than the {limit} octets that one message may have; \
     the protocol records.remote.v2 reads it in pieces"
)]
pub struct TooLarge {
    /// The most octets.
    pub limit: usize,
}

/// A zone's records in the order of their places, as a client of this protocol version
/// knows them: older ones know nothing of sets with an identifier.
pub fn zone_state(
    records: impl IntoIterator<Item: Borrow<Endpoint>>,
    protocol_version: i32,
    limit: usize,
) -> Result<v1::ZoneState, TooLarge> {
    let mut sets = Sets::default();
    for record in records {
        let record: &Endpoint = record.borrow();
        if !record.set_identifier.is_empty() && protocol_version < WITH_ROUTING {
            continue;
        }
        sets.put_in(record);
        if sets.octets > limit {
            return Err(TooLarge { limit });
        }
    }
    let state = v1::ZoneState {
        key: String::new(),
        dns_sets: sets.sets,
    };
    // What stands between the sets counts as well.
    if state.encoded_len() > limit {
        return Err(TooLarge { limit });
    }
    Ok(state)
}

#[derive(Default)]
struct Sets {
    sets: BTreeMap<String, v1::DnsSet>,
    /// At least so many octets are needed.
    octets: usize,
}

impl Sets {
    fn put_in(&mut self, record: &Endpoint) {
        let Some(wire_type) = wire_type(record) else {
            return;
        };
        let name = wire_name(record);
        let identifier = String::from(&*record.set_identifier);
        let key = if identifier.is_empty() {
            name.clone()
        } else {
            format!("{name}\t{identifier}")
        };
        let data = data(wire_type, record);
        self.octets += data.encoded_len();
        if !self.sets.contains_key(&key) {
            self.octets += name.len() + key.len();
        }
        let set = self.sets.entry(key).or_insert_with(|| v1::DnsSet {
            dns_name: name,
            set_identifier: identifier,
            ..v1::DnsSet::default()
        });
        set.routing_policy = set.routing_policy.take().or_else(|| routing::policy(record));
        set.records.insert(wire_type.to_owned(), data);
    }
}

pub(super) fn data(wire_type: &str, record: &Endpoint) -> v1::RecordSet {
    let is_alias = wire_type.starts_with(super::ALIAS);
    let ttl = record.ttl.filter(|_| !is_alias).map_or(0, u32::from);
    v1::RecordSet {
        r#type: wire_type.to_owned(),
        ttl: i32::try_from(ttl).unwrap_or(i32::MAX),
        record: record
            .targets
            .iter()
            .map(|target| v1::record_set::Record {
                value: wire_value(wire_type, target),
            })
            .collect(),
    }
}
