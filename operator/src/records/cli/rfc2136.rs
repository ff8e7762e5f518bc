//! The flags of the provider rfc2136.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::duration;

/// A DNS server by DNS UPDATE and zone transfers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider rfc2136")]
pub struct Rfc2136Args {
    /// The server; more than one stand in for each other.
    #[arg(long = "rfc2136-host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// The port; 0 is 53, with TLS 853.
    #[arg(long = "rfc2136-port", value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// A zone that is kept; may be given more than once.
    #[arg(long = "rfc2136-zone", value_name = "ZONE")]
    pub zones: Vec<String>,
    /// Do not sign messages.
    #[arg(long = "rfc2136-insecure")]
    pub insecure: bool,
    /// The name of the TSIG key (RFC 8945).
    #[arg(long = "rfc2136-tsig-keyname", value_name = "NAME")]
    pub tsig_keyname: Option<String>,
    /// The secret of the TSIG key, as base64.
    #[arg(
        long = "rfc2136-tsig-secret",
        value_name = "BASE64",
        env = "EXTERNAL_DNS_RFC2136_TSIG_SECRET",
        hide_env_values = true
    )]
    pub tsig_secret: Option<String>,
    /// The algorithm of the TSIG key: hmac-sha1, -sha224, -sha256, -sha384 or -sha512.
    #[arg(
        long = "rfc2136-tsig-secret-alg",
        value_name = "ALGORITHM",
        default_value = "hmac-sha256"
    )]
    pub tsig_secret_alg: String,
    /// The least TTL that is written.
    #[arg(long = "rfc2136-min-ttl", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub min_ttl: Duration,
    /// Talk to the server over TLS (RFC 9103).
    #[arg(long = "rfc2136-use-tls")]
    pub use_tls: bool,
    /// Take any certificate of the server.
    #[arg(long = "rfc2136-skip-tls-verify")]
    pub skip_tls_verify: bool,
    /// Which of several servers is asked: disabled (the first that answers), round-robin
    /// or random.
    #[arg(
        long = "rfc2136-load-balancing-strategy",
        value_name = "STRATEGY",
        default_value = "disabled"
    )]
    pub load_balancing_strategy: String,
    /// The certificate authorities of the server, as a file of PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Our certificate, as a file of PEM.
    #[arg(long, value_name = "FILE", requires = "tls_client_cert_key")]
    pub tls_client_cert: Option<PathBuf>,
    /// The key of our certificate, as a file of PEM.
    #[arg(long, value_name = "FILE", requires = "tls_client_cert")]
    pub tls_client_cert_key: Option<PathBuf>,
}
