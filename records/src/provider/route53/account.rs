//! An account at AWS: how it is called, as whom, and how often.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::http::HttpResponse;
use aws_sdk_route53::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use tokio::time::sleep;

use super::failure::Failure;
use super::settings::Settings;
use crate::pace::Pace;

/// Where requests are signed for if nobody says otherwise: Route 53 is the same everywhere.
const REGION: &str = "us-east-1";
/// How long everybody waits who was told to wait, but not how long.
const PAUSE: Duration = Duration::from_secs(1);

/// A call of the SDK on its way.
pub(super) type Call<T, E> = BoxFuture<'static, Result<T, SdkError<E, HttpResponse>>>;

/// The account whose zones are kept.
pub(super) struct Account {
    settings: Settings,
    client: OnceCell<Client>,
    pace: Pace,
}

impl Account {
    /// Nobody is called before the first call.
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            pace: Pace::new(settings.rate),
            client: OnceCell::new(),
            settings,
        }
    }

    /// Makes a call that changes nothing, again if it may go better then.
    pub(super) async fn read<T, E>(&self, call: impl Fn(&Client) -> Call<T, E>) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut tries = 0;
        loop {
            let failure = match self.once(&call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.judged(&error),
            };
            if tries == self.settings.retries || !failure.passes() {
                return Err(failure);
            }
            if !matches!(failure, Failure::Throttled { .. }) {
                sleep(PAUSE * 2_u32.saturating_pow(tries)).await;
            }
            tries += 1;
        }
    }

    /// Makes a call once, when it has its turn.
    pub(super) async fn once<T, E>(
        &self,
        call: impl Fn(&Client) -> Call<T, E>,
    ) -> Result<T, SdkError<E, HttpResponse>> {
        let client = self
            .client
            .get_or_init(|| Box::pin(connect(&self.settings)))
            .await;
        self.pace.turn().await;
        call(client).await
    }

    /// Why a call failed; if it was one too many, everybody waits.
    pub(super) fn judged<E>(&self, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let failure = Failure::of(error);
        if let Failure::Throttled { retry_after, .. } = &failure {
            self.pace.pause(retry_after.unwrap_or(PAUSE));
        }
        failure
    }
}

/// Finds out who we are. The SDK tries nothing again: what came of a write would be unknown,
/// and reads have to wait for their turn.
async fn connect(settings: &Settings) -> Client {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let identity = &settings.identity;
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(Builder::new().tls_provider(tls).build_https());
    if let Some(profile) = &identity.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &identity.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(key) = &identity.key {
        // Who brings a key asks nobody on the way, not even for a region.
        if identity.region.is_none() {
            loader = loader.region(Region::new(REGION));
        }
        let token = key.session_token.clone();
        loader = loader.credentials_provider(Credentials::new(&key.id, &key.secret, token, None, "settings"));
    }
    let config = loader.load().await;
    let region = config.region().cloned().unwrap_or(Region::new(REGION));
    let mut builder = aws_sdk_route53::config::Builder::from(&config)
        .region(region.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(settings.timeout)
                .build(),
        );
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint_url(endpoint.as_str());
    }
    if let Some(role) = &identity.role {
        let external_id = identity.external_id.as_deref();
        builder = builder.credentials_provider(assumed(role, external_id, region, &config).await);
    }
    Client::from_conf(builder.build())
}

async fn assumed(
    role: &str,
    external_id: Option<&str>,
    region: Region,
    config: &SdkConfig,
) -> AssumeRoleProvider {
    let mut provider = AssumeRoleProvider::builder(role)
        .session_name("dns-operator")
        .configure(config)
        .region(region);
    if let Some(id) = external_id {
        provider = provider.external_id(id);
    }
    provider.build().await
}
