//! The server ends without notice, and another one begins with what it has kept.

use std::time::Instant;

use anyhow::Result;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::client::Client;
use super::stage::Stage;
use crate::sheet::{Figure, figure, number};

/// Measures. A client of Gardener's protocol would take so many octets to have all zones.
pub async fn figures(mut stage: Stage, gardeners_restart: u64) -> Result<Vec<Figure>> {
    stage.pass().await?;
    stage.relay.take();
    let crowd = stage.clients.len() as u64;
    let begun = Instant::now();
    stage.server = stage.server.fail_over().await?;
    stage.relay.lead_to(stage.server.address);
    let ready = begun.elapsed();
    let zones = &stage.zones;
    let restarts = stage.clients.iter_mut().map(|client| confirm(client, zones));
    let told = stream::iter(restarts)
        .buffer_unordered(usize::MAX)
        .try_fold(0, async |sum, count| Ok(sum + count))
        .await?;
    let took = begun.elapsed();
    let octets = stage.relay.take().all();
    Ok(vec![
        figure(
            "seconds from the end of the server until all clients have all zones",
            2,
            took.as_secs_f64(),
        ),
        figure("  until the other server listens", 2, ready.as_secs_f64()),
        figure("  octets for all clients", 0, number(octets)).beside(number(crowd * gardeners_restart)),
        figure("  record sets that were told", 0, number(told)).at_most(0.0),
    ])
}

/// Makes sure of each zone; how many record sets were told.
async fn confirm(client: &mut Client, zones: &[String]) -> Result<u64> {
    let mut told = 0;
    for zone in zones {
        told += client.read(zone).await? as u64;
    }
    Ok(told)
}
