//! `hack/bench nodes`: nodes that join a cluster at a steady pace.

use std::time::Duration;

use anyhow::Result;
use devcluster::Progress;

use crate::cli::NodesArgs;
use crate::figures::milliseconds;
use crate::nodes;
use crate::process::memory;
use crate::sheet::{Sheet, figure};
use crate::stage::{CALM, Stage};
use crate::subject::{self, Subject};
use crate::table::{MEMORY, megabytes, parts};

/// Measures and prints.
pub async fn run(args: &NodesArgs) -> Result<()> {
    let subject = Subject::operator(args.subject.program.as_deref())?;
    let progress = Progress::shown();
    let mut stage = Stage::set_up(&[], &progress).await?;
    let (process, _) = stage.start(&subject).await?;
    tokio::time::sleep(CALM).await;
    let before = memory(process.id())?;
    progress.say(format!("{} nodes join within {} s", args.nodes, args.within));
    let within = Duration::from_secs(args.within.into());
    let joining = async {
        nodes::join(&stage.client, args.nodes, within, &progress).await?;
        tokio::time::sleep(CALM).await;
        Ok(())
    };
    let spent = stage.spent(process.id(), joining).await?;
    let after = memory(process.id())?;
    subject::stop(process).await?;
    stage.strike()?;
    let count = f64::from(args.nodes);
    let figures = vec![
        figure("requests", 0, f64::from(spent.requests.but_leases())),
        figure("  for the Lease", 0, f64::from(spent.requests.of_leases())),
        figure("processor time, ms", 1, milliseconds(spent.processor)),
        figure("  for one node", 3, milliseconds(spent.processor) / count),
        figure("resident memory before, MB", 2, megabytes(before.resident)),
        figure("  with the nodes", 2, megabytes(after.resident)).at_most(MEMORY[1]),
        figure("  at most", 2, megabytes(after.peak)),
    ];
    let sheet = Sheet {
        peer: None,
        title: format!("{} nodes join within {} s", args.nodes, args.within),
        figures,
        notes: vec![format!("requests: {}", parts(&spent.requests))],
    };
    sheet.print(args.subject.output)
}
