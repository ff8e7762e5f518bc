//! The program behind `hack/bench`.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use benchmark::cli::Cli;
use clap::Parser;

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
        // What was started ends when the work is dropped.
        tokio::select! {
            outcome = benchmark::run(cli) => outcome,
            interrupt = tokio::signal::ctrl_c() => {
                interrupt.context("failed to listen for Ctrl-C")?;
                bail!("interrupted");
            }
        }
    })
}
