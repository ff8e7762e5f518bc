//! The program `dns-operator`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::process;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use operator::cli::{Cli, Command, CrdsArgs, TROUBLE};
use operator::logging::Logging;
use operator::output::to_yaml;
use operator::{check, diff, explain, render, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Render(args)) => {
            let rendered = render::render(args, &mut io::stdout().lock(), &mut io::stderr().lock());
            rendered.map_err(|error| (error.into(), 1))
        }
        Some(Command::Check(args)) => match check::check(args, &mut io::stdout().lock()) {
            Ok(passed) => return ExitCode::from(u8::from(!passed)),
            Err(error) => Err((error.into(), TROUBLE)),
        },
        Some(Command::Explain(args)) => {
            let explained = explain::explain(args, &mut io::stdout().lock(), &mut io::stderr().lock());
            explained.map_err(|error| {
                let code = if error.is_refusal() { 1 } else { TROUBLE };
                (error.into(), code)
            })
        }
        Some(Command::Diff(args)) => {
            match diff::diff(args, &mut io::stdout().lock(), &mut io::stderr().lock()) {
                Ok(differs) => return ExitCode::from(u8::from(differs)),
                Err(error) => Err((error.into(), TROUBLE)),
            }
        }
        Some(Command::Records { arguments }) => Err((become_records(arguments), TROUBLE)),
        Some(Command::Crds(args)) => print_crds(args, &mut io::stdout().lock()).map_err(|error| (error, 1)),
        None => Logging::start()
            .and_then(|logging| run::run(&cli.run, &logging))
            .map_err(|error| (error, 1)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err((error, code)) => {
            eprintln!("dns-operator: {error:#}");
            ExitCode::from(code)
        }
    }
}

fn print_crds(args: &CrdsArgs, output: &mut dyn Write) -> anyhow::Result<()> {
    let definitions = if args.records {
        api::record_crds()
    } else {
        api::crds()
    };
    for api::Definition { file, crd } in definitions {
        let yaml = to_yaml(&crd)?;
        match &args.dir {
            Some(dir) => {
                let path = dir.join(file);
                let folder = path.parent().unwrap_or(dir);
                fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
                fs::write(&path, yaml).with_context(|| format!("failed to write {}", path.display()))?;
            }
            None => write!(output, "---\n{yaml}")?,
        }
    }
    Ok(())
}

/// Replaces this process by the program of external records. It is one of its own because a
/// program's size is most of the memory that the operator takes, and the SDKs of the services
/// that keep zones would double it.
fn become_records(arguments: &[OsString]) -> anyhow::Error {
    let program = match env::current_exe() {
        Ok(this) => this.with_file_name("dns-operator-records"),
        Err(error) => return anyhow::Error::new(error).context("failed to find this program"),
    };
    let error = process::Command::new(&program).args(arguments).exec();
    anyhow::Error::new(error).context(format!("failed to start {}", program.display()))
}
