//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures the operator: what it costs the cluster, and how fast it is.
///
/// Without a command, measures the operator as `operator` does. Everything runs
/// on this machine and on loopback addresses; processes end with the bench.
#[derive(Debug, Parser)]
#[command(
    name = "hack/bench",
    bin_name = "hack/bench",
    version,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to measure.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to measure the operator.
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Requests, latency, memory and processor time of the operator (the default).
    ///
    /// Starts etcd and an API server with an audit log, without controllers, so
    /// that no pods are made and nothing but the program measured reacts. Then,
    /// with each number of nodes:
    ///
    /// - starts the program again and again without its ConfigMap, and measures
    ///   until the ConfigMap is there;
    /// - edits spec.cache.positiveTTL of the DNS `default` and measures from just
    ///   before the edit is sent until a watch delivers the new Corefile. In turn
    ///   with that, ten edits each, it edits another DNS, which a bare client in
    ///   a process of its own follows: it does nothing but watch, and write a
    ///   ConfigMap at once. So both run on the same machine in the same minutes,
    ///   and neither waits for the other. Both resources have the same status, for
    ///   which the API server takes its time at each edit. Three edits of each
    ///   come first and do not count;
    /// - leaves it alone for a while, and then lets some nodes report.
    ///
    /// Requests are those in the audit log whose user agent is neither the
    /// bench's nor begins with `kube`. A program measured gets KUBECONFIG, IMAGE,
    /// OPENSHIFT_CLI_IMAGE, KUBE_RBAC_PROXY_IMAGE and RELEASE_VERSION in its
    /// environment.
    Operator(OperatorArgs),
    /// What CoreDNS asks upstream with short and long cache TTLs.
    ///
    /// Renders a Corefile for each setting, without what needs a cluster, and
    /// starts a CoreDNS with each, all at once. Behind them is a Knot that counts:
    /// names with TTLs from 30 s to 1 h for positiveTTL, and none of the names
    /// asked for negativeTTL, with an SOA record that lets resolvers keep that for
    /// 1 h. Time is real: a run shorter than 15 minutes cannot tell positiveTTL
    /// 1h from unset, which is 15 minutes.
    Cache(CacheArgs),
    /// A DNS with very many servers.
    ///
    /// Tells how large the resource and the Corefile are (a ConfigMap may hold
    /// 1 MiB, a request to etcd 1.5 MiB), how long rendering takes in this
    /// process, and what an edit of a TTL then costs.
    Servers(ServersArgs),
    /// Nodes that join a cluster at a steady pace.
    Nodes(NodesArgs),
    /// The operator's memory after very many edits, one after the other as fast as
    /// the API server takes them.
    Edits(EditsArgs),
    /// What keeping a large zone of external records costs: calls to list it, time and
    /// memory of a pass, and how a real Knot is followed.
    Records(RecordsArgs),
    /// What changes cost at Cloudflare and Route 53, in calls, beside a stock external-dns.
    ///
    /// Both write to the same stand-ins on this machine. The engine runs in this process,
    /// with its cache and the provider over HTTP, as `dns-operator records run` has them;
    /// external-dns finds what is wanted as a DNSEndpoint of an API server without
    /// controllers. Beside records of other people, the zone has those that both would have
    /// written before.
    ///
    /// - 100 changes by a process that knows nothing yet (cold), and by one that has its cache
    ///   (warm), in zones of each size;
    /// - 200 new records, 1 or 2 of which Cloudflare refuses; and the same record refused in
    ///   pass after pass, a minute apart by a simulated clock;
    /// - 1,000 new records, none or 10 of which Cloudflare refuses, where 1,200 calls are
    ///   answered;
    /// - 100 new records in a large zone at Route 53, cold and warm, and the first pass after
    ///   a restart.
    Batch(BatchArgs),
    /// What a central server of external records costs, with few clients and with many.
    ///
    /// The server (`dns-operator records serve`) runs in a process of its own, so that its
    /// memory is its own; behind it is a provider that counts its calls as Route 53 would be
    /// called. Clients connect over mutual TLS on this machine, each with a certificate of its
    /// own, and keep nothing but revisions; beside them is one as it is shipped, with its cache on
    /// disk, in a process of its own. For each number of clients:
    ///
    /// - an hour by a simulated clock, in which each client makes a pass a minute and a few
    ///   changes: calls to the provider, beside each client going there by itself;
    /// - octets for a restart of the client that is shipped and for a change, beside Gardener's
    ///   protocol, and that client's memory;
    /// - the time of a single change, alone and behind a client with very many;
    /// - the server's memory at rest, while all clients read at once, and with clients that
    ///   begin to read and take nothing;
    /// - the time until all clients have all zones again after the server was killed and
    ///   another one has begun with its cache.
    Remote(RemoteArgs),
    /// The server that is measured.
    #[command(hide = true)]
    RemoteServer(RemoteServerArgs),
    /// The client that is shipped.
    #[command(hide = true)]
    RemoteClient(RemoteClientArgs),
    /// Watch and write: what the operator is compared with.
    #[command(hide = true)]
    Bare(BareArgs),
}

