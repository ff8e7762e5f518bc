//! `dns-operator records`: from the command line to an exit code.

use std::io::Write;

use anyhow::Context as _;
use records::engine::{Engine, Prospect};

use super::backend::Backend;
use super::cli::{ApplyArgs, EngineArgs, PlanArgs, RecordsCommand};
use super::report::Report;
use super::sources::Sources;
use super::{daemon, serve, settings, show, webhook};
use crate::cli::TROUBLE;
use crate::logging::Logging;

/// Does what was asked for; the exit code.
pub fn run(command: &RecordsCommand, output: &mut dyn Write) -> anyhow::Result<u8> {
    if let RecordsCommand::Show(args) = command {
        return show::show(args, output).map(|()| 0);
    }
    let _logging = Logging::start()?;
    // One thread is plenty: all waiting is for I/O.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    runtime.block_on(async {
        match command {
            RecordsCommand::Plan(args) => Box::pin(plan(args, output)).await,
            RecordsCommand::Apply(args) => Box::pin(apply(args, output)).await,
            RecordsCommand::Run(args) => {
                let complete = Box::pin(daemon::run(args)).await?;
                Ok(u8::from(!complete))
            }
            RecordsCommand::Webhook(args) => Box::pin(webhook::serve(args)).await.map(|()| 0),
            RecordsCommand::Serve(args) => Box::pin(serve::serve(args)).await.map(|()| 0),
            RecordsCommand::Show(_) => Ok(0),
        }
    })
}

async fn plan(args: &PlanArgs, output: &mut dyn Write) -> anyhow::Result<u8> {
    let (_backend, _, _, report) = look(&args.engine, true).await?;
    args.output.print(&report, output)?;
    Ok(match (report.is_blind(), report.is_without_changes()) {
        (true, _) => TROUBLE,
        (false, unchanged) => u8::from(!unchanged),
    })
}

async fn apply(args: &ApplyArgs, output: &mut dyn Write) -> anyhow::Result<u8> {
    let (_backend, engine, prospect, report) = look(&args.engine, false).await?;
    let result = engine.apply(prospect).await;
    let report = report.with_result(&result);
    args.output.print(&report, output)?;
    Ok(u8::from(!report.is_settled()))
}

/// Reads sources and zones: what is to be done, and what is told of it.
async fn look(args: &EngineArgs, dry_run: bool) -> anyhow::Result<(Backend, Engine, Prospect, Report)> {
    let kubeconfig = args.sources.kubeconfig.as_deref();
    let backend = Backend::open(&args.provider, &args.cache, kubeconfig, dry_run).await?;
    let settings = settings::engine(&args.ownership, &args.rules)?;
    let mut sources = Sources::open(&args.sources).await?;
    sources.listed().await?;
    let demand = sources.read();
    let engine = Engine::new(backend.provider(), settings);
    let report = Report::of_demand(&demand);
    let prospect = engine
        .prospect(demand)
        .await
        .context("the zones cannot be listed")?;
    let report = report.with_prospect(&prospect);
    Ok((backend, engine, prospect, report))
}
