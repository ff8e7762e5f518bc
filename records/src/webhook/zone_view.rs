//! Puts what a zone holds in the place of what external-dns takes it to hold. Pure.

use crate::{Change, Endpoint, Group, RecordKey, RecordList, target};
use std::collections::{BTreeMap, BTreeSet};

use super::OWNED_RECORD;
use super::ownership::OwnershipText;

/// What a zone holds, as far as some changes have to know.
pub(super) struct ZoneView(BTreeMap<RecordKey, Endpoint>);

impl ZoneView {
    /// The record sets that the groups are about.
    pub(super) fn of<'a>(records: &RecordList, groups: impl Iterator<Item = &'a Group>) -> Self {
        let sides = |change: &'a Change| change.before().into_iter().chain(change.after());
        let keys: BTreeSet<RecordKey> = groups
            .flat_map(|group| &group.changes)
            .flat_map(sides)
            .filter_map(|endpoint| endpoint.key().ok())
            .collect();
        let found = records.iter().filter_map(|record| {
            let key = record.key().ok()?;
            keys.contains(&key).then_some((key, record))
        });
        Self(found.collect())
    }

    fn get(&self, endpoint: &Endpoint) -> Option<&Endpoint> {
        self.0.get(&endpoint.key().ok()?)
    }

    /// The group as it is to be made, or in what the zone is not what it takes it for.
    pub(super) fn believed(&self, group: Group) -> Result<Group, String> {
        let mut olds = group.changes.iter().filter_map(Change::before);
        let owner = olds.find_map(Endpoint::owner).map(Box::from);
        let changes = group.changes.into_iter();
        let changes = changes.map(|change| self.believed_change(change, owner.as_deref()));
        Ok(Group {
            name: group.name,
            changes: changes.collect::<Result<_, _>>()?,
        })
    }

    fn believed_change(&self, change: Change, owner: Option<&str>) -> Result<Change, String> {
        match change {
            Change::Create(new) => match self.get(&new) {
                None => Ok(Change::Create(bare(new))),
                // external-dns with --txt-cache-interval writes ownership records that it
                // forgot are there. The provider still makes sure that nobody has changed it.
                Some(there) if OwnershipText::of(there).is_some() && same_data(there, &new) => {
                    let old = there.clone();
                    Ok(Change::Update { old, new: bare(new) })
                }
                Some(_) => Err(format!("{} is there already", shown(&new))),
            },
            Change::Update { old, new } => {
                let old = self.confirmed(&old, owner)?;
                Ok(Change::Update { old, new: bare(new) })
            }
            Change::Delete(old) => self.confirmed(&old, owner).map(Change::Delete),
        }
    }

    fn confirmed(&self, old: &Endpoint, owner: Option<&str>) -> Result<Endpoint, String> {
        match self.get(old) {
            None => Err(format!("{} is not in the zone", shown(old))),
            Some(there) if agree(there, old, owner) => Ok(there.clone()),
            Some(there) => Err(format!(
                "{} holds {:?}, not {:?}",
                shown(old),
                there.targets,
                old.targets
            )),
        }
    }
}

fn shown(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.dns_name, endpoint.record_type)
}

/// A zone has no place for labels.
fn bare(mut endpoint: Endpoint) -> Endpoint {
    endpoint.labels.clear();
    endpoint
}

/// Whether external-dns, which calls itself `owner`, means what is there.
fn agree(there: &Endpoint, old: &Endpoint, owner: Option<&str>) -> bool {
    use OwnershipText::{Encrypted, Plain};
    match (OwnershipText::of(there), OwnershipText::of(old)) {
        (Some(Plain { owner: there }), Some(Plain { owner: old })) => there == old,
        (Some(Plain { owner: there }), Some(Encrypted)) => owner.is_some() && there.as_deref() == owner,
        (Some(Encrypted), Some(_)) if old.labels.contains_key(OWNED_RECORD) => true,
        _ => same_data(there, old),
    }
}

fn same_data(one: &Endpoint, other: &Endpoint) -> bool {
    target::same(&one.record_type, &one.targets, &other.targets)
}
