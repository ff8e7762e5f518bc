//! Batches: what is sent, and what comes of it.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use reqwest::Method;

use super::envelope::{Failure, IDENTICAL_EXISTS, IN_THE_WAY, NO_RECORD};
use super::operations::{Batch, Fault, Operations, Written};
use super::standing::{self, Standing};
use super::{Cloudflare, FREE_OPERATIONS};
use crate::batch::{Limits, Submission, Submit, Weight};
use crate::{Change, Endpoint, Group, Name, Outcome, RecordKey, Zone};

impl Submit for Cloudflare {
    fn limits(&self, zone: &Zone) -> Limits {
        Limits {
            operations: Some(self.limit(zone).operations),
            ..Limits::default()
        }
    }

    fn weigh(&self, zone: &Zone, group: &Group) -> Result<Weight, Outcome> {
        let operations = match Operations::of(group, &self.settings, self.limit(zone)) {
            Ok(operations) => operations.count(),
            Err(Fault::Malformed(reason)) => return Err(Outcome::Rejected { reason }),
            // At most these, once it is known which records are meant.
            Err(Fault::Unidentified) => standing::sides(group).map(|side| side.targets.len()).sum(),
        };
        Ok(Weight {
            operations,
            ..Weight::default()
        })
    }

    fn submit<'a>(&'a self, zone: &'a Zone, batch: &'a [&'a Group]) -> BoxFuture<'a, Submission> {
        Box::pin(async move {
            let identified = match self.identify(zone, batch).await {
                Ok(identified) => identified,
                Err(refused) => return refused,
            };
            let groups = identified.iter().zip(batch);
            let groups: Vec<&Group> = groups
                .map(|(read, given)| read.as_ref().unwrap_or(given))
                .collect();
            match (self.send(zone, &groups).await, groups.as_slice()) {
                (Ok(submission), _) => submission,
                (Err((Failure::Refused(refusal), _)), [group])
                    if refusal.is(&[NO_RECORD, IDENTICAL_EXISTS]) || refusal.is(&IN_THE_WAY) =>
                {
                    self.settle(zone, group, refusal.message).await
                }
                (Err((failure, operations)), _) => self.failed(zone, operations, failure),
            }
        })
    }
}

impl Cloudflare {
    /// Makes one call; why it failed, with how many operations, if it did.
    async fn send(&self, zone: &Zone, groups: &[&Group]) -> Result<Submission, (Failure, usize)> {
        let mut batch = Batch::default();
        for group in groups {
            match Operations::of(group, &self.settings, self.limit(zone)) {
                Ok(operations) => batch.add(operations),
                Err(Fault::Malformed(reason)) => return Ok(refused(reason, Vec::new())),
                Err(Fault::Unidentified) => {
                    let reason = format!("which records of {} are meant is not known", group.name);
                    return Ok(Submission::Postponed { reason });
                }
            }
        }
        let count = batch.operations.count();
        let answer = if count == 0 {
            Written::default()
        } else {
            let path = ["zones", &zone.id.0, "dns_records", "batch"];
            let sent = self.exchange.send(Method::POST, &path, &batch.operations);
            sent.await.map_err(|failure| (failure, count))?
        };
        Ok(match batch.written(groups, answer, &self.settings) {
            Some(written) => Submission::Applied(written.into_iter().map(Some).collect()),
            None => Submission::Unknown {
                reason: "its answer does not tell of all that was sent".to_owned(),
            },
        })
    }

    /// What a call that failed says of the batch.
    fn failed(&self, zone: &Zone, operations: usize, failure: Failure) -> Submission {
        let reason = failure.to_string();
        if matches!(failure, Failure::NoSuchZone(_)) {
            self.forget_zones();
        }
        match failure {
            Failure::Refused(refusal)
                if operations > FREE_OPERATIONS
                    && self.limit(zone).operations > FREE_OPERATIONS
                    && refusal.may_mean_too_many() =>
            {
                self.note_small_batches(zone);
                Submission::Oversized { reason }
            }
            Failure::Refused(_) => refused(reason, Vec::new()),
            Failure::Throttled { retry_after, .. } => Submission::Throttled { reason, retry_after },
            Failure::NotSent(_) | Failure::Denied(_) | Failure::NoSuchZone(_) => {
                Submission::Postponed { reason }
            }
            Failure::NoAnswer(_) | Failure::Unreadable(_) | Failure::Down(_) => {
                Submission::Unknown { reason }
            }
        }
    }

