//! What a DNSEndpoint is told of its records.

use std::borrow::Cow;
use std::sync::Arc;

use api::{DnsEndpointStatus, RecordSetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use records::verdict::{Refusal, State, Verdicts};
use serde_json::{Value, json};

use super::source::DnsEndpointObject;
use super::status::{self, Status, Subject};
use crate::apply::ApplyError;

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

impl Status for DnsEndpointStatus {
    fn has_ours(&self) -> bool {
        self.conditions.iter().flatten().any(is_ours)
    }

    fn differs(&self, other: &Self) -> bool {
        let ours = |status: &Self| {
            let conditions = status.conditions.iter().flatten();
            let mut ours: Vec<Condition> = conditions
                .filter(|condition| is_ours(condition))
                .cloned()
                .collect();
            ours.sort_by(|one, other| one.type_.cmp(&other.type_));
            Self {
                conditions: Some(ours),
                ..status.clone()
            }
        };
        ours(self) != ours(other)
    }

    fn patch(&self) -> Value {
        json!({
            "conditions": self.conditions,
            "notInPlace": self.not_in_place,
            "notInPlaceCount": self.not_in_place_count,
            "observedGeneration": self.observed_generation,
        })
    }
}

/// Writes the statuses of DNSEndpoints, each when it has to say something else.
pub struct StatusWriter(status::StatusWriter<DnsEndpointStatus>);

impl StatusWriter {
    /// Writes through `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(status::StatusWriter::new(client))
    }

    /// Tells each object what has become of its records; tells how many had to be written.
    /// Stops at the first write that fails for reasons that others would fail for too.
    pub async fn write(
        &mut self,
        objects: &[Arc<DnsEndpointObject>],
        verdicts: &Verdicts,
        now: Timestamp,
    ) -> Result<usize, ApplyError> {
        self.0.retain(objects.iter().map(|object| &*object.uid));
        let mut writes = 0;
        for object in objects {
            let subject = Subject {
                key: &object.key,
                uid: &object.uid,
                version: &object.version,
                status: &object.status,
            };
            let told =
                |old: &DnsEndpointStatus| status(old, object.generation, &judge(object, verdicts), now);
            writes += usize::from(self.0.write(&subject, told).await?);
        }
        Ok(writes)
    }
}
