//! Makes a change set at a provider, as far as it can be made.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::StatusCode;

use crate::{Group, Outcome, Provider, Zone, ZoneRecords};

use super::ChangeSet;
use super::groups::{Assignment, Part, Turn, assign};
use super::zone_view::ZoneView;

/// Names that failed are told one by one up to this many.
const SHOWN: usize = 20;

/// Why a request is not answered as external-dns would like it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// 500 or 503: external-dns comes again after either.
    pub(super) status: StatusCode,
    /// What failed, and why.
    pub(super) reason: String,
}

impl Failure {
    /// Nothing can be told or done for now.
    pub(super) fn unreadable(reason: String) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            reason,
        }
    }
}

/// Makes everything that can be made. Fails if anything cannot.
pub(super) async fn apply(provider: &dyn Provider, changes: ChangeSet) -> Result<(), Failure> {
    if changes == ChangeSet::default() {
        return Ok(());
    }
    let zones = provider
        .zones()
        .await
        .map_err(|error| Failure::unreadable(format!("the zones cannot be listed: {error}")))?;
    let Assignment { parts, refusals } = assign(changes, &zones);
    let mut tally = Tally {
        names: parts
            .iter()
            .map(|part| part.owner.as_str())
            .chain(refusals.iter().map(|refusal| refusal.owner.as_str()))
            .collect::<BTreeSet<_>>()
            .len(),
        ..Tally::default()
    };
    for refusal in refusals {
        tally.fail(refusal.owner, refusal.reason);
    }
    let mut queue = parts;
    queue.sort_by_key(|part| (part.turn, part.zone));
    let mut read: Vec<Option<Result<ZoneRecords, String>>> = vec![None; zones.len()];
    while let Some(first) = queue.first() {
        let (turn, place) = (first.turn, first.zone);
        let rest = queue.partition_point(|part| (part.turn, part.zone) <= (turn, place));
        let parts: Vec<Part> = queue.drain(..rest).collect();
        let (Some(zone), Some(records)) = (zones.get(place), read.get_mut(place)) else {
            continue;
        };
        let parts = tally.ready(parts, turn);
        if records.is_none() {
            *records = Some(provider.read(zone).await.map_err(|error| error.to_string()));
        }
        match records {
            Some(Ok(records)) => apply_to_zone(provider, zone, records, parts, &mut tally).await,
            Some(Err(error)) => tally.unreadable(zone, parts, error),
            None => {}
        }
    }
    tally.verdict()
}

async fn apply_to_zone(
    provider: &dyn Provider,
    zone: &Zone,
    records: &ZoneRecords,
    parts: Vec<Part>,
    tally: &mut Tally,
) {
    let view = ZoneView::of(&records.records, parts.iter().map(|part| &part.group));
    let (mut owners, mut groups): (Vec<String>, Vec<Group>) = (Vec::new(), Vec::new());
    for part in parts {
        match view.believed(part.group) {
            Ok(group) => {
                owners.push(part.owner);
                groups.push(group);
            }
            Err(difference) => tally.fail(part.owner, format!("conflict: {difference}")),
        }
    }
    if groups.is_empty() {
        return;
    }
    let mut outcomes = provider.apply(zone, &groups).await.into_iter();
    for owner in owners {
        match outcomes.next() {
            Some(Outcome::Applied { .. }) => {}
            Some(Outcome::Rejected { reason }) => tally.fail(owner, format!("rejected: {reason}")),
            Some(Outcome::Conflict { reason }) => tally.fail(owner, format!("conflict: {reason}")),
            Some(Outcome::Postponed { reason, .. }) => tally.fail(owner, format!("not tried: {reason}")),
            Some(Outcome::Unknown { reason }) => {
                tally.fail(owner, format!("perhaps made, perhaps not: {reason}"));
            }
            None => tally.fail(owner, "the provider tells nothing of it".into()),
        }
    }
}

/// What has failed so far.
#[derive(Default)]
struct Tally {
    /// How many owner names there are.
    names: usize,
    failed: BTreeSet<String>,
    reasons: Vec<(String, String)>,
    /// How many of the failures are no more than a zone that cannot be read.
    unreadable: usize,
}

impl Tally {
    fn fail(&mut self, owner: String, reason: String) {
        self.failed.insert(owner.clone());
        self.reasons.push((owner, reason));
    }

    fn unreadable(&mut self, zone: &Zone, parts: Vec<Part>, error: &str) {
        for part in parts {
            self.unreadable += 1;
            self.fail(
                part.owner,
                format!("not tried: {} cannot be read: {error}", zone.name),
            );
        }
    }

    /// Those parts whose name has not failed in another zone; never a record without its owner.
    fn ready(&self, parts: Vec<Part>, turn: Turn) -> Vec<Part> {
        if turn == Turn::Claims {
            return parts;
        }
        parts
            .into_iter()
            .filter(|part| !self.failed.contains(&part.owner))
            .collect()
    }

    fn verdict(self) -> Result<(), Failure> {
        if self.reasons.is_empty() {
            return Ok(());
        }
        let mut reason = format!("{} of {} names are not as wanted", self.failed.len(), self.names);
        for (owner, why) in self.reasons.iter().take(SHOWN) {
            // Writing to a String cannot fail.
            let _ = write!(reason, "\n{}: {why}", if owner.is_empty() { "." } else { owner });
        }
        if let Some(more) = self.reasons.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let _ = write!(reason, "\nand {more} more");
        }
        let only_unreadable = self.unreadable == self.reasons.len();
        Err(Failure {
            status: if only_unreadable {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            },
            reason,
        })
    }
}
