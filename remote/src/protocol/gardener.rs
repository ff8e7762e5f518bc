//! Gardener's messages and the record engine's types, from the one to the other.
//!
//! Gardener keeps A, AAAA, CNAME, TXT and NS records, and the types ALIAS and ALIAS_AAAA for
//! addresses that the provider looks up: records with the property `alias`. Routing
//! policies are properties by external-dns's names. Texts are in quotation marks.

mod client_side;
mod routing;
mod state;

use std::num::NonZeroU32;

use records::{Endpoint, Fault, Name, Property, RecordKey, RecordType};

use self::routing::{EVALUATE_TARGET_HEALTH, property, value};
use super::v1::change_request::ActionType;
use super::zones::check;
use super::{fault, v1};

pub use client_side::{change_request, endpoints, roundtrip};
pub use state::{TooLarge, zone_state};

/// The protocol version of clients that know of routing policies.
pub const WITH_ROUTING: i32 = 1;

const ALIAS: &str = "ALIAS";
const ALIAS_AAAA: &str = "ALIAS_AAAA";
/// external-dns's property for them.
const ALIAS_PROPERTY: &str = "alias";
/// The types that Gardener's clients know.
const TYPES: [&str; 5] = ["A", "AAAA", "CNAME", "TXT", "NS"];

/// A change that a client asks for. The protocol has no expected values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What is to be done.
    pub kind: Kind,
    /// The record set: what it is to become, or what the client deletes.
    pub record: Endpoint,
    /// What tells it from all others.
    pub key: RecordKey,
    /// Whose changes belong together.
    pub update_group: String,
}

/// What is to be done to a record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It must not be there yet, but as it is wanted.
    Create,
    /// It is put in place of what is there.
    Update,
    /// It goes.
    Delete,
}

/// The change that a message asks for, to a zone of this name.
pub fn action(request: v1::ChangeRequest, zone: &Name) -> Result<Action, Fault> {
    let kind = match ActionType::try_from(request.action) {
        Ok(ActionType::Create) => Kind::Create,
        Ok(ActionType::Update) => Kind::Update,
        Ok(ActionType::Delete) => Kind::Delete,
        Err(_) => {
            let allowed = "0 (CREATE), 1 (UPDATE) and 2 (DELETE) are allowed";
            return Err(fault("action", request.action.to_string(), allowed));
        }
    };
    let Some(set) = request.change else {
        return Err(fault("change", "", "it is required"));
    };
    let update_group = set.update_group.clone();
    let record = record(set, kind == Kind::Delete)?;
    let name_fault = |allowed: String| fault("change.dns_name", &*record.dns_name, allowed);
    let key = record.key().map_err(|error| name_fault(error.to_string()))?;
    if !key.name.is_within(zone) {
        return Err(name_fault(format!("it must be in the zone {zone}")));
    }
    if kind != Kind::Delete {
        check("change", &record).map_err(renamed)?;
    }
    Ok(Action {
        kind,
        record,
        key,
        update_group,
    })
}

/// A fault of a record set by the name that its field has here.
fn renamed(fault: Fault) -> Fault {
    let field = match fault.field.strip_prefix("change.").unwrap_or_default() {
        "name" => "dns_name".to_owned(),
        "type" => "record_type".to_owned(),
        "ttl" => "record_set.ttl".to_owned(),
        target if target.starts_with("targets[") => {
            format!("{}.value", target.replace("targets", "record_set.record"))
        }
        "targets" => "record_set.record".to_owned(),
        property if property.starts_with("properties") => "routing_policy".to_owned(),
        same => same.replace("setIdentifier", "set_identifier"),
    };
    Fault {
        field: format!("change.{field}"),
        ..fault
    }
}

