//! What to do about one name.

use std::cmp::Ordering;

use super::{Plan, Policy, Reason, Remark, Rules, Step};
use crate::endpoint::OWNER_LABEL;
use crate::{Change, Endpoint, RecordType, target};

/// What stands at a name and set identifier, and what is wanted there; neither in any order.
pub(super) struct Row<'t, 'r> {
    /// The name's canonical text.
    pub(super) name: &'t str,
    pub(super) current: &'r [&'t Endpoint],
    pub(super) wanted: &'r [&'t Endpoint],
}

/// What was decided so far.
pub(super) struct Decisions<'t> {
    pub(super) rules: &'t Rules,
    actions: Vec<(&'t str, Action<'t>)>,
    remarks: Vec<Remark>,
}

/// A change, before anything is copied for it.
#[derive(Clone, Copy)]
enum Action<'t> {
    Create(&'t Endpoint),
    Update { old: &'t Endpoint, new: &'t Endpoint },
    Delete(&'t Endpoint),
}

/// What would make a row as it is wanted.
#[derive(Default)]
struct Difference<'t> {
    creates: Vec<&'t Endpoint>,
    updates: Vec<(&'t Endpoint, &'t Endpoint)>,
    deletes: Vec<&'t Endpoint>,
}

impl<'t> Decisions<'t> {
    pub(super) fn new(rules: &'t Rules) -> Self {
        Self {
            rules,
            actions: Vec::new(),
            remarks: Vec::new(),
        }
    }

    pub(super) fn remark(&mut self, endpoint: &Endpoint, reason: Reason) {
        self.remarks.push(Remark::new(endpoint, reason));
    }

    /// Decides what to do about a name.
    pub(super) fn decide(&mut self, row: &Row<'t, '_>) {
        let mut difference = self.difference(row);
        self.keep_to_ours(row, &mut difference);
        self.keep_to_policy(&mut difference);
        let creates = difference.creates.into_iter().map(Action::Create);
        let updates = difference.updates.into_iter();
        let updates = updates.map(|(old, new)| Action::Update { old, new });
        let deletes = difference.deletes.into_iter().map(Action::Delete);
        let actions = creates.chain(updates).chain(deletes);
        self.actions.extend(actions.map(|action| (row.name, action)));
    }

