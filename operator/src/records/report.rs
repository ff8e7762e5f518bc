//! What the commands tell of a pass: for people, and for programs.

use std::fmt;

use records::engine::{Demand, GroupResult, PassResult, Prospect, ZoneProspect, ZoneResult};
use records::ownership::label::OWNED_RECORD;
use records::plan::Refusal;
use records::source::Rejection;
use records::verdict::Verdict;
use records::{Change, Endpoint, Group, Outcome, ProviderError};
use serde::Serialize;

/// What a pass is about to do, or has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How many wanted record sets have a zone.
    pub wanted: usize,
    /// Each zone.
    pub zones: Vec<ZoneReport>,
    /// The wanted record sets that are not in place, or will not be.
    pub not_in_place: Vec<NotInPlace>,
    /// Endpoints that cannot be taken as they are written.
    pub rejected: Vec<String>,
    /// Sources that could not be read.
    pub unread: Vec<String>,
    /// What may not have been meant.
    pub remarks: Vec<String>,
}

/// What is about to be done to a zone, or was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ZoneReport {
    /// Its apex.
    pub zone: String,
    /// The changes.
    pub changes: Vec<ChangeReport>,
    /// Why it was left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Why nothing is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// How many record sets stay because it is not known what is wanted there.
    #[serde(skip_serializing_if = "is_zero")]
    pub held: usize,
    /// What was left as it is, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// A change to a record set.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeReport {
    /// What is there; none where something is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Endpoint>,
    /// What is to be there; none where something is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Endpoint>,
    /// What came of it; none before it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// Why it was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A wanted record set that is not in place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotInPlace {
    /// Its owner name.
    pub dns_name: String,
    /// Its type.
    pub record_type: String,
    /// Its set identifier.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub set_identifier: String,
    /// Who wants it.
    pub resource: String,
    /// Why not, in one word.
    pub reason: &'static str,
    /// Why not, in words.
    pub message: String,
}

impl Report {
    /// What a demand says beside what it wants.
    #[must_use]
    pub fn of_demand(demand: &Demand) -> Self {
        Self {
            rejected: demand.wanted.rejected.iter().map(Rejection::to_string).collect(),
            unread: demand.unread.clone(),
            ..Self::default()
        }
    }

    /// Adds what is about to be done.
    #[must_use]
    pub fn with_prospect(mut self, prospect: &Prospect) -> Self {
        self.wanted = prospect.wanted;
        self.zones = prospect.zones.iter().map(ZoneReport::of_prospect).collect();
        self.not_in_place = prospect.verdicts.iter().map(NotInPlace::of).collect();
        self.remarks = prospect.remarks.iter().map(ToString::to_string).collect();
        self
    }

    /// Puts what was done in the place of what was about to be.
    #[must_use]
    pub fn with_result(mut self, result: &PassResult) -> Self {
        for (report, zone) in self.zones.iter_mut().zip(&result.zones) {
            report.changes = zone.groups.iter().flat_map(ChangeReport::of_result).collect();
        }
        self.not_in_place = result.verdicts.iter().map(NotInPlace::of).collect();
        self
    }

    /// Whether everything is as it is wanted.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let done = |change: &ChangeReport| change.outcome == Some(APPLIED);
        self.is_whole()
            && self.not_in_place.is_empty()
            && self.zones.iter().all(|zone| zone.changes.iter().all(done))
    }

    /// Whether nothing is to be changed, nothing is in doubt.
    #[must_use]
    pub fn is_without_changes(&self) -> bool {
        self.is_whole() && self.zones.iter().all(|zone| zone.changes.is_empty())
    }

    fn is_whole(&self) -> bool {
        let whole = |zone: &ZoneReport| zone.trouble.is_none() && zone.refused.is_none();
        self.rejected.is_empty() && self.unread.is_empty() && self.zones.iter().all(whole)
    }

    /// Whether something that was to be read could not be.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        !self.unread.is_empty() || self.zones.iter().any(|zone| zone.trouble.is_some())
    }
}

impl ZoneReport {
    fn of_prospect(zone: &ZoneProspect) -> Self {
        let left = zone.remarks.iter().map(ToString::to_string);
        let rejected = zone.rejected.iter().map(ToString::to_string);
        Self {
            zone: zone.zone.name.to_string(),
            changes: zone.groups.iter().flat_map(ChangeReport::of_group).collect(),
            trouble: zone.trouble.as_ref().map(ProviderError::to_string),
            refused: zone.refused.as_ref().map(Refusal::to_string),
            held: zone.held,
            left: left.chain(rejected).collect(),
        }
    }
}

const APPLIED: &str = "Applied";

impl ChangeReport {
    fn of(change: &Change) -> Self {
        Self {
            before: change.before().cloned(),
            after: change.after().cloned(),
            outcome: None,
            reason: None,
        }
    }

    fn of_group(group: &Group) -> impl Iterator<Item = Self> {
        group.changes.iter().map(Self::of)
    }

