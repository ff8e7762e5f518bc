//! The command line of external records. Flags that mean what they mean to external-dns
//! have its names.

mod batch;
mod cloudflare;
mod dns_providers;
mod remote;
mod rfc2136;
mod route53;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api::GoDuration;
use clap::{Args, Parser, Subcommand, ValueEnum};
use records::plan::{Acknowledgement, Policy};
use url::Url;

pub use self::batch::BatchArgs;
pub use self::cloudflare::{CertificateAuthority, CloudflareArgs};
pub use self::dns_providers::DnsProvidersArgs;
pub use self::remote::RemoteArgs;
pub use self::rfc2136::Rfc2136Args;
pub use self::route53::Route53Args;
pub use self::serve::{QuotaArgs, ServeArgs};
use super::source;
use crate::output::Format;

/// Keep external records: zones at DNS servers and services.
///
/// A guide is docs/external-records.md.
#[derive(Debug, Parser)]
#[command(name = "dns-operator-records", bin_name = "dns-operator records", version)]
pub struct Cli {
    /// What to do with them.
    #[command(subcommand)]
    pub command: RecordsCommand,
}

/// What to do with external records.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// Tell what would change, and change nothing.
    ///
    /// Exits with 0 when the zones are as wanted, with 1 when something would change, and
    /// with 2 when the sources or the zones cannot be read or the command line is wrong.
    Plan(PlanArgs),
    /// Make the zones agree with the sources, once.
    ///
    /// Exits with 0 when everything that is wanted is in place, with 1 when something is
    /// not, and with 2 when nothing could be done or the command line is wrong.
    Apply(ApplyArgs),
    /// Keep the zones in agreement with the sources.
    ///
    /// Makes a pass at each interval, and soon after a source has changed. Nothing that a
    /// provider answers ends it.
    Run(RunArgs),
    /// Serve zones to many other clusters, which ask this server instead of the provider.
    ///
    /// Serves the zones of DNSProviders (dns.gardener.cloud/v1alpha1) with the annotation
    /// dns.gardener.cloud/remote-access, to the clients whose certificates are for the
    /// namespace of the DNSProvider. Ends with 0 when it is told to stop.
    Serve(Box<ServeArgs>),
    /// Tell what a record cache on disk holds.
    ///
    /// Only while no other command uses the cache.
    Show(ShowArgs),
    /// Serve a provider to external-dns, by its webhook protocol.
    ///
    /// Point external-dns at it with --provider=webhook and
    /// --webhook-provider-url=http://127.0.0.1:8888.
    Webhook(WebhookArgs),
}

/// What to plan.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What is wanted, and where it goes.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// How to print the changes.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// What to apply.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// What is wanted, and where it goes.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// How to print what came of it.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// How to keep the zones.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What is wanted, and where it goes.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// The time between two passes, such as 1m.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = interval)]
    pub interval: Duration,
    /// The least time between two passes that changes of a source ask for.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub min_event_sync_interval: Duration,
    /// Make one pass and end: with 0 when everything is in place, otherwise with 1.
    #[arg(long)]
    pub once: bool,
    /// Log the changes instead of making them.
    #[arg(long)]
    pub dry_run: bool,
    /// Where to serve /metrics and /healthz in plain text.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:7979")]
    pub metrics_address: SocketAddr,
}

/// Which cache to show.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Where the cache is.
    #[arg(long, value_name = "DIR")]
    pub record_cache_dir: PathBuf,
    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

/// What to serve.
#[derive(Debug, Args)]
pub struct WebhookArgs {
    /// Where the zones are.
    #[command(flatten)]
    pub provider: ProviderArgs,
    /// The cluster whose DNSProviders count; the one the program runs in when not given.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// How records are kept in memory and on disk.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Where to serve the webhook protocol in plain text: next to external-dns, for it
    /// alone.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8888")]
    pub webhook_address: SocketAddr,
    /// Where to serve /metrics and /healthz in plain text.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080")]
    pub metrics_address: SocketAddr,
}