/// How to measure the operator.
#[derive(Debug, Args)]
pub struct OperatorArgs {
    /// How many edits are measured.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub edits: u32,
    /// With how many nodes, one after the other.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [0, 5000])]
    pub nodes: Vec<u32>,
    /// How long the program is watched doing nothing.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub rest: u32,
    /// How many starts are measured, beside the first.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub starts: u32,
    /// The pause after each edit.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100)]
    pub pause: u64,
    /// How many nodes report at the end, where there are nodes.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub heartbeats: u32,
    /// The operator; the one beside this program when not given.
    #[arg(long, value_name = "PROGRAM", env = "DNS_OPERATOR_PROGRAM")]
    pub program: Option<PathBuf>,
    /// Another operator to run the same way.
    #[arg(long, value_name = "PROGRAM")]
    pub peer: Option<PathBuf>,
    /// An argument for the other operator; may be given more than once.
    #[arg(long, value_name = "ARGUMENT", requires = "peer", allow_hyphen_values = true)]
    pub peer_arg: Vec<String>,
    /// Objects that both find in the cluster, beside the definition of the DNS
    /// resource; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub manifest: Vec<PathBuf>,
    /// Draw the times from edit to ConfigMap.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
}

/// How to measure the cache.
#[derive(Debug, Args)]
pub struct CacheArgs {
    /// How many names there are.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=9000))]
    pub names: u32,
    /// How many queries each CoreDNS gets.
    #[arg(long, value_name = "N", default_value_t = 24_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub queries: u32,
    /// How many queries a second each CoreDNS gets.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub rate: u32,
    /// The exponent of the Zipf law: the k-th name is asked for as often as 1/k^S.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub exponent: f64,
    /// What names and TTLs are drawn from: the same for every setting.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The operator; the one beside this program when not given.
    #[arg(long, value_name = "PROGRAM", env = "DNS_OPERATOR_PROGRAM")]
    pub program: Option<PathBuf>,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
}

/// How to measure very many servers.
#[derive(Debug, Args)]
pub struct ServersArgs {
    /// How many servers the DNS has.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub servers: u32,
    /// How many zones each server has.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub zones: u32,
    /// How many edits and renderings are measured.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub edits: u32,
    /// What is measured, and what is printed.
    #[command(flatten)]
    pub subject: SubjectArgs,
}

/// How to measure nodes that join.
#[derive(Debug, Args)]
pub struct NodesArgs {
    /// How many nodes join.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub nodes: u32,
    /// Within how long.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub within: u32,
    /// What is measured, and what is printed.
    #[command(flatten)]
    pub subject: SubjectArgs,
}

/// How to measure very many edits.
#[derive(Debug, Args)]
pub struct EditsArgs {
    /// How many edits.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub edits: u32,
    /// What is measured, and what is printed.
    #[command(flatten)]
    pub subject: SubjectArgs,
}

/// How to measure external records.
#[derive(Debug, Args)]
pub struct RecordsArgs {
    /// How many records the zone has.
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub records: u32,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
}

/// How to measure batches.
#[derive(Debug, Args)]
pub struct BatchArgs {
    /// How many records the zones at Cloudflare have, one after the other; the smallest
    /// number is that of all but the 100 changes.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [5000, 50_000], value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub records: Vec<u32>,
    /// How many records the zone at Route 53 has.
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub route53_records: u32,
    /// In how many passes a bad record is wanted.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub syncs: u32,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
}

/// How to measure a central server.
#[derive(Debug, Args)]
pub struct RemoteArgs {
    /// With how many clients, one after the other.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [1, 100, 500], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub clients: Vec<u32>,
    /// How many zones there are.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub zones: u32,
    /// How many records each zone has.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub records: u32,
    /// How many changes each client makes in an hour.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=60))]
    pub changes: u32,
    /// How many single changes are measured.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub writes: u32,
    /// How many changes the client has in store behind which single ones are measured.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub flood: u32,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
}

/// What the server is begun with.
#[derive(Debug, Args)]
pub struct RemoteServerArgs {
    /// Where its certificates are, and where it keeps its cache.
    #[arg(long, value_name = "DIR")]
    pub directory: PathBuf,
    /// How many clients may use it.
    #[arg(long, value_name = "N")]
    pub clients: u32,
    /// How many zones there are.
    #[arg(long, value_name = "N")]
    pub zones: u32,
    /// How many records each zone has at first.
    #[arg(long, value_name = "N")]
    pub records: u32,
    /// The seconds that have passed on its clock.
    #[arg(long, value_name = "SECONDS")]
    pub since: u64,
}

/// What the client is begun with.
#[derive(Debug, Args)]
pub struct RemoteClientArgs {
    /// Where its Secret is, and where it keeps its cache.
    #[arg(long, value_name = "DIR")]
    pub directory: PathBuf,
}

/// What is measured, and what is printed.
#[derive(Debug, Args)]
pub struct SubjectArgs {
    /// The operator; the one beside this program when not given.
    #[arg(long, value_name = "PROGRAM", env = "DNS_OPERATOR_PROGRAM")]
    pub program: Option<PathBuf>,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
}

/// Where the bare client works.
#[derive(Debug, Args)]
pub struct BareArgs {
    /// The cluster.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    pub kubeconfig: PathBuf,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}
