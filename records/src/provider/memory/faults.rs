//! What can go wrong, by a script.

use std::time::Duration;

use super::super::{Operation, ProviderError};
use crate::batch::Submission;
use crate::{Endpoint, Outcome, RecordKey};

/// Something that goes wrong once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// With which call.
    pub operation: Operation,
    /// After how many more calls of its kind.
    pub after: usize,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It takes so long.
    Latency(Duration),
    /// It is asked too often. Of an apply, nothing is written.
    Throttled,
    /// It cannot be reached. Of an apply, nothing is written.
    Unavailable,
    /// The answer cannot be understood. An apply is written, and nobody knows.
    Malformed,
    /// The answer is lost: of the groups of an apply the first so many are written, and
    /// nobody knows. A batch is written whole, or with 0 not at all.
    LostReply {
        /// How many groups are written; more than there are is all of them.
        written: usize,
    },
    /// Somebody else writes this just before.
    Put(Box<Endpoint>),
    /// Somebody else takes this away just before.
    Remove(RecordKey),
}

impl FaultKind {
    /// What a call that reads answers.
    pub(super) fn error(&self) -> Option<ProviderError> {
        match self {
            Self::Throttled => Some(ProviderError::Throttled {
                message: "asked too often".to_owned(),
                retry_after: Some(Duration::from_secs(1)),
            }),
            Self::Unavailable | Self::LostReply { .. } => {
                Some(ProviderError::Unavailable("it cannot be reached".to_owned()))
            }
            Self::Malformed => Some(ProviderError::Malformed("the answer is cut off".to_owned())),
            Self::Latency(_) | Self::Put(_) | Self::Remove(_) => None,
        }
    }

    /// What each group of an apply that writes nothing is answered.
    pub(super) fn refusal(&self) -> Option<Outcome> {
        match self {
            Self::Throttled | Self::Unavailable => {
                let error = self.error()?;
                Some(Outcome::postponed_by(&error, error.to_string()))
            }
            _ => None,
        }
    }

    /// What a batch that is not written is answered.
    pub(super) fn submission(&self) -> Option<Submission> {
        match (self, self.error()?) {
            (Self::Throttled, ProviderError::Throttled { message, retry_after }) => {
                Some(Submission::Throttled {
                    reason: message,
                    retry_after,
                })
            }
            (Self::Unavailable, error) => Some(Submission::Postponed {
                reason: error.to_string(),
            }),
            _ => None,
        }
    }

    /// How many groups of an apply whose answer is lost are written.
    pub(super) fn written(&self) -> Option<usize> {
        match self {
            Self::Malformed => Some(usize::MAX),
            Self::LostReply { written } => Some(*written),
            _ => None,
        }
    }
}

/// The faults of a call that is made now.
pub(super) fn due(faults: &mut Vec<Fault>, operation: Operation) -> Vec<FaultKind> {
    let mut due = Vec::new();
    faults.retain_mut(|fault| {
        if fault.operation != operation {
            return true;
        }
        if fault.after > 0 {
            fault.after -= 1;
            return true;
        }
        due.push(fault.kind.clone());
        false
    });
    due
}

/// Waits as long as the faults take.
pub(super) async fn wait(faults: &[FaultKind]) {
    for fault in faults {
        if let FaultKind::Latency(latency) = fault {
            tokio::time::sleep(*latency).await;
        }
    }
}
