//! What comes of a call that fails.

use std::error::Error as StdError;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_route53::config::http::HttpResponse;
use aws_sdk_route53::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::ProviderError;

/// The codes by which AWS says that it has been called too often.
const THROTTLES: [&str; 7] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
];
/// What it says where changes of a zone are on their way still.
const PRIOR_REQUEST: &str = "PriorRequestNotComplete";
/// The codes by which it says that it does not know or trust us, beside those with status
/// 401 and 403.
const DENIALS: [&str; 7] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "OptInRequired",
    "SignatureDoesNotMatch",
];

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The account has been called with too often; nothing was done.
    Throttled {
        message: String,
        retry_after: Option<Duration>,
    },
    /// Earlier changes of the zone are on their way still; nothing was done.
    Busy {
        message: String,
        retry_after: Option<Duration>,
    },
    /// It does not take this, because of what is in it; nothing was done.
    Refused(String),
    /// We may not; nothing was done.
    Denied(String),
    /// There is no such zone; nothing was done.
    NoSuchZone(String),
    /// The call was never sent.
    NotSent(String),
    /// It fails for now, or the answer was lost. Nobody knows what was done.
    Lost(String),
    /// The answer cannot be understood. Nobody knows what was done.
    Garbled(String),
}

impl Failure {
    /// What the SDK says of a call.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let shown = || DisplayErrorContext(error).to_string();
        match error {
            SdkError::ConstructionFailure(_) => Self::NotSent(shown()),
            SdkError::DispatchFailure(_) if never_sent(error) => Self::NotSent(shown()),
            SdkError::ServiceError(service) => Self::answered(service.err(), service.raw()),
            SdkError::ResponseError(_) => Self::Garbled(shown()),
            _ => Self::Lost(shown()),
        }
    }

    fn answered(error: &impl ProvideErrorMetadata, answer: &HttpResponse) -> Self {
        let status = answer.status().as_u16();
        let Some(code) = error.code() else {
            let message = format!("status {status}, and no answer of Route 53's");
            return match status {
                429 => Self::Throttled {
                    message,
                    retry_after: retry_after(answer),
                },
                500.. => Self::Lost(message),
                _ => Self::Garbled(message),
            };
        };
        let message = match error.message() {
            Some(text) => format!("{code}: {text}"),
            None => code.to_owned(),
        };
        match code {
            _ if THROTTLES.contains(&code) || status == 429 => Self::Throttled {
                message,
                retry_after: retry_after(answer),
            },
            PRIOR_REQUEST => Self::Busy {
                message,
                retry_after: retry_after(answer),
            },
            _ if DENIALS.contains(&code) || matches!(status, 401 | 403) => Self::Denied(message),
            "NoSuchHostedZone" => Self::NoSuchZone(message),
            _ if status >= 500 => Self::Lost(message),
            _ if status < 400 => Self::Garbled(message),
            _ => Self::Refused(message),
        }
    }

    /// Whether another try may go better.
    pub(super) fn passes(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. } | Self::Busy { .. } | Self::Lost(_) | Self::NotSent(_)
        )
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Throttled { message, retry_after } | Failure::Busy { message, retry_after } => {
                Self::Throttled { message, retry_after }
            }
            Failure::Denied(message) => Self::Denied(message),
            Failure::NoSuchZone(message) => Self::NoSuchZone(message),
            Failure::NotSent(message) | Failure::Lost(message) => Self::Unavailable(message),
            Failure::Refused(message) | Failure::Garbled(message) => Self::Malformed(message),
        }
    }
}

/// Whether there was no connection, or no key to sign with.
fn never_sent<E: StdError + 'static>(error: &SdkError<E, HttpResponse>) -> bool {
    let mut source = StdError::source(error);
    while let Some(error) = source {
        let unconnected = error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect);
        if unconnected || error.is::<CredentialsError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let seconds = answer.headers().get("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
