//! Sending batches.

use aws_sdk_route53::error::SdkError;
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use futures::future::BoxFuture;

use super::change_batch::{Wire, batch};
use super::failure::Failure;
use super::record_set::{Unwritable, Writing};
use super::{Route53, refusal};
use crate::batch::{Limits, Submission, Submit, Weight};
use crate::{Group, Outcome, Zone};

impl Route53 {
    fn writing<'a>(&self, zone: &'a Zone) -> Writing<'a> {
        Writing {
            zone: &zone.id,
            evaluate_target_health: self.settings.evaluate_target_health,
        }
    }

    async fn send(&self, zone: &Zone, groups: &[&Group]) -> Submission {
        let writing = self.writing(zone);
        let wires: Result<Vec<Wire>, _> = groups.iter().map(|group| Wire::of(group, writing)).collect();
        let made = wires.and_then(|wires| Ok((batch(&wires)?, wires)));
        let (batch, wires) = match made {
            Ok(made) => made,
            Err(Unwritable(reason)) => {
                return Submission::Refused {
                    reason,
                    named: Vec::new(),
                };
            }
        };
        let sent = self.account.once(|client| {
            let call = client
                .change_resource_record_sets()
                .hosted_zone_id(&*zone.id.0)
                .change_batch(batch.clone());
            Box::pin(call.send())
        });
        match sent.await {
            Ok(_) => {
                let written = wires.iter().map(|wire| Some(wire.written(writing)));
                Submission::Applied(written.collect())
            }
            Err(error) => self.judge(&error, groups, &wires),
        }
    }

    fn judge(&self, error: &ChangeError, groups: &[&Group], wires: &[Wire]) -> Submission {
        match self.account.judged(error) {
            Failure::Refused(message) => {
                let reason = complaints(error).unwrap_or(message);
                if refusal::is_oversized(&reason) {
                    self.learn_from(wires);
                    return Submission::Oversized { reason };
                }
                Submission::Refused {
                    named: refusal::named(&reason, groups),
                    reason,
                }
            }
            Failure::Throttled {
                message: reason,
                retry_after,
            }
            | Failure::Busy {
                message: reason,
                retry_after,
            } => Submission::Throttled { reason, retry_after },
            Failure::Denied(reason) | Failure::NoSuchZone(reason) | Failure::NotSent(reason) => {
                Submission::Postponed { reason }
            }
            Failure::Lost(reason) | Failure::Garbled(reason) => Submission::Unknown { reason },
        }
    }

    /// A batch was too much: from now on, half of what it was is the most. One group tells
    /// nothing of others.
    fn learn_from(&self, wires: &[Wire]) {
        if wires.len() == 1 {
            return;
        }
        let weights = || wires.iter().map(Wire::weight);
        let mut learned = self.learned();
        let lower = |limit: &mut Option<usize>, weight: usize| {
            let half = (weight / 2).max(1);
            *limit = Some(limit.map_or(half, |limit| limit.min(half)));
        };
        lower(&mut learned.octets, weights().map(|weight| weight.octets).sum());
        lower(&mut learned.values, weights().map(|weight| weight.values).sum());
    }
}

type ChangeError = SdkError<ChangeResourceRecordSetsError, aws_sdk_route53::config::http::HttpResponse>;

/// All that Route 53 says is wrong with a batch, where it says so in a list.
fn complaints(error: &ChangeError) -> Option<String> {
    let Some(ChangeResourceRecordSetsError::InvalidChangeBatch(invalid)) = error.as_service_error() else {
        return None;
    };
    let messages = invalid.messages().iter().map(String::as_str);
    let all: Vec<&str> = messages.chain(invalid.message()).collect();
    (!all.is_empty()).then(|| format!("InvalidChangeBatch: {}", all.join("; ")))
}

impl Submit for Route53 {
    fn limits(&self, _: &Zone) -> Limits {
        let learned = self.learned();
        let least =
            |setting: usize, learned: Option<usize>| Some(learned.map_or(setting, |most| most.min(setting)));
        Limits {
            operations: Some(self.settings.batch.size),
            octets: least(self.settings.batch_octets, learned.octets),
            values: least(self.settings.batch_values, learned.values),
        }
    }

    fn weigh(&self, zone: &Zone, group: &Group) -> Result<Weight, Outcome> {
        match Wire::of(group, self.writing(zone)) {
            Ok(wire) => Ok(wire.weight()),
            Err(Unwritable(reason)) => Err(Outcome::Rejected { reason }),
        }
    }

    fn submit<'a>(&'a self, zone: &'a Zone, batch: &'a [&'a Group]) -> BoxFuture<'a, Submission> {
        Box::pin(self.send(zone, batch))
    }
}
