//! Groups of changes on their way to a server that takes expected values.

use std::time::Duration;

use records::{Group, Outcome, Zone};

use super::failure::{Failure, Kind};
use super::link::Link;
use crate::protocol::v2::{ApplyRequest, ApplyResponse};
use crate::protocol::zones::{group_message, outcome};

/// The most groups of a call: what is cut off leaves no more of them in doubt.
const GROUPS: usize = 500;
/// How long a server that is called too often is waited for, in all calls of one pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// Has the groups be made; one outcome for each, in their order. An error if the server does
/// not know the call.
pub(super) async fn apply(
    link: &Link,
    limit: Duration,
    zone: &Zone,
    groups: &[Group],
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(groups.len());
    // What is still to be sent, the first on top.
    let mut pending: Vec<&[Group]> = groups.chunks(GROUPS).rev().collect();
    let mut patience = PATIENCE;
    while let Some(some) = pending.pop() {
        let failure = match send(link, limit, zone, some).await {
            Ok(response) => {
                outcomes.extend(told(response, some.len()));
                continue;
            }
            Err(failure) => failure,
        };
        match failure.kind {
            Kind::Unimplemented if outcomes.is_empty() => return Err(failure),
            // What is not taken is cut until it stands alone.
            Kind::Invalid if some.len() > 1 => {
                let (first, second) = some.split_at(some.len() / 2);
                pending.extend([second, first]);
            }
            // Nothing of it was done, and the link waits before the next call.
            Kind::Throttled(Some(pause)) if pause <= patience => {
                patience -= pause;
                pending.push(some);
            }
            kind => {
                outcomes.extend(std::iter::repeat_n(failure.outcome(), some.len()));
                if kind != Kind::Invalid {
                    break;
                }
            }
        }
    }
    outcomes.resize_with(groups.len(), || {
        Outcome::postponed("the server failed before its turn")
    });
    Ok(outcomes)
}

async fn send(link: &Link, limit: Duration, zone: &Zone, groups: &[Group]) -> Result<ApplyResponse, Failure> {
    let messages = groups.iter().map(group_message).collect();
    link.ask(limit, async |mut client, namespace| {
        let request = ApplyRequest {
            namespace,
            zone_id: String::from(&*zone.id.0),
            groups: messages,
        };
        client.apply(request).await
    })
    .await
}

/// What came of so many groups; nobody knows of those without an answer.
fn told(response: ApplyResponse, count: usize) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = response.outcomes.into_iter().map(outcome).collect();
    outcomes.resize_with(count, || Outcome::Unknown {
        reason: "the server did not answer for it".to_owned(),
    });
    outcomes
}
