//! Groups of changes as one batch of Route 53's.
//!
//! What is replaced is deleted and created in the same batch, which Route 53 takes whole or
//! not at all. A deletion names all that the set is believed to hold, so that what somebody
//! else wrote is never overwritten, where external-dns's UPSERT would.

use aws_sdk_route53::types::{Change as WireChange, ChangeAction, ChangeBatch, ResourceRecordSet};

use super::record_set::{Unwritable, Writing, listed};
use crate::batch::Weight;
use crate::{Endpoint, Group};

/// A group as Route 53 takes it.
#[derive(Debug)]
pub(super) struct Wire {
    deletions: Vec<ResourceRecordSet>,
    creations: Vec<ResourceRecordSet>,
}

impl Wire {
    /// What a group becomes.
    pub(super) fn of(group: &Group, writing: Writing<'_>) -> Result<Self, Unwritable> {
        let changes = || group.changes.iter();
        let deletions = changes().filter_map(|change| change.before());
        let creations = changes().filter_map(|change| change.after());
        Ok(Self {
            deletions: deletions
                .map(|old| writing.known(old))
                .collect::<Result<_, _>>()?,
            creations: creations
                .map(|new| writing.wanted(new))
                .collect::<Result<_, _>>()?,
        })
    }

    /// What it counts for: Route 53 counts both sides of what is replaced.
    pub(super) fn weight(&self) -> Weight {
        let sets = || self.deletions.iter().chain(&self.creations);
        let values = |set: &ResourceRecordSet| match set.alias_target() {
            Some(_) => 1,
            None => set.resource_records().len(),
        };
        let octets = |set: &ResourceRecordSet| match set.alias_target() {
            Some(alias) => alias.dns_name().len(),
            None => set
                .resource_records()
                .iter()
                .map(|record| record.value().len())
                .sum(),
        };
        Weight {
            operations: sets().count(),
            octets: sets().map(octets).sum(),
            values: sets().map(values).sum(),
        }
    }

    /// What is listed once it is made.
    pub(super) fn written(&self, writing: Writing<'_>) -> Vec<Endpoint> {
        let sets = self.creations.iter();
        sets.filter_map(|set| listed(set, writing.zone)).collect()
    }
}

/// One batch of them all: first what goes, then what comes.
pub(super) fn batch(groups: &[Wire]) -> Result<ChangeBatch, Unwritable> {
    let deletions = groups.iter().flat_map(|group| &group.deletions);
    let creations = groups.iter().flat_map(|group| &group.creations);
    let change = |action: ChangeAction, set: &ResourceRecordSet| {
        let change = WireChange::builder().action(action);
        change.resource_record_set(set.clone()).build()
    };
    let changes: Result<Vec<_>, _> = deletions
        .map(|set| change(ChangeAction::Delete, set))
        .chain(creations.map(|set| change(ChangeAction::Create, set)))
        .collect();
    let batch =
        ChangeBatch::builder().set_changes(Some(changes.map_err(|error| Unwritable(error.to_string()))?));
    batch.build().map_err(|error| Unwritable(error.to_string()))
}
