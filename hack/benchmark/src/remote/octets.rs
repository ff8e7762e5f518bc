//! What goes over the wire for one client, beside Gardener's protocol.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::client::Client;
use super::gardener::Gardener;
use super::hosted::creation;
use super::shipped::{self, Life, taken};
use super::stage::Stage;
use crate::relay::Relay;
use crate::sheet::{Figure, figure, number};
use crate::table::megabytes;

/// The most octets for a zone of which a client has the revision.
const RESTART: f64 = 1000.0;
/// How often it is looked whether a change was told.
const LOOK: Duration = Duration::from_millis(20);

/// Octets in both directions.
#[derive(Clone, Copy, Debug, Default)]
struct Protocol {
    /// A restart with what was known before.
    restart: u64,
    /// Of that for each zone, when the connection is there.
    zone: u64,
    /// A restart with nothing.
    cold: u64,
    /// A change, for the one who makes it.
    writer: u64,
    /// A change, for each of the others.
    watcher: u64,
}

/// What an average client takes when it comes again after a failure of the server, by
/// Gardener's protocol, and the figures of both protocols.
pub struct Measured {
    /// A restart by Gardener's protocol.
    pub gardeners_restart: u64,
    /// The octets of both.
    pub figures: Vec<Figure>,
    /// The memory of a client of ours.
    pub memory: Vec<Figure>,
}

/// Measures.
pub async fn measure(stage: &Stage) -> Result<Measured> {
    let [first, again] = shipped::measure(stage).await?;
    let ours = ours(stage, &first, &again).await?;
    let theirs = gardeners(stage).await?;
    let row = |label: &str, octets: fn(&Protocol) -> u64| {
        figure(label, 0, number(octets(&ours))).beside(number(octets(&theirs)))
    };
    Ok(Measured {
        gardeners_restart: theirs.restart,
        figures: vec![
            row("octets for a restart with what was known", |of| of.restart),
            row("  of them for a zone", |of| of.zone).at_most(RESTART),
            row("octets for a restart with nothing", |of| of.cold),
            row("octets for a change, to who makes it", |of| of.writer),
            row("  to each of the others", |of| of.watcher),
        ],
        memory: vec![
            figure(
                "memory of a client that has all zones, MB",
                1,
                megabytes(again.memory.resident),
            ),
            figure(
                "  at most, in a restart with what was known",
                1,
                megabytes(again.memory.peak),
            ),
            figure(
                "  at most, in a restart with nothing",
                1,
                megabytes(first.memory.peak),
            ),
        ],
    })
}

/// Restarts are those of the client that is shipped.
async fn ours(stage: &Stage, first: &Life, again: &Life) -> Result<Protocol> {
    let relay = Relay::start(stage.server.address).await?;
    let mut watcher = Client::new(stage.other(0)?, relay.address)?;
    watcher.list().await?;
    watcher.watch().await?;
    for zone in &stage.zones {
        watcher.read(zone).await?;
    }
    let (writer, watcher) = change(stage, &relay, watcher).await?;
    Ok(Protocol {
        restart: again.connected + again.zones,
        zone: again.zones / stage.zones.len() as u64,
        cold: first.connected + first.zones,
        writer,
        watcher,
    })
}

/// A change by somebody else, and what one who watches takes to have it.
async fn change(stage: &Stage, relay: &Relay, mut watcher: Client) -> Result<(u64, u64)> {
    let zone = &stage.zones[0];
    let other = Relay::start(stage.server.address).await?;
    let mut writer = Client::new(stage.other(1)?, other.address)?;
    writer.list().await?;
    taken(&other).await;
    taken(relay).await;
    writer
        .apply(zone, &[creation(&format!("octets.{zone}"), "192.0.2.1")?])
        .await?;
    let written = taken(&other).await;
    while watcher.is_current() {
        tokio::time::sleep(LOOK).await;
    }
    ensure!(watcher.pass().await? == 1, "another change was told");
    Ok((written, taken(relay).await))
}

async fn gardeners(stage: &Stage) -> Result<Protocol> {
    let relay = Relay::start(stage.server.address).await?;
    let zone = &stage.zones[0];
    let mut client = Gardener::connect(stage.other(0)?, relay.address).await?;
    client.list().await?;
    let connected = taken(&relay).await;
    for zone in &stage.zones {
        client.read(zone).await?;
    }
    let zones = taken(&relay).await;
    client
        .create(zone, &format!("octets-of-gardeners.{zone}"), "192.0.2.1")
        .await?;
    let writer = taken(&relay).await;
    client.read(zone).await?;
    let watcher = taken(&relay).await;
    Ok(Protocol {
        restart: connected + zones,
        zone: zones / stage.zones.len() as u64,
        cold: connected + zones,
        writer,
        watcher,
    })
}
