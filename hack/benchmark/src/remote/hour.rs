//! What the provider is asked in an hour that is not waited for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use records::cache::Clock;
use records::{Outcome, Provider};

use super::hosted::{Hosted, PAGE, Tally, next_change};
use super::server::{Order, cache, rotate};
use super::stage::Stage;
use crate::cli::RemoteArgs;
use crate::clock::Simulated;
use crate::sheet::{Figure, figure, number};

/// The minutes.
const MINUTES: u32 = 60;
/// How often a client that keeps nothing between them lists its zones in an hour: as
/// Gardener's controller does, and with a cache of external-dns for a quarter of an hour.
const LISTS: [(&str, u64); 2] = [("every 30 min", 2), ("every 15 min", 4)];

/// Measures.
pub async fn figures(stage: &mut Stage, args: &RemoteArgs) -> Result<Vec<Figure>> {
    let clients = u64::try_from(stage.clients.len())?;
    // Each client has a record of its own, so that zones may come to have a page more.
    let own = u32::try_from(clients)?.div_ceil(args.zones);
    let alone = direct(args, args.records + own).await?;
    let all = central(stage, args).await?;
    let changes = clients * u64::from(args.changes);
    let pages = u64::from(args.zones) * u64::from(args.records).div_ceil(PAGE as u64);
    let calls = all.reads + all.writes;
    let mut figures = vec![
        figure("provider calls in an hour", 0, number(calls))
            .at_most(number(alone.reads + changes))
            .beside(number(clients * (alone.reads + alone.writes))),
        figure("  of them writes", 0, number(all.writes))
            .at_most(number(changes))
            .beside(number(changes)),
        figure("  of them reads", 0, number(all.reads))
            .at_most(number(alone.reads))
            .beside(number(clients * alone.reads)),
    ];
    for (label, lists) in LISTS {
        let reads = clients * lists * pages;
        figures.push(
            figure(
                format!("  reads; the others list all zones {label}"),
                0,
                number(all.reads),
            )
            .beside(number(reads)),
        );
    }
    Ok(figures)
}

/// How many changes a client has made before a minute, if it makes one then: they are spread
/// over the hour.
fn due(minute: u32, client: usize, changes: u32) -> Result<Option<u32>> {
    let client = u32::try_from(client)?;
    let is_due = |minute: u32| ((minute + client) % MINUTES) * changes % MINUTES < changes;
    let before = (0..minute).filter(|minute| is_due(*minute)).count();
    let before = u32::try_from(before)?;
    Ok(Some(before).filter(|_| is_due(minute)))
}

/// By way of the server, which has begun just before.
async fn central(stage: &mut Stage, args: &RemoteArgs) -> Result<Tally> {
    for minute in 0..MINUTES {
        stage.server.advance(60).await?;
        for (place, client) in stage.clients.iter_mut().enumerate() {
            let Some(before) = due(minute, place, args.changes)? else {
                continue;
            };
            let zone = &stage.zones[place % stage.zones.len()];
            let group = next_change(&format!("own-{place}.{zone}"), before)?;
            client.apply(zone, &[group]).await?;
        }
        stage.pass().await?;
    }
    settle(stage).await?;
    stage.server.order(Order::Tell).await
}

/// Until all have what the server has, and it is the same.
async fn settle(stage: &mut Stage) -> Result<()> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.pass().await?;
    let first = stage.clients.first().context("there is no client")?;
    ensure!(
        stage
            .clients
            .iter()
            .all(|client| client.is_current() && client.has_what(first)),
        "the clients do not have the same zones"
    );
    Ok(())
}

/// A client that has the engine, and the account for itself, with so many records a zone.
async fn direct(args: &RemoteArgs, records: u32) -> Result<Tally> {
    let clock = Arc::new(Simulated::default());
    let hosted = Arc::new(Hosted::new(args.zones, records)?);
    let provider = Arc::clone(&hosted) as Arc<dyn Provider>;
    let cache = cache(provider, None, Arc::clone(&clock) as Arc<dyn Clock>)?;
    for zone in hosted.all() {
        cache.shared(zone).await?;
    }
    for minute in 0..MINUTES {
        clock.advance(Duration::from_secs(60));
        for zone in hosted.all() {
            cache.shared(zone).await?;
        }
        rotate(&cache).await?;
        if let Some(before) = due(minute, 0, args.changes)? {
            let zone = &hosted.all()[0];
            let group = next_change(&format!("own.{}", zone.name), before)?;
            let outcome = cache.apply(zone, &[group]).await;
            ensure!(
                matches!(outcome[..], [Outcome::Applied { .. }]),
                "not written: {outcome:?}"
            );
        }
    }
    let tally = *hosted.tally().borrow();
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_its_changes_in_each_hour() {
        for changes in [1, 3, 5, 7, 35, 60] {
            for client in [0, 1, 59, 499] {
                let made = (0..MINUTES).filter_map(|minute| due(minute, client, changes).unwrap());
                assert!(made.eq(0..changes));
            }
        }
    }
}
