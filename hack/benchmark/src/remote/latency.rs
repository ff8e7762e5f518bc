//! How long a single change takes, when nothing else is to be done and behind many.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use records::Group;

use super::client::Client;
use super::gardener::Gardener;
use super::hosted::{PROBE, creation};
use super::server::Order;
use super::stage::Stage;
use crate::cli::RemoteArgs;
use crate::figures::Distribution;
use crate::sheet::{Figure, figure, number};
use crate::table::megabytes;

/// How long a batch takes while many changes wait: about as long as Route 53 does.
pub const BATCH: Duration = Duration::from_millis(100);
/// The most batches that a single change waits for.
const WAITED: f64 = 1.0;

/// Measures.
pub async fn figures(stage: &mut Stage, args: &RemoteArgs) -> Result<Vec<Figure>> {
    let (ours, theirs) = idle(stage, args.writes).await?;
    stage.server.reset_peak()?;
    let (behind, waited) = behind_many(stage, args).await?;
    let memory = megabytes(stage.server.memory()?.peak);
    let row =
        |label: &str, percent| figure(label, 2, ours.percentile(percent)).beside(theirs.percentile(percent));
    Ok(vec![
        row("a single change, median, ms", 50),
        row("  99th percentile", 99),
        figure(
            format!("  behind {} changes of another client, median, ms", args.flood),
            1,
            behind.median(),
        ),
        figure("    99th percentile", 1, behind.percentile(99)),
        figure("    batches that it waits for, at most", 0, waited).at_most(WAITED),
        figure("    memory of the server, at most, MB", 1, memory),
    ])
}

/// By our protocol and by Gardener's, in turn.
async fn idle(stage: &Stage, writes: u32) -> Result<(Distribution, Distribution)> {
    let zone = &stage.zones[0];
    let mut client = Client::new(stage.other(1)?, stage.server.address)?;
    client.list().await?;
    let mut gardener = Gardener::connect(stage.other(0)?, stage.server.address).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for write in 0..writes {
        let group = creation(&format!("idle-{write}.{zone}"), "192.0.2.1")?;
        let begun = Instant::now();
        client.apply(zone, &[group]).await?;
        ours.push(begun.elapsed());
        let begun = Instant::now();
        gardener
            .create(zone, &format!("gardener-{write}.{zone}"), "192.0.2.1")
            .await?;
        theirs.push(begun.elapsed());
    }
    Ok((
        Distribution::milliseconds(&ours),
        Distribution::milliseconds(&theirs),
    ))
}

/// Each change is sent when a batch has just begun, which is the worst moment. How long they
/// take, and the most batches that one of them waits for until its own begins.
async fn behind_many(stage: &mut Stage, args: &RemoteArgs) -> Result<(Distribution, f64)> {
    let zone = stage.zones[0].clone();
    let mut flood = Client::new(stage.other(0)?, stage.server.address)?;
    let mut client = Client::new(stage.other(1)?, stage.server.address)?;
    client.list().await?;
    let groups: Vec<Group> = (0..args.flood)
        .map(|number| creation(&format!("flood-{number}.{zone}"), "192.0.2.1"))
        .collect::<Result<_>>()?;
    stage
        .server
        .order(Order::Pause(u64::try_from(BATCH.as_millis())?))
        .await?;
    let flooded = zone.clone();
    let flood = tokio::spawn(async move { flood.apply(&flooded, &groups).await });
    let (mut times, mut most) = (Vec::new(), 0);
    for probe in 0..args.writes {
        let begun = stage.server.order(Order::NextBatch).await?.batches;
        if flood.is_finished() {
            break;
        }
        let group = creation(&format!("{PROBE}{probe}.{zone}"), "192.0.2.1")?;
        let sent = Instant::now();
        client.apply(&zone, &[group]).await?;
        let took = sent.elapsed();
        let own = stage.server.order(Order::Tell).await?.probed;
        // What came last may have had nothing before it.
        if flood.is_finished() {
            break;
        }
        times.push(took);
        most = most.max(own.saturating_sub(begun));
    }
    flood.await.context("the flood was cut off")??;
    stage.server.order(Order::Pause(0)).await?;
    Ok((Distribution::milliseconds(&times), number(most)))
}
