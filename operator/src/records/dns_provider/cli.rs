//! The command line of DNSProviders.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::controller;
use super::object::DEFAULT_CLASS;
use super::settings::Addresses;
use crate::records::cli::{CacheArgs, interval};
use crate::records::settings::{cloudflare_base_url, record_cache};

/// Which DNSProviders count, and how often their accounts are asked for zones.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "DNSProviders")]
pub struct DnsProviderArgs {
    /// A namespace whose DNSProviders count; may be given more than once. All of them when not
    /// given.
    #[arg(long = "provider-namespace", value_name = "NAMESPACE")]
    pub namespaces: Vec<String>,
    /// Only DNSProviders of this class count, by their annotation dns.gardener.cloud/class;
    /// those without are of the class gardendns, as for Gardener's controller: give another
    /// one where that runs too.
    #[arg(long, value_name = "CLASS", default_value = DEFAULT_CLASS)]
    pub dns_class: String,
    /// How often each account is asked which zones it has.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = interval)]
    pub zone_cache_time: Duration,
}

impl DnsProviderArgs {
    /// What the controller does its work by. The environment says where Cloudflare is
    /// (`CLOUDFLARE_BASE_URL`).
    pub fn settings(&self, cache: &CacheArgs) -> anyhow::Result<controller::Settings> {
        Ok(controller::Settings {
            namespaces: BTreeSet::from_iter(self.namespaces.clone()).into_iter().collect(),
            class: self.dns_class.clone(),
            zone_cache_time: self.zone_cache_time,
            cache: record_cache(cache)?,
            addresses: Addresses {
                cloudflare: cloudflare_base_url()?,
                route53: None,
            },
            tells: true,
        })
    }
}
