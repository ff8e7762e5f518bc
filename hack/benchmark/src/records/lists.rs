//! How often a zone is listed when a record is written every minute.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use records::cache::{Cached, Clock, Settings};
use records::provider::Operation;
use records::provider::memory::Memory;
use records::{Change, Endpoint, Group, Labels, Outcome, Provider};

use super::{name, wanted, zone};
use crate::clock::Simulated;
use crate::sheet::{Figure, figure, number};

/// How many records a provider such as Route 53 lists with one call.
pub const PAGE: u64 = 300;
const MINUTE: Duration = Duration::from_secs(60);
/// For how many minutes a record is written each minute.
const MINUTES: usize = 10;

/// Counts.
pub async fn figures(count: usize) -> Result<Vec<Figure>> {
    let pages = (count as u64).div_ceil(PAGE);
    let folder = tempfile::tempdir()?;
    let memory = Arc::new(filled(count)?);
    let clock = Arc::new(Simulated::default());
    let settings = |patch_on_apply| Settings {
        time: Duration::from_secs(24 * 3600),
        patch_on_apply,
        directory: patch_on_apply.then(|| folder.path().to_owned()),
        ..Settings::default()
    };
    let lists = async |settings: Settings, minutes: usize| -> Result<u64> {
        let before = memory.calls().of(Operation::Read);
        let provider = Arc::clone(&memory) as Arc<dyn Provider>;
        let cache = Cached::open(provider, settings, Arc::clone(&clock) as Arc<dyn Clock>)?;
        write_each_minute(&cache, &clock, minutes).await?;
        Ok((memory.calls().of(Operation::Read) - before) * pages)
    };
    let theirs = lists(settings(false), MINUTES).await?;
    let ours = lists(settings(true), MINUTES).await?;
    let again = lists(settings(true), MINUTES).await?;
    Ok(vec![
        calls(
            "calls to list, a write a minute for ten minutes, reset after each",
            theirs,
        ),
        calls("  patched", ours).at_most(number(pages)),
        calls("  patched, after a restart", again).at_most(0.0),
    ])
}

async fn write_each_minute(cache: &Cached, clock: &Simulated, minutes: usize) -> Result<()> {
    let zone = zone()?;
    cache.read(&zone).await?;
    for _ in 0..minutes {
        clock.advance(MINUTE);
        let now = clock.monotonic().as_secs();
        let record = Endpoint {
            dns_name: format!("new-{now}.{}", zone.name).into(),
            ..wanted(0)
        };
        let group = Group {
            name: record.name()?,
            changes: vec![Change::Create(Endpoint {
                labels: Labels::new(),
                ..record
            })],
        };
        let outcome = cache.apply(&zone, &[group]).await;
        ensure!(
            matches!(outcome[..], [Outcome::Applied { .. }]),
            "not written: {outcome:?}"
        );
        cache.read(&zone).await?;
    }
    Ok(())
}

/// A provider with so many records.
fn filled(count: usize) -> Result<Memory> {
    let memory = Memory::new([name(super::ZONE)?]);
    for number in 0..count {
        memory.put(Endpoint {
            labels: Labels::new(),
            ..wanted(number)
        });
    }
    Ok(memory)
}

fn calls(label: &str, count: u64) -> Figure {
    figure(label, 0, number(count))
}
