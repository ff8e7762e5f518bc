//! The command line of the central server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use remote::server::Quota;

use super::CacheArgs;
use crate::records::dns_provider::cli::DnsProviderArgs;

/// An hour.
const HOUR: Duration = Duration::from_secs(3600);

/// How to serve zones to other clusters.
#[derive(Debug, Args)]
// Every read of a client would be one of the provider, and every write one more.
#[command(mut_arg("provider_cache_time", |argument| argument.default_value("10m")))]
#[command(mut_arg("provider_cache_patch_on_apply", |argument| argument.hide(true)))]
pub struct ServeArgs {
    /// Where to serve gRPC, by Gardener's protocol and by ours, over TLS alone.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:7777")]
    pub address: SocketAddr,
    /// A folder with the server's certificate (tls.crt), its key (tls.key) and the
    /// authorities of clients (ca.crt), as PEM: a mounted Secret. It is followed without a
    /// restart.
    #[arg(long, value_name = "DIR")]
    pub tls_dir: PathBuf,
    /// A file with DNSProviders and their Secrets, as YAML or JSON, in the place of a
    /// cluster; may be given more than once. It is followed without a restart.
    #[arg(long = "providers", value_name = "FILE", help_heading = "DNSProviders")]
    pub providers: Vec<PathBuf>,
    /// The cluster whose DNSProviders are served; the one the program runs in when not given.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG", help_heading = "DNSProviders")]
    pub kubeconfig: Option<PathBuf>,
    /// Which DNSProviders count.
    #[command(flatten)]
    pub dns_providers: DnsProviderArgs,
    /// How records are kept in memory and on disk: each account has a folder of its own.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// How much a namespace may ask for.
    #[command(flatten)]
    pub quota: QuotaArgs,
    /// Lead by a Lease of this namespace, dns-operator-records-serve: of several servers one
    /// talks to the providers, and the others wait. Without it, this server leads.
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "providers")]
    pub leader_election_namespace: Option<String>,
    /// The pod that this server runs in, of the namespace of --leader-election-namespace.
    /// While the server leads it has the label dns.gardener.cloud/central-role=leader, by
    /// which a Service finds it. Without it no pod is labelled.
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    pub pod_name: Option<String>,
    /// Where to serve /metrics, /healthz and /readyz in plain text.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:7979")]
    pub metrics_address: SocketAddr,
}

impl ServeArgs {
    /// The name of the pod, where there is one.
    #[must_use]
    pub fn pod(&self) -> Option<&str> {
        self.pod_name.as_deref().filter(|name| !name.is_empty())
    }
}

/// How many changes a namespace may ask for.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Quotas")]
pub struct QuotaArgs {
    /// How many changes the clients of a namespace may ask for in an hour; any number when
    /// not given.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub namespace_changes_per_hour: Option<u32>,
    /// How many of them at once after a rest; those of an hour when not given.
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "namespace_changes_per_hour",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub namespace_changes_burst: Option<u32>,
}

impl QuotaArgs {
    /// The quota of each namespace; none where any number is allowed.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        let changes = self.namespace_changes_per_hour.filter(|changes| *changes > 0)?;
        Some(Quota {
            burst: self.namespace_changes_burst.unwrap_or(changes),
            interval: HOUR / changes,
        })
    }
}
