//! What a client wants, and what has to be done for it in the zone as it is.

use std::collections::BTreeSet;

use records::{Change, Endpoint, Group, InvalidName, Name, Outcome, RecordKey};

use crate::protocol::gardener::{Action, Kind, same, same_data, untold};
use crate::server::publication::State;

/// A group of changes that belong together.
#[derive(Clone, Debug)]
pub struct Work {
    names: BTreeSet<Name>,
    wish: Wish,
}

#[derive(Clone, Debug)]
enum Wish {
    /// What the zone is believed to hold is told.
    Exact(Group),
    /// It is not; all of one name.
    Actions { name: Name, actions: Vec<Action> },
}

impl Work {
    /// Changes with the values that are expected.
    pub fn exact(group: Group) -> Result<Self, InvalidName> {
        let sides = group
            .changes
            .iter()
            .flat_map(|change| [change.before(), change.after()]);
        let mut names: BTreeSet<Name> = sides.flatten().map(Endpoint::name).collect::<Result<_, _>>()?;
        names.insert(group.name.clone());
        Ok(Self {
            names,
            wish: Wish::Exact(group),
        })
    }

    /// Changes of one name without expected values, to record sets that all differ.
    #[must_use]
    pub fn actions(name: Name, actions: Vec<Action>) -> Self {
        Self {
            names: BTreeSet::from([name.clone()]),
            wish: Wish::Actions { name, actions },
        }
    }

    /// The names that it touches.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<Name> {
        &self.names
    }

    /// How many changes it is.
    #[must_use]
    pub fn changes(&self) -> usize {
        match &self.wish {
            Wish::Exact(group) => group.changes.len(),
            Wish::Actions { actions, .. } => actions.len(),
        }
    }

    /// The group that does it in a zone of this state; the outcome where there is nothing to
    /// be done.
    pub fn prepare(&self, state: &State) -> Result<Group, Outcome> {
        match &self.wish {
            Wish::Exact(group) => Ok(Group {
                name: group.name.clone(),
                changes: group
                    .changes
                    .iter()
                    .map(|change| as_listed(change, state))
                    .collect(),
            }),
            Wish::Actions { name, actions } => {
                let mut changes = Vec::new();
                for action in actions {
                    changes.extend(change(action, state).map_err(|reason| Outcome::Conflict { reason })?);
                }
                if changes.is_empty() {
                    return Err(Outcome::Applied { written: None });
                }
                let name = name.clone();
                Ok(Group { name, changes })
            }
        }
    }
}

/// A change whose old side is what the zone lists, to the letter, if it is the same. If it is
/// not, the cache tells of the conflict.
fn as_listed(change: &Change, state: &State) -> Change {
    let listed = |old: &Endpoint| {
        let held = old.key().ok().and_then(|key| held(state, &key));
        held.filter(|held| held.same_records(old))
            .unwrap_or_else(|| old.clone())
    };
    match change {
        Change::Create(new) => Change::Create(new.clone()),
        Change::Update { old, new } => Change::Update {
            old: listed(old),
            new: new.clone(),
        },
        Change::Delete(old) => Change::Delete(listed(old)),
    }
}

/// The change that an action takes; none if it is so already. The reason if it cannot be.
fn change(action: &Action, state: &State) -> Result<Option<Change>, String> {
    let wanted = &action.record;
    let Some(held) = held(state, &action.key) else {
        let is_gone = action.kind == Kind::Delete;
        return Ok((!is_gone).then(|| Change::Create(wanted.clone())));
    };
    let there = || format!("{} {} is there", action.key.name, action.key.record_type);
    match action.kind {
        Kind::Delete if wanted.targets.is_empty() || same_data(&held, wanted) => {
            Ok(Some(Change::Delete(held)))
        }
        Kind::Delete => Err(format!(
            "{} with other data than what is to be deleted: {}",
            there(),
            held.targets.join(", ")
        )),
        _ if same(&held, wanted) => Ok(None),
        Kind::Create => Err(format!(
            "{} already, with other data: {}",
            there(),
            held.targets.join(", ")
        )),
        Kind::Update => {
            let mut new = wanted.clone();
            let mut properties = new.provider_specific.into_vec();
            for property in untold(&held) {
                if !properties.iter().any(|known| known.name == property.name) {
                    properties.push(property.clone());
                }
            }
            properties.sort_unstable();
            new.provider_specific = properties.into();
            Ok(Some(Change::Update { old: held, new }))
        }
    }
}

fn held(state: &State, key: &RecordKey) -> Option<Endpoint> {
    let mut held = state.at(key.name.as_str()).into_iter();
    held.find(|held| held.record_type == key.record_type && held.set_identifier == key.set_identifier)
}
