//! What a DNSEndpoint is told of its records.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{DnsEndpointStatus, RecordSetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use records::verdict::{Refusal, State, Verdicts};
use serde_json::{Value, json};

use super::source::DnsEndpointObject;
use crate::apply::{self, ApplyError};

/// The condition that every record set could be taken.
pub const ACCEPTED: &str = "Accepted";
/// The condition that the zones hold every record set.
pub const PROGRAMMED: &str = "Programmed";
/// How many record sets that are not in place a status names.
pub const MOST_LISTED: usize = 100;
/// How many letters a message of the status has at most.
const LONGEST_MESSAGE: usize = 256;

/// What has become of one entry of `spec.endpoints`, by what is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<'a> {
    /// Its name.
    pub dns_name: &'a str,
    /// Its type.
    pub record_type: &'a str,
    /// Its set identifier, or nothing.
    pub set_identifier: &'a str,
    /// What has become of it.
    pub state: Cow<'a, State>,
}

/// What has become of all that an object wants: first what was rejected as it was read,
/// then the others in their order. What has no verdict yet is waiting for one.
#[must_use]
pub fn judge<'a>(object: &'a DnsEndpointObject, verdicts: &'a Verdicts) -> Vec<Judged<'a>> {
    let rejected = object.wanted.rejected.iter().map(|rejection| Judged {
        dns_name: &rejection.dns_name,
        record_type: &rejection.record_type,
        set_identifier: &rejection.set_identifier,
        state: Cow::Owned(State::Rejected {
            reason: Refusal::Endpoint,
            message: format!("spec.endpoints[{}].{}", rejection.index, rejection.reason),
        }),
    });
    let resource = object.resource();
    let taken = object.wanted.endpoints.iter().map(move |endpoint| {
        let key = endpoint.key().ok();
        let state = key.and_then(|key| verdicts.of(&key, &resource));
        let pending = || {
            Cow::Owned(State::Pending {
                reason: "it has not been looked at yet".into(),
            })
        };
        Judged {
            dns_name: &endpoint.dns_name,
            record_type: endpoint.record_type.as_str(),
            set_identifier: &endpoint.set_identifier,
            state: state.map_or_else(pending, Cow::Borrowed),
        }
    });
    rejected.chain(taken).collect()
}

