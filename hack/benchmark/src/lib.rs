//! What is behind `hack/bench`: measures the operator against a local control
//! plane, and what CoreDNS asks upstream with its Corefile.
//!
//! [`operator`] runs a [`trial`] of each program and shows the [`figures`] as a
//! [`table`] and a [`chart`]; [`cache`] is another command. The audit log, the
//! figures and the processes serve whoever else measures.

pub mod audit;
mod bare;
mod cache;
mod chart;
pub mod cli;
mod corefile;
mod edits;
pub mod figures;
mod load;
mod nodes;
mod operator;
pub mod process;
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
        Some(Command::Bare(args)) => bare::run(&args).await,
        Some(Command::Operator(args)) => operator::run(&args).await,
        None => operator::run(&cli.operator).await,
    }
}
