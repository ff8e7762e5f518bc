//! `hack/bench remote`: a central server of zones, with few clients and with many.

pub mod certificates;
mod client;
mod failover;
mod gardener;
mod hosted;
mod hour;
mod latency;
mod load;
mod octets;
mod process;
mod server;
mod shipped;
mod stage;
mod subprocess;

use anyhow::{Context as _, Result};
use devcluster::Progress;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::stage::Stage;
use crate::cli::{RemoteArgs, RemoteClientArgs, RemoteServerArgs};
use crate::sheet::{Figure, Sheet};

/// The open files for a client: its own connection, and both ends of the relay.
const FILES: u64 = 3;
/// The open files for everything else.
const OTHER_FILES: u64 = 200;

/// Measures and prints.
pub async fn run(args: &RemoteArgs) -> Result<()> {
    let progress = Progress::shown();
    let most = args.clients.iter().max().copied().unwrap_or_default();
    allow_files(u64::from(most) * FILES + OTHER_FILES)?;
    for clients in &args.clients {
        let figures = figures(args, *clients, &progress).await?;
        sheet(args, *clients, figures).print(args.output)?;
    }
    Ok(())
}

/// The server, in a process of its own.
pub async fn serve(args: &RemoteServerArgs) -> Result<()> {
    server::serve(args).await
}

/// The client that is shipped, in a process of its own.
pub async fn keep(args: &RemoteClientArgs) -> Result<()> {
    shipped::keep(args).await
}

async fn figures(args: &RemoteArgs, clients: u32, progress: &Progress) -> Result<Vec<Figure>> {
    progress.say(format!("{clients} clients: the server reads its zones"));
    let mut stage = Stage::set_up(args, clients).await?;
    stage.gather().await?;
    let mut memory = load::at_rest(&stage, args)?;
    progress.say(format!("{clients} clients: all read at once"));
    memory.extend(load::figures(&mut stage).await?);
    progress.say(format!("{clients} clients: an hour by a simulated clock"));
    let mut figures = hour::figures(&mut stage, args).await?;
    progress.say(format!("{clients} clients: octets"));
    let octets = octets::measure(&stage).await?;
    figures.extend(octets.figures);
    progress.say(format!("{clients} clients: single changes"));
    figures.extend(latency::figures(&mut stage, args).await?);
    figures.extend(memory);
    figures.extend(octets.memory);
    progress.say(format!(
        "{clients} clients: the server ends, and another one begins"
    ));
    figures.extend(failover::figures(stage, octets.gardeners_restart).await?);
    Ok(figures)
}

fn sheet(args: &RemoteArgs, clients: u32, figures: Vec<Figure>) -> Sheet {
    let notes = [
        format!(
            "calls: as Route 53 would be called, {} record sets a call; {} changes an hour for each client, a pass a \
             minute, zones confirmed after {} min; beside each client with our engine and the account for itself",
            hosted::PAGE,
            args.changes,
            server::RESYNC.as_secs() / 60
        ),
        "octets: in both directions with those of TLS, the handshake is part of a restart; beside Gardener's \
         protocol, in which who does not write reads a zone whole to learn of a change"
            .to_owned(),
        format!(
            "single changes: the provider answers at once; behind others a batch takes {} ms, and each change is \
             sent when one has just begun",
            latency::BATCH.as_millis()
        ),
        "memory: resident; a client in a process of its own is the one that is shipped, with its cache on disk, and \
         so are its restarts; the clients of a crowd keep nothing but revisions"
            .to_owned(),
    ];
    Sheet {
        title: format!(
            "{clients} clients of one server, {} zones of {} records",
            args.zones, args.records
        ),
        peer: Some("other"),
        figures,
        notes: notes.into(),
    }
}

/// Has this process and those that it starts open so many files.
fn allow_files(most: u64) -> Result<()> {
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= most) {
        return Ok(());
    }
    let limit = Rlimit {
        current: Some(most),
        maximum: now.maximum,
    };
    setrlimit(Resource::Nofile, limit).with_context(|| format!("{most} open files are needed (ulimit -n)"))
}
