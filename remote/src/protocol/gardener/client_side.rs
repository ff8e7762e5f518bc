//! The client's side: what it asks for, and what it makes of a zone's state.

use std::num::NonZeroU32;

use records::{Change, Endpoint, Fault, RecordType};

use super::super::v1::change_request::ActionType;
use super::super::{fault, v1, wire_name};
use super::state::data;
use super::{TYPES, record, routing, wire_type};

/// A change for the wire; its expected value stays here. A fault if the protocol does not
/// have the type.
pub fn change_request(change: &Change, update_group: &str) -> Result<v1::ChangeRequest, Fault> {
    let (action, record) = match change {
        Change::Create(new) => (ActionType::Create, new),
        Change::Update { new, .. } => (ActionType::Update, new),
        Change::Delete(old) => (ActionType::Delete, old),
    };
    Ok(v1::ChangeRequest {
        action: action.into(),
        change: Some(record_set(record, update_group)?),
    })
}

/// All record sets of a zone, whatever they are: zones hold what nobody would write.
pub fn endpoints(state: v1::ZoneState) -> impl Iterator<Item = Endpoint> {
    state.dns_sets.into_values().flat_map(|set| {
        let v1::DnsSet {
            dns_name,
            records,
            set_identifier,
            routing_policy,
            ..
        } = set;
        records.into_iter().map(move |(record_type, data)| {
            found(v1::PartialDnsSet {
                dns_name: dns_name.clone(),
                update_group: String::new(),
                record_type,
                record_set: Some(data),
                set_identifier: set_identifier.clone(),
                routing_policy: routing_policy.clone(),
            })
        })
    })
}

/// A wanted record set as a zone's state tells it once it is written. One that cannot be
/// written stays as it is.
#[must_use]
pub fn roundtrip(wanted: Endpoint) -> Endpoint {
    let Ok(set) = record_set(&wanted, "") else {
        return wanted;
    };
    Endpoint {
        dns_name: wanted.dns_name,
        labels: wanted.labels,
        ..found(set)
    }
}

fn record_set(record: &Endpoint, update_group: &str) -> Result<v1::PartialDnsSet, Fault> {
    let Some(wire_type) = wire_type(record) else {
        let allowed = format!("Gardener's protocol has {} only", TYPES.join(", "));
        return Err(fault("recordType", record.record_type.as_str(), allowed));
    };
    Ok(v1::PartialDnsSet {
        dns_name: wire_name(record),
        update_group: update_group.to_owned(),
        record_type: wire_type.to_owned(),
        record_set: Some(data(wire_type, record)),
        set_identifier: String::from(&*record.set_identifier),
        routing_policy: routing::policy(record),
    })
}

/// A record set that is there. Of what the protocol does not have, the data alone is taken.
fn found(set: v1::PartialDnsSet) -> Endpoint {
    if let Ok(known) = record(set.clone(), true) {
        return known;
    }
    let data = set.record_set.unwrap_or_default();
    Endpoint {
        dns_name: set.dns_name.into(),
        targets: data
            .record
            .into_iter()
            .map(|record| record.value.into())
            .collect(),
        record_type: RecordType::from(&*set.record_type),
        set_identifier: set.set_identifier.into(),
        ttl: u32::try_from(data.ttl).ok().and_then(NonZeroU32::new),
        ..Endpoint::default()
    }
}
