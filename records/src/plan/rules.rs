//! What a plan may do.

use super::Policy;
use crate::{DomainFilter, Endpoint, ManagedTypes, Property, RecordType, target};

/// What a plan may do, and to which records.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Which kinds of changes are made.
    pub policy: Policy,
    /// Whose records are ours (external-dns's `--txt-owner-id`). None where nothing tells
    /// who keeps a record: then all of them are.
    pub owner: Option<Box<str>>,
    /// Whose records become ours (external-dns's `--migrate-from-txt-owner`): they count as
    /// ours already, and the wanted ones are given to `owner`.
    pub old_owner: Option<Box<str>>,
    /// The types of records that are looked at.
    pub managed: ManagedTypes,
    /// The names that are looked at: those that all of these take.
    pub domain_filters: Vec<DomainFilter>,
}

impl Rules {
    /// Whether a record in a zone is ours.
    #[must_use]
    pub fn owns(&self, current: &Endpoint) -> bool {
        self.owner.is_none() || current.owner() == self.owner.as_deref() || self.migrates(current)
    }

    /// Whether a record in a zone is the old owner's, and to become ours.
    pub(super) fn migrates(&self, current: &Endpoint) -> bool {
        match (&self.owner, &self.old_owner) {
            (Some(owner), Some(old)) => old != owner && current.owner() == Some(old),
            _ => false,
        }
    }

    /// Whether a record set of a zone is as an endpoint of its name and set identifier
    /// wants it. Any TTL will do where none is wanted.
    pub(crate) fn is_settled(&self, current: &Endpoint, wanted: &Endpoint) -> bool {
        current.record_type == wanted.record_type
            && (wanted.ttl.is_none() || wanted.ttl == current.ttl)
            && target::same(&current.record_type, &current.targets, &wanted.targets)
            && same_properties(&current.provider_specific, &wanted.provider_specific)
            && !self.migrates(current)
    }

    /// Whether a record of a zone is looked at, by its type and the canonical text of its name.
    pub(crate) fn takes(&self, record_type: &RecordType, name: &str) -> bool {
        self.managed.contains(record_type) && self.takes_name(name)
    }

    /// Whether a name, by its canonical text, is looked at.
    pub(crate) fn takes_name(&self, name: &str) -> bool {
        self.domain_filters.iter().all(|filter| filter.matches_text(name))
    }
}

/// Whether two lists have the same properties, in any order.
fn same_properties(left: &[Property], right: &[Property]) -> bool {
    let has_all =
        |these: &[Property], those: &[Property]| these.iter().all(|property| those.contains(property));
    left == right || (has_all(left, right) && has_all(right, left))
}