/// The record set of a change. One that is deleted may be without its data.
fn record(set: v1::PartialDnsSet, is_deleted: bool) -> Result<Endpoint, Fault> {
    let (record_type, is_alias) = match &*set.record_type {
        ALIAS => (RecordType::A, true),
        ALIAS_AAAA => (RecordType::Aaaa, true),
        known if TYPES.contains(&known) => (RecordType::from(known), false),
        other => {
            let allowed = format!("{}, {ALIAS} and {ALIAS_AAAA} are allowed", TYPES.join(", "));
            return Err(fault("change.record_type", other, allowed));
        }
    };
    let data = match set.record_set {
        Some(data) => data,
        None if is_deleted => v1::RecordSet::default(),
        None => return Err(fault("change.record_set", "", "it is required")),
    };
    let ttl = u32::try_from(data.ttl).map_err(|_| {
        let allowed = "at least 0 is allowed";
        fault("change.record_set.ttl", data.ttl.to_string(), allowed)
    })?;
    let mut properties = Vec::new();
    if is_alias {
        properties.push(property(ALIAS_PROPERTY, "true"));
        // As Gardener has it where nothing else is said.
        properties.push(property(EVALUATE_TARGET_HEALTH, "true"));
    }
    if !is_deleted || set.routing_policy.is_some() {
        let policy = set.routing_policy.as_ref();
        routing::add(&mut properties, policy, &set.set_identifier, is_alias)?;
    }
    properties.sort_unstable();
    Ok(Endpoint {
        dns_name: set.dns_name.into(),
        targets: data
            .record
            .into_iter()
            .map(|record| target(&record_type, record.value))
            .collect(),
        record_type,
        set_identifier: set.set_identifier.into(),
        ttl: NonZeroU32::new(ttl),
        provider_specific: properties.into(),
        ..Endpoint::default()
    })
}

fn target(record_type: &RecordType, value: String) -> Box<str> {
    if *record_type == RecordType::Txt {
        quoted(&value).into()
    } else {
        value.into()
    }
}

/// The type that Gardener has for a record set; none for those that it does not have.
fn wire_type(record: &Endpoint) -> Option<&str> {
    let is_alias = value(record, ALIAS_PROPERTY).is_some_and(|value| value == "true");
    match record.record_type {
        RecordType::A if is_alias => Some(ALIAS),
        RecordType::Aaaa if is_alias => Some(ALIAS_AAAA),
        _ => {
            let text = record.record_type.as_str();
            TYPES.contains(&text).then_some(text)
        }
    }
}

/// The record data of a target.
fn wire_value(wire_type: &str, target: &str) -> String {
    match wire_type {
        "TXT" => quoted(target),
        "CNAME" | "NS" | ALIAS | ALIAS_AAAA => target.strip_suffix('.').unwrap_or(target).to_owned(),
        _ => target.to_owned(),
    }
}

/// A text in quotation marks; one that is in them stays as it is.
fn quoted(text: &str) -> String {
    if text.len() >= 2 && text.starts_with('"') && text.ends_with('"') {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// Whether two record sets are the same to a client of this protocol, which knows nothing
/// of other properties than those of routing policies.
#[must_use]
pub fn same(one: &Endpoint, other: &Endpoint) -> bool {
    same_data(one, other) && routing::policy(one) == routing::policy(other)
}

/// Whether two record sets are the same but for their routing policies.
#[must_use]
pub fn same_data(one: &Endpoint, other: &Endpoint) -> bool {
    let values = |record: &Endpoint| {
        let wire_type = wire_type(record).unwrap_or_default();
        let values = record.targets.iter().map(|target| wire_value(wire_type, target));
        let mut values: Vec<String> = values.collect();
        values.sort_unstable();
        (wire_type.to_owned(), values)
    };
    let is_alias = matches!(wire_type(one), Some(ALIAS | ALIAS_AAAA));
    values(one) == values(other)
        && (is_alias || one.ttl == other.ttl)
        && matches!((one.key(), other.key()), (Ok(one), Ok(other)) if one == other)
}

/// The properties of a record set that this protocol cannot tell: an update keeps them.
pub fn untold(record: &Endpoint) -> impl Iterator<Item = &Property> {
    record
        .provider_specific
        .iter()
        .filter(|property| &*property.name != ALIAS_PROPERTY && !routing::is_told(&property.name))
}
