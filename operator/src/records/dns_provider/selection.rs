//! Which zones and domains of an account are used, by Gardener's rules
//! (external-dns-management, `pkg/dnsman2/dns/provider/selection`).
//!
//! Zones are chosen by their ids first. Of the included domains count those in a chosen zone,
//! each for the longest of all the account's zones that it is in; without any, the chosen
//! zones are the domains. A chosen zone is used if such a domain is in it, or it is in such a
//! domain, and it is not in an excluded one.

use std::collections::BTreeSet;

use api::{DnsProviderSpec, DnsSelection};
use records::{Name, Zone, ZoneId};

use super::problem::Problem;

/// The most entries of a list.
const MOST: usize = 100;

/// What a specification selects, of any account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    domains: Lists<Name>,
    zones: Lists<Box<str>>,
}

/// What is to be used and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lists<T> {
    include: BTreeSet<T>,
    exclude: BTreeSet<T>,
}

/// What is used of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The zones that are used, in the order of the account.
    pub zones: Vec<SelectedZone>,
    /// The domains whose names are used.
    pub included_domains: BTreeSet<Name>,
    /// The domains whose names are not.
    pub excluded_domains: BTreeSet<Name>,
    /// The zones that are used.
    pub included_zones: BTreeSet<ZoneId>,
    /// The zones that are not.
    pub excluded_zones: BTreeSet<ZoneId>,
    /// The domains of the specification that are in no chosen zone.
    pub foreign: BTreeSet<Name>,
    /// Why nothing is used; none if something is.
    pub trouble: Option<String>,
}

/// A zone that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedZone {
    /// The zone.
    pub zone: Zone,
    /// The names of zones of the account below it: what is in them is not in this one.
    pub forwarded: Vec<Name>,
}

impl Rules {
    /// What a specification selects, if it can be understood and does not contradict itself.
    pub fn of(spec: &DnsProviderSpec) -> Result<Self, Problem> {
        let domains = spec.domains.as_ref();
        let zones = spec.zones.as_ref();
        Ok(Self {
            domains: lists("domains", domains, domain)?,
            zones: lists("zones", zones, |_, text| Ok(bare(text).into()))?,
        })
    }

    /// What is used of an account with these zones.
    #[must_use]
    pub fn select(&self, zones: &[Zone]) -> Selection {
        let chosen: Vec<&Zone> = zones.iter().filter(|zone| self.zones.takes(&zone.id)).collect();
        let in_chosen = |domain: &Name| chosen.iter().any(|zone| domain.is_within(&zone.name));
        let (mut included, mut foreign) = split(&self.domains.include, in_chosen);
        let (mut excluded, others) = split(&self.domains.exclude, in_chosen);
        foreign.extend(others);
        if self.domains.include.is_empty() {
            included.extend(chosen.iter().map(|zone| zone.name.clone()));
        }
        let used: Vec<SelectedZone> = chosen
            .iter()
            .filter(|zone| is_used(zone, zones, &included, &excluded))
            .map(|zone| SelectedZone {
                zone: (*zone).clone(),
                forwarded: below(zone, zones).cloned().collect(),
            })
            .collect();
        let included_zones: BTreeSet<ZoneId> = used.iter().map(|used| used.zone.id.clone()).collect();
        let unused = zones.iter().filter(|zone| !included_zones.contains(&zone.id));
        for zone in unused.clone() {
            // An included domain below it is told by itself.
            if !included.iter().any(|domain| domain.is_within(&zone.name)) {
                excluded.insert(zone.name.clone());
            }
        }
        Selection {
            trouble: trouble(zones, &chosen, &included, &used),
            excluded_zones: unused.map(|zone| zone.id.clone()).collect(),
            zones: used,
            included_domains: included,
            excluded_domains: excluded,
            included_zones,
            foreign,
        }
    }
}

impl Lists<Box<str>> {
    fn takes(&self, id: &ZoneId) -> bool {
        let id = bare(&id.0);
        (self.include.is_empty() || self.include.contains(id)) && !self.exclude.contains(id)
    }
}

