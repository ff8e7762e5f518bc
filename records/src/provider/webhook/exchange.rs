//! Requests to a webhook provider, and what becomes of them.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use url::Url;

use crate::provider::http_client::{self, explained, retry_after};
use crate::webhook::{MEDIA_TYPE, append};
use crate::{Outcome, ProviderError};

use super::{InvalidSettings, Settings};

/// The most octets of what a provider says of its failure.
const MAX_EXPLANATION: usize = 1024;

/// Sends requests to one provider.
pub(super) struct Exchange {
    client: Client,
    base: Url,
    max_body_size: usize,
}

/// An answer with a 2xx status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) media_type: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Why there is no such answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, and no answer came, or not in time.
    NoAnswer(String),
    /// The answer is cut off, or too long.
    Unreadable(String),
    /// Another status than 2xx.
    Status {
        status: StatusCode,
        retry_after: Option<Duration>,
        explanation: String,
    },
}

impl Exchange {
    pub(super) fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let mut base = settings.url.clone();
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(InvalidSettings::Address(base));
        }
        base.set_query(None);
        base.set_fragment(None);
        let timeout = settings.read_timeout.saturating_add(settings.write_timeout);
        Ok(Self {
            client: http_client::new(&base, timeout)?,
            base,
            max_body_size: settings.max_body_size.unwrap_or(usize::MAX),
        })
    }

    /// Where the provider is, without a password.
    pub(super) fn address(&self) -> String {
        let mut shown = self.base.clone();
        // A URL with a host can have a user.
        let _ = shown.set_username("").and_then(|()| shown.set_password(None));
        shown.to_string()
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.exchange(self.client.get(self.url(path))).await
    }

    pub(super) async fn post(&self, path: &str, body: Vec<u8>) -> Result<Answer, Failure> {
        let request = self.client.post(self.url(path));
        self.exchange(request.header(CONTENT_TYPE, MEDIA_TYPE).body(body))
            .await
    }

    /// The base path is kept, and nothing is added to it for no path.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if !path.is_empty() {
            url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        }
        url
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let answer = request.header(ACCEPT, MEDIA_TYPE).send().await.map_err(|error| {
            let reason = explained(&error);
            if error.is_connect() || error.is_builder() {
                Failure::NotSent(reason)
            } else {
                Failure::NoAnswer(reason)
            }
        })?;
        let status = answer.status();
        if !status.is_success() {
            return Err(Failure::Status {
                status,
                retry_after: retry_after(answer.headers()),
                explanation: explanation(answer).await,
            });
        }
        let media_type = answer.headers().get(CONTENT_TYPE);
        Ok(Answer {
            status: status.as_u16(),
            media_type: media_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            body: self.body(answer).await?,
        })
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => append(&mut body, &piece, self.max_body_size).map_err(|error| {
                    Failure::Unreadable(format!("{error} of --webhook-provider-max-body-size"))
                })?,
                Ok(None) => return Ok(body),
                Err(error) if error.is_timeout() => return Err(Failure::NoAnswer(explained(&error))),
                Err(error) => {
                    return Err(Failure::Unreadable(format!(
                        "the answer is cut off: {}",
                        explained(&error)
                    )));
                }
            }
        }
    }
}

/// The beginning of what a provider says of its failure, if it says anything.
async fn explanation(mut answer: Response) -> String {
    let mut text = Vec::new();
    while text.len() < MAX_EXPLANATION {
        let Ok(Some(piece)) = answer.chunk().await else {
            break;
        };
        text.extend_from_slice(&piece);
    }
    text.truncate(MAX_EXPLANATION);
    String::from_utf8_lossy(&text).trim().to_owned()
}

impl Failure {
    /// Whether it may be otherwise in a moment.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::NoAnswer(_) => true,
            Self::Unreadable(_) => false,
            Self::Status { status, .. } => status.is_server_error(),
        }
    }

    /// What it says of changes that were sent.
    pub(super) fn outcome(self) -> Outcome {
        let reason = self.to_string();
        match self {
            Self::NotSent(_) => Outcome::postponed(reason),
            Self::NoAnswer(_) | Self::Unreadable(_) => Outcome::Unknown { reason },
            Self::Status {
                status, retry_after, ..
            } => match status {
                StatusCode::TOO_MANY_REQUESTS => Outcome::Postponed {
                    reason,
                    throttled: true,
                    retry_after,
                },
                // It says nothing of the changes.
                StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::REQUEST_TIMEOUT => Outcome::postponed(reason),
                status if status.is_client_error() => Outcome::Rejected { reason },
                _ => Outcome::Unknown { reason },
            },
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(reason) | Self::NoAnswer(reason) | Self::Unreadable(reason) => {
                formatter.write_str(reason)
            }
            Self::Status {
                status, explanation, ..
            } if explanation.is_empty() => write!(formatter, "status {status}"),
            Self::Status {
                status, explanation, ..
            } => write!(formatter, "status {status}: {explanation}"),
        }
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        let message = failure.to_string();
        match failure {
            Failure::NotSent(_) | Failure::NoAnswer(_) => Self::Unavailable(message),
            Failure::Unreadable(_) => Self::Malformed(message),
            Failure::Status {
                status, retry_after, ..
            } => match status {
                StatusCode::TOO_MANY_REQUESTS => Self::Throttled { message, retry_after },
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Denied(message),
                status if status.is_server_error() => Self::Unavailable(message),
                _ => Self::Malformed(message),
            },
        }
    }
}