/// What is wanted, where it goes, and by which rules.
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// What is wanted.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Where the zones are.
    #[command(flatten)]
    pub provider: ProviderArgs,
    /// How records are kept in memory and on disk.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// How it is known which records are ours.
    #[command(flatten)]
    pub ownership: OwnershipArgs,
    /// Which records are ours to change, and how.
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// Where the wanted records are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub struct SourceArgs {
    /// A file or a folder with endpoints or DNSEndpoint resources, as YAML or JSON; may be
    /// given more than once.
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// What to read in a cluster; may be given more than once.
    #[arg(long = "source", value_enum, value_name = "SOURCE")]
    pub sources: Vec<ClusterSource>,
    /// The cluster to read; the one the program runs in when not given.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// Which of its objects count.
    #[command(flatten)]
    pub objects: source::ObjectArgs,
}

/// What is read in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClusterSource {
    /// Resources of the kind DNSEndpoint (externaldns.k8s.io/v1alpha1).
    Crd,
}

/// Where the zones are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider")]
pub struct ProviderArgs {
    /// Who keeps the zones.
    #[arg(long, value_enum)]
    pub provider: ProviderName,
    /// A zone that is kept in memory, for trying things out; may be given more than once.
    #[arg(long = "inmemory-zone", value_name = "ZONE")]
    pub inmemory_zones: Vec<String>,
    /// Only zones with this id at the provider, or at Route 53 with one that ends so; may be
    /// given more than once.
    #[arg(long = "zone-id-filter", value_name = "ID")]
    pub zone_ids: Vec<String>,
    /// Where another webhook provider of external-dns listens.
    #[arg(long, value_name = "URL", default_value = "http://localhost:8888")]
    pub webhook_provider_url: Url,
    /// How long the webhook provider may take to answer.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub webhook_provider_read_timeout: Duration,
    /// How long the webhook provider may take to be written to; counts on top.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub webhook_provider_write_timeout: Duration,
    /// The longest answer of the webhook provider that is read, in octets; 0 for any.
    #[arg(long, value_name = "OCTETS", default_value_t = 32 * 1024 * 1024)]
    pub webhook_provider_max_body_size: usize,
    /// How changes are put together.
    #[command(flatten)]
    pub batches: BatchArgs,
    /// A DNS server by DNS UPDATE and zone transfers.
    #[command(flatten)]
    pub rfc2136: Rfc2136Args,
    /// Amazon Route 53.
    #[command(flatten)]
    pub route53: Route53Args,
    /// An account at Cloudflare.
    #[command(flatten)]
    pub cloudflare: CloudflareArgs,
    /// A central server.
    #[command(flatten)]
    pub remote: RemoteArgs,
    /// The accounts of DNSProviders.
    #[command(flatten)]
    pub dns_providers: DnsProvidersArgs,
}

/// Who keeps zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProviderName {
    /// Cloudflare. The environment has CF_API_TOKEN (file:/PATH for a file that holds it), or
    /// CF_API_KEY and CF_API_EMAIL.
    Cloudflare,
    /// A DNS server that takes DNS UPDATE (RFC 2136), such as Knot or BIND.
    Rfc2136,
    /// A webhook provider of external-dns.
    Webhook,
    /// Amazon Route 53.
    Aws,
    /// A central server that keeps zones for many clusters.
    Remote,
    /// The accounts of the cluster's DNSProviders (dns.gardener.cloud/v1alpha1).
    DnsProviders,
    /// Nobody: zones in memory, gone when the program ends.
    Inmemory,
}

