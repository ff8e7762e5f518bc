//! The program `dns-operator`.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use operator::cli::{Cli, Command, CrdsArgs};
use operator::logging::Logging;
use operator::{render, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Render(args)) => {
            render::render(args, &mut io::stdout().lock(), &mut io::stderr().lock())
                .map_err(anyhow::Error::from)
        }
        Some(Command::Crds(args)) => print_crds(args, &mut io::stdout().lock()),
        None => Logging::start().and_then(|logging| run::run(&cli.run, &logging)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dns-operator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print_crds(args: &CrdsArgs, output: &mut dyn Write) -> anyhow::Result<()> {
    for api::Definition { file, crd } in api::crds() {
        let yaml = render::to_yaml(&crd)?;
        match &args.dir {
            Some(dir) => {
                let path = dir.join(file);
                fs::write(&path, yaml).with_context(|| format!("failed to write {}", path.display()))?;
            }
            None => write!(output, "---\n{yaml}")?,
        }
    }
    Ok(())
}
