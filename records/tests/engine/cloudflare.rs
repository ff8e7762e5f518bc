//! Records as Cloudflare has them, and as external-dns writes them. What is sent and what
//! comes of it: `tests/suite/records/cloudflare`.

mod adjusted;
mod answers;
mod listed;

use std::time::Duration;

use records::batch;
use records::pace::Rate;
use records::provider::cloudflare::{Credentials, Settings};

/// The settings of an account that nobody has.
fn settings() -> Settings {
    Settings {
        // Plain text, so that no certificates are read.
        base_url: "http://localhost:1/".parse().unwrap(),
        credentials: Credentials::token("none"),
        zone_ids: Vec::new(),
        zones_time: Duration::ZERO,
        per_page: 5_000,
        proxied: false,
        comment: Box::default(),
        custom_hostnames: None,
        region_key: None,
        rate: Rate {
            burst: 1_000,
            calls: 1_000,
            period: Duration::from_secs(1),
        },
        batch: batch::Settings::default(),
    }
}
