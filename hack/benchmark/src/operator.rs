//! `hack/bench operator`: a trial of each program, and what came of it.

use std::fs;
use std::io::{self, Write};

use anyhow::{Context as _, Result};
use devcluster::Progress;

use crate::cli::{OperatorArgs, OutputFormat};
use crate::subject::Subject;
use crate::{chart, table, trial};

/// Measures, prints, and draws.
pub async fn run(args: &OperatorArgs) -> Result<()> {
    let mut subjects = vec![Subject::operator(args.program.as_deref())?];
    if let Some(peer) = &args.peer {
        subjects.push(Subject::new("peer", peer, &args.peer_arg)?);
    }
    let progress = Progress::shown();
    let mut figures = Vec::new();
    for subject in &subjects {
        figures.push(trial::measure(subject, args, &progress).await?);
    }
    if let Some(path) = &args.svg {
        fs::write(path, chart::draw(&figures))
            .with_context(|| format!("failed to write {}", path.display()))?;
        progress.say(format!("drew {}", path.display()));
    }
    let text = match args.output {
        OutputFormat::Table => table::text(&figures),
        OutputFormat::Json => {
            let json = serde_json::to_string_pretty(&figures).context("failed to encode the figures")?;
            format!("{json}\n")
        }
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("failed to write to standard output")
}
