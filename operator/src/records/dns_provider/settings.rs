//! From a DNSProvider and its Secret to the settings of a provider of the engine: by the
//! types, Secret keys and configuration that Gardener has (external-dns-management,
//! `pkg/dnsman2/dns/provider/handler`).

mod cloudflare;
pub mod remote;
mod rfc2136;
mod route53;

use std::time::Duration;

use api::{DnsProviderSpec, DnsRateLimit};
use records::pace::Rate;
use records::provider;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::problem::Problem;
use super::secret::{SecretData, SecretName};

/// The types of accounts that can be used.
pub const TYPES: [&str; 4] = ["aws-route53", "cloudflare-dns", "remote", "rfc2136"];
/// How many hexadecimal digits of a digest tell one account from another.
const DIGITS: usize = 16;
/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Where services are that have one place for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Cloudflare's API.
    pub cloudflare: Url,
    /// Route 53; none is where AWS has it, or its environment says.
    pub route53: Option<Url>,
}

/// A provider of the engine that is not there yet.
#[derive(Debug)]
pub struct Blueprint {
    /// What no other account has: the type, and a digest of all that it is made of; with the
    /// type `remote` of what tells its server and who asks.
    pub name: String,
    /// The provider.
    pub provider: ProviderSettings,
    /// How often it may be called; none where nothing holds it back.
    pub rate: Option<Rate>,
}

/// The settings of a provider of some type.
#[derive(Debug)]
pub enum ProviderSettings {
    /// The zones of a token at Cloudflare.
    Cloudflare(provider::cloudflare::Settings),
    /// The zones of a central server.
    Remote(remote::Settings),
    /// A zone at a server that takes dynamic updates.
    Rfc2136(provider::rfc2136::Settings),
    /// The zones of a key at Route 53.
    Route53(provider::route53::Settings),
}

/// The type of the account, if it is one that can be used.
pub fn provider_type(spec: &DnsProviderSpec) -> Result<&'static str, Problem> {
    let all = TYPES.join(", ");
    let Some(asked) = &spec.provider_type else {
        return Err(Problem::Invalid(format!("spec.type is missing: it takes {all}")));
    };
    let known = TYPES.into_iter().find(|known| known == asked);
    known.ok_or_else(|| Problem::Invalid(format!("spec.type is {asked:?}: it takes {all}")))
}

/// What a specification and the Secret that it names make.
pub fn blueprint(
    spec: &DnsProviderSpec,
    secret: &SecretName,
    data: &SecretData,
    addresses: &Addresses,
) -> Result<Blueprint, Problem> {
    let known = provider_type(spec)?;
    let limit = spec.rate_limit.as_ref().map(rate).transpose()?;
    let config = spec.provider_config.as_ref().filter(|config| !config.is_empty());
    let in_secret = |reason: String| Problem::Error(format!("Secret {secret}: {reason}"));
    let mut identity = digest(data.entries(), config, limit);
    let (provider, rate) = match known {
        "aws-route53" => {
            let batch_size = config.map(route53::batch_size).transpose()?.flatten();
            let settings = route53::settings(data, batch_size, limit, addresses).map_err(in_secret)?;
            let rate = settings.rate;
            (ProviderSettings::Route53(settings), Some(rate))
        }
        "cloudflare-dns" => {
            no_config(known, config)?;
            let settings = cloudflare::settings(data, limit, addresses).map_err(in_secret)?;
            let rate = settings.rate;
            (ProviderSettings::Cloudflare(settings), Some(rate))
        }
        "remote" => {
            no_config(known, config)?;
            let settings = remote::settings(data, limit).map_err(in_secret)?;
            // A renewed certificate shows the same zones: what is known of them stays.
            identity = digest(remote::identity(&settings, secret), config, limit);
            let rate = settings.rate;
            (ProviderSettings::Remote(settings), Some(rate))
        }
        _ => {
            no_config(known, config)?;
            let settings = rfc2136::settings(data).map_err(in_secret)?;
            (ProviderSettings::Rfc2136(settings), limit)
        }
    };
    Ok(Blueprint {
        name: format!("{known}-{identity}"),
        provider,
        rate,
    })
}

/// Whether a text may be the name of an account.
#[must_use]
pub fn is_account_name(text: &str) -> bool {
    let is_digit = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
    TYPES.iter().any(|known| {
        let digest = text.strip_prefix(known).and_then(|rest| rest.strip_prefix('-'));
        digest.is_some_and(|digest| digest.len() == DIGITS && digest.bytes().all(is_digit))
    })
}

fn no_config(known: &str, config: Option<&Map<String, Value>>) -> Result<(), Problem> {
    match config {
        None => Ok(()),
        Some(_) => Err(Problem::Invalid(format!(
            "spec.providerConfig is given: with the type {known} it takes nothing"
        ))),
    }
}

/// How often the account may be called.
fn rate(limit: &DnsRateLimit) -> Result<Rate, Problem> {
    let bounded = |field: &str, value: i64, least: u32| {
        u32::try_from(value)
            .ok()
            .filter(|value| *value >= least)
            .ok_or_else(|| {
                let most = u32::MAX;
                Problem::Invalid(format!(
                    "spec.rateLimit.{field} is {value}: it takes {least} to {most}"
                ))
            })
    };
    Ok(Rate {
        burst: bounded("burst", limit.burst, 0)?,
        calls: bounded("requestsPerDay", limit.requests_per_day, 1)?,
        period: DAY,
    })
}

/// The rate as a status tells it.
#[must_use]
pub fn rate_limit(rate: Rate) -> DnsRateLimit {
    let period = rate.period.max(Duration::from_secs(1)).as_secs();
    let a_day = u64::from(rate.calls) * DAY.as_secs() / period;
    DnsRateLimit {
        burst: rate.burst.into(),
        requests_per_day: i64::try_from(a_day).unwrap_or(i64::MAX),
    }
}

/// What tells an account from another one: DNSProviders that are the same in all of this
/// share one, and so its cache and its rate.
fn digest<'a>(
    data: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    config: Option<&Map<String, Value>>,
    limit: Option<Rate>,
) -> String {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    for (key, value) in data {
        part(key.as_bytes());
        part(value);
    }
    part(b"");
    part(
        config
            .map(|config| Value::Object(config.clone()).to_string())
            .unwrap_or_default()
            .as_bytes(),
    );
    if let Some(Rate { burst, calls, .. }) = limit {
        part(&burst.to_be_bytes());
        part(&calls.to_be_bytes());
    }
    let mut hex = format!("{:x}", digest.finalize());
    hex.truncate(DIGITS);
    hex
}
