//! `cloudflare-dns`: the zones of a token (Gardener, `docs/cloudflare`).

use std::time::Duration;

use records::batch;
use records::pace::Rate;
use records::provider::cloudflare::{Credentials, MAX_PER_PAGE, Settings};

use super::super::secret::SecretData;
use super::Addresses;
use crate::records::settings::CLOUDFLARE_RATE;

/// The longest token, in octets.
const LONGEST_TOKEN: usize = 100;

/// The settings of the provider; why the Secret makes none.
pub(super) fn settings(
    data: &SecretData,
    limit: Option<Rate>,
    addresses: &Addresses,
) -> Result<Settings, String> {
    let token = data.required(&["CLOUDFLARE_API_TOKEN", "apiToken"])?;
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-');
    // Nor may it name a file of ours.
    if token.text.len() > LONGEST_TOKEN || !token.text.bytes().all(is_token) {
        return Err(token.refused_unseen("at most 100 letters, digits, dots, hyphens and underscores"));
    }
    Ok(Settings {
        base_url: addresses.cloudflare.clone(),
        credentials: Credentials::token(token.text),
        zone_ids: Vec::new(),
        // Whoever asks for the list keeps it.
        zones_time: Duration::ZERO,
        per_page: MAX_PER_PAGE,
        proxied: false,
        comment: "".into(),
        custom_hostnames: None,
        region_key: None,
        rate: limit.unwrap_or(CLOUDFLARE_RATE),
        batch: batch::Settings::default(),
    })
}
