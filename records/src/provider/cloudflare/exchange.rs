//! Calls of Cloudflare's API.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::envelope::{self, Answer, Failure, ResultInfo};
use super::settings::InvalidSettings;
use super::{Credentials, Settings};
use crate::pace::Pace;
use crate::provider::http_client::{self, explained, retry_after};
use crate::webhook::append;

/// How long a call may take: a page of 5,000 records has some megabytes.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest answer that is read, in octets.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Makes calls, each when its turn has come.
pub(super) struct Exchange {
    client: Client,
    base: Url,
    credentials: Credentials,
    pace: Pace,
}

impl Exchange {
    pub(super) fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let base = settings.base_url.clone();
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(InvalidSettings::Address(base));
        }
        Ok(Self {
            client: http_client::new(&base, TIMEOUT)?,
            base,
            credentials: settings.credentials.clone(),
            pace: Pace::new(settings.rate),
        })
    }

    /// Reads what is at a path.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<(T, Option<ResultInfo>), Failure> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let (result, info) = self.call(self.client.request(Method::GET, url)).await?;
        Ok((result.ok_or_else(no_result)?, info))
    }

    /// Sends something to a path.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::NotSent(error.to_string()))?;
        let request = self.client.request(method, self.url(path));
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let (result, _) = self.call(request).await?;
        result.ok_or_else(no_result)
    }

    /// Deletes what is at a path.
    pub(super) async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        let request = self.client.request(Method::DELETE, self.url(path));
        self.call::<serde_json::Value>(request).await.map(|_| ())
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<Answer<T>, Failure> {
        self.pace.turn().await;
        let request = self.credentials.sign(request).map_err(Failure::Denied)?;
        let answer = request.send().await.map_err(|error| {
            let reason = explained(&error);
            if error.is_connect() || error.is_builder() {
                Failure::NotSent(reason)
            } else {
                Failure::NoAnswer(reason)
            }
        })?;
        let status = answer.status();
        let retry_after = retry_after(answer.headers());
        let decoded = envelope::decode(status, retry_after, &body(answer).await?);
        match &decoded {
            Err(Failure::Throttled { retry_after, .. }) => {
                self.pace.pause(retry_after.unwrap_or_default());
            }
            Err(Failure::Denied(_)) => self.credentials.forget(),
            _ => {}
        }
        decoded
    }
}

fn no_result() -> Failure {
    Failure::Unreadable("its answer has no result".to_owned())
}

/// The body of an answer. Of one that is cut off after a status of failure, what there is.
async fn body(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let failed = !answer.status().is_success();
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(piece)) => append(&mut body, &piece, MAX_BODY)
                .map_err(|error| Failure::Unreadable(format!("its answer is too long: {error}")))?,
            Ok(None) => return Ok(body),
            Err(_) if failed => return Ok(body),
            Err(error) if error.is_timeout() => return Err(Failure::NoAnswer(explained(&error))),
            Err(error) => {
                let reason = explained(&error);
                return Err(Failure::Unreadable(format!("its answer is cut off: {reason}")));
            }
        }
    }
}
