//! Sending batches one after the other.

use super::{Settings, Submission, Submit};
use crate::{Group, Outcome, Zone};

/// Sends batches, and remembers between passes which groups were refused.
#[derive(Debug)]
pub struct Dispatcher {
    settings: Settings,
}

impl Dispatcher {
    /// A dispatcher that knows of no bad groups yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Makes the changes of each group, all or none of a group; one outcome for each group,
    /// in their order.
    pub async fn apply(&self, target: &dyn Submit, zone: &Zone, groups: &[Group]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(groups.len());
        for group in groups {
            if !outcomes.is_empty() {
                tokio::time::sleep(self.settings.interval).await;
            }
            outcomes.push(alone(target, zone, group).await);
        }
        outcomes
    }
}

async fn alone(target: &dyn Submit, zone: &Zone, group: &Group) -> Outcome {
    if let Err(outcome) = target.weigh(zone, group) {
        return outcome;
    }
    match target.submit(zone, &[group]).await {
        Submission::Applied(mut written) => Outcome::Applied {
            written: written.pop().flatten(),
        },
        Submission::Refused { reason, mut named } => named
            .pop()
            .map_or(Outcome::Rejected { reason }, |(_, outcome)| outcome),
        Submission::Oversized { reason } => Outcome::Rejected { reason },
        Submission::Throttled { reason, .. } | Submission::Postponed { reason } => {
            Outcome::Postponed { reason }
        }
        Submission::Unknown { reason } => Outcome::Unknown { reason },
    }
}
