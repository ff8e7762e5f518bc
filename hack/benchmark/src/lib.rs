//! What is behind `hack/bench`: measures the operator against a local control
//! plane, and what CoreDNS asks upstream with its Corefile.
//!
//! [`operator`] runs a [`trial`] of each program and shows the [`figures`] as a
//! [`table`] and a [`chart`]; the other commands are [`cache`], and, each with a
//! [`sheet`] of figures, [`many_servers`], [`many_nodes`], [`many_edits`],
//! [`records`], [`batch`] and [`remote`]. The audit log, the figures, the
//! processes and the certificates serve whoever else measures.

pub mod audit;
mod bare;
mod batch;
mod cache;
mod chart;
pub mod cli;
mod clock;
mod corefile;
mod edits;
pub mod figures;
mod load;
mod many_edits;
mod many_nodes;
mod many_servers;
mod nodes;
mod operator;
pub mod process;
mod records;
mod relay;
pub mod remote;
mod sheet;
mod sight;
mod stage;
mod subject;
mod table;
mod trial;
mod zones;

use cli::{Cli, Command};

/// Does what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::Cache(args)) => cache::run(&args).await,
        Some(Command::Servers(args)) => many_servers::run(&args).await,
        Some(Command::Nodes(args)) => many_nodes::run(&args).await,
        Some(Command::Edits(args)) => many_edits::run(&args).await,
        Some(Command::Records(args)) => records::run(&args).await,
        Some(Command::Batch(args)) => batch::run(&args).await,
        Some(Command::Remote(args)) => remote::run(&args).await,
        Some(Command::RemoteServer(args)) => remote::serve(&args).await,
        Some(Command::RemoteClient(args)) => remote::keep(&args).await,
        Some(Command::Bare(args)) => bare::run(&args).await,
        Some(Command::Operator(args)) => operator::run(&args).await,
        None => operator::run(&cli.operator).await,
    }
}
