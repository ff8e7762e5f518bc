//! Where the engine plans otherwise than external-dns, on purpose.

use std::collections::BTreeSet;

use records::plan::Policy;
use records::{Change, Endpoint, RecordType, target};

use super::cases::Case;

/// Whose plan has a change that the other one lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// That of external-dns.
    Theirs,
    /// That of the engine.
    Ours,
}

/// A kind of difference.
pub struct Kind {
    /// What it is called in `docs/external-records.md`.
    pub title: &'static str,
    /// Whether what a case of one name is made from lets one side alone have a change.
    pub explains: fn(&Case, Side, &Change) -> bool,
}

/// Where the engine differs. A change is of the first kind that explains it.
pub const KINDS: [Kind; 9] = [
    Kind {
        title: "a change of type under `upsert-only`",
        explains: makes_room,
    },
    Kind {
        title: "a change of type under `create-only`",
        explains: is_held_back,
    },
    Kind {
        title: "a former owner's records",
        explains: is_ours_already,
    },
    Kind {
        title: "a name that is listed in several spellings",
        explains: is_listed_twice,
    },
    Kind {
        title: "addresses that can be written in several ways",
        explains: |case, _, change| is_update(change) && spells(case, change, is_odd_address),
    },
    Kind {
        title: "names as targets, in any case and with a final dot",
        explains: |case, _, change| is_update(change) && spells(case, change, is_odd_name),
    },
    Kind {
        title: "a target that is there twice",
        explains: is_counted,
    },
    Kind {
        title: "the case of texts",
        explains: |case, _, change| is_update(change) && spells(case, change, is_odd_text),
    },
    Kind {
        title: "who gets a name that several ask for",
        explains: is_a_choice,
    },
];

/// external-dns leaves the record of the other type where it is.
fn makes_room(case: &Case, side: Side, change: &Change) -> bool {
    let Change::Delete(old) = change else {
        return false;
    };
    side == Side::Ours
        && case.policy == Policy::UpsertOnly
        && case.current.contains(old)
        && case.rules().owns(old)
        && case.desired.iter().any(|wanted| are_apart(old, wanted))
}

/// external-dns creates beside the record of the other type.
fn is_held_back(case: &Case, side: Side, change: &Change) -> bool {
    let Change::Create(new) = change else {
        return false;
    };
    side == Side::Theirs
        && case.policy == Policy::CreateOnly
        && case.desired.contains(new)
        && case
            .current
            .iter()
            .any(|old| case.rules().owns(old) && are_apart(old, new))
}

/// external-dns updates what it has taken over already, again in each pass.
fn is_ours_already(case: &Case, side: Side, change: &Change) -> bool {
    side == Side::Theirs
        && is_update(change)
        && !case.old_owner.is_empty()
        && held(case, change).any(|record| record.owner() == Some(&case.owner))
}

/// No server has such a zone. external-dns changes the one that comes last, or all of them.
fn is_listed_twice(case: &Case, _: Side, change: &Change) -> bool {
    held(case, change).count() > 1
}

/// external-dns counts targets, and compares those at the same place.
fn is_counted(case: &Case, _: Side, change: &Change) -> bool {
    let mut both = held(case, change).chain(asked(case, change));
    is_update(change) && both.any(repeats)
}

/// external-dns compares the letters of targets where the engine compares what they mean, and of
/// those that are alike takes the one that comes first.
fn is_a_choice(case: &Case, _: Side, change: &Change) -> bool {
    let candidates: Vec<&Endpoint> = asked(case, change).collect();
    let kind = record_type(change);
    let same = |(place, one): (usize, &&Endpoint)| {
        let mut later = candidates[place + 1..].iter();
        later.any(|other| target::compare(kind, &one.targets, &other.targets).is_eq())
    };
    let is_odd = |endpoint: &&Endpoint| {
        let mut targets = endpoint.targets.iter();
        repeats(endpoint) || targets.any(|target| is_odd_address(kind, target) || is_odd_name(kind, target))
    };
    !matches!(change, Change::Delete(_))
        && candidates.len() > 1
        && (candidates.iter().any(is_odd) || candidates.iter().enumerate().any(same))
}

fn is_update(change: &Change) -> bool {
    matches!(change, Change::Update { .. })
}

fn record_type(change: &Change) -> &RecordType {
    match change {
        Change::Create(endpoint) | Change::Delete(endpoint) | Change::Update { new: endpoint, .. } => {
            &endpoint.record_type
        }
    }
}

/// What the zone has of a change's type.
fn held<'a>(case: &'a Case, change: &'a Change) -> impl Iterator<Item = &'a Endpoint> {
    let kind = record_type(change);
    case.current
        .iter()
        .filter(move |record| record.record_type == *kind)
}

/// What is wanted of a change's type.
fn asked<'a>(case: &'a Case, change: &'a Change) -> impl Iterator<Item = &'a Endpoint> {
    let kind = record_type(change);
    case.desired
        .iter()
        .filter(move |wanted| wanted.record_type == *kind)
}

/// Whether a target of a change's type is odd, in the zone or in what is wanted.
fn spells(case: &Case, change: &Change, is_odd: fn(&RecordType, &str) -> bool) -> bool {
    let kind = record_type(change);
    let mut both = held(case, change).chain(asked(case, change));
    both.any(|endpoint| endpoint.targets.iter().any(|target| is_odd(kind, target)))
}

fn repeats(endpoint: &Endpoint) -> bool {
    let targets: BTreeSet<String> = endpoint
        .targets
        .iter()
        .map(|target| target.to_lowercase())
        .collect();
    targets.len() < endpoint.targets.len()
}

fn is_odd_address(kind: &RecordType, target: &str) -> bool {
    let address = target.parse::<std::net::IpAddr>();
    *kind == RecordType::Aaaa && address.is_ok_and(|address| address.to_string() != target)
}

fn is_odd_name(kind: &RecordType, target: &str) -> bool {
    use RecordType::{Cname, Dname, Mx, Ns, Ptr, Srv};
    let has_dot = target.ends_with('.') && *kind != Srv;
    matches!(kind, Cname | Dname | Mx | Ns | Ptr | Srv) && (has_dot || has_capitals(target))
}

fn is_odd_text(kind: &RecordType, target: &str) -> bool {
    *kind == RecordType::Txt && has_capitals(target)
}

fn has_capitals(text: &str) -> bool {
    text.contains(char::is_uppercase)
}

/// Whether two record sets cannot stand at one name, as one of them is a CNAME.
fn are_apart(one: &Endpoint, other: &Endpoint) -> bool {
    let is_cname = |endpoint: &Endpoint| endpoint.record_type == RecordType::Cname;
    is_cname(one) != is_cname(other)
}
