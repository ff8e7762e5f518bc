//! `dns-operator records show`: what a record cache on disk holds.

use std::fmt;
use std::io::Write;
use std::time::{Duration, SystemTime};

use records::cache::store::{FileStore, StoredZone};
use serde::Serialize;

use super::cli::ShowArgs;

/// What a record cache holds.
#[derive(Debug, Serialize)]
struct Shown {
    /// For which provider it was kept.
    provider: String,
    zones: Vec<ShownZone>,
}

/// A zone of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownZone {
    /// The apex.
    zone: String,
    /// How many record sets it has.
    records: usize,
    /// How long ago all of it was read, in seconds.
    age_seconds: Option<u64>,
    /// How long ago something was written to it, in seconds.
    patched_seconds_ago: Option<u64>,
    /// Names that were written since the provider last said what the zone is.
    patched: Vec<String>,
    /// Names that are read again before they are believed.
    doubtful: Vec<String>,
}

/// Prints it.
pub fn show(args: &ShowArgs, output: &mut dyn Write) -> anyhow::Result<()> {
    let (provider, zones) = FileStore::look(&args.record_cache_dir)?;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let shown = Shown {
        provider,
        zones: zones.iter().map(|zone| ShownZone::of(zone, now)).collect(),
    };
    args.output.print(&shown, output)?;
    Ok(())
}

impl ShownZone {
    fn of(stored: &StoredZone, now: Duration) -> Self {
        let ago = |then: Duration| now.saturating_sub(then).as_secs();
        let names = |which: fn(&records::cache::store::Row) -> bool| {
            let rows = stored.rows.iter().filter(|(_, row)| which(row));
            rows.map(|(name, _)| name.to_string()).collect()
        };
        Self {
            zone: stored.zone.name.to_string(),
            records: stored.rows.iter().map(|(_, row)| row.records.len()).sum(),
            age_seconds: stored.times.full_read.map(ago),
            patched_seconds_ago: stored.times.patched.map(ago),
            patched: names(|row| row.patched),
            doubtful: names(|row| row.doubtful),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "kept for {}", self.provider)?;
        for zone in &self.zones {
            let ShownZone {
                zone: name,
                records,
                age_seconds,
                patched_seconds_ago,
                patched,
                doubtful,
            } = zone;
            write!(formatter, "zone {name}: {records} record sets, ")?;
            match age_seconds {
                Some(age) => write!(formatter, "all read {age} s ago")?,
                None => write!(formatter, "never read as a whole")?,
            }
            match patched_seconds_ago {
                Some(ago) => writeln!(
                    formatter,
                    ", last written {ago} s ago, {} names since it was confirmed",
                    patched.len()
                )?,
                None => writeln!(formatter)?,
            }
            for name in doubtful {
                writeln!(formatter, "  doubtful: {name}")?;
            }
        }
        Ok(())
    }
}
