//! Our protocol's messages and the record engine's types, from the one to the other.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use records::{Change, Endpoint, Fault, Group, Name, Outcome, Property, RecordType};

use super::v2::outcome::{Applied, Outcome as Kind, Postponed};
use super::v2::read_zone_response::header;
use super::{fault, v2, wire_name};

/// What a reader throws away before it takes in the record sets that it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Everything; it is told the whole zone.
    Whole,
    /// What stands at some names; none if nothing has changed.
    Names(BTreeSet<Box<str>>),
    /// What is in some parts.
    Parts(BTreeSet<u8>),
}

/// What a reader throws away, for the wire.
#[must_use]
pub fn basis_message(basis: &Basis) -> header::Basis {
    match basis {
        Basis::Whole => header::Basis::Whole(v2::Nothing {}),
        Basis::Names(names) => header::Basis::Names(v2::Names {
            names: names.iter().map(|name| String::from(&**name)).collect(),
        }),
        Basis::Parts(parts) => header::Basis::Parts(v2::Parts {
            parts: parts.iter().map(|part| u32::from(*part)).collect(),
        }),
    }
}

/// What a reader throws away, from the wire; none of parts that there are not.
#[must_use]
pub fn basis(message: header::Basis) -> Option<Basis> {
    Some(match message {
        header::Basis::Whole(_) => Basis::Whole,
        header::Basis::Names(names) => Basis::Names(names.names.into_iter().map(Into::into).collect()),
        header::Basis::Parts(parts) => {
            let parts = parts.parts.into_iter().map(u8::try_from);
            Basis::Parts(parts.collect::<Result<_, _>>().ok()?)
        }
    })
}

/// A record set for the wire. Its labels stay here.
#[must_use]
pub fn record_set(record: &Endpoint) -> v2::RecordSet {
    let properties = record.provider_specific.iter();
    v2::RecordSet {
        name: wire_name(record),
        r#type: record.record_type.as_str().to_owned(),
        set_identifier: String::from(&*record.set_identifier),
        ttl: record.ttl.map_or(0, NonZeroU32::get),
        targets: record
            .targets
            .iter()
            .map(|target| String::from(&**target))
            .collect(),
        properties: properties
            .map(|property| v2::Property {
                name: String::from(&*property.name),
                value: String::from(&*property.value),
            })
            .collect(),
    }
}

