//! A zone on a real Knot: begun with, taken up again, and changed by somebody else.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use devcluster::Progress;
use devcluster::control_plane::free_port;
use devcluster::primary::{Make, Primary, SECRET};
use records::cache::{Cached, Settings, SystemClock};
use records::provider::rfc2136::{self, LoadBalancing, Rfc2136, Secret, TsigKey};
use records::{Change, Endpoint, Group, Labels, Outcome, Provider};

use super::{ZONE, name, wanted, zone};
use crate::figures::milliseconds;
use crate::relay::Relay;
use crate::sheet::{Figure, figure};

/// How long the cache is used without asking: so short that each reading asks.
const TIME: Duration = Duration::from_millis(1);

/// Measures.
pub async fn figures(count: usize, progress: &Progress) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let server = folder.path().join("server");
    std::fs::create_dir_all(&server)?;
    let listen: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
    let mut lines = String::new();
    for record in (0..count).map(wanted) {
        writeln!(lines, "{}. 300 A {}", record.dns_name, record.targets.join(" "))?;
    }
    progress.say("Knot loads the zone");
    let primary = Primary::start(Make::Knot, &server, listen, &[(ZONE, lines)], None).await?;
    let relay = Relay::start(primary.listen()).await?;
    let cache = folder.path().join("cache");
    let cold = reading(&relay, &cache, count).await?;
    let warm = reading(&relay, &cache, count).await?;
    change(primary.listen()).await?;
    let noticed = reading(&relay, &cache, count + 1).await?;
    let mut figures = Vec::new();
    for (what, (took, octets)) in [
        ("cold start", cold),
        ("warm start", warm),
        ("warm start, a foreign change is noticed", noticed),
    ] {
        figures.push(figure(format!("Knot: {what}, ms"), 1, milliseconds(took)));
        figures.push(figure("  octets from Knot", 0, f64::from(u32::try_from(octets)?)));
    }
    Ok(figures)
}

/// Opens the cache and reads the zone, until it has so many records.
async fn reading(relay: &Relay, directory: &Path, count: usize) -> Result<(Duration, u64)> {
    relay.take();
    let begun = Instant::now();
    let cache = Cached::open(
        Arc::new(provider(relay.address)?),
        Settings {
            time: TIME,
            patch_on_apply: true,
            directory: Some(directory.to_owned()),
            ..Settings::default()
        },
        Arc::new(SystemClock::default()),
    )?;
    let read = cache.read(&zone()?).await?;
    let took = begun.elapsed();
    // The name server of the zone and its address come on top.
    ensure!(
        read.records.len() == count + 2,
        "{} records were read",
        read.records.len()
    );
    Ok((took, relay.take().answered))
}

/// Writes a record as somebody else would.
async fn change(server: SocketAddr) -> Result<()> {
    let record = Endpoint {
        dns_name: format!("foreign.{ZONE}").into(),
        labels: Labels::new(),
        ..wanted(0)
    };
    let group = Group {
        name: record.name()?,
        changes: vec![Change::Create(record)],
    };
    let outcome = provider(server)?.apply(&zone()?, &[group]).await;
    ensure!(
        matches!(outcome[..], [Outcome::Applied { .. }]),
        "not written: {outcome:?}"
    );
    Ok(())
}

fn provider(server: SocketAddr) -> Result<Rfc2136> {
    let settings = rfc2136::Settings {
        hosts: vec![server.ip().to_string()],
        port: server.port(),
        zones: vec![name(ZONE)?],
        key: Some(TsigKey {
            name: name("hmac-sha256")?,
            secret: Secret::from_base64(SECRET)?,
            algorithm: "hmac-sha256".parse()?,
        }),
        min_ttl: 0,
        tls: None,
        load_balancing: LoadBalancing::Disabled,
        timeout: Duration::from_secs(30),
    };
    Ok(Rfc2136::new(&settings)?)
}
