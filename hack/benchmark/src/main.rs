//! The program behind `hack/bench`: measures the operator against a local
//! control plane, and what CoreDNS asks upstream with its Corefile.
//!
//! [`operator`] runs a [`trial`] of each program and shows the [`figures`] as a
//! [`table`] and a [`chart`]; [`cache`] is the other command.

mod audit;
mod bare;
mod cache;
mod chart;
mod cli;
mod corefile;
mod edits;
mod figures;
mod load;
mod nodes;
mod operator;
mod process;
mod sight;
mod subject;
mod table;
mod trial;
mod zones;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("failed to start the runtime")?;
    runtime.block_on(async {
        let work = async {
            match cli.command {
                Some(Command::Cache(args)) => cache::run(&args).await,
                Some(Command::Bare(args)) => bare::run(&args).await,
                Some(Command::Operator(args)) => operator::run(&args).await,
                None => operator::run(&cli.operator).await,
            }
        };
        // What was started ends when the work is dropped.
        tokio::select! {
            outcome = work => outcome,
            interrupt = tokio::signal::ctrl_c() => {
                interrupt.context("failed to listen for Ctrl-C")?;
                bail!("interrupted");
            }
        }
    })
}