/// A record set from the wire, whatever it is: zones hold what nobody would write.
#[must_use]
pub fn endpoint(set: v2::RecordSet) -> Endpoint {
    let properties = set.properties.into_iter();
    Endpoint {
        dns_name: set.name.into(),
        targets: set.targets.into_iter().map(Into::into).collect(),
        record_type: RecordType::from(&*set.r#type),
        set_identifier: set.set_identifier.into(),
        ttl: NonZeroU32::new(set.ttl),
        provider_specific: properties
            .map(|property| Property {
                name: property.name.into(),
                value: property.value.into(),
            })
            .collect(),
        ..Endpoint::default()
    }
}

/// A group for the wire.
#[must_use]
pub fn group_message(group: &Group) -> v2::Group {
    v2::Group {
        name: group.name.as_str().to_owned(),
        changes: group
            .changes
            .iter()
            .map(|change| v2::Change {
                expected: change.before().map(record_set),
                wanted: change.after().map(record_set),
            })
            .collect(),
    }
}

/// A group from the wire, which is to change a zone of this name. What is wanted must be
/// able to become records; what is expected may be anything.
pub fn group(message: v2::Group, zone: &Name) -> Result<Group, Fault> {
    let name =
        Name::parse(&message.name).map_err(|error| fault("name", &*message.name, error.to_string()))?;
    if message.changes.is_empty() {
        return Err(fault("changes", "", "there must be one at least"));
    }
    let mut changes: Vec<Change> = Vec::with_capacity(message.changes.len());
    let mut keys = BTreeSet::new();
    for (place, sides) in message.changes.into_iter().enumerate() {
        let change = change(sides, zone).map_err(|error| Fault {
            field: format!("changes[{place}].{}", error.field),
            ..error
        })?;
        let side = change.after().or(change.before());
        let key = side.and_then(|side| side.key().ok());
        if let Some(key) = key
            && !keys.insert(key.clone())
        {
            let value = format!("{} {}", key.name, key.record_type);
            return Err(fault(
                format!("changes[{place}]"),
                value,
                "a group changes a record set once",
            ));
        }
        changes.push(change);
    }
    Ok(Group { name, changes })
}

fn change(sides: v2::Change, zone: &Name) -> Result<Change, Fault> {
    let old = sides
        .expected
        .map(|set| side("expected", set, zone))
        .transpose()?;
    let new = sides.wanted.map(|set| side("wanted", set, zone)).transpose()?;
    if let Some(new) = &new {
        check("wanted", new)?;
    }
    match (old, new) {
        (None, None) => Err(fault("wanted", "", "there must be something expected or wanted")),
        (None, Some(new)) => Ok(Change::Create(new)),
        (Some(old), None) => Ok(Change::Delete(old)),
        (Some(old), Some(new)) if old.key() == new.key() => Ok(Change::Update { old, new }),
        (Some(old), Some(new)) => Err(fault(
            "wanted",
            format!("{} {} {:?}", new.dns_name, new.record_type, new.set_identifier),
            format!(
                "name, type and set identifier must be those that are expected: {} {} {:?}",
                old.dns_name, old.record_type, old.set_identifier
            ),
        )),
    }
}

fn side(field: &str, set: v2::RecordSet, zone: &Name) -> Result<Endpoint, Fault> {
    let record = endpoint(set);
    let name_fault = |allowed: String| fault(format!("{field}.name"), &*record.dns_name, allowed);
    let name = record.name().map_err(|error| name_fault(error.to_string()))?;
    if !name.is_within(zone) {
        return Err(name_fault(format!("it must be in the zone {zone}")));
    }
    Ok(record)
}

/// Whether a record can be written; the first thing that is wrong with it if not.
pub(super) fn check(field: &str, record: &Endpoint) -> Result<(), Fault> {
    let Err(faults) = record.check() else {
        return Ok(());
    };
    match faults.into_iter().next() {
        Some(first) => Err(Fault {
            field: format!("{field}.{}", wire_field(&first.field)),
            ..first
        }),
        None => Ok(()),
    }
}

/// A field's name in our protocol, by its name in JSON.
fn wire_field(json: &str) -> String {
    match json {
        "dnsName" => "name".to_owned(),
        "recordType" => "type".to_owned(),
        "recordTTL" => "ttl".to_owned(),
        _ => json.replace("providerSpecific", "properties"),
    }
}

/// What came of a group, for the wire.
#[must_use]
pub fn outcome_message(outcome: &Outcome) -> v2::Outcome {
    let kind = match outcome {
        Outcome::Applied { written } => Kind::Applied(Applied {
            written: written.iter().flatten().map(record_set).collect(),
        }),
        Outcome::Rejected { reason } => Kind::Rejected(reason.clone()),
        Outcome::Conflict { reason } => Kind::Conflict(reason.clone()),
        Outcome::Postponed {
            reason,
            throttled,
            retry_after,
        } => Kind::Postponed(Postponed {
            reason: reason.clone(),
            retry_after_milliseconds: milliseconds(*retry_after),
            throttled: *throttled,
        }),
        Outcome::Unknown { reason } => Kind::Unknown(reason.clone()),
    };
    v2::Outcome { outcome: Some(kind) }
}

/// A delay for the wire, rounded up: who comes too early is put off again.
fn milliseconds(delay: Option<Duration>) -> u64 {
    let delay = delay.unwrap_or_default().as_nanos().div_ceil(1_000_000);
    u64::try_from(delay).unwrap_or(u64::MAX)
}

/// What came of a group, from the wire.
#[must_use]
pub fn outcome(message: v2::Outcome) -> Outcome {
    match message.outcome {
        Some(Kind::Applied(applied)) => {
            let written: Vec<_> = applied.written.into_iter().map(endpoint).collect();
            Outcome::Applied {
                written: (!written.is_empty()).then_some(written),
            }
        }
        Some(Kind::Rejected(reason)) => Outcome::Rejected { reason },
        Some(Kind::Conflict(reason)) => Outcome::Conflict { reason },
        Some(Kind::Postponed(postponed)) => Outcome::Postponed {
            reason: postponed.reason,
            throttled: postponed.throttled,
            retry_after: Some(postponed.retry_after_milliseconds)
                .filter(|delay| *delay > 0)
                .map(Duration::from_millis),
        },
        Some(Kind::Unknown(reason)) => Outcome::Unknown { reason },
        None => Outcome::Unknown {
            reason: "the server told an outcome that this version does not know".to_owned(),
        },
    }
}
