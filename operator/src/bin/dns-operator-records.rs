//! The program `dns-operator-records`: what `dns-operator records` becomes.

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use operator::cli::TROUBLE;
use operator::records::cli::Cli;
use operator::records::command;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match command::run(&cli.command, &mut io::stdout().lock()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("dns-operator: {error:#}");
            ExitCode::from(TROUBLE)
        }
    }
}
