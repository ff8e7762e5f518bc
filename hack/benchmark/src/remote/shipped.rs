//! The client that is shipped, with its cache on disk, in a process of its own so that its
//! memory is its own: what it takes to begin with nothing, and to come again.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use records::cache::SystemClock;
use records::provider::Operation;
use records::{Provider as _, Zone};
use remote::client::{Remote, Settings, mounted_secret};
use serde::{Deserialize, Serialize};

use super::server::cache;
use super::stage::Stage;
use super::subprocess::{Subprocess, orders, say};
use crate::cli::RemoteClientArgs;
use crate::process::Memory;
use crate::relay::Relay;

/// Where a client has its Secret, and its cache.
const SECRET: &str = "secret";
const CACHE: &str = "cache";
/// How long what is still on its way is waited for.
const ARRIVAL: Duration = Duration::from_millis(100);

/// What the client is told to do. Each order is answered with what it then has.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Order {
    /// Learn which zones there are, and begin to hear of changes.
    List,
    /// Have all of them as the server has them.
    Have,
}

/// What the client has.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Held {
    /// How many zones there are.
    zones: usize,
    /// How many record sets are in them.
    records: usize,
    /// How many zones were read whole.
    reads: u64,
    /// How many were held beside what was known.
    confirmations: u64,
}

/// What a life of the client has taken.
pub struct Life {
    /// Octets in both directions until it had heard which zones there are.
    pub connected: u64,
    /// Those until it had all of them.
    pub zones: u64,
    /// The memory that it then had.
    pub memory: Memory,
}

/// Begins with nothing; and once more with what that has kept, when it has ended without
/// notice.
pub async fn measure(stage: &Stage) -> Result<[Life; 2]> {
    let folder = tempfile::tempdir().context("failed to make a folder")?;
    let relay = Relay::start(stage.server.address).await?;
    let pass = stage.other(0)?;
    pass.write_client(&folder.path().join(SECRET), relay.address)?;
    let zones = stage.zones.len();
    let (first, held) = live(folder.path(), &relay).await?;
    ensure!(
        (held.zones, held.reads) == (zones, zones as u64),
        "a client that knows nothing does not read all zones: {held:?}"
    );
    let (again, known) = live(folder.path(), &relay).await?;
    ensure!(
        (known.records, known.reads, known.confirmations) == (held.records, 0, zones as u64),
        "a client that comes again does not confirm what it knows: {known:?}"
    );
    Ok([first, again])
}

/// Until the client has all zones.
async fn live(folder: &Path, relay: &Relay) -> Result<(Life, Held)> {
    let arguments: [OsString; 3] = ["remote-client".into(), "--directory".into(), folder.into()];
    let (mut process, _): (_, Held) = Subprocess::start(&arguments).await?;
    let _: Held = process.order(&Order::List).await?;
    let connected = taken(relay).await;
    let held = process.order(&Order::Have).await?;
    let zones = taken(relay).await;
    let memory = process.memory()?;
    process.kill().await?;
    // What it says as it goes is of no life.
    taken(relay).await;
    let life = Life {
        connected,
        zones,
        memory,
    };
    Ok((life, held))
}

/// The octets that have gone through a relay.
pub async fn taken(relay: &Relay) -> u64 {
    tokio::time::sleep(ARRIVAL).await;
    relay.take().all()
}

/// Does what it is told until standard input ends.
pub async fn keep(args: &RemoteClientArgs) -> Result<()> {
    let access = mounted_secret::follow(args.directory.join(SECRET))?;
    let provider = Arc::new(Remote::new(access, Settings::default()));
    let directory = args.directory.join(CACHE);
    let cache = cache(provider, Some(&directory), Arc::new(SystemClock::default()))?;
    let mut zones: Vec<Zone> = Vec::new();
    let mut held = Held::default();
    say(&held)?;
    let mut lines = orders();
    while let Some(line) = lines.recv().await {
        match serde_json::from_str(&line)? {
            Order::List => zones = cache.zones().await?,
            Order::Have => {
                held.records = 0;
                for zone in &zones {
                    held.records += cache.shared(zone).await?.records.len();
                }
            }
        }
        let calls = cache.status().provider_calls;
        let calls = |operation| calls.get(&operation).copied().unwrap_or_default();
        held.zones = zones.len();
        held.reads = calls(Operation::Read);
        held.confirmations = calls(Operation::Confirm);
        say(&held)?;
    }
    Ok(())
}
