//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Tries the operator for long: on a real cluster, or with specifications, plans or
/// messages by the thousand.
///
/// Without a command, changes a cluster as `node` does.
#[derive(Debug, Parser)]
#[command(
    name = "hack/soak",
    bin_name = "hack/soak",
    version,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to try.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to change a cluster.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// What to try.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Changes a real cluster without a pause, and tells what went wrong.
    ///
    /// Starts a node with pods and the operator on it (root is needed), and then, so
    /// many times a second, edits the DNS, deletes and changes the operator's
    /// objects, and writes what is nobody's business but must stay. Now and then a
    /// specification is refused, the pods are placed anew, a CA bundle comes, changes
    /// and goes, and the DNS Service or DaemonSet is deleted. Meanwhile a client asks
    /// CoreDNS 50 questions a second through the Service, and the operator's memory
    /// and the containers' restarts are watched.
    ///
    /// In the end everything must be as `dns-operator render` says for the last
    /// specification, and the operator must be quiet. The exit code is 1 when
    /// anything was wrong.
    Node(NodeArgs),
    /// Compares the operator's verdicts on specifications with CoreDNS's own.
    ///
    /// Draws specifications at random, plain, odd and hostile. CoreDNS must serve
    /// what the operator accepts and renders, and read in it what was meant; it must
    /// refuse what the operator refuses, put into a Corefile as it is, but for the
    /// rules that the README lists. Each gets a CoreDNS of its own, on loopback.
    /// The exit code is 1 when they disagree.
    Specs(DrawArgs),
    /// Compares what `dns-operator explain` says of names with what CoreDNS does.
    ///
    /// Draws specifications at random and, for each, up to a hundred questions: for names
    /// at, below, above and beside its zones and those of the cluster, in any case,
    /// with escapes, of many types, over UDP and TCP. Upstreams on loopback tell
    /// which of them CoreDNS asks and how, and the answers what it makes of TTLs.
    /// The exit code is 1 when anything is not as explained.
    Names(DrawArgs),
    /// Compares what the record engine plans with what external-dns does.
    ///
    /// Draws at random what zones hold and what is wanted, with policies, owners, filters and
    /// managed types, and hands it to both planners. Where they differ it must be in one
    /// of the ways that docs/external-records.md lists; anything else is brought down to
    /// the least case that shows it. The exit code is 1 when there is any.
    Plans(DrawArgs),
    /// Throws messages that no client would send at the remote provider.
    ///
    /// Draws octets at random, and valid messages of both protocols of which some
    /// octets are others, and hands each to all decoders of server and client: what is
    /// understood must come back with the same meaning from what it is encoded to, and
    /// what is refused must name its field. One of 200 goes to a server over TLS as well,
    /// in every call; it must answer, and its memory must not grow. What goes wrong is
    /// brought down to the least message that shows it. The exit code is 1 when anything
    /// does.
    Messages(DrawArgs),
}

/// What to draw.
#[derive(Debug, Args)]
pub struct DrawArgs {
    /// How many specifications, names, plans or messages.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub count: u64,
    /// The number of the first specification, plan or message; printed, and another one each time
    /// when not given.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// How to change a cluster.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// How long changes go on.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub minutes: u32,
    /// What the changes are drawn from; printed, and another one each time when
    /// not given.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many changes a second.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rate: u32,
    /// The operator; built for release when not given.
    #[arg(long, value_name = "PROGRAM", env = "DNS_OPERATOR_PROGRAM")]
    pub program: Option<PathBuf>,
}