    fn of_result(result: &GroupResult) -> impl Iterator<Item = Self> {
        let (outcome, reason) = match &result.outcome {
            Outcome::Applied { .. } => (APPLIED, None),
            Outcome::Rejected { reason } => ("Rejected", Some(reason)),
            Outcome::Conflict { reason } => ("Conflict", Some(reason)),
            Outcome::Postponed { reason, .. } => ("Postponed", Some(reason)),
            Outcome::Unknown { reason } => ("Unknown", Some(reason)),
        };
        result.group.changes.iter().map(move |change| Self {
            outcome: Some(outcome),
            reason: reason.cloned(),
            ..Self::of(change)
        })
    }

    /// Whether it is of a record that only tells who owns another one.
    fn is_of_ownership(&self) -> bool {
        let side = self.after.as_ref().or(self.before.as_ref());
        side.is_some_and(|endpoint| endpoint.labels.contains_key(OWNED_RECORD))
    }
}

impl NotInPlace {
    fn of(verdict: &Verdict) -> Self {
        Self {
            dns_name: verdict.key.name.to_string(),
            record_type: verdict.key.record_type.to_string(),
            set_identifier: verdict.key.set_identifier.to_string(),
            resource: verdict.resource.to_string(),
            reason: verdict.state.reason(),
            message: verdict.state.message(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for source in &self.unread {
            writeln!(formatter, "not read, so nothing is deleted: {source}")?;
        }
        for rejection in &self.rejected {
            writeln!(formatter, "rejected: {rejection}")?;
        }
        for remark in &self.remarks {
            writeln!(formatter, "note: {remark}")?;
        }
        for zone in &self.zones {
            zone.fmt(formatter)?;
        }
        if !self.not_in_place.is_empty() {
            writeln!(formatter, "not in place:")?;
        }
        for it in &self.not_in_place {
            let NotInPlace {
                dns_name,
                record_type,
                resource,
                reason,
                message,
                ..
            } = it;
            writeln!(
                formatter,
                "  {dns_name} {record_type} of {resource}: {reason}: {message}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for ZoneReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ownership, changes): (Vec<_>, Vec<_>) =
            self.changes.iter().partition(|change| change.is_of_ownership());
        let zone = &self.zone;
        match (&self.trouble, changes.len(), ownership.len()) {
            (Some(trouble), ..) => writeln!(formatter, "zone {zone}: left alone: {trouble}")?,
            (None, 0, 0) => writeln!(formatter, "zone {zone}: nothing to change")?,
            (None, changes, ownership) => writeln!(
                formatter,
                "zone {zone}: {changes} changes, and {ownership} of ownership records"
            )?,
        }
        for change in changes {
            change.fmt(formatter)?;
        }
        if let Some(refused) = &self.refused {
            writeln!(formatter, "  {refused}")?;
        }
        if self.held > 0 {
            writeln!(
                formatter,
                "  {} record sets stay: what is wanted there is not known",
                self.held
            )?;
        }
        for left in &self.left {
            writeln!(formatter, "  left: {left}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ChangeReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match (&self.before, &self.after) {
            (None, _) => '+',
            (Some(_), None) => '-',
            (Some(_), Some(_)) => '~',
        };
        let Some(key) = self.after.as_ref().or(self.before.as_ref()) else {
            return Ok(());
        };
        write!(formatter, "  {sign} {} {}", key.dns_name, key.record_type)?;
        if !key.set_identifier.is_empty() {
            write!(formatter, " ({})", key.set_identifier)?;
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(formatter, " {} -> {}", data(before), data(after))?,
            _ => write!(formatter, " {}", data(key))?,
        }
        match (self.outcome, &self.reason) {
            (Some(outcome), Some(reason)) => writeln!(formatter, ": {outcome}: {reason}"),
            _ => writeln!(formatter),
        }
    }
}

/// TTL and targets, as in a zone file.
fn data(endpoint: &Endpoint) -> String {
    let targets = endpoint.targets.join(" ");
    match endpoint.ttl {
        Some(ttl) => format!("{ttl} {targets}"),
        None => targets,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What came of a zone, in a line of the log.
#[must_use]
pub fn summary(zone: &ZoneResult) -> String {
    let count = |which: fn(&Change) -> bool| {
        let applied = zone
            .groups
            .iter()
            .filter(|result| matches!(result.outcome, Outcome::Applied { .. }));
        applied
            .flat_map(|result| &result.group.changes)
            .filter(|change| which(change))
            .count()
    };
    let created = count(|change| matches!(change, Change::Create(_)));
    let updated = count(|change| matches!(change, Change::Update { .. }));
    let deleted = count(|change| matches!(change, Change::Delete(_)));
    let open = zone
        .groups
        .iter()
        .filter(|result| !matches!(result.outcome, Outcome::Applied { .. }))
        .count();
    format!(
        "zone {}: {created} record sets created, {updated} updated, {deleted} deleted, {open} names open",
        zone.zone.name
    )
}