    /// The groups whose records had to be looked up, with what the zone holds on their old
    /// sides: the records were not listed by us, or not by this version.
    async fn identify(&self, zone: &Zone, batch: &[&Group]) -> Result<Vec<Option<Group>>, Submission> {
        let unidentified = |group: &Group| {
            let operations = Operations::of(group, &self.settings, self.limit(zone));
            operations.is_err_and(|fault| fault == Fault::Unidentified)
        };
        let strange: Vec<bool> = batch.iter().map(|group| unidentified(group)).collect();
        let sought = || batch.iter().zip(&strange).filter(|(_, strange)| **strange);
        let names: Vec<Name> = sought().flat_map(|(group, _)| standing::names(group)).collect();
        if names.is_empty() {
            return Ok(vec![None; batch.len()]);
        }
        let found = match self.list_names(zone, &names).await {
            Ok(found) => by_key(found),
            Err(Failure::Throttled { message, retry_after }) => {
                let reason = message;
                return Err(Submission::Throttled { reason, retry_after });
            }
            Err(failure) => {
                let reason = format!("which records are meant cannot be read: {failure}");
                return Err(Submission::Postponed { reason });
            }
        };
        let mut identified = Vec::with_capacity(batch.len());
        let mut conflicts = Vec::new();
        for (place, (group, strange)) in batch.iter().zip(strange).enumerate() {
            match strange.then(|| believed(group, &found)) {
                Some(Err(reason)) => conflicts.push((place, Outcome::Conflict { reason })),
                Some(Ok(group)) => identified.push(Some(group)),
                None => identified.push(None),
            }
        }
        if conflicts.is_empty() {
            return Ok(identified);
        }
        Err(refused(
            "the zone does not hold what was believed".to_owned(),
            conflicts,
        ))
    }

    /// What becomes of a group that Cloudflare refused alone, because of what the zone
    /// holds: its names are read. What somebody has done already counts as done, and the
    /// rest is sent, once.
    async fn settle(&self, zone: &Zone, group: &Group, refusal: String) -> Submission {
        let conflict = |reason: String| {
            let outcome = Outcome::Conflict {
                reason: reason.clone(),
            };
            refused(reason, vec![(0, outcome)])
        };
        let names: Vec<Name> = standing::names(group).collect();
        let found = match self.list_names(zone, &names).await {
            Ok(found) => by_key(found),
            Err(failure) => return conflict(format!("{refusal}; the names cannot be read: {failure}")),
        };
        let rest = match standing::standing(group, &found) {
            Standing::AsBelieved { in_the_way: false } => return refused(refusal, Vec::new()),
            Standing::AsBelieved { in_the_way: true } => return conflict(refusal),
            Standing::Foreign(reason) => return conflict(format!("{refusal}; {reason}")),
            Standing::Rest(rest) => rest,
        };
        match self.send(zone, &[&rest]).await {
            Ok(submission) => submission,
            Err((Failure::Refused(refusal), _)) => conflict(refusal.message),
            Err((failure, operations)) => self.failed(zone, operations, failure),
        }
    }
}

fn refused(reason: String, named: Vec<(usize, Outcome)>) -> Submission {
    Submission::Refused { reason, named }
}

/// Record sets by what tells them apart.
fn by_key(found: Vec<Endpoint>) -> BTreeMap<RecordKey, Endpoint> {
    let keyed = found.into_iter().filter_map(|set| Some((set.key().ok()?, set)));
    keyed.collect()
}

/// The group with the record sets of the zone on its old sides, or in what they are not
/// what was believed.
fn believed(group: &Group, found: &BTreeMap<RecordKey, Endpoint>) -> Result<Group, String> {
    let read = |old: &Endpoint| {
        let there = old.key().ok().and_then(|key| found.get(&key));
        let there = there.filter(|there| there.same_records(old));
        let unlike = || {
            format!(
                "{} {} is not what it was believed to be",
                old.dns_name, old.record_type
            )
        };
        there.cloned().ok_or_else(unlike)
    };
    let changes = group.changes.iter().map(|change| {
        Ok(match change {
            Change::Create(new) => Change::Create(new.clone()),
            Change::Update { old, new } => Change::Update {
                old: read(old)?,
                new: new.clone(),
            },
            Change::Delete(old) => Change::Delete(read(old)?),
        })
    });
    Ok(Group {
        name: group.name.clone(),
        changes: changes.collect::<Result<_, String>>()?,
    })
}
