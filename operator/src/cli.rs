//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::check::CheckArgs;
use crate::diff::DiffArgs;
use crate::dns::inputs::DEFAULT_CLUSTER_DOMAIN;
use crate::explain::ExplainArgs;
use crate::serve::address::BindAddress;

/// The exit code of commands that tell something when they could not: 1 is an answer
/// to them.
pub const TROUBLE: u8 = 2;

/// Runs the DNS of a Kubernetes cluster: turns the resource
/// `dnses.operator.openshift.io/default` into CoreDNS pods, and keeps them so.
///
/// Without a command, starts the operator.
#[derive(Debug, Parser)]
#[command(name = "dns-operator", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do instead of running the operator.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to run the operator.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Commands beside running the operator.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print what the operator would keep for a DNS, without a cluster.
    ///
    /// Reads files with a DNS and, where given, the other inputs: Network,
    /// APIServer and FeatureGate of config.openshift.io (each named cluster),
    /// ConfigMaps of the namespace openshift-config, Nodes. Applies the
    /// defaults of the resource definition. Images come from the environment
    /// variables that the operator reads, or are shown as placeholders.
    ///
    /// Exits with 1 when the DNS would not be put into force and says why on
    /// standard error.
    Render(RenderArgs),
    /// Tell everything that is wrong with a DNS, or may not do what is meant.
    ///
    /// Reads the same files as render. Errors are what the API server would refuse
    /// and what the operator would not put into force; warnings are fields that
    /// nobody knows, zones that match nothing, limits that are not what was typed,
    /// CA bundles that cannot be used, and the like.
    ///
    /// Exits with 0 when there is no error, with 1 when there is one, and with 2
    /// when the files cannot be read or the command line is wrong.
    Check(CheckArgs),
    /// Tell what becomes of a question: its server block, upstreams and limits.
    ///
    /// Reads the same files as render, and asks nobody. The rules are those of
    /// CoreDNS 1.15: the longest zone that holds the name takes it (for the type DS
    /// the shortest), and the default server block what no zone holds, where the
    /// cluster's services and pods come first.
    ///
    /// Exits with 1 when the DNS would not be put into force, and with 2 when the
    /// files cannot be read or the command line is wrong.
    Explain(ExplainArgs),
    /// Tell what a DNS would change in a cluster, or beside another file.
    ///
    /// Prints the Corefile as a unified diff, the objects and fields that would
    /// change, and whether pods are replaced. A cluster is only read, and every
    /// fact but the DNS and the CA bundles of the files is taken from it; images are
    /// those of the pods unless the environment has others.
    ///
    /// Exits with 0 when there is no difference, with 1 when there is one, and with
    /// 2 when the DNS would not be put into force, the files or the cluster cannot be
    /// read, or the command line is wrong.
    Diff(DiffArgs),
    /// Keep external records: zones at DNS servers and services.
    ///
    /// A guide is docs/external-records.md. Runs the program dns-operator-records, which
    /// lies beside this one: see dns-operator records --help.
    #[command(disable_help_flag = true)]
    Records {
        /// What to do with them.
        #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Print the custom resource definitions, as YAML.
    ///
    /// Those of the cluster DNS; with --records those of external records: DNSEndpoint,
    /// which a cluster with external-dns has already, and DNSProvider, which one with
    /// Gardener has. Such a cluster should keep its own as it is.
    Crds(CrdsArgs),
}

/// How to run the operator. Images are read from the environment: IMAGE,
/// OPENSHIFT_CLI_IMAGE and KUBE_RBAC_PROXY_IMAGE, all three needed.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The cluster to work on; the one the program runs in when not given.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// What is known of the cluster from outside.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// What is served over HTTP.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Whether to ask the upstreams of the DNS now and then, at most one a second, so
    /// that the condition UpstreamsHealthy names those that fail.
    #[arg(long, value_name = "true|false", action = ArgAction::Set, default_value_t = true)]
    pub probe_upstreams: bool,
    /// Flags of OpenShift's operator that have no meaning here.
    #[command(flatten)]
    pub zap: ZapArgs,
}

/// What is served over HTTP.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to serve /metrics, as ADDRESS:PORT or :PORT for every address; 0 for
    /// nowhere. When not given, on 127.0.0.1:60000 if that is free.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_bind_addr: Option<BindAddress>,
    /// Serve metrics over TLS with tls.crt and tls.key of this folder, to those whom
    /// the API server lets get the path /metrics. Otherwise in plain text, to anyone.
    #[arg(long, value_name = "DIR")]
    pub metrics_cert_dir: Option<PathBuf>,
    /// Where to serve /healthz and /readyz in plain text; 0 for nowhere. When not
    /// given, on 127.0.0.1:60001 if that is free.
    #[arg(long, value_name = "ADDRESS")]
    pub health_bind_addr: Option<BindAddress>,
}

/// OpenShift's operator logs through zap; these keep its command lines working.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accepted and ignored")]
pub struct ZapArgs {
    /// Ignored: how much is logged is set by operatorLogLevel.
    #[arg(long = "zap-devel", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    devel: Option<String>,
    /// Ignored.
    #[arg(long = "zap-encoder")]
    encoder: Option<String>,
    /// Ignored: how much is logged is set by operatorLogLevel.
    #[arg(long = "zap-log-level")]
    log_level: Option<String>,
    /// Ignored.
    #[arg(long = "zap-stacktrace-level")]
    stacktrace_level: Option<String>,
    /// Ignored.
    #[arg(long = "zap-time-encoding")]
    time_encoding: Option<String>,
}

/// What is known of the cluster from outside.
#[derive(Clone, Debug, Args)]
pub struct ClusterArgs {
    /// The address of the DNS service. Otherwise the tenth of the first service
    /// network of the Network config, or of the API server's own service range.
    #[arg(long, value_name = "ADDRESS")]
    pub cluster_ip: Option<IpAddr>,
    /// The domain of services and pods.
    #[arg(long, value_name = "DOMAIN", default_value = DEFAULT_CLUSTER_DOMAIN, value_parser = parse_domain)]
    pub cluster_domain: String,
    /// The version of the release that the operator belongs to.
    #[arg(
        long,
        value_name = "VERSION",
        env = "RELEASE_VERSION",
        default_value = "unknown"
    )]
    pub release_version: String,
}

/// Where the custom resource definitions go.
#[derive(Debug, Args)]
pub struct CrdsArgs {
    /// The definitions of external records instead, DNSEndpoint and DNSProvider.
    #[arg(long)]
    pub records: bool,
    /// Write each to its file in this folder instead.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// The files that hold a DNS and what else of the cluster is known.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// A file with YAML or JSON documents, `-` for standard input; may be given
    /// more than once.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// What to render, and how.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Where the DNS is.
    #[command(flatten)]
    pub files: FileArgs,
    /// The Corefile alone, or every object as a v1 List.
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Yaml)]
    pub output: OutputFormat,
    /// What is known of the cluster from outside.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// What `render` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// The Corefile.
    Corefile,
    /// Every object, as a v1 List in YAML.
    Yaml,
    /// Every object, as a v1 List in JSON.
    Json,
}

fn parse_domain(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    match text {
        "" => Ok(DEFAULT_CLUSTER_DOMAIN.to_owned()),
        _ if name.split('.').all(label) => Ok(text.to_owned()),
        _ => Err("must be a domain name such as cluster.local".into()),
    }
}
