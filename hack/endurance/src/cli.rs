//! The command line.

use std::path::PathBuf;

use clap::Parser;

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
#[derive(Debug, Parser)]
#[command(name = "hack/soak", bin_name = "hack/soak", version)]
pub struct Cli {
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
