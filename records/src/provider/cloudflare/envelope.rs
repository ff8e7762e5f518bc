//! What Cloudflare answers: the envelope of results, and what its errors mean. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ProviderError;

/// How much of an answer that is not understood is shown, in characters.
const SHOWN: usize = 120;

/// An identical record exists.
pub(super) const IDENTICAL_EXISTS: u32 = 81_058;
/// A record does not exist.
pub(super) const NO_RECORD: u32 = 81_044;
/// Records of other types or with other data are in the way: an address or alias with that
/// name, an alias with that name, name servers with that name, the record.
pub(super) const IN_THE_WAY: [u32; 5] = [81_053, 81_054, 81_055, 81_056, 81_057];
/// We are not let in: malformed or unknown credentials, or too few rights.
const DENIED: [u32; 11] = [
    6_003, 6_100, 6_102, 6_103, 6_111, 9_103, 9_106, 9_107, 9_109, 10_000, 10_001,
];
/// There is no such path, as of a zone that is gone.
const NO_ZONE: [u32; 3] = [1_001, 7_000, 7_003];
/// The zones of these numbers are of contents of records.
const CONTENT: [std::ops::RangeInclusive<u32>; 3] = [1_004..=1_004, 9_000..=9_999, 81_000..=81_999];

/// What is around every result.
#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    #[serde(default)]
    errors: Vec<ApiError>,
    result: Option<T>,
    result_info: Option<ResultInfo>,
}

#[derive(Deserialize)]
struct ApiError {
    code: Option<u32>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    error_chain: Vec<ApiError>,
}

/// Which part of a list this is.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct ResultInfo {
    /// How many there are in all.
    pub total_count: usize,
}

/// A result if there is one, and which part of a list it is.
pub(super) type Answer<T> = (Option<T>, Option<ResultInfo>);

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing was sent, or nothing of it reached Cloudflare's API.
    NotSent(String),
    /// It was sent, and no answer came, or not in time.
    NoAnswer(String),
    /// It was taken, and the answer is cut off or not of the form that is known.
    Unreadable(String),
    /// Too many calls.
    Throttled {
        message: String,
        retry_after: Option<Duration>,
    },
    /// Not with these credentials.
    Denied(String),
    /// There is no such zone.
    NoSuchZone(String),
    /// Cloudflare fails for now.
    Down(String),
    /// It does not take what was sent.
    Refused(Refusal),
}

/// What Cloudflare does not take, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// In its own words, with its codes.
    pub message: String,
    codes: Vec<u32>,
    too_large: bool,
}

impl Refusal {
    /// Whether it is one of these errors.
    pub fn is(&self, codes: &[u32]) -> bool {
        self.codes.iter().any(|code| codes.contains(code))
    }

    /// Whether so many operations may be too many: it says so, or says nothing of records.
    pub fn may_mean_too_many(&self) -> bool {
        let words = self.message.to_ascii_lowercase();
        let of_content = |code: &u32| CONTENT.iter().any(|codes| codes.contains(code));
        self.too_large
            || words.contains("batch")
            || words.contains("too many")
            || words.contains("operations")
            || !self.codes.iter().any(of_content)
    }
}

/// What an answer with this status and body says.
pub(super) fn decode<T: DeserializeOwned>(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Result<Answer<T>, Failure> {
    let envelope = serde_json::from_slice::<Envelope<T>>(body);
    match envelope {
        Ok(Envelope {
            success: true,
            result,
            result_info,
            ..
        }) if status.is_success() => Ok((result, result_info)),
        Err(error) if status.is_success() => Err(Failure::Unreadable(format!(
            "its answer is cut off or of no form that is known ({error}): {}",
            shown(body)
        ))),
        _ => Err(failure(status, retry_after, body)),
    }
}

/// What an answer without a result means.
fn failure(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Failure {
    let envelope = serde_json::from_slice::<Envelope<serde_json::Value>>(body).ok();
    let errors = envelope.map(|envelope| envelope.errors).unwrap_or_default();
    let (mut message, mut codes) = (String::new(), Vec::new());
    tell(&errors, &mut message, &mut codes);
    let speaks = !errors.is_empty();
    if !speaks {
        message = format!("status {status}: {}", shown(body));
    }
    let is = |known: &[u32]| codes.iter().any(|code| known.contains(code));
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Failure::Throttled { message, retry_after };
    }
    if status.is_server_error() {
        return Failure::Down(message);
    }
    if is(&DENIED) || matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Failure::Denied(message);
    }
    if is(&NO_ZONE) || status == StatusCode::NOT_FOUND && !is(&[NO_RECORD]) {
        return Failure::NoSuchZone(message);
    }
    let too_large = status == StatusCode::PAYLOAD_TOO_LARGE;
    if speaks || too_large {
        return Failure::Refused(Refusal {
            message,
            codes,
            too_large,
        });
    }
    if status.is_success() {
        Failure::Unreadable(message)
    } else {
        // Not Cloudflare's API speaks, but something before it.
        Failure::NotSent(message)
    }
}

/// Errors in Cloudflare's words, with the codes; what each was caused by comes after it.
fn tell(errors: &[ApiError], message: &mut String, codes: &mut Vec<u32>) {
    for error in errors {
        if !message.is_empty() {
            message.push_str("; ");
        }
        // Writing to a String cannot fail.
        let _ = match error.code {
            Some(code) => write!(message, "{} ({code})", error.message),
            None => write!(message, "{}", error.message),
        };
        codes.extend(error.code);
        tell(&error.error_chain, message, codes);
    }
}

/// The beginning of an answer, in one line.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words: Vec<&str> = text.split_whitespace().take(SHOWN).collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?} …", &line[..end]),
        None => format!("{line:?}"),
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::NotSent(message)
            | Self::NoAnswer(message)
            | Self::Unreadable(message)
            | Self::Throttled { message, .. }
            | Self::Denied(message)
            | Self::NoSuchZone(message)
            | Self::Down(message) => message,
            Self::Refused(refusal) => &refusal.message,
        })
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Throttled { message, retry_after } => Self::Throttled { message, retry_after },
            Failure::Denied(message) => Self::Denied(message),
            Failure::NoSuchZone(message) => Self::NoSuchZone(message),
            Failure::Unreadable(message) => Self::Malformed(message),
            Failure::Refused(refusal) => Self::Malformed(refusal.message),
            Failure::NotSent(message) | Failure::NoAnswer(message) | Failure::Down(message) => {
                Self::Unavailable(message)
            }
        }
    }
}
