//! A server that has Gardener's protocol only. It tells whole zones, knows no expected values,
//! and answers for each change by itself: of a group, one may be made and the other not.

use std::sync::Arc;
use std::time::Duration;

use records::{Change, Endpoint, Fault, Group, Name, Outcome, RecordList, Zone, ZoneId};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::failure::{Failure, Kind};
use super::link::{Connection, Link, MESSAGE_LIMIT};
use crate::protocol::gardener::{WITH_ROUTING, change_request, endpoints, roundtrip};
use crate::protocol::v1;
use crate::protocol::v1::change_response::State;
use crate::protocol::v1::remote_provider_client::RemoteProviderClient;

/// What stands in every error about tokens.
const INVALID_TOKEN: &str = "[invalid token]";
/// How long a login may take.
const LOGIN: Duration = Duration::from_secs(60);
/// The most changes of a call.
const CHANGES: usize = 1_000;

/// The sessions with a server.
pub(super) struct Gardener {
    /// What the client calls itself.
    client: String,
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    text: Arc<str>,
    /// The connection that it was got over.
    connection: u64,
}

impl Gardener {
    /// Nobody has logged in yet.
    pub fn new(client: String) -> Self {
        Self {
            client,
            token: Mutex::default(),
        }
    }

    /// The zones of the namespace.
    pub async fn zones(&self, link: &Link, limit: Duration) -> Result<Vec<(String, String)>, Failure> {
        let zones = self
            .ask(link, limit, async |mut client, token| {
                client.get_zones(v1::GetZonesRequest { token }).await
            })
            .await?;
        Ok(zones
            .zone
            .into_iter()
            .map(|zone| (zone.id, zone.domain))
            .collect())
    }

    /// All of a zone.
    pub async fn read(&self, link: &Link, limit: Duration, zone: &ZoneId) -> Result<RecordList, Failure> {
        let state = self.ask(link, limit, async |client, token| {
            let mut client = client.max_decoding_message_size(MESSAGE_LIMIT);
            let zoneid = String::from(&*zone.0);
            client
                .get_zone_state(v1::GetZoneStateRequest { token, zoneid })
                .await
        });
        let state = state.await.map_err(too_large)?;
        Ok(endpoints(state).collect())
    }

    /// What stands at some names.
    pub async fn read_names(
        &self,
        link: &Link,
        limit: Duration,
        zone: &ZoneId,
        names: &[Name],
    ) -> Result<Vec<Endpoint>, Failure> {
        let records = self.read(link, limit, zone).await?;
        let is_wanted = |record: &Endpoint| record.name().is_ok_and(|name| names.contains(&name));
        Ok(records.into_iter().filter(is_wanted).collect())
    }

    /// Has groups be made; one outcome for each, in their order.
    pub async fn apply(&self, link: &Link, limit: Duration, zone: &Zone, groups: &[Group]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(groups.len());
        let mut requests = Requests::default();
        for group in groups {
            match change_requests(group) {
                Ok(changes) => {
                    if !requests.changes.is_empty() && requests.changes.len() + changes.len() > CHANGES {
                        let is_down = self
                            .send(link, limit, zone, &mut outcomes, std::mem::take(&mut requests))
                            .await;
                        if is_down {
                            break;
                        }
                    }
                    requests.counts.push(Ok(changes.len()));
                    requests.changes.extend(changes);
                }
                Err(fault) => requests.counts.push(Err(fault.to_string())),
            }
        }
        self.send(link, limit, zone, &mut outcomes, requests).await;
        outcomes.resize_with(groups.len(), || {
            Outcome::postponed("the server failed before its turn")
        });
        outcomes
    }

    /// Sends the changes of some groups; whether the server is down.
    async fn send(
        &self,
        link: &Link,
        limit: Duration,
        zone: &Zone,
        outcomes: &mut Vec<Outcome>,
        requests: Requests,
    ) -> bool {
        let Requests { changes, counts } = requests;
        if changes.is_empty() {
            outcomes.extend(counts.into_iter().filter_map(|count| {
                let reason = count.err()?;
                Some(Outcome::Rejected { reason })
            }));
            return false;
        }
        let answer = self.ask(link, limit, async |mut client, token| {
            let request = v1::ExecuteRequest {
                token,
                zoneid: String::from(&*zone.id.0),
                change_request: changes.clone(),
            };
            client.execute(request).await
        });
        let answer = answer.await;
        let is_down = answer.is_err();
        let mut states = answer.map(|response| response.change_response.into_iter());
        for count in counts {
            outcomes.push(match (count, &mut states) {
                (Err(reason), _) => Outcome::Rejected { reason },
                (Ok(count), Ok(states)) => outcome(&states.by_ref().take(count).collect::<Vec<_>>(), count),
                (Ok(_), Err(failure)) => failure.outcome(),
            });
        }
        is_down
    }

