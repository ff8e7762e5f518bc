//! The program behind `hack/soak`.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use devcluster::install::{self, Images};
use devcluster::{Cluster, Distribution, Image, Options, Progress, operator_program};

use endurance::cli::{Cli, Command, DrawArgs, NodeArgs};
use endurance::comparison;
use endurance::end::Release;
use endurance::load;
use endurance::messages;
use endurance::names;
use endurance::plans;
use endurance::report::Report;
use endurance::soak::{self, Plan};

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was well.
fn run(cli: &Cli) -> Result<bool> {
    match &cli.command {
        None => run_node(&cli.node),
        Some(Command::Node(args)) => run_node(args),
        Some(Command::Specs(args)) => run_specs(args),
        Some(Command::Names(args)) => run_names(args),
        Some(Command::Plans(args)) => run_plans(args),
        Some(Command::Messages(args)) => run_messages(args),
    }
}

fn run_specs(args: &DrawArgs) -> Result<bool> {
    let seed = args.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let comparison = comparison::compare(seed, args.count, &Progress::shown())?;
    print(&comparison.to_string())?;
    Ok(comparison.tally.disagreements.is_empty())
}

fn run_names(args: &DrawArgs) -> Result<bool> {
    let seed = args.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let names = names::compare(seed, args.count, &Progress::shown())?;
    print(&names.to_string())?;
    Ok(names.disagreements.is_empty())
}

fn run_plans(args: &DrawArgs) -> Result<bool> {
    let seed = args.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let plans = plans::compare(seed, args.count, &Progress::shown())?;
    print(&plans.to_string())?;
    Ok(plans.disagreements.is_empty())
}

fn run_messages(args: &DrawArgs) -> Result<bool> {
    let seed = args.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let messages = messages::send(seed, args.count, &Progress::shown())?;
    print(&messages.to_string())?;
    Ok(messages.wrong.is_empty())
}

fn print(text: &str) -> Result<()> {
    io::stdout()
        .write_all(text.as_bytes())
        .context("failed to write to standard output")
}

fn run_node(args: &NodeArgs) -> Result<bool> {
    let runtime = tokio::runtime::Runtime::new().context("failed to start the runtime")?;
    let report = runtime.block_on(async {
        // What was started ends when the work is dropped.
        tokio::select! {
            report = soak_a_node(args) => report,
            interrupt = tokio::signal::ctrl_c() => {
                interrupt.context("failed to listen for Ctrl-C")?;
                bail!("interrupted; everything that was started is gone");
            }
        }
    })?;
    print(&report.to_string())?;
    Ok(report.wrong().is_empty())
}

async fn soak_a_node(args: &NodeArgs) -> Result<Report> {
    let progress = Progress::shown();
    let plan = Plan {
        seed: args.seed.unwrap_or_else(rand::random),
        duration: Duration::from_secs(60 * u64::from(args.minutes)),
        changes_a_second: args.rate,
    };
    let program = match &args.program {
        Some(program) => program.clone(),
        None => operator_program::build(&progress)?,
    };
    let operator = operator_program::image(&program)?;
    let release = Release {
        images: Images::local(&operator.name),
        program,
    };
    let options = Options {
        node: true,
        distribution: Distribution::OpenShift,
        images: vec![Image::coredns(&progress)?, operator],
        zones: load::zones(),
        ..Options::default()
    };
    let cluster = Cluster::start(options, &progress).await?;
    install::on_node(
        cluster.launcher(),
        cluster.kubeconfig(),
        &release.images,
        &progress,
    )
    .await?;
    let report = soak::run(&cluster, &release, &plan, &progress).await?;
    cluster.stop()?;
    Ok(report)
}
