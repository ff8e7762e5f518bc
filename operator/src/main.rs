//! The program `dns-operator`.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use operator::cli::{Cli, Command};
use operator::render;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Render(args)) => {
            render::render(args, &mut io::stdout().lock(), &mut io::stderr().lock()).map_err(anyhow::Error::from)
        }
        Some(Command::Crds) => Ok(()),
        None => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dns-operator: {error:#}");
            ExitCode::FAILURE
        }
    }
}
