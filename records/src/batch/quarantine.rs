//! Groups that were refused for their content, so that later passes do not pay for them.
//!
//! Such a group is not sent again before a delay that doubles with each refusal, nor in
//! one batch with others. It is sent at once when it changes, and forgotten when it is in
//! its zone or is not asked for any more.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::time::Duration;

use jiff::Timestamp;

use crate::ownership::label::OWNED_RECORD;
use crate::{Endpoint, Group, Name, Outcome, Zone, ZoneId};

/// The delay after the first refusal.
const FIRST_DELAY: Duration = Duration::from_secs(60);
/// The longest delay. What is wrong at the provider's side is mended in hours.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// A group that so many passes over its zone have not asked for is forgotten. More than
/// one: a pass leaves groups out that are in doubt.
const FORGOTTEN_AFTER: u64 = 10;

/// The time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Since some moment; never goes back.
    pub monotonic: Duration,
    /// Since 1970, UTC: what people are told.
    pub wall: Duration,
}

/// Whether a group may be sent.
#[derive(Debug)]
pub(super) enum Standing {
    /// Like any other.
    Free,
    /// Not yet; what is to be told of it.
    Held(Outcome),
    /// Its time has come. What is to be told of it if it is not sent all the same, and since
    /// when it may be.
    Due(Outcome, Duration),
}

/// The refused groups of all zones.
#[derive(Debug, Default)]
pub(super) struct Quarantine(BTreeMap<ZoneId, Refused>);

/// The refused groups of a zone.
#[derive(Debug, Default)]
struct Refused {
    passes: u64,
    groups: HashMap<Name, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// What stands for what was refused.
    content: u64,
    /// In the provider's own words.
    reason: String,
    delay: Duration,
    /// When it is tried again, by the clock that never goes back.
    due: Duration,
    /// The same, for people.
    due_wall: Duration,
    /// The pass that has asked for it last.
    asked: u64,
}

impl Quarantine {
    /// A pass over a zone begins: what nobody has asked for in a while is forgotten.
    pub fn begin_pass(&mut self, zone: &Zone) {
        let Some(refused) = self.0.get_mut(&zone.id) else {
            return;
        };
        refused.passes += 1;
        let passes = refused.passes;
        refused
            .groups
            .retain(|_, entry| passes - entry.asked <= FORGOTTEN_AFTER);
        if refused.groups.is_empty() {
            self.0.remove(&zone.id);
        }
    }

    /// Whether a group may be sent now. One that has changed is forgotten.
    pub fn standing(&mut self, zone: &Zone, group: &Group, now: Now) -> Standing {
        let Some(refused) = self.0.get_mut(&zone.id) else {
            return Standing::Free;
        };
        let Some(entry) = refused.groups.get_mut(&group.name) else {
            return Standing::Free;
        };
        if entry.content != content(group) {
            refused.groups.remove(&group.name);
            return Standing::Free;
        }
        entry.asked = refused.passes;
        if now.monotonic < entry.due {
            Standing::Held(entry.outcome())
        } else {
            Standing::Due(entry.outcome(), entry.due)
        }
    }

    /// Remembers a group that was refused for its content; what is to be told of it.
    pub fn refuse(&mut self, zone: &Zone, group: &Group, reason: String, now: Now) -> Outcome {
        let refused = self.0.entry(zone.id.clone()).or_default();
        let content = content(group);
        let before = refused.groups.get(&group.name);
        let delay = before
            .filter(|entry| entry.content == content)
            .map_or(FIRST_DELAY, |entry| (entry.delay * 2).min(LONGEST_DELAY));
        let entry = Entry {
            content,
            reason,
            delay,
            due: now.monotonic.saturating_add(delay),
            due_wall: now.wall.saturating_add(delay),
            asked: refused.passes,
        };
        let outcome = entry.outcome();
        refused.groups.insert(group.name.clone(), entry);
        outcome
    }

    /// A group is in its zone.
    pub fn forget(&mut self, zone: &Zone, name: &Name) {
        if let Some(refused) = self.0.get_mut(&zone.id) {
            refused.groups.remove(name);
        }
    }

    /// How many groups are remembered.
    pub fn len(&self) -> usize {
        self.0.values().map(|refused| refused.groups.len()).sum()
    }
}

impl Entry {
    /// The same words until it is tried again: who writes them into a status writes it
    /// once.
    fn outcome(&self) -> Outcome {
        let seconds = i64::try_from(self.due_wall.as_secs()).unwrap_or(i64::MAX);
        let when = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        Outcome::Rejected {
            reason: format!("{}; it is tried again at {when}, or when it changes", self.reason),
        }
    }
}

/// What stands for the records of a group, without what is remembered beside them.
fn content(group: &Group) -> u64 {
    let mut hasher = DefaultHasher::new();
    for change in &group.changes {
        discriminant(change).hash(&mut hasher);
        for side in [change.before(), change.after()].into_iter().flatten() {
            add(side, &mut hasher);
        }
    }
    hasher.finish()
}

fn add(endpoint: &Endpoint, hasher: &mut DefaultHasher) {
    match endpoint.key() {
        Ok(key) => key.hash(hasher),
        Err(_) => endpoint.dns_name.hash(hasher),
    }
    // An ownership record that is encrypted has another text in each pass.
    if endpoint.labels.contains_key(OWNED_RECORD) {
        return;
    }
    let mut targets: Vec<&str> = endpoint.targets.iter().map(AsRef::as_ref).collect();
    targets.sort_unstable();
    let mut properties: Vec<(&str, &str)> = endpoint
        .provider_specific
        .iter()
        .map(|property| (&*property.name, &*property.value))
        .collect();
    properties.sort_unstable();
    (targets, endpoint.ttl, properties).hash(hasher);
}
