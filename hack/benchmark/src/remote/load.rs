//! The server's memory: at rest, while all read at once, and with readers that take nothing.

use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use records::Endpoint;

use super::hosted;
use super::stage::Stage;
use crate::cli::RemoteArgs;
use crate::sheet::{Figure, figure};
use crate::table::megabytes;

/// How long slow readers take nothing.
const IDLE: Duration = Duration::from_secs(2);

/// At rest, with all clients connected.
pub fn at_rest(stage: &Stage, args: &RemoteArgs) -> Result<Vec<Figure>> {
    let [before, after, first] = stage.begun;
    let records = f64::from(args.zones) * f64::from(args.records);
    let read = f64::from(after.resident.saturating_sub(before.resident)) * 1024.0;
    let now = stage.server.memory()?;
    let crowd = f64::from(u32::try_from(stage.clients.len())?);
    let connected = f64::from(now.resident.saturating_sub(first.resident)) * 1.024;
    Ok(vec![
        figure("memory of the server at rest, MB", 1, megabytes(now.resident)),
        figure(
            "  for a record beside its text, octets",
            0,
            (read - text(args)?) / records,
        ),
        figure("  for a client that watches, kB", 0, connected / crowd),
    ])
}

/// While all have begun to read a whole zone and take nothing, and while all read one.
pub async fn figures(stage: &mut Stage) -> Result<Vec<Figure>> {
    let slow = slow_readers(stage).await?;
    stage.server.reset_peak()?;
    let zones = &stage.zones;
    let readings = stage
        .clients
        .iter_mut()
        .enumerate()
        .map(|(place, client)| client.read_whole(&zones[place % zones.len()]));
    stream::iter(readings)
        .buffer_unordered(usize::MAX)
        .try_fold(0, async |sum, count| Ok(sum + count))
        .await?;
    let all = stage.server.memory()?.peak;
    let label = "  at most, while each client reads a whole zone";
    Ok(vec![slow, figure(label, 1, megabytes(all))])
}

async fn slow_readers(stage: &mut Stage) -> Result<Figure> {
    stage.server.reset_peak()?;
    let zones = &stage.zones;
    let openings = stage
        .clients
        .iter_mut()
        .enumerate()
        .map(|(place, client)| client.open(&zones[place % zones.len()], &[]));
    // Some are told to come again: the server reads so many zones at a time.
    let streams: Vec<_> = join_all(openings).await.into_iter().flatten().collect();
    tokio::time::sleep(IDLE).await;
    let label = format!(
        "  at most, while {} read a whole zone and take nothing",
        streams.len()
    );
    Ok(figure(label, 1, megabytes(stage.server.memory()?.peak)))
}

/// The text of all records: what no way of keeping them can do without.
fn text(args: &RemoteArgs) -> Result<f64> {
    let mut octets = 0;
    for zone in 0..args.zones {
        let zone = hosted::zone(zone)?.name;
        let of = |record: Endpoint| {
            let targets: usize = record.targets.iter().map(|target| target.len()).sum();
            record.dns_name.len() + targets
        };
        octets += (0..args.records)
            .map(|number| of(hosted::record(&zone, number)))
            .sum::<usize>();
    }
    Ok(f64::from(u32::try_from(octets)?))
}