    /// Makes a call with a token. If the server does not take the token, there is one login
    /// and one more try: it has done nothing.
    async fn ask<T, F>(
        &self,
        link: &Link,
        limit: Duration,
        call: impl Fn(RemoteProviderClient<Channel>, String) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let connection = link.connection();
        let mut token = self.token(link, &connection, None).await?;
        let mut is_again = false;
        loop {
            link.turn().await;
            let client = RemoteProviderClient::new(connection.channel.clone());
            let call = Box::pin(call(client, String::from(&*token.text)));
            let answer = timeout(limit, call).await.ok();
            if !is_again && matches!(&answer, Some(Err(status)) if is_of_token(status)) {
                is_again = true;
                token = self.token(link, &connection, Some(&token)).await?;
                continue;
            }
            return link.finished(&connection, limit, answer);
        }
    }

    /// The token that is used now, and another one than a refused one.
    async fn token(
        &self,
        link: &Link,
        connection: &Connection,
        refused: Option<&Token>,
    ) -> Result<Token, Failure> {
        let mut known = self.token.lock().await;
        if let Some(token) = &*known
            && token.connection == connection.number
            && refused.is_none_or(|refused| refused.text != token.text)
        {
            return Ok(token.clone());
        }
        let request = v1::LoginRequest {
            namespace: String::from(&*connection.namespace),
            cliend_id: self.client.clone(),
            client_protocol_version: WITH_ROUTING,
        };
        link.turn().await;
        let mut client = RemoteProviderClient::new(connection.channel.clone());
        let answer = timeout(LOGIN, Box::pin(client.login(request))).await.ok();
        let response = link.finished(connection, LOGIN, answer);
        // The call that the token was for was never made.
        let response = response.map_err(|failure| Failure {
            is_in_doubt: false,
            ..failure
        })?;
        let token = Token {
            text: response.token.into(),
            connection: connection.number,
        };
        *known = Some(token.clone());
        Ok(token)
    }
}

/// Changes for one call, and how many of them each group has; why not, of those that cannot
/// be told.
#[derive(Default)]
struct Requests {
    changes: Vec<v1::ChangeRequest>,
    counts: Vec<Result<usize, String>>,
}

fn change_requests(group: &Group) -> Result<Vec<v1::ChangeRequest>, Fault> {
    let changes = group.changes.iter();
    let request = |change: &Change| change_request(change, group.name.as_str());
    changes.map(request).collect()
}

/// What came of a group of so many changes.
fn outcome(responses: &[v1::ChangeResponse], count: usize) -> Outcome {
    let has = |state: State| responses.iter().any(|response| response.state() == state);
    let words = responses
        .iter()
        .map(|response| response.error_message.trim())
        .filter(|words| !words.is_empty());
    let mut reason = words.collect::<Vec<_>>().join("; ");
    if reason.is_empty() {
        "the server says no more of it".clone_into(&mut reason);
    }
    let is_made = |response: &v1::ChangeResponse| response.state() == State::Succeeded;
    if responses.len() < count {
        let reason = "the server did not answer for all of it".to_owned();
        return Outcome::Unknown { reason };
    }
    if responses.iter().all(is_made) {
        return Outcome::Applied { written: None };
    }
    if has(State::Succeeded) {
        let reason = format!("only a part of it was made: {reason}");
        return Outcome::Unknown { reason };
    }
    // What has failed may have been made all the same.
    if has(State::Failed) {
        return Outcome::Unknown { reason };
    }
    if has(State::Invalid) {
        return Outcome::Rejected { reason };
    }
    Outcome::Postponed {
        reason,
        throttled: has(State::Throttled),
        retry_after: None,
    }
}

/// Wanted record sets as a server lists them once they were told by this protocol.
pub(super) fn adjust(wanted: Vec<Endpoint>) -> Vec<Endpoint> {
    wanted.into_iter().map(roundtrip).collect()
}

fn is_of_token(status: &Status) -> bool {
    status.code() == Code::Unauthenticated || status.message().contains(INVALID_TOKEN)
}

/// What is over the limit is refused by either side, each in its own words.
fn too_large(failure: Failure) -> Failure {
    if !matches!(failure.kind, Kind::Invalid | Kind::Throttled(None)) {
        return failure;
    }
    Failure {
        kind: Kind::Malformed,
        message: format!(
            "{}: the server has Gardener's protocol only, which tells a zone in one message of {} MiB at most",
            failure.message,
            MESSAGE_LIMIT >> 20
        ),
        ..failure
    }
}