/// Why no zone is used; none if one is.
fn trouble(
    zones: &[Zone],
    chosen: &[&Zone],
    included: &BTreeSet<Name>,
    used: &[SelectedZone],
) -> Option<String> {
    let names = || {
        let names: BTreeSet<&str> = chosen.iter().map(|zone| zone.name.as_str()).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    if zones.is_empty() {
        Some("the account has no zones".into())
    } else if chosen.is_empty() {
        Some(format!(
            "spec.zones lets none of the account's {} zones through",
            zones.len()
        ))
    } else if included.is_empty() {
        Some(format!(
            "spec.domains.include has no domain in a zone of the account: {}",
            names()
        ))
    } else if used.is_empty() {
        Some(format!("spec.domains.exclude leaves nothing of {}", names()))
    } else {
        None
    }
}

/// An id as it is compared: Gardener's of a zone at a DNS server ends with a dot.
fn bare(id: &str) -> &str {
    id.strip_suffix('.').unwrap_or(id)
}

/// The domains that something holds for, and the others.
fn split(domains: &BTreeSet<Name>, holds: impl Fn(&Name) -> bool) -> (BTreeSet<Name>, BTreeSet<Name>) {
    domains.iter().cloned().partition(holds)
}

/// The names of the account's zones below one.
fn below<'a>(zone: &'a Zone, zones: &'a [Zone]) -> impl Iterator<Item = &'a Name> {
    let names = zones.iter().map(|other| &other.name);
    names.filter(|name| **name != zone.name && name.is_within(&zone.name))
}

fn is_used(zone: &Zone, zones: &[Zone], included: &BTreeSet<Name>, excluded: &BTreeSet<Name>) -> bool {
    let holds = |domain: &Name| {
        domain.is_within(&zone.name) && !below(zone, zones).any(|other| domain.is_within(other))
    };
    let is_in = |domain: &Name| zone.name.is_within(domain);
    included.iter().any(|domain| holds(domain) || is_in(domain)) && !excluded.iter().any(is_in)
}

fn lists<T: Ord + std::fmt::Display>(
    field: &str,
    selection: Option<&DnsSelection>,
    parse: impl Fn(&str, &str) -> Result<T, Problem>,
) -> Result<Lists<T>, Problem> {
    let list = |part: &str, texts: Option<&Vec<String>>| {
        let texts = texts.map(Vec::as_slice).unwrap_or_default();
        if texts.len() > MOST {
            return Err(Problem::Invalid(format!(
                "spec.{field}.{part} has {} entries: it takes at most {MOST}",
                texts.len()
            )));
        }
        let place = |(index, text): (usize, &String)| parse(&format!("spec.{field}.{part}[{index}]"), text);
        texts
            .iter()
            .enumerate()
            .map(place)
            .collect::<Result<BTreeSet<T>, _>>()
    };
    let include = list(
        "include",
        selection.and_then(|selection| selection.include.as_ref()),
    )?;
    let exclude = list(
        "exclude",
        selection.and_then(|selection| selection.exclude.as_ref()),
    )?;
    if let Some(both) = include.intersection(&exclude).next() {
        return Err(Problem::Invalid(format!(
            "spec.{field}: {both} is in both include and exclude: it takes one of them"
        )));
    }
    Ok(Lists { include, exclude })
}

fn domain(field: &str, text: &str) -> Result<Name, Problem> {
    let parsed = Name::parse(text).map_err(|error| error.to_string());
    let checked = parsed.and_then(|name| match name.as_str() {
        "" => Err(format!("{text:?} is no domain")),
        wildcard if wildcard.starts_with('*') => Err(format!(
            "{text:?} is a wildcard, and a domain holds all names below it"
        )),
        _ => Ok(name),
    });
    checked.map_err(|reason| {
        Problem::Invalid(format!(
            "{field}: {reason}: it takes a domain such as example.com"
        ))
    })
}
