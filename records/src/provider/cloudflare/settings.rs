//! What must be told of an account at Cloudflare to keep its zones.

use std::time::Duration;

use thiserror::Error;
use url::Url;

use super::Credentials;
use crate::batch;
use crate::pace::Rate;

/// Where Cloudflare's API is.
pub const BASE_URL: &str = "https://api.cloudflare.com/client/v4/";
/// The most records that Cloudflare lists on one page.
pub const MAX_PER_PAGE: u32 = 5_000;

/// How the zones of an account are kept.
#[derive(Debug)]
pub struct Settings {
    /// Where the API is (`CLOUDFLARE_BASE_URL`).
    pub base_url: Url,
    /// Who we are.
    pub credentials: Credentials,
    /// The zones that are kept, by their ids (`--zone-id-filter`); all of the account when
    /// there are none.
    pub zone_ids: Vec<Box<str>>,
    /// How long the list of zones is used before it is asked for again; zero asks each time.
    pub zones_time: Duration,
    /// How many records are listed at a time, 1 to 5,000
    /// (`--cloudflare-dns-records-per-page`).
    pub per_page: u32,
    /// Whether records that do not say so are proxied (`--cloudflare-proxied`).
    pub proxied: bool,
    /// The comment of records that have none (`--cloudflare-record-comment`); empty is none.
    pub comment: Box<str>,
    /// Custom hostnames (`--cloudflare-custom-hostnames`); none leaves them alone.
    pub custom_hostnames: Option<CustomHostnameSettings>,
    /// The region of hostnames that do not name one (`--cloudflare-region-key`), empty for
    /// no region; none leaves regional hostnames alone (`--cloudflare-regional-services`).
    pub region_key: Option<Box<str>>,
    /// How often the account is called.
    pub rate: Rate,
    /// How batches are sent.
    pub batch: batch::Settings,
}

/// What certificates of custom hostnames are like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomHostnameSettings {
    /// The least version of TLS (`--cloudflare-custom-hostnames-min-tls-version`).
    pub min_tls_version: Box<str>,
    /// Who signs them (`--cloudflare-custom-hostnames-certificate-authority`); none for
    /// Cloudflare's choice.
    pub certificate_authority: Option<Box<str>>,
}

/// Why there is no client.
#[derive(Debug, Error)]
pub enum InvalidSettings {
    /// Another scheme than HTTP, or no host.
    #[error("CLOUDFLARE_BASE_URL is {0}: http://HOST or https://HOST is needed")]
    Address(Url),
    /// Pages that Cloudflare does not have.
    #[error("--cloudflare-dns-records-per-page is {0}: 1 to {MAX_PER_PAGE} are allowed")]
    PerPage(u32),
    /// No HTTP client can be made on this machine.
    #[error("making an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}
