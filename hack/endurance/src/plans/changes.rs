//! Changes of a plan in a form in which two plans can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use records::{Change, Endpoint};

/// What is planned by itself: a name as it is compared, and a set identifier.
pub type Row = (String, Box<str>);

/// The changes of a plan, by texts that are the same when the changes are.
#[derive(Debug, Default)]
pub struct Changes(BTreeMap<String, Change>);

impl Changes {
    /// Changes, of which neither the order nor what comes twice matters.
    #[must_use]
    pub fn new(changes: impl IntoIterator<Item = Change>) -> Self {
        let described = changes.into_iter().map(|change| (describe(&change), change));
        Self(described.collect())
    }

    /// The rows that are changed.
    #[must_use]
    pub fn rows(&self) -> BTreeSet<Row> {
        self.0.values().filter_map(row).collect()
    }

    /// The texts of the changes of a row.
    #[must_use]
    pub fn of(&self, row: &Row) -> Vec<&str> {
        let changes = self.0.iter();
        let changes = changes.filter(|(_, change)| self::row(change).as_ref() == Some(row));
        changes.map(|(text, _)| text.as_str()).collect()
    }

    /// The changes that others do not have.
    pub fn without(&self, others: &Self) -> impl Iterator<Item = &Change> {
        let missing = |text: &String| !others.0.contains_key(text);
        self.0
            .iter()
            .filter(move |(text, _)| missing(text))
            .map(|(_, change)| change)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.keys().try_for_each(|text| writeln!(f, "  {text}"))
    }
}

/// The row of an endpoint.
#[must_use]
pub fn row_of(endpoint: &Endpoint) -> Row {
    let name = endpoint.name();
    let name = name.map_or_else(|_| endpoint.dns_name.to_string(), |name| name.to_string());
    (name, endpoint.set_identifier.clone())
}

fn row(change: &Change) -> Option<Row> {
    change.after().or(change.before()).map(row_of)
}

/// Who created records are given to, and who had those before that are changed or deleted, is
/// not part of a plan: the ownership records tell that.
fn describe(change: &Change) -> String {
    match change {
        Change::Create(new) => format!("create {}", side(new)),
        Change::Delete(old) => format!("delete {}", side(old)),
        Change::Update { old, new } => {
            // external-dns writes an owner of no letters where there is none.
            let owner = new.owner().filter(|owner| !owner.is_empty());
            format!("update {} to {} of {owner:?}", side(old), side(new))
        }
    }
}

fn side(endpoint: &Endpoint) -> String {
    let mut targets = endpoint.targets.to_vec();
    targets.sort();
    let mut properties = endpoint.provider_specific.to_vec();
    properties.sort();
    let properties: Vec<String> = properties
        .iter()
        .map(|property| format!("{}={}", property.name, property.value))
        .collect();
    format!(
        "{} {} {:?} {targets:?} ttl {:?} {properties:?} for {:?}",
        endpoint.dns_name,
        endpoint.record_type,
        endpoint.set_identifier,
        endpoint.ttl.map(std::num::NonZeroU32::get),
        endpoint.resource(),
    )
}
