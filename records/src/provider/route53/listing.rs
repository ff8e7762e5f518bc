//! The record sets of a zone, page by page.

use aws_sdk_route53::types::{ResourceRecordSet, RrType};

use super::account::Account;
use super::failure::Failure;
use super::presentation;
use crate::{Name, Zone};

/// The most record sets that Route 53 tells at once.
pub(super) const PAGE: i32 = 300;
/// How many are asked for where those of one name are looked for.
const NAME_PAGE: i32 = 10;

/// Where a page begins: by the letters that Route 53 itself has for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// The name of its first set; none is the first of the zone.
    pub name: Option<String>,
    record_type: Option<RrType>,
    identifier: Option<String>,
}

/// Some record sets of a zone, one after the other.
#[derive(Debug)]
pub(super) struct Page {
    /// The sets.
    pub sets: Vec<ResourceRecordSet>,
    /// Where the next page begins; none after the last one.
    pub next: Option<Start>,
}

impl Start {
    /// The first set of a name.
    pub(super) fn at(name: &str) -> Self {
        Self {
            name: (!name.is_empty()).then(|| name.to_owned()),
            ..Self::default()
        }
    }
}

/// Reads all sets of a zone.
pub(super) async fn whole(account: &Account, zone: &Zone) -> Result<Vec<ResourceRecordSet>, Failure> {
    let mut sets = Vec::new();
    let mut start = Start::default();
    loop {
        let page = page(account, zone, &start, PAGE).await?;
        extend(&mut sets, page.sets);
        match page.next {
            Some(next) => start = next,
            None => return Ok(sets),
        }
    }
}

/// Reads a page, and more until all sets of its names are there. `next` begins with a name.
pub(super) async fn names(account: &Account, zone: &Zone, start: &Start) -> Result<Page, Failure> {
    let mut read = page(account, zone, start, PAGE).await?;
    loop {
        let Some(next) = read.next.take() else {
            return Ok(read);
        };
        let first = read.sets.first().map(|set| set.name().to_owned());
        if first != next.name {
            // What the next page has more of is left to it.
            read.sets.retain(|set| Some(set.name()) != next.name.as_deref());
            let name = next.name.unwrap_or_default();
            read.next = Some(Start::at(&name));
            return Ok(read);
        }
        let more = page(account, zone, &next, PAGE).await?;
        extend(&mut read.sets, more.sets);
        read.next = more.next;
    }
}

/// Reads the sets of one name.
pub(super) async fn of_name(
    account: &Account,
    zone: &Zone,
    name: &Name,
) -> Result<Vec<ResourceRecordSet>, Failure> {
    let is_meant = |set: &ResourceRecordSet| presentation::name(set.name()) == name.as_str();
    let mut sets = Vec::new();
    let mut start = Start::at(name.as_str());
    loop {
        let page = page(account, zone, &start, NAME_PAGE).await?;
        let ended = page.sets.iter().any(|set| !is_meant(set));
        extend(&mut sets, page.sets.into_iter().filter(is_meant).collect());
        match page.next {
            Some(next) if !ended => start = next,
            _ => return Ok(sets),
        }
    }
}

async fn page(account: &Account, zone: &Zone, start: &Start, most: i32) -> Result<Page, Failure> {
    let answer = account
        .read(|client| {
            let call = client
                .list_resource_record_sets()
                .hosted_zone_id(&*zone.id.0)
                .set_start_record_name(start.name.clone())
                .set_start_record_type(start.record_type.clone())
                .set_start_record_identifier(start.identifier.clone())
                .max_items(most);
            Box::pin(call.send())
        })
        .await?;
    let next = Start {
        name: answer.next_record_name,
        record_type: answer.next_record_type,
        identifier: answer.next_record_identifier,
    };
    if answer.is_truncated && (next.name.is_none() || next == *start) {
        return Err(Failure::Garbled("the list of record sets is cut off".into()));
    }
    Ok(Page {
        sets: answer.resource_record_sets,
        next: answer.is_truncated.then_some(next),
    })
}

/// Appends a page, without what the page before has already: a page that begins within a
/// name may begin with the first set of that name.
fn extend(sets: &mut Vec<ResourceRecordSet>, page: Vec<ResourceRecordSet>) {
    let last = sets.last().map(|set| set.name().to_owned());
    let same = sets
        .iter()
        .rev()
        .take_while(|set| Some(set.name()) == last.as_deref());
    let known = sets.len() - same.count();
    let of = |set: &ResourceRecordSet| (set.r#type().clone(), set.set_identifier().map(ToOwned::to_owned));
    let had: Vec<_> = sets[known..].iter().map(of).collect();
    let is_new = |set: &ResourceRecordSet| Some(set.name()) != last.as_deref() || !had.contains(&of(set));
    sets.extend(page.into_iter().filter(is_new));
}