/// The status of a generation whose record sets have these verdicts. Conditions of others
/// stay as they are.
#[must_use]
pub fn status(
    old: &DnsEndpointStatus,
    generation: i64,
    judged: &[Judged<'_>],
    now: Timestamp,
) -> DnsEndpointStatus {
    let missing: Vec<&Judged<'_>> = judged
        .iter()
        .filter(|judged| *judged.state != State::InPlace)
        .collect();
    let listed = missing.iter().take(MOST_LISTED).map(|judged| listed(judged));
    let old_conditions = old.conditions.as_deref().unwrap_or_default();
    let ours = [accepted(judged), programmed(judged)].map(|condition| Condition {
        observed_generation: Some(generation),
        ..stamped(condition, old_conditions, now)
    });
    let others = old_conditions.iter().filter(|condition| !is_ours(condition));
    DnsEndpointStatus {
        conditions: Some(ours.into_iter().chain(others.cloned()).collect()),
        not_in_place: (!missing.is_empty()).then(|| listed.collect()),
        not_in_place_count: (!missing.is_empty()).then(|| i64::try_from(missing.len()).unwrap_or(i64::MAX)),
        observed_generation: Some(generation),
    }
}

fn listed(judged: &Judged<'_>) -> RecordSetStatus {
    RecordSetStatus {
        dns_name: bounded(judged.dns_name),
        message: bounded(&judged.state.message()),
        reason: judged.state.reason().into(),
        record_type: bounded(judged.record_type),
        set_identifier: bounded(judged.set_identifier),
    }
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn accepted(judged: &[Judged<'_>]) -> Condition {
    let refused = judged.iter().filter(|judged| match &*judged.state {
        State::InPlace | State::Pending { .. } => false,
        State::Rejected { reason, .. } => *reason != Refusal::Provider,
        State::Conflict { .. } | State::OutsideZones => true,
    });
    let refused: Vec<_> = refused.collect();
    condition(ACCEPTED, &refused, judged.len(), "are not taken")
}

fn programmed(judged: &[Judged<'_>]) -> Condition {
    let missing = judged.iter().filter(|judged| *judged.state != State::InPlace);
    let mut missing: Vec<_> = missing.collect();
    // What does not mend itself is told before what will be tried again.
    missing.sort_by_key(|judged| matches!(&*judged.state, State::Pending { .. }));
    condition(PROGRAMMED, &missing, judged.len(), "are not in place")
}

/// A condition that is true if nothing is missing, and tells of the first that is.
fn condition(kind: &str, missing: &[&Judged<'_>], all: usize, what: &str) -> Condition {
    let (status, reason, message) = match missing.first() {
        None => ("True", kind, String::new()),
        Some(first) => {
            let Judged {
                dns_name,
                record_type,
                state,
                ..
            } = first;
            let message = bounded(&state.message());
            let (missing, name) = (missing.len(), bounded(dns_name));
            let message = format!("{missing} of {all} record sets {what}; {name} {record_type}: {message}");
            ("False", state.reason(), message)
        }
    };
    Condition {
        last_transition_time: Time(Timestamp::default()),
        message,
        observed_generation: None,
        reason: reason.into(),
        status: status.into(),
        type_: kind.into(),
    }
}

/// The condition with the time since when its status is so, in whole seconds as the API
/// server keeps it.
fn stamped(mut condition: Condition, old: &[Condition], now: Timestamp) -> Condition {
    let same = |old: &&Condition| old.type_ == condition.type_ && old.status == condition.status;
    condition.last_transition_time = match old.iter().find(same) {
        Some(old) => old.last_transition_time.clone(),
        None => Time(Timestamp::from_second(now.as_second()).unwrap_or(now)),
    };
    condition
}

fn is_ours(condition: &Condition) -> bool {
    [ACCEPTED, PROGRAMMED].contains(&&*condition.type_)
}

fn has_ours(status: &DnsEndpointStatus) -> bool {
    status.conditions.iter().flatten().any(is_ours)
}

/// Whether two statuses say different things; the conditions of others do not count.
fn differs(one: &DnsEndpointStatus, other: &DnsEndpointStatus) -> bool {
    let ours = |status: &DnsEndpointStatus| {
        let conditions = status.conditions.iter().flatten();
        let mut ours: Vec<Condition> = conditions
            .filter(|condition| is_ours(condition))
            .cloned()
            .collect();
        ours.sort_by(|one, other| one.type_.cmp(&other.type_));
        DnsEndpointStatus {
            conditions: Some(ours),
            ..status.clone()
        }
    };
    ours(one) != ours(other)
}

/// Writes the statuses of DNSEndpoints, each when it has to say something else.
///
/// A definition may lack fields of the status, and the API server then drops them: what was
/// written is compared with what was written before, and what is there with what the API
/// server made of it.
pub struct StatusWriter {
    client: Client,
    /// By the object's uid.
    written: BTreeMap<String, Written>,
}

struct Written {
    /// What was asked for.
    desired: DnsEndpointStatus,
    /// What came of it.
    stored: DnsEndpointStatus,
    /// The version that was there before.
    replaced: String,
}

impl StatusWriter {
    /// Writes through `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            written: BTreeMap::new(),
        }
    }

    /// Tells each object what has become of its records; tells how many had to be written.
    /// Stops at the first write that fails for reasons that others would fail for too.
    pub async fn write(
        &mut self,
        objects: &[Arc<DnsEndpointObject>],
        verdicts: &Verdicts,
        now: Timestamp,
    ) -> Result<usize, ApplyError> {
        let present: BTreeSet<&str> = objects.iter().map(|object| &*object.uid).collect();
        self.written.retain(|uid, _| present.contains(&**uid));
        let mut writes = 0;
        for object in objects {
            if let Some(desired) = self.due(object, verdicts, now) {
                self.write_one(object, desired).await?;
                writes += 1;
            }
        }
        Ok(writes)
    }

    /// The status to write, if there is one.
    fn due(
        &self,
        object: &DnsEndpointObject,
        verdicts: &Verdicts,
        now: Timestamp,
    ) -> Option<DnsEndpointStatus> {
        let written = self.written.get(&object.uid);
        // The watch may not have told of the last write yet.
        let seen = written.is_none_or(|written| object.version != written.replaced);
        let old = match written {
            Some(written) if !seen || !has_ours(&object.status) => &written.desired,
            _ => &object.status,
        };
        let desired = status(old, object.generation, &judge(object, verdicts), now);
        let due = match written {
            Some(written) => {
                differs(&desired, &written.desired) || seen && differs(&object.status, &written.stored)
            }
            None => differs(&desired, &object.status),
        };
        due.then_some(desired)
    }

    async fn write_one(
        &mut self,
        object: &DnsEndpointObject,
        desired: DnsEndpointStatus,
    ) -> Result<(), ApplyError> {
        let version = Value::from(object.version.as_str());
        let write = apply::write_status(&self.client, &object.key, &version, patch(&desired));
        let stored = match write.await {
            Ok(stored) => DnsEndpointObject::of(stored).map_or_else(Default::default, |object| object.status),
            // The watch will tell how it is.
            Err(ApplyError::Outdated { .. }) => return Ok(()),
            // It is gone, or its definition has no status: nobody can be told.
            Err(error) if error.is_not_found() => object.status.clone(),
            Err(error) => return Err(error),
        };
        let written = Written {
            desired,
            stored,
            replaced: object.version.clone(),
        };
        self.written.insert(object.uid.clone(), written);
        Ok(())
    }
}

/// A status as a patch: what it does not have goes.
fn patch(status: &DnsEndpointStatus) -> Value {
    json!({
        "conditions": status.conditions,
        "notInPlace": status.not_in_place,
        "notInPlaceCount": status.not_in_place_count,
        "observedGeneration": status.observed_generation,
    })
}
