//! One record set of all that want the same.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::mem;

use crate::name::canonical;
use crate::{Endpoint, RESOURCE_LABEL, RecordKey, RecordType, target};

/// Wanted record sets after [`merge`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The record sets, sorted by key. Only a CNAME or DNAME may be there more than once,
    /// with another target each time: one of them is to be chosen.
    pub endpoints: Vec<Endpoint>,
    /// What people may not have meant.
    pub remarks: Vec<Remark>,
}

/// Something about record sets of one key that people may not have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The key.
    pub key: RecordKey,
    /// Who wants a record set of the key, sorted.
    pub resources: Vec<Box<str>>,
    /// What it is.
    pub kind: RemarkKind,
}

/// What people may not have meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// A CNAME or DNAME with several targets: a name has at most one (RFC 2181, section
    /// 10.1; RFC 6672, section 2.4).
    SeveralAliases,
    /// They ask for different TTLs; the shortest is taken, as a set has only one (RFC
    /// 2181, section 5.2).
    TtlsDiffer,
    /// They have different properties; those of the first resource are taken.
    PropertiesDiffer,
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, resources, kind } = self;
        let what = match kind {
            RemarkKind::SeveralAliases => "have different targets, and only one can be there",
            RemarkKind::TtlsDiffer => "have different TTLs; the shortest is taken",
            RemarkKind::PropertiesDiffer => "have different properties; those of the first are taken",
        };
        let (name, record_type) = (&key.name, &key.record_type);
        write!(
            formatter,
            "{name} {record_type} of {}: {what}",
            resources.join(", ")
        )
    }
}

/// Makes one record set of all that have the same key: their targets together, and what
/// else a set has from the first by resource and then by content, so that the order in
/// which they come does not matter. CNAME and DNAME are left side by side unless they say
/// the same. Endpoints whose name is none are left out: [`admit`](super::admit) lets none
/// of them through.
#[must_use]
pub fn merge(mut endpoints: Vec<Endpoint>) -> Merged {
    // In place: there may be hundreds of thousands, and few are of the same key.
    endpoints.retain(|endpoint| canonical(&endpoint.dns_name).is_ok());
    endpoints.sort_unstable_by(|one, other| by_key(one, other).then_with(|| by_content(one, other)));
    let same_key = |one: &Endpoint, other: &Endpoint| by_key(one, other).is_eq();
    if endpoints.windows(2).all(|pair| !same_key(&pair[0], &pair[1])) {
        return Merged {
            endpoints,
            remarks: Vec::new(),
        };
    }
    let mut merged = Merged::default();
    let mut rest = endpoints.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut same = vec![first];
        while let Some(next) = rest.next_if(|next| same_key(&same[0], next)) {
            same.push(next);
        }
        match same[0].key() {
            Ok(key) if same.len() > 1 => unite(&key, same, &mut merged),
            _ => merged.endpoints.append(&mut same),
        }
    }
    merged
}

/// The order of keys.
fn by_key(one: &Endpoint, other: &Endpoint) -> Ordering {
    fn name(endpoint: &Endpoint) -> Cow<'_, str> {
        canonical(&endpoint.dns_name).unwrap_or_default()
    }
    name(one)
        .cmp(&name(other))
        .then_with(|| one.record_type.cmp(&other.record_type))
        .then_with(|| one.set_identifier.cmp(&other.set_identifier))
}

fn by_content(one: &Endpoint, other: &Endpoint) -> Ordering {
    let content = |endpoint: &Endpoint| (resource(endpoint).to_owned(), endpoint.ttl);
    content(one)
        .cmp(&content(other))
        .then_with(|| one.targets.cmp(&other.targets))
        .then_with(|| one.provider_specific.cmp(&other.provider_specific))
        .then_with(|| one.dns_name.cmp(&other.dns_name))
        .then_with(|| one.labels.cmp(&other.labels))
}

fn resource(endpoint: &Endpoint) -> &str {
    endpoint.labels.get(RESOURCE_LABEL).map_or("", |label| label)
}

/// Unites endpoints of one key, of which there are several.
fn unite(key: &RecordKey, same: Vec<Endpoint>, merged: &mut Merged) {
    let mut resources: Vec<Box<str>> = same.iter().map(|endpoint| resource(endpoint).into()).collect();
    resources.dedup();
    let mut kinds = Vec::new();
    let mut differs = |kind, differ: bool| {
        if differ {
            kinds.push(kind);
        }
    };
    let ttls = |one: &Endpoint, other: &Endpoint| one.ttl != other.ttl;
    let properties = |one: &Endpoint, other: &Endpoint| one.provider_specific != other.provider_specific;
    differs(RemarkKind::TtlsDiffer, any(&same, ttls));
    differs(RemarkKind::PropertiesDiffer, any(&same, properties));
    let alias = matches!(key.record_type, RecordType::Cname | RecordType::Dname);
    let mut united: Vec<Endpoint> = Vec::new();
    for endpoint in same {
        let home = united
            .iter_mut()
            .find(|home| !alias || target::same(&key.record_type, &home.targets, &endpoint.targets));
        match home {
            Some(home) => join(home, endpoint),
            None => united.push(endpoint),
        }
    }
    // Joining may have changed a TTL.
    united.sort_unstable_by(by_content);
    differs(RemarkKind::SeveralAliases, united.len() > 1);
    merged.endpoints.append(&mut united);
    merged.remarks.extend(kinds.into_iter().map(|kind| Remark {
        key: key.clone(),
        resources: resources.clone(),
        kind,
    }));
}

fn any(same: &[Endpoint], differ: impl Fn(&Endpoint, &Endpoint) -> bool) -> bool {
    same.windows(2).any(|pair| differ(&pair[0], &pair[1]))
}

/// Takes over the targets of `other`, and its TTL if that is shorter.
fn join(home: &mut Endpoint, other: Endpoint) {
    home.ttl = match (home.ttl, other.ttl) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let mut targets = mem::take(&mut home.targets).into_vec();
    targets.extend(other.targets);
    home.targets = target::unite(&home.record_type, targets);
}
