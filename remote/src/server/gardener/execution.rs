//! The changes of one call, each with its answer.

use std::collections::{BTreeMap, VecDeque};

use records::{Endpoint, Fault, Name, Outcome, Provider as _, RecordKey};
use tonic::Status;

use super::super::admission::Session;
use super::super::catalogue::NamespaceZone;
use super::super::central::Central;
use super::super::queue::Work;
use super::super::status;
use crate::protocol::gardener::{Action, Kind, action};
use crate::protocol::v1::change_response::State;
use crate::protocol::v1::log_entry::Level;
use crate::protocol::v1::{ChangeRequest, ChangeResponse, ExecuteResponse, LogEntry};

/// A call.
pub(super) struct Execution<'a> {
    central: &'a Central,
    session: &'a Session,
    zone: &'a NamespaceZone,
    responses: Vec<ChangeResponse>,
    log: Vec<LogEntry>,
}

/// Changes of one name, each with its place in the call. Who asks for the changes of one
/// update group means them to be one step; a step of many names would fail for one of them.
#[derive(Default)]
struct Step {
    actions: Vec<Action>,
    places: Vec<usize>,
}

impl<'a> Execution<'a> {
    pub fn new(central: &'a Central, session: &'a Session, zone: &'a NamespaceZone) -> Self {
        Self {
            central,
            session,
            zone,
            responses: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Makes the changes as far as they can be made.
    pub async fn run(mut self, requests: Vec<ChangeRequest>) -> Result<ExecuteResponse, Status> {
        let (count, most) = (requests.len(), self.central.settings().most_groups);
        if count > most {
            return Err(status::invalid(&Fault {
                field: "change_request".to_owned(),
                value: count.to_string(),
                allowed: format!("at most {most} are allowed"),
            }));
        }
        self.responses = vec![ChangeResponse::default(); count];
        let actions = self.decode(requests);
        let actions = self.adjust(actions).await?;
        let (mut works, mut asked) = (Vec::new(), Vec::new());
        for step in steps(actions) {
            let keys = step.actions.iter().map(|action| action.key.clone());
            let keys: Vec<_> = step.places.into_iter().zip(keys).collect();
            if let Some((_, first)) = keys.first() {
                works.push(Work::actions(first.name.clone(), step.actions));
                asked.push(keys);
            }
        }
        let outcomes = self
            .central
            .change(&self.session.namespace, self.zone, works, count)
            .await?;
        for (keys, outcome) in asked.iter().zip(&outcomes) {
            for (place, key) in keys {
                self.answer(*place, key, outcome);
            }
        }
        Ok(ExecuteResponse {
            change_response: self.responses,
            log_message: self.log,
        })
    }

    /// The changes that can be understood; the others are answered.
    fn decode(&mut self, requests: Vec<ChangeRequest>) -> Vec<(usize, Action)> {
        let zone = &self.zone.served.zone().name;
        let mut actions = Vec::with_capacity(requests.len());
        for (place, request) in requests.into_iter().enumerate() {
            match action(request, zone) {
                Ok(action) => actions.push((place, action)),
                Err(fault) => {
                    let message = format!("change_request[{place}].{fault}");
                    self.tell(place, State::Invalid, message);
                }
            }
        }
        actions
    }

    /// The changes with their record sets as the zone would list them.
    async fn adjust(&mut self, actions: Vec<(usize, Action)>) -> Result<Vec<(usize, Action)>, Status> {
        let is_wanted = |action: &Action| action.kind != Kind::Delete;
        let wanted = actions
            .iter()
            .filter(|(_, action)| is_wanted(action))
            .map(|(_, action)| action.record.clone())
            .collect();
        let cache = self.zone.served.account().cache();
        let adjusted = cache.adjust(wanted).await;
        let adjusted = adjusted.map_err(|error| status::of_provider(&error))?;
        // In the order of the changes, where a record set is wanted twice.
        let mut of_key: BTreeMap<RecordKey, VecDeque<Endpoint>> = BTreeMap::new();
        for record in adjusted {
            if let Ok(key) = record.key() {
                of_key.entry(key).or_default().push_back(record);
            }
        }
        let mut kept = Vec::with_capacity(actions.len());
        for (place, mut action) in actions {
            if is_wanted(&action) {
                let record = of_key.get_mut(&action.key).and_then(VecDeque::pop_front);
                let Some(record) = record else {
                    let message = format!(
                        "{} {} is a record set that the provider does not have",
                        action.key.name, action.key.record_type
                    );
                    self.tell(place, State::Invalid, message);
                    continue;
                };
                action.record = record;
            }
            kept.push((place, action));
        }
        Ok(kept)
    }

    fn answer(&mut self, place: usize, key: &RecordKey, outcome: &Outcome) {
        let (state, reason) = match outcome {
            Outcome::Applied { .. } => (State::Succeeded, ""),
            Outcome::Rejected { reason } => (State::Invalid, &**reason),
            Outcome::Conflict { reason } | Outcome::Unknown { reason } => (State::Failed, &**reason),
            Outcome::Postponed {
                reason,
                throttled: true,
                ..
            } => (State::Throttled, &**reason),
            Outcome::Postponed { reason, .. } => (State::NotProcessed, &**reason),
        };
        if state == State::Succeeded {
            self.responses[place].state = state.into();
            return;
        }
        let what = match outcome {
            Outcome::Conflict { .. } => "conflict: ",
            Outcome::Unknown { .. } => "perhaps made, perhaps not: ",
            _ => "",
        };
        let when = match outcome {
            Outcome::Postponed {
                retry_after: Some(delay),
                ..
            } => format!("; it may be tried again in {delay:?}"),
            _ => String::new(),
        };
        self.tell(
            place,
            state,
            format!("{} {}: {what}{reason}{when}", key.name, key.record_type),
        );
    }

    /// Answers a change that was not made, and logs it.
    fn tell(&mut self, place: usize, state: State, message: String) {
        let timestamp = self.central.clock().wall().as_nanos();
        self.log.push(LogEntry {
            timestamp: i64::try_from(timestamp).unwrap_or(i64::MAX),
            level: match state {
                State::Throttled | State::NotProcessed => Level::Warn.into(),
                _ => Level::Error.into(),
            },
            message: message.clone(),
        });
        self.responses[place] = ChangeResponse {
            state: state.into(),
            error_message: message,
        };
    }
}

/// The changes of each name and update group together, in the order of their first ones. A
/// second change to a record set is a step of its own, after the first.
fn steps(actions: Vec<(usize, Action)>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut open: BTreeMap<(String, Name), usize> = BTreeMap::new();
    for (place, action) in actions {
        let group = (action.update_group.clone(), action.key.name.clone());
        let known = open.get(&group).copied();
        let known = known.filter(|at: &usize| steps[*at].actions.iter().all(|other| other.key != action.key));
        let at = known.unwrap_or(steps.len());
        if known.is_none() {
            steps.push(Step::default());
            open.insert(group, at);
        }
        steps[at].actions.push(action);
        steps[at].places.push(place);
    }
    steps
}
