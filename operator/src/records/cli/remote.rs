//! The flags of the provider remote.

use std::path::PathBuf;

use clap::Args;

/// A central server that keeps zones for many clusters.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider remote")]
pub struct RemoteArgs {
    /// The folder that a Secret is mounted at, each key a file: REMOTE_ENDPOINT, NAMESPACE,
    /// CLIENT_CERT or tls.crt, CLIENT_KEY or tls.key, and if need be SERVER_CA_CERT or ca.crt
    /// and OVERRIDE_SERVER_NAME. A changed Secret is taken over while the program runs.
    #[arg(long = "remote-secret-dir", value_name = "DIR")]
    pub secret_dir: Option<PathBuf>,
}
