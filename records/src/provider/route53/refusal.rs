//! What Route 53 says is wrong with a batch, and whose groups it means.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::presentation;
use crate::{Group, Outcome, RecordType};

/// A set that is there, is not there, or is another than was believed.
static BELIEF: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)tried to (?:create|delete) resource record set \[name='([^']*)', type='([^']*)'(?:, set identifier='([^']*)')?\] but ([^,\]\[]*)",
    )
    .ok()
});
/// A set that cannot stand where it is to stand, or cannot become what it is to become.
static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"with DNS name (\S+) is not permitted[^,\]\[]*|invalid set of changes for a resource record set '\S+ ([^']*)'",
    )
    .ok()
});
/// A value or name that is none.
static VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?s)FATAL problem: \w+ \(([^)]*)\) encountered with '(.*?)'(?:[,\]]|$)").ok()
});
/// More than it takes.
static LIMIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"limit of \d+ exceeded").ok());

/// Whether a batch was refused for how much it is.
pub(super) fn is_oversized(message: &str) -> bool {
    LIMIT.as_ref().is_some_and(|limit| limit.is_match(message))
}

/// What comes of the groups that a message names, by their place in the batch.
pub(super) fn named(message: &str, batch: &[&Group]) -> Vec<(usize, Outcome)> {
    let mut named = BTreeMap::new();
    let mut blame = |places: Vec<usize>, outcome: Outcome| {
        for place in places {
            named.entry(place).or_insert_with(|| outcome.clone());
        }
    };
    for found in matches(BELIEF.as_ref(), message) {
        let (name, record_type) = (presentation::name(&found[1]), RecordType::from(&*found[2]));
        let identifier = found.get(3).cloned().unwrap_or_default();
        let reason = found[0].clone();
        let places = holders(batch, |endpoint| {
            is_named(endpoint, &name)
                && endpoint.record_type == record_type
                && (identifier.is_empty() || *endpoint.set_identifier == *identifier)
        });
        blame(places, Outcome::Conflict { reason });
    }
    for found in matches(PLACE.as_ref(), message) {
        let name = presentation::name(if found[1].is_empty() { &found[2] } else { &found[1] });
        let places = holders(batch, |endpoint| is_named(endpoint, &name));
        let reason = found[0].clone();
        blame(places, Outcome::Rejected { reason });
    }
    for found in matches(VALUE.as_ref(), message) {
        let (bad, name) = (&*found[2], presentation::name(&found[2]));
        let places = holders(batch, |endpoint| {
            endpoint.targets.iter().any(|target| &**target == bad) || is_named(endpoint, &name)
        });
        let reason = found[0].trim_end_matches([',', ']']).to_owned();
        blame(places, Outcome::Rejected { reason });
    }
    named.into_iter().collect()
}

/// All that an expression finds, each with its parts; a part that is not there is empty.
fn matches(expression: Option<&Regex>, message: &str) -> Vec<Vec<String>> {
    let Some(expression) = expression else {
        return Vec::new();
    };
    let text =
        |part: Option<regex::Match<'_>>| part.map_or_else(String::new, |part| part.as_str().to_owned());
    let found = expression.captures_iter(message);
    found.map(|parts| parts.iter().map(text).collect()).collect()
}

/// The places of the groups that write or remove such a set.
fn holders(batch: &[&Group], is_meant: impl Fn(&crate::Endpoint) -> bool) -> Vec<usize> {
    let groups = batch.iter().enumerate();
    let holds = |group: &Group| {
        let changes = group.changes.iter();
        let mut sides = changes.flat_map(|change| change.before().into_iter().chain(change.after()));
        sides.any(&is_meant)
    };
    groups
        .filter(|(_, group)| holds(group))
        .map(|(place, _)| place)
        .collect()
}

fn is_named(endpoint: &crate::Endpoint, name: &str) -> bool {
    endpoint
        .name()
        .is_ok_and(|own| own.as_str().eq_ignore_ascii_case(name))
}
