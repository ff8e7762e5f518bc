//! Groups of changes sent to the servers, and what came of each.
//!
//! Each group has an update of its own, so that a server refuses no more than what is
//! wrong. They are sent without waiting for answers, which a server takes about as fast as
//! if they were one.

use std::collections::HashMap;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::Name;

use super::answer::Answer;
use super::exchange::Exchange;
use super::failure::{Failure, code_name};
use super::servers::{Server, Servers};
use super::tsig::Unverified;
use super::update::{Update, update};
use crate::{Group, Outcome};

/// A group that is not settled.
struct Open {
    /// Its place among the groups.
    place: usize,
    update: Update,
    /// What is known of it so far.
    outcome: Outcome,
    /// Whether a server may have made its changes without telling.
    doubt: Doubt,
}

/// Why changes may have been made though no server says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    /// They were not.
    None,
    /// A server says that it failed.
    Failed,
    /// An answer was lost.
    Lost,
}

/// Sends the groups to the servers in turn: those that one did not settle go to the next
/// one. That is safe, as an update compares before it writes.
pub(super) async fn apply(servers: &Servers, zone: &Name, groups: &[Group], min_ttl: u32) -> Vec<Outcome> {
    let mut open = Vec::new();
    let mut settled: HashMap<usize, Outcome> = HashMap::new();
    for (place, group) in groups.iter().enumerate() {
        match update(zone, group, min_ttl) {
            Ok(update) => open.push(Open {
                place,
                update,
                outcome: Outcome::postponed("there is no server to ask"),
                doubt: Doubt::None,
            }),
            Err(error) => drop(settled.insert(place, Outcome::Rejected { reason: error.0 })),
        }
    }
    for server in servers.in_turn() {
        if open.is_empty() {
            break;
        }
        let request = |number: usize| open.get(number).map(|group| group.update.message.clone());
        let (mut answers, ended) = ask(server, open.len(), request).await;
        // How the connection ended is told for each group that it concerns.
        for (number, group) in open.iter_mut().enumerate() {
            group.learn(answers.remove(&number), ended.as_ref(), &server.address());
        }
        let (done, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(Open::is_settled);
        settled.extend(done.into_iter().map(|group| (group.place, group.outcome)));
        open = rest;
    }
    clear_doubts(servers, &mut open).await;
    settled.extend(open.into_iter().map(|group| (group.place, group.outcome)));
    (0..groups.len())
        .filter_map(|place| settled.remove(&place))
        .collect()
}

/// Sends a server requests at once: what it answered to which, and how the connection ended
/// if it did so before its time.
async fn ask(
    server: &Server,
    count: usize,
    request: impl Fn(usize) -> Option<Message> + Send,
) -> (HashMap<usize, Result<Answer, Failure>>, Option<Failure>) {
    let mut answers = HashMap::new();
    let ended = match server.connect().await {
        Ok(connection) => {
            let answered = |number, answer| drop(answers.insert(number, answer));
            Exchange::new(connection, count).run(request, answered).await
        }
        Err(failure) => Err(failure),
    };
    (answers, ended.err())
}

/// Finds out whether servers that failed to make changes refuse them for good, as BIND does
/// where a set would have more records than its `max-records-per-type`.
///
/// They are asked for what the changes take to be so, without the changes. One that answers
/// well to that is well, takes updates, and shows that nothing was written.
async fn clear_doubts(servers: &Servers, open: &mut [Open]) {
    for server in servers.in_turn() {
        let failed = open
            .iter_mut()
            .filter(|group| group.doubt == Doubt::Failed && group.update.shows);
        let mut failed: Vec<&mut Open> = failed.collect();
        if failed.is_empty() {
            return;
        }
        let conditions = |number: usize| failed.get(number).map(|group| group.update.conditions());
        let (answers, _) = ask(server, failed.len(), conditions).await;
        for (number, group) in failed.iter_mut().enumerate() {
            if let Some(Ok(answer)) = answers.get(&number)
                && answer.response_code == ResponseCode::NoError
            {
                group.doubt = Doubt::None;
                group.outcome = Outcome::Rejected {
                    reason: format!(
                        "{}: the server answers SERVFAIL and writes nothing, though the zone is as expected; it may \
                         have a limit, such as max-records-per-type of BIND",
                        server.address()
                    ),
                };
            }
        }
    }
}

impl Open {
    /// Takes note of what a server answered, or of how the connection to it ended.
    fn learn(&mut self, answer: Option<Result<Answer, Failure>>, ended: Option<&Failure>, server: &str) {
        let words = |what: &dyn std::fmt::Display| format!("{server}: {what}");
        let failed = matches!(&answer, Some(Ok(answer)) if answer.response_code == ResponseCode::ServFail);
        self.outcome = match answer {
            Some(Ok(answer)) => judged(answer.response_code, server),
            // Who does not take our signature has not looked at the update.
            Some(Err(failure @ Failure::Unverified(Unverified::Refused(_)))) => {
                Outcome::postponed(words(&failure))
            }
            Some(Err(failure)) => Outcome::Unknown {
                reason: words(&failure),
            },
            None => {
                Outcome::postponed(ended.map_or_else(|| words(&"it was not sent"), |failure| words(failure)))
            }
        };
        let doubt = match &self.outcome {
            Outcome::Unknown { .. } if failed => Doubt::Failed,
            Outcome::Unknown { .. } => Doubt::Lost,
            _ => Doubt::None,
        };
        if let Outcome::Applied { written } = &mut self.outcome {
            *written = Some(self.update.written.clone());
        } else if self.doubt != Doubt::None {
            let reason = match &self.outcome {
                Outcome::Rejected { reason }
                | Outcome::Conflict { reason }
                | Outcome::Postponed { reason, .. }
                | Outcome::Unknown { reason } => reason.clone(),
                Outcome::Applied { .. } => String::new(),
            };
            self.outcome = Outcome::Unknown {
                reason: format!("another server may have done it before; {reason}"),
            };
        }
        self.doubt = self.doubt.max(doubt);
    }

    /// Whether no other server can say anything better.
    fn is_settled(&self) -> bool {
        !matches!(self.outcome, Outcome::Postponed { .. } | Outcome::Unknown { .. })
    }
}

/// What a response code says of an update (RFC 2136, 3.8).
fn judged(code: ResponseCode, server: &str) -> Outcome {
    let reason = format!("{server}: the server answers {}", code_name(code));
    match code {
        ResponseCode::NoError => Outcome::Applied { written: None },
        ResponseCode::NXDomain | ResponseCode::NXRRSet | ResponseCode::YXDomain | ResponseCode::YXRRSet => {
            Outcome::Conflict { reason }
        }
        // What it says of the server and not of the changes: it does not keep the zone, or
        // takes no updates.
        ResponseCode::NotAuth | ResponseCode::NotImp => Outcome::postponed(reason),
        // One that hands updates on to its primary says so too if that did not answer.
        ResponseCode::ServFail => Outcome::Unknown { reason },
        _ => Outcome::Rejected { reason },
    }
}
