//! `hack/bench edits`: very many edits, one after the other.

use std::time::Instant;

use anyhow::Result;
use devcluster::Progress;

use crate::cli::EditsArgs;
use crate::edits::OPERATOR;
use crate::figures::milliseconds;
use crate::process::memory;
use crate::sheet::{Sheet, figure};
use crate::stage::{CALM, Stage};
use crate::subject::{self, Subject};
use crate::table::{MEMORY, PROCESSOR, REQUESTS, megabytes, parts};

/// Edits before the memory is looked at first: what is made once is there then.
const WARM_UP: u32 = 50;
/// How often the memory is looked at.
const PARTS: u32 = 4;

/// Measures and prints.
pub async fn run(args: &EditsArgs) -> Result<()> {
    let subject = Subject::operator(args.subject.program.as_deref())?;
    let progress = Progress::shown();
    let mut stage = Stage::set_up(&[], &progress).await?;
    let (process, _) = stage.start(&subject).await?;
    tokio::time::sleep(CALM).await;
    stage.editor.edit_often(OPERATOR, WARM_UP).await?;
    tokio::time::sleep(CALM).await;
    let before = memory(process.id())?;
    let mut figures = vec![figure(
        format!("resident memory after {WARM_UP} edits, MB"),
        2,
        megabytes(before.resident),
    )];
    progress.say(format!("{} edits", args.edits));
    let spent_before = crate::process::processor_time(process.id())?;
    let mark = stage.audit.mark()?;
    let begun = Instant::now();
    let mut after = before;
    for part in 1..=PARTS {
        let upto = |part: u32| u64::from(args.edits) * u64::from(part) / u64::from(PARTS);
        let count = u32::try_from(upto(part) - upto(part - 1)).unwrap_or(u32::MAX);
        stage.editor.edit_often(OPERATOR, count).await?;
        after = memory(process.id())?;
        progress.say(format!("{} edits: {} kB", upto(part), after.resident));
        figures.push(figure(
            format!("  after {} more", upto(part)),
            2,
            megabytes(after.resident),
        ));
    }
    let seconds = begun.elapsed().as_secs_f64();
    tokio::time::sleep(CALM).await;
    let spent = crate::process::processor_time(process.id())?.saturating_sub(spent_before);
    let requests = stage.audit.since(mark, crate::audit::Sender::Subject)?;
    subject::stop(process).await?;
    let edits = f64::from(args.edits);
    let growth = megabytes(after.resident) / megabytes(before.resident) * 100.0 - 100.0;
    figures.extend([
        figure("  at most", 2, megabytes(after.peak)).at_most(MEMORY[0]),
        figure("growth, %", 1, growth).at_most(GROWTH),
        figure("edits a second", 0, edits / seconds),
        figure(
            "requests for one edit",
            2,
            f64::from(requests.but_leases()) / edits,
        )
        .at_most(REQUESTS),
        figure("processor time for one edit, ms", 2, milliseconds(spent) / edits).at_most(PROCESSOR),
    ]);
    stage.strike()?;
    let sheet = Sheet {
        peer: None,
        title: format!("{} edits, as fast as they go", args.edits),
        figures,
        notes: vec![format!("requests: {}", parts(&requests))],
    };
    sheet.print(args.subject.output)
}

/// The most that memory may grow, in percent.
const GROWTH: f64 = 5.0;
