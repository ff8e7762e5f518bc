//! What it means that a call has failed.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use records::{Outcome, ProviderError};
use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt as _;

/// Why a call has failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub kind: Kind,
    /// For people, with the server's address.
    pub message: String,
    /// Whether nobody knows what the server has done.
    pub is_in_doubt: bool,
}

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The server is called too often.
    Throttled(Option<Duration>),
    /// It cannot be reached, or fails for now.
    Unavailable,
    /// It does not let us.
    Denied,
    /// It does not have the zone.
    NoSuchZone,
    /// It does not take what it was asked.
    Invalid,
    /// It does not know the call.
    Unimplemented,
    /// What it answered cannot be understood, or is too large.
    Malformed,
}

impl Failure {
    /// What a status means that a server at this address has sent, or that stands for what
    /// became of the connection.
    pub fn of(status: &Status, address: &str) -> Self {
        let retry_after = status.get_details_retry_info().and_then(|info| info.retry_delay);
        Self {
            kind: kind(status.code(), retry_after),
            message: format!("the server {address}: {}", words(status)),
            is_in_doubt: is_in_doubt(status, retry_after),
        }
    }

    /// The server has not answered in time.
    pub fn timeout(limit: Duration, address: &str) -> Self {
        Self {
            kind: Kind::Unavailable,
            message: format!("the server {address} did not answer within {limit:?}"),
            is_in_doubt: true,
        }
    }

    /// What the server answered makes no sense.
    pub fn malformed(reason: impl std::fmt::Display, address: &str) -> Self {
        Self {
            kind: Kind::Malformed,
            message: format!("the server {address}: {reason}"),
            is_in_doubt: true,
        }
    }

    /// Whether it passes by itself.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::Throttled(_) | Kind::Unavailable)
    }

    /// What it means to groups that were sent.
    pub fn outcome(&self) -> Outcome {
        let reason = self.message.clone();
        match self.kind {
            Kind::Invalid => Outcome::Rejected { reason },
            _ if self.is_in_doubt => Outcome::Unknown { reason },
            Kind::Throttled(retry_after) => Outcome::Postponed {
                reason,
                throttled: true,
                retry_after,
            },
            _ => Outcome::postponed(reason),
        }
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        let message = failure.message;
        match failure.kind {
            Kind::Throttled(retry_after) => Self::Throttled { message, retry_after },
            Kind::Unavailable => Self::Unavailable(message),
            Kind::Denied => Self::Denied(message),
            Kind::NoSuchZone => Self::NoSuchZone(message),
            Kind::Invalid | Kind::Unimplemented | Kind::Malformed => Self::Malformed(message),
        }
    }
}

/// Gardener's servers know no codes: all of their errors are `Unknown`, and most pass.
fn kind(code: Code, retry_after: Option<Duration>) -> Kind {
    match code {
        Code::ResourceExhausted => Kind::Throttled(retry_after),
        Code::PermissionDenied | Code::Unauthenticated => Kind::Denied,
        Code::NotFound => Kind::NoSuchZone,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => Kind::Invalid,
        Code::Unimplemented => Kind::Unimplemented,
        Code::DataLoss => Kind::Malformed,
        _ => Kind::Unavailable,
    }
}

/// Whether the server may have done what it was asked. A refusal is said before anything is
/// done, and so is when to come again; a connection that was never made carried nothing.
fn is_in_doubt(status: &Status, retry_after: Option<Duration>) -> bool {
    if causes(status).any(<dyn Error>::is::<ConnectError>) {
        return false;
    }
    let is_refusal = matches!(
        status.code(),
        Code::ResourceExhausted
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::NotFound
            | Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
    );
    !is_refusal && retry_after.is_none()
}

/// The server's words; of a connection the causes too, which alone tell anything.
fn words(status: &Status) -> String {
    let mut words = status.message().to_owned();
    for cause in causes(status) {
        let cause = cause.to_string();
        if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    if words.is_empty() {
        return status.code().description().to_owned();
    }
    words
}

fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    successors(status.source(), |cause: &&(dyn Error + 'static)| {
        (*cause).source()
    })
}
