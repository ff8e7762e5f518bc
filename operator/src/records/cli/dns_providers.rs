//! The flags of the provider dns-providers.

use std::path::PathBuf;

use clap::Args;

use crate::records::dns_provider::cli::DnsProviderArgs;

/// The accounts of DNSProviders.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider dns-providers")]
pub struct DnsProvidersArgs {
    /// A file with DNSProviders and their Secrets, as YAML or JSON, in the place of a
    /// cluster; may be given more than once. It is followed without a restart.
    #[arg(long = "dns-provider-file", value_name = "FILE")]
    pub dns_provider_files: Vec<PathBuf>,
    /// Which DNSProviders count.
    #[command(flatten)]
    pub which: DnsProviderArgs,
}
