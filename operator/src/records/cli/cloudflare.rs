//! The flags of the provider cloudflare, by the names that external-dns has for them. What
//! lets us in stands in the environment alone.

use clap::{Args, ValueEnum};
use records::provider::cloudflare::MAX_PER_PAGE;

/// An account at Cloudflare.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider cloudflare")]
pub struct CloudflareArgs {
    /// Proxy records that do not say whether they are to be.
    #[arg(long = "cloudflare-proxied")]
    pub proxied: bool,
    /// How many records are listed at a time.
    #[arg(
        long = "cloudflare-dns-records-per-page",
        value_name = "NUMBER",
        default_value_t = MAX_PER_PAGE,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PER_PAGE))
    )]
    pub records_per_page: u32,
    /// The comment of records that have none.
    #[arg(long = "cloudflare-record-comment", value_name = "TEXT", default_value = "")]
    pub record_comment: String,
    /// Keep custom hostnames (Cloudflare for SaaS).
    #[arg(long = "cloudflare-custom-hostnames")]
    pub custom_hostnames: bool,
    /// The least version of TLS at custom hostnames.
    #[arg(
        long = "cloudflare-custom-hostnames-min-tls-version",
        value_name = "VERSION",
        default_value = "1.0",
        value_parser = ["1.0", "1.1", "1.2", "1.3"]
    )]
    pub min_tls_version: String,
    /// Who signs the certificates of custom hostnames.
    #[arg(
        long = "cloudflare-custom-hostnames-certificate-authority",
        value_enum,
        default_value_t = CertificateAuthority::None
    )]
    pub certificate_authority: CertificateAuthority,
    /// Keep the regions of hostnames (Regional Services).
    #[arg(long = "cloudflare-regional-services")]
    pub regional_services: bool,
    /// The region of hostnames that do not name one; turns Regional Services on.
    #[arg(long = "cloudflare-region-key", value_name = "REGION", default_value = "")]
    pub region_key: String,
}

/// Who signs certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum CertificateAuthority {
    /// Google Trust Services.
    Google,
    /// SSL.com.
    SslCom,
    /// Let's Encrypt.
    LetsEncrypt,
    /// Whom Cloudflare chooses.
    None,
}