    /// What would make a row as it is wanted, whoever keeps its records.
    fn difference(&mut self, row: &Row<'t, '_>) -> Difference<'t> {
        let mut difference = Difference::default();
        let is_mixed = |endpoints: &[&Endpoint]| {
            let cnames = endpoints.iter().filter(|endpoint| is_cname(endpoint)).count();
            cnames > 0 && cnames < endpoints.len()
        };
        let without_cnames = is_mixed(row.wanted);
        let mut types: Vec<&RecordType> = row
            .current
            .iter()
            .chain(row.wanted)
            .map(|e| &e.record_type)
            .collect();
        types.sort_unstable();
        types.dedup();
        for record_type in types {
            let of_type = |endpoint: &&&'t Endpoint| endpoint.record_type == *record_type;
            let current = self.pick_current(row.current.iter().filter(of_type).copied());
            let mut candidates: Vec<_> = row.wanted.iter().filter(of_type).copied().collect();
            if without_cnames && *record_type == RecordType::Cname {
                for candidate in candidates.drain(..) {
                    self.remark(candidate, Reason::BesideOtherTypes);
                }
            }
            match (current, self.pick_wanted(current, candidates)) {
                (Some(old), Some(new)) if !self.rules.is_settled(old, new) => {
                    difference.updates.push((old, new));
                }
                (Some(old), None) => difference.deletes.push(old),
                (None, Some(new)) => difference.creates.push(new),
                _ => {}
            }
        }
        difference
    }

    /// The one record set of a key. A zone that lists several (spelled differently) is
    /// believed to hold the one that is not ours.
    fn pick_current(&self, records: impl Iterator<Item = &'t Endpoint>) -> Option<&'t Endpoint> {
        records.min_by(|left, right| {
            let ours = self.rules.owns(left).cmp(&self.rules.owns(right));
            ours.then_with(|| compare(left, right))
        })
    }

    /// The candidate that gets a record: that of the object which has it, else the least.
    fn pick_wanted(
        &mut self,
        current: Option<&Endpoint>,
        mut candidates: Vec<&'t Endpoint>,
    ) -> Option<&'t Endpoint> {
        candidates.sort_unstable_by(|left, right| compare(left, right));
        let has_it = |candidate: &&&Endpoint| current.is_some_and(|it| it.resource() == candidate.resource());
        let winner = *candidates.iter().find(has_it).or(candidates.first())?;
        for loser in candidates.into_iter().filter(|loser| *loser != winner) {
            let by = winner.resource().map(Into::into);
            self.remark(loser, Reason::Outranked { by });
        }
        Some(winner)
    }

    /// Takes out what would touch records that are not ours, or add to them.
    fn keep_to_ours(&mut self, row: &Row<'t, '_>, difference: &mut Difference<'t>) {
        let rules = self.rules;
        difference.deletes.retain(|old| rules.owns(old));
        difference.updates.retain(|(old, new)| {
            let is_ours = rules.owns(old);
            if !is_ours {
                self.remark(new, owned_by_other(old));
            }
            is_ours
        });
        let others = row.current.iter().filter(|record| !rules.owns(record));
        if let Some(other) = others.min_by(|left, right| compare_keys(left, right)) {
            for create in difference.creates.drain(..) {
                self.remark(create, owned_by_other(other));
            }
        }
    }

    /// Takes out what the policy does not let happen.
    fn keep_to_policy(&mut self, difference: &mut Difference<'t>) {
        let policy = self.rules.policy;
        if policy == Policy::Sync {
            return;
        }
        let forbids = |step| Reason::PolicyForbids { policy, step };
        let Difference {
            creates,
            updates,
            deletes,
        } = difference;
        if policy == Policy::CreateOnly {
            for (_, new) in updates.drain(..) {
                self.remark(new, forbids(Step::Update));
            }
            let is_in_the_way = |create: &&mut &Endpoint| deletes.iter().any(|old| are_apart(create, old));
            for create in creates.extract_if(.., |create| is_in_the_way(&create)) {
                self.remark(create, forbids(Step::Replace));
            }
        }
        let creates = &*creates;
        let makes_room = |old: &&mut &Endpoint| creates.iter().any(|create| are_apart(create, old));
        for old in deletes.extract_if(.., |old| !makes_room(&old)) {
            self.remark(old, forbids(Step::Delete));
        }
    }

    /// The plan of all that was decided, in its order.
    pub(super) fn into_plan(self) -> Plan {
        let Self {
            rules,
            mut actions,
            mut remarks,
        } = self;
        actions.sort_unstable_by(|(left_name, left), (right_name, right)| {
            left_name
                .cmp(right_name)
                .then_with(|| compare_keys(left.endpoint(), right.endpoint()))
        });
        remarks.sort_unstable();
        Plan {
            changes: actions
                .into_iter()
                .map(|(_, action)| action.into_change(rules))
                .collect(),
            remarks,
        }
    }
}

impl<'t> Action<'t> {
    fn endpoint(&self) -> &'t Endpoint {
        match self {
            Self::Create(endpoint) | Self::Delete(endpoint) | Self::Update { new: endpoint, .. } => endpoint,
        }
    }

    fn into_change(self, rules: &Rules) -> Change {
        match self {
            Self::Create(new) => Change::Create(new.clone()),
            Self::Delete(old) => Change::Delete(old.clone()),
            Self::Update { old, new } => {
                let mut new = new.clone();
                match rules.owner.as_deref().or(old.owner()) {
                    Some(owner) => new.labels.insert(OWNER_LABEL.into(), owner.into()),
                    None => drop(new.labels.remove(OWNER_LABEL)),
                }
                Change::Update {
                    old: old.clone(),
                    new,
                }
            }
        }
    }
}

fn is_cname(endpoint: &Endpoint) -> bool {
    endpoint.record_type == RecordType::Cname
}

/// Whether two record sets of different types cannot stand at one name.
fn are_apart(left: &Endpoint, right: &Endpoint) -> bool {
    is_cname(left) || is_cname(right)
}

fn owned_by_other(record: &Endpoint) -> Reason {
    Reason::OwnedByOther {
        record_type: record.record_type.clone(),
        owner: record.owner().map(Into::into),
    }
}

/// The order of endpoints of one name.
fn compare_keys(left: &Endpoint, right: &Endpoint) -> Ordering {
    fn key(endpoint: &Endpoint) -> impl Ord {
        (&endpoint.record_type, &endpoint.set_identifier)
    }
    key(left).cmp(&key(right))
}

/// The order in which endpoints of one type get a name: by their targets. The rest is there
/// so that the order in which they come never decides.
fn compare(left: &Endpoint, right: &Endpoint) -> Ordering {
    fn rest(endpoint: &Endpoint) -> impl Ord {
        (
            endpoint.resource(),
            endpoint.ttl,
            &endpoint.provider_specific,
            &endpoint.targets,
            &endpoint.dns_name,
            &endpoint.labels,
        )
    }
    target::compare(&left.record_type, &left.targets, &right.targets)
        .then_with(|| rest(left).cmp(&rest(right)))
}
