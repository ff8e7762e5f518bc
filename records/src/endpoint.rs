//! The model of wanted and found records: external-dns's endpoint.

mod check;
mod json;
mod record_data;

use std::borrow::Cow;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::name::place;
use crate::{InvalidName, Labels, Name, RecordType};

pub use check::Fault;
pub(crate) use json::Strict;

/// The longest time to live in seconds (RFC 2181, section 8).
const MAX_TTL: u32 = 2_147_483_647;

/// The label that says who keeps a record, as external-dns has it.
pub const OWNER_LABEL: &str = "owner";
/// The label that says which object asked for a record, as external-dns has it.
pub const RESOURCE_LABEL: &str = "resource";
/// The label that says what a provider calls the records of a set, for itself alone: it
/// stands on what the provider listed, and goes back to it on the old side of a change.
/// Nobody else is told.
pub const RECORD_IDS_LABEL: &str = "record-ids";
/// The property that lets addresses be those of another name, as external-dns has it.
const ALIAS_PROPERTY: &str = "alias";

/// A set of resource records of one name and type, with the JSON names of external-dns's
/// webhook protocol and of `DNSEndpoint`. Boxed texts and slices: zones have hundreds of
/// thousands of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The owner name (RFC 9499), as whoever wrote it spells it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub dns_name: Box<str>,
    /// The record data, one text each: an address, a name, or what stands in a zone file.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub targets: Box<[Box<str>]>,
    /// The type of the records.
    #[serde(skip_serializing_if = "RecordType::is_unset")]
    pub record_type: RecordType,
    /// Tells sets of one name and type apart, where a provider has several.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub set_identifier: Box<str>,
    /// How long the records may be cached, in seconds; none is the provider's choice.
    #[serde(rename = "recordTTL", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<NonZeroU32>,
    /// What is remembered of the record beside its data.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What only some providers know.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub provider_specific: Box<[Property]>,
}

/// A property of a record that only some providers know.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Property {
    /// Such as `aws/weight`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: Box<str>,
    /// Its value.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub value: Box<str>,
}

/// What tells a record set from all others of a zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The owner name.
    pub name: Name,
    /// The type.
    pub record_type: RecordType,
    /// The set identifier; empty where there is one set only.
    pub set_identifier: Box<str>,
}

impl Endpoint {
    /// The owner name as it is compared.
    pub fn name(&self) -> Result<Name, InvalidName> {
        Name::parse(&self.dns_name)
    }

    /// The text by which a zone is in order: the owner name as it is compared. One that is
    /// no domain name stands by its text: it is kept, though nobody can change it.
    #[must_use]
    pub fn place(&self) -> Cow<'_, str> {
        place(&self.dns_name)
    }

    /// What tells it from all others.
    pub fn key(&self) -> Result<RecordKey, InvalidName> {
        Ok(RecordKey {
            name: self.name()?,
            record_type: self.record_type.clone(),
            set_identifier: self.set_identifier.clone(),
        })
    }

    /// Who keeps it, if that is known.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.labels.get(OWNER_LABEL)
    }

    /// The object that asked for it, such as `ingress/default/web`, if that is known.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.labels.get(RESOURCE_LABEL)
    }

    /// Whether a zone that holds the one holds the other: all but the labels is the same,
    /// targets and properties in any order.
    #[must_use]
    pub fn same_records(&self, other: &Self) -> bool {
        self.ttl == other.ttl
            && same_items(&self.targets, &other.targets)
            && same_items(&self.provider_specific, &other.provider_specific)
            && matches!((self.key(), other.key()), (Ok(one), Ok(other)) if one == other)
    }
}

/// Whether two lists have the same items, in any order.
fn same_items<T: Ord>(one: &[T], other: &[T]) -> bool {
    if one == other || one.len() != other.len() {
        return one == other;
    }
    let mut one: Vec<&T> = one.iter().collect();
    let mut other: Vec<&T> = other.iter().collect();
    one.sort_unstable();
    other.sort_unstable();
    one == other
}
