//! How zones and rows are written: as JSON, which tells its own fields and so can be read
//! by versions that know more of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Row, StoredList, StoredTimes, StoredZone, ZoneWrite};
use crate::{Endpoint, Zone, ZoneVersion};

/// A zone without its rows.
#[derive(Serialize, Deserialize)]
struct ZoneText {
    zone: Zone,
    version: Option<ZoneVersion>,
    full_read_ms: Option<u64>,
    patched_ms: Option<u64>,
    stored_ms: u64,
}

/// The zones of a provider.
#[derive(Serialize, Deserialize)]
struct ListText {
    zones: Vec<Zone>,
    listed_ms: u64,
}

/// A row that is written.
#[derive(Serialize)]
struct WrittenRow {
    #[serde(skip_serializing_if = "is_false")]
    doubtful: bool,
    #[serde(skip_serializing_if = "is_false")]
    patched: bool,
    records: Vec<Endpoint>,
}

/// A row that is read.
#[derive(Deserialize)]
struct ReadRow {
    #[serde(default)]
    doubtful: bool,
    #[serde(default)]
    patched: bool,
    records: Vec<Endpoint>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The text of a row.
pub(super) fn encode(row: &Row) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&WrittenRow {
        doubtful: row.doubtful,
        patched: row.patched,
        records: row.records.iter().collect(),
    })
}

/// The row of a text.
pub(super) fn decode(text: &[u8]) -> serde_json::Result<Row> {
    let row: ReadRow = serde_json::from_slice(text)?;
    Ok(Row {
        records: row.records.iter().collect(),
        doubtful: row.doubtful,
        patched: row.patched,
    })
}

/// The text of a zone.
pub(super) fn encode_zone(zone: &Zone, write: &ZoneWrite) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&ZoneText {
        zone: zone.clone(),
        version: write.version.clone(),
        full_read_ms: write.times.full_read.map(milliseconds),
        patched_ms: write.times.patched.map(milliseconds),
        stored_ms: milliseconds(write.times.stored),
    })
}

/// The zone of a text, without rows.
pub(super) fn decode_zone(text: &[u8]) -> serde_json::Result<StoredZone> {
    let text: ZoneText = serde_json::from_slice(text)?;
    Ok(StoredZone {
        zone: text.zone,
        version: text.version,
        times: StoredTimes {
            full_read: text.full_read_ms.map(Duration::from_millis),
            patched: text.patched_ms.map(Duration::from_millis),
            stored: Duration::from_millis(text.stored_ms),
        },
        rows: Vec::new(),
    })
}

/// The text of a list of zones.
pub(super) fn encode_list(list: &StoredList) -> serde_json::Result<String> {
    serde_json::to_string(&ListText {
        zones: list.zones.clone(),
        listed_ms: milliseconds(list.listed),
    })
}

/// The list of zones of a text.
pub(super) fn decode_list(text: &str) -> serde_json::Result<StoredList> {
    let text: ListText = serde_json::from_str(text)?;
    Ok(StoredList {
        zones: text.zones,
        listed: Duration::from_millis(text.listed_ms),
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