/// How records are kept in memory and on disk.
#[derive(Debug, Args)]
#[command(next_help_heading = "Record cache")]
pub struct CacheArgs {
    /// How long records that were read are taken for what the provider holds; 0s reads
    /// them at each pass.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub provider_cache_time: Duration,
    /// Put what was written into the cache, instead of reading the zone again after each
    /// write.
    #[arg(long)]
    pub provider_cache_patch_on_apply: bool,
    /// Keep the cache in this folder too, so that it survives the program. One program
    /// alone uses a folder.
    #[arg(long, value_name = "DIR")]
    pub record_cache_dir: Option<PathBuf>,
    /// The longest that records are trusted without the whole zone being confirmed.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub record_cache_max_age: Duration,
}

/// How it is known which records are ours.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ownership")]
pub struct OwnershipArgs {
    /// Where it is written who owns a record.
    #[arg(long, value_enum, default_value_t = Registry::Txt)]
    pub registry: Registry,
    /// What our records are known by; each program that writes a zone has its own.
    #[arg(long, value_name = "ID", default_value = "default")]
    pub txt_owner_id: String,
    /// What the names of ownership records begin with; %{record_type} stands for the type.
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "txt_suffix")]
    pub txt_prefix: String,
    /// What the first labels of ownership records end with; %{record_type} stands for the
    /// type.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub txt_suffix: String,
    /// What stands for * in the names of ownership records.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub txt_wildcard_replacement: String,
    /// Encrypt ownership records.
    #[arg(long, requires = "txt_encrypt_aes_key")]
    pub txt_encrypt_enabled: bool,
    /// The key for that: 32 octets, or their base64.
    #[arg(
        long,
        value_name = "KEY",
        env = "EXTERNAL_DNS_TXT_ENCRYPT_AES_KEY",
        hide_env_values = true
    )]
    pub txt_encrypt_aes_key: Option<String>,
    /// Take over the records of another owner.
    #[arg(long, value_name = "ID")]
    pub migrate_from_txt_owner: Option<String>,
}

/// Where it is written who owns a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registry {
    /// In TXT records beside it, as external-dns writes them.
    Txt,
    /// Nowhere: every record of the zones is ours.
    Noop,
}

/// Which records are ours to change, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleArgs {
    /// Which changes are made: sync makes all, upsert-only deletes nothing, create-only
    /// neither deletes nor changes.
    #[arg(long, value_name = "POLICY")]
    pub policy: Policy,
    /// Only names in this domain; with a leading dot, only names below it. May be given
    /// more than once.
    #[arg(long = "domain-filter", value_name = "DOMAIN")]
    pub domain_filter: Vec<String>,
    /// No names in this domain; may be given more than once.
    #[arg(long = "exclude-domains", value_name = "DOMAIN")]
    pub exclude_domains: Vec<String>,
    /// Only names that this regular expression matches; the other filters are then not
    /// looked at.
    #[arg(long, value_name = "REGEX")]
    pub regex_domain_filter: Option<String>,
    /// No names that this regular expression matches.
    #[arg(long, value_name = "REGEX")]
    pub regex_domain_exclusion: Option<String>,
    /// The types of records that are kept.
    #[arg(
        long,
        value_name = "TYPE,...",
        value_delimiter = ',',
        default_value = "A,AAAA,CNAME"
    )]
    pub managed_record_types: Vec<String>,
    /// Types of records that are not kept all the same.
    #[arg(long, value_name = "TYPE,...", value_delimiter = ',')]
    pub exclude_record_types: Vec<String>,
    /// The most of a zone's own records that one pass may delete, in percent; zones of
    /// fewer than ten are not counted.
    #[arg(long, value_name = "PERCENT", default_value_t = 30, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_deletions: u8,
    /// Let one pass delete so many records of a zone all the same, such as example.com=40;
    /// may be given more than once.
    #[arg(long, value_name = "ZONE=NUMBER")]
    pub acknowledge_deletions: Vec<Acknowledgement>,
}

fn duration(text: &str) -> Result<Duration, String> {
    GoDuration(text.into())
        .to_duration()
        .map_err(|error| error.to_string())
}

/// A duration in which something can be done.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval.is_zero() {
        return Err("must be longer than 0s, such as 1m".into());
    }
    Ok(interval)
}
