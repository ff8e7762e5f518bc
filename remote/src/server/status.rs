//! Errors as clients are told them: a gRPC code, words for people, and in the details when to
//! come again.

use std::time::Duration;

use records::{Fault, ProviderError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// When to come again after what passes by itself.
pub(super) const SOON: Duration = Duration::from_secs(5);
/// When a reader may come again for whom there is no room.
pub(super) const NO_ROOM: Duration = Duration::from_secs(2);
/// When to come again after what somebody has to mend.
const LATER: Duration = Duration::from_secs(60);

/// What is said when the server ends.
pub(super) const GOING_DOWN: &str = "the server is going down";

/// Something that passes.
pub(super) fn unavailable(message: impl Into<String>, retry_after: Duration) -> Status {
    with_retry(Code::Unavailable, message, retry_after)
}

/// Another server will be there, or this one again.
pub(super) fn going_down() -> Status {
    unavailable(GOING_DOWN, SOON)
}

/// The client asks for too much.
pub(super) fn exhausted(message: impl Into<String>, retry_after: Duration) -> Status {
    with_retry(Code::ResourceExhausted, message, retry_after)
}

fn with_retry(code: Code, message: impl Into<String>, retry_after: Duration) -> Status {
    let details = ErrorDetails::with_retry_info(Some(retry_after));
    Status::with_error_details(code, message, details)
}

/// A field of the request is not as it must be.
pub(super) fn invalid(fault: &Fault) -> Status {
    let details = ErrorDetails::with_bad_request_violation(&*fault.field, &*fault.allowed);
    Status::with_error_details(Code::InvalidArgument, fault.to_string(), details)
}

/// The provider cannot be asked.
pub(super) fn of_provider(error: &ProviderError) -> Status {
    let message = format!("the provider: {error}");
    match error {
        ProviderError::Throttled { retry_after, .. } => exhausted(message, retry_after.unwrap_or(SOON)),
        ProviderError::Unavailable(_) => unavailable(message, SOON),
        ProviderError::Denied(_) | ProviderError::Malformed(_) => unavailable(message, LATER),
        ProviderError::NoSuchZone(_) => Status::not_found(message),
    }
}
