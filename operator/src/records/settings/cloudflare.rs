//! From the command line to the settings of Cloudflare.

use std::env;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use records::batch;
use records::pace::Rate;
use records::provider::cloudflare::{BASE_URL, Credentials, CustomHostnameSettings, Settings};
use url::Url;

use crate::records::cli::{CertificateAuthority, CloudflareArgs};

/// What Cloudflare allows an account: 1,200 calls in any five minutes, those at once after a
/// rest among them.
pub const RATE: Rate = Rate {
    burst: 200,
    calls: 1_000,
    period: Duration::from_secs(300),
};

/// How long the list of zones is used: a pass that has nothing to do makes no call.
const ZONES_TIME: Duration = Duration::from_secs(300);

/// The settings of the provider, and which account it stands for.
pub fn settings(
    args: &CloudflareArgs,
    zone_ids: &[String],
    batch: batch::Settings,
) -> anyhow::Result<(Settings, String)> {
    let authority = args.certificate_authority;
    let authority = (authority != CertificateAuthority::None)
        .then(|| authority.to_possible_value())
        .flatten();
    let zone_ids = zone_ids.iter().filter(|id| !id.is_empty());
    let zone_ids: Vec<Box<str>> = zone_ids.map(|id| id.as_str().into()).collect();
    let base_url = base_url()?;
    let identity = format!("{base_url} {}", zone_ids.join(","));
    let regional = args.regional_services || !args.region_key.is_empty();
    let settings = Settings {
        base_url,
        credentials: credentials()?,
        zone_ids,
        zones_time: ZONES_TIME,
        per_page: args.records_per_page,
        proxied: args.proxied,
        comment: args.record_comment.as_str().into(),
        custom_hostnames: args.custom_hostnames.then(|| CustomHostnameSettings {
            min_tls_version: args.min_tls_version.as_str().into(),
            certificate_authority: authority.map(|authority| authority.get_name().into()),
        }),
        region_key: regional.then(|| args.region_key.as_str().into()),
        rate: RATE,
        batch,
    };
    Ok((settings, identity))
}

fn credentials() -> anyhow::Result<Credentials> {
    match (
        variable("CF_API_TOKEN"),
        variable("CF_API_KEY"),
        variable("CF_API_EMAIL"),
    ) {
        (Some(token), ..) => Ok(Credentials::token(&token)),
        (None, Some(key), Some(email)) => Ok(Credentials::key(&key, &email)),
        _ => bail!(
            "--provider=cloudflare: CF_API_TOKEN, or CF_API_KEY and CF_API_EMAIL, is required in the environment"
        ),
    }
}

/// Where Cloudflare's API is, by the environment.
pub fn base_url() -> anyhow::Result<Url> {
    let text = variable("CLOUDFLARE_BASE_URL");
    let text = text.as_deref().unwrap_or(BASE_URL);
    Url::parse(text).with_context(|| format!("CLOUDFLARE_BASE_URL is {text:?}"))
}

/// A variable of the environment; one that is empty counts as not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
