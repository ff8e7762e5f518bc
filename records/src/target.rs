//! Targets of records as they are compared: as sets, by what they mean.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use crate::RecordType;
use crate::name::canonical;

/// A target by what it means. Addresses come before all else.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Meaning<'a> {
    Address(IpAddr),
    Text(Cow<'a, str>),
}

/// Whether two lists of targets of one type mean the same: addresses however they are
/// written, names in any case and with or without a final dot, a text with or without
/// quotation marks, in any order.
#[must_use]
pub fn same(record_type: &RecordType, left: &[Box<str>], right: &[Box<str>]) -> bool {
    left == right || meanings(record_type, left) == meanings(record_type, right)
}

/// Targets of one type, each once by what it means, sorted by that. Of several spellings of
/// one the least stays.
#[must_use]
pub fn unite(record_type: &RecordType, mut targets: Vec<Box<str>>) -> Box<[Box<str>]> {
    targets.sort_unstable_by(|one, other| {
        let meanings = [one, other].map(|target| Meaning::of(record_type, target));
        meanings[0].cmp(&meanings[1]).then_with(|| one.cmp(other))
    });
    targets.dedup_by(|one, other| Meaning::of(record_type, one) == Meaning::of(record_type, other));
    targets.into()
}

/// The order in which targets get a name that several ask for: the shorter list first, then
/// addresses before names, addresses by their number, names by their letters.
#[must_use]
pub fn compare(record_type: &RecordType, left: &[Box<str>], right: &[Box<str>]) -> Ordering {
    let left = in_text_order(meanings(record_type, left));
    let right = in_text_order(meanings(record_type, right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(&right))
}

/// What targets mean, each once.
fn meanings<'a>(record_type: &RecordType, targets: &'a [Box<str>]) -> Vec<Meaning<'a>> {
    let mut meanings: Vec<_> = targets
        .iter()
        .map(|target| Meaning::of(record_type, target))
        .collect();
    meanings.sort_unstable();
    meanings.dedup();
    meanings
}

/// Lists are compared in the order of their texts, and only two targets by their numbers:
/// so that the winner is the one that external-dns picks.
fn in_text_order(mut meanings: Vec<Meaning<'_>>) -> Vec<Meaning<'_>> {
    if meanings.len() > 1 {
        meanings.sort_by_cached_key(|meaning| match meaning {
            Meaning::Address(address) => address.to_string(),
            Meaning::Text(text) => text.clone().into_owned(),
        });
    }
    meanings
}

impl<'a> Meaning<'a> {
    fn of(record_type: &RecordType, target: &'a str) -> Self {
        match record_type {
            RecordType::A | RecordType::Aaaa => target
                .parse()
                .map_or_else(|_| Self::Text(host(target)), Self::Address),
            RecordType::Mx | RecordType::Srv => Self::Text(data_with_host(target)),
            RecordType::Txt => Self::Text(Cow::Borrowed(bare_string(target))),
            _ if record_type.holds_name() => Self::Text(host(target)),
            _ => Self::Text(Cow::Borrowed(target)),
        }
    }
}

/// A host as it is compared; what is no name stays as it is.
fn host(target: &str) -> Cow<'_, str> {
    canonical(target).unwrap_or(Cow::Borrowed(target))
}

/// Record data that ends with a host, with one space between its parts.
fn data_with_host(target: &str) -> Cow<'_, str> {
    let mut words: Vec<_> = target.split_ascii_whitespace().map(Cow::Borrowed).collect();
    if let Some(last) = words.last_mut() {
        let name = canonical(last).map(Cow::into_owned);
        *last = name.map_or_else(|_| last.clone(), Cow::Owned);
    }
    Cow::Owned(words.join(" "))
}

/// A text without the marks of the one string that it is; `"a" "b"` stays as it is.
fn bare_string(target: &str) -> &str {
    let bare = target
        .strip_prefix('"')
        .and_then(|target| target.strip_suffix('"'));
    bare.filter(|bare| !bare.contains(['"', '\\'])).unwrap_or(target)
}
