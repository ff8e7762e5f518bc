//! Zones as Route 53 hosts them, by calls: what is behind the server.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use records::provider::Confirmation;
use records::{
    Change, Endpoint, Group, Name, Outcome, Provider, ProviderError, RecordKey, RecordType, Zone, ZoneId,
    ZoneRecords, ZoneVersion,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The record sets that one call lists.
pub const PAGE: usize = 300;
/// The most changes of one call.
const BATCH: usize = 1000;
/// The calls for a look at a zone that is known: its count, and a page.
const LOOK: u64 = 2;
/// How the names begin whose batch is remembered.
pub const PROBE: &str = "probe-";

/// Zones that nobody else writes to. What is in them at first is made up whenever it is
/// read, so that the memory of the process is the server's.
pub struct Hosted {
    zones: Vec<Zone>,
    records: u32,
    written: Mutex<BTreeMap<RecordKey, Option<Endpoint>>>,
    tally: watch::Sender<Tally>,
    /// How long a batch takes, in milliseconds.
    pause: AtomicU64,
}

/// What it was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Calls that list records, or tell whether they are the same.
    pub reads: u64,
    /// Calls that write.
    pub writes: u64,
    /// Batches that were begun.
    pub batches: u64,
    /// The number of the last batch in which was a name that begins with [`PROBE`].
    pub probed: u64,
}

impl Hosted {
    /// So many zones with so many record sets each.
    pub fn new(zones: u32, records: u32) -> Result<Self> {
        Ok(Self {
            zones: (0..zones).map(zone).collect::<Result<_>>()?,
            records,
            written: Mutex::default(),
            tally: watch::Sender::default(),
            pause: AtomicU64::default(),
        })
    }

    /// All zones.
    pub fn all(&self) -> &[Zone] {
        &self.zones
    }

    /// Follows what it is asked for.
    pub fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    /// Has each batch take so long from now on.
    pub fn set_pause(&self, pause: Duration) {
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.pause.store(pause, Ordering::Relaxed);
    }

    fn written(&self) -> MutexGuard<'_, BTreeMap<RecordKey, Option<Endpoint>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contents(&self, zone: &Zone) -> ZoneRecords {
        let written = self.written();
        let first = (0..self.records).map(|number| record(&zone.name, number));
        let is_first = |endpoint: &Endpoint| endpoint.key().is_ok_and(|key| !written.contains_key(&key));
        let later = written.iter().filter(|(key, _)| key.name.is_within(&zone.name));
        let later = later.filter_map(|(_, endpoint)| endpoint.clone());
        ZoneRecords {
            records: first.filter(is_first).chain(later).collect(),
            version: Some(version()),
        }
    }

    async fn write(&self, groups: &[Group]) -> Vec<Outcome> {
        let changes = groups.iter().map(|group| group.changes.len()).sum::<usize>();
        let is_probed = groups.iter().any(|group| group.name.as_str().starts_with(PROBE));
        self.tally.send_modify(|tally| {
            tally.writes += changes.div_ceil(BATCH) as u64;
            tally.batches += 1;
            if is_probed {
                tally.probed = tally.batches;
            }
        });
        tokio::time::sleep(Duration::from_millis(self.pause.load(Ordering::Relaxed))).await;
        let mut written = self.written();
        for change in groups.iter().flat_map(|group| &group.changes) {
            let side = change.after().or(change.before());
            if let Some(key) = side.and_then(|side| side.key().ok()) {
                written.insert(key, change.after().cloned());
            }
        }
        vec![Outcome::Applied { written: None }; groups.len()]
    }

    fn read_calls(&self, calls: u64) {
        self.tally.send_modify(|tally| tally.reads += calls);
    }
}

impl Provider for Hosted {
    fn name(&self) -> &'static str {
        "hosted"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        self.read_calls(1);
        async { Ok(self.zones.clone()) }.boxed()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        async {
            let contents = self.contents(zone);
            self.read_calls(contents.records.len().div_ceil(PAGE) as u64);
            Ok(contents)
        }
        .boxed()
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        async {
            self.read_calls(names.len() as u64);
            let contents = self.contents(zone);
            let at = names.iter().map(|name| contents.records.at_place(name.as_str()));
            Ok(at.flatten().collect())
        }
        .boxed()
    }

    /// As Route 53 does: nothing tells of a whole zone but all its pages.
    fn confirm<'a>(
        &'a self,
        _: &'a Zone,
        _: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        self.read_calls(LOOK);
        async {
            Ok(Confirmation::Part {
                names: BTreeMap::new(),
                version: version(),
            })
        }
        .boxed()
    }

    fn apply<'a>(&'a self, _: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        self.write(groups).boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        async { Ok(wanted) }.boxed()
    }
}

fn version() -> ZoneVersion {
    ZoneVersion("a page".into())
}

/// A zone, by its number.
pub fn zone(number: u32) -> Result<Zone> {
    let text = format!("zone-{number}.example.test");
    Ok(Zone {
        id: ZoneId(text.as_str().into()),
        name: Name::parse(&text).with_context(|| format!("{text} is no name"))?,
    })
}

/// A record set of a zone, by its number: the odd ones tell who owns those before them.
pub fn record(zone: &Name, number: u32) -> Endpoint {
    let of = number / 2;
    let name = format!("web-{of}.team-{}.{zone}", of % 500);
    let address = format!("10.{}.{}.{}", of >> 16, (of >> 8) & 255, of & 255);
    if number.is_multiple_of(2) {
        return address_record(&name, &address);
    }
    let owner = format!(
        "\"heritage=external-dns,external-dns/owner=cluster-{}\"",
        of % 500
    );
    Endpoint {
        dns_name: format!("a-{name}").into(),
        targets: [owner.into()].into(),
        record_type: RecordType::Txt,
        ttl: NonZeroU32::new(300),
        ..Endpoint::default()
    }
}

/// A name with an address.
fn address_record(name: &str, address: &str) -> Endpoint {
    Endpoint {
        dns_name: name.into(),
        targets: [address.into()].into(),
        ttl: NonZeroU32::new(300),
        ..Endpoint::default()
    }
}

/// A group that makes a name with an address.
pub fn creation(name: &str, address: &str) -> Result<Group> {
    group(name, Change::Create(address_record(name, address)))
}

/// The change of a name that comes after so many others: it is made first, and gets another
/// address each time from then on.
pub fn next_change(name: &str, before: u32) -> Result<Group> {
    let record = |number: u32| address_record(name, &format!("192.0.2.{number}"));
    let new = record(before + 1);
    let change = match before {
        0 => Change::Create(new),
        _ => Change::Update {
            old: record(before),
            new,
        },
    };
    group(name, change)
}

fn group(name: &str, change: Change) -> Result<Group> {
    Ok(Group {
        name: Name::parse(name).with_context(|| format!("{name} is no name"))?,
        changes: vec![change],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_are_counted_as_route_53_would_be_called() {
        let hosted = Hosted::new(2, 1000).unwrap();
        let zone = hosted.all()[0].clone();
        assert_eq!(hosted.read(&zone).await.unwrap().records.len(), 1000);
        let name = |number: usize| format!("new-{number}.{}", zone.name);
        let groups: Vec<Group> = (0..1001)
            .map(|number| creation(&name(number), "192.0.2.1").unwrap())
            .collect();
        hosted.apply(&zone, &groups).await;
        let tally = *hosted.tally().borrow();
        assert_eq!((tally.reads, tally.writes, tally.batches), (4, 2, 1));
        assert_eq!(hosted.read(&zone).await.unwrap().records.len(), 2001);
    }
}
