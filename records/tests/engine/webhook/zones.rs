//! A provider that keeps its zones in memory, and does what a test says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::future::BoxFuture;
use records::provider::Confirmation;
use records::{
    Change, Endpoint, Group, Name, Outcome, Provider, ProviderError, RecordKey, Zone, ZoneId, ZoneRecords,
};
use tokio::sync::Semaphore;

/// How long records may be cached that do not say so.
const DEFAULT_TTL: u32 = 300;

/// Zones by their names. All groups are compare-and-swap, to the letter.
pub struct Zones {
    served: Vec<Zone>,
    state: Mutex<State>,
    /// Calls pass while it has room.
    gate: Semaphore,
}

#[derive(Default)]
struct State {
    records: BTreeMap<RecordKey, Endpoint>,
    /// Zones that cannot be read.
    unreadable: BTreeSet<String>,
    /// What comes of groups of a name, instead of what would.
    outcomes: BTreeMap<String, Outcome>,
    reads: usize,
    /// The groups so far, each after its zone.
    groups: Vec<(String, Group)>,
}

impl Zones {
    pub fn new(names: &[&str]) -> Arc<Self> {
        let zones = names.iter().map(|name| Zone {
            id: ZoneId(format!("id of {name}").into()),
            name: Name::parse(name).unwrap(),
        });
        Arc::new(Self {
            served: zones.collect(),
            state: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Puts a record set in place by a foreign hand.
    pub fn put(&self, endpoint: Endpoint) {
        self.state().records.insert(endpoint.key().unwrap(), endpoint);
    }

    /// All records in their order.
    pub fn records(&self) -> Vec<Endpoint> {
        self.state().records.values().cloned().collect()
    }

    /// All records as `NAME TYPE TARGETS`.
    pub fn lines(&self) -> Vec<String> {
        let line = |record: &Endpoint| {
            format!(
                "{} {} {}",
                record.dns_name,
                record.record_type,
                record.targets.join(" ")
            )
        };
        self.records().iter().map(line).collect()
    }

    /// The groups since the last call, each after its zone.
    pub fn take_groups(&self) -> Vec<(String, Group)> {
        std::mem::take(&mut self.state().groups)
    }

    /// How often a zone has been read.
    pub fn reads(&self) -> usize {
        self.state().reads
    }

    /// Makes zones unreadable.
    pub fn set_unreadable(&self, zones: &[&str]) {
        self.state().unreadable = zones.iter().map(|zone| (*zone).to_owned()).collect();
    }

    /// Sets what comes of groups of a name.
    pub fn set_outcome(&self, name: &str, outcome: Outcome) {
        self.state().outcomes.insert(name.to_owned(), outcome);
    }

    /// Lets no call pass.
    pub fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets calls pass again.
    pub fn open(&self) {
        self.gate.add_permits(1024);
    }

    async fn pass(&self) {
        drop(self.gate.acquire().await.unwrap());
    }
}

impl State {
    fn apply(&mut self, group: &Group) -> Outcome {
        if let Some(outcome) = self.outcomes.get(group.name.as_str()) {
            return outcome.clone();
        }
        for change in &group.changes {
            let key = change.before().or(change.after()).unwrap().key().unwrap();
            if self.records.get(&key) != change.before() {
                return Outcome::Conflict {
                    reason: format!("{} {}", key.name, key.record_type),
                };
            }
        }
        for change in &group.changes {
            match change {
                Change::Create(new) | Change::Update { new, .. } => {
                    self.records.insert(new.key().unwrap(), new.clone());
                }
                Change::Delete(old) => {
                    self.records.remove(&old.key().unwrap());
                }
            }
        }
        Outcome::Applied { written: None }
    }
}

impl Provider for Zones {
    fn name(&self) -> &'static str {
        "test"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        Box::pin(async { Ok(self.served.clone()) })
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        Box::pin(async move {
            self.state().reads += 1;
            self.pass().await;
            let state = self.state();
            if state.unreadable.contains(zone.name.as_str()) {
                return Err(ProviderError::Unavailable("the transfer was refused".into()));
            }
            let own = |key: &RecordKey| Zone::of(&self.served, &key.name) == Some(zone);
            let records = state.records.iter().filter(|(key, _)| own(key));
            Ok(ZoneRecords {
                records: records.map(|(_, record)| record).collect(),
                version: None,
            })
        })
    }

    fn read_names<'a>(
        &'a self,
        _: &'a Zone,
        _: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        unimplemented!("the server reads whole zones")
    }

    fn confirm<'a>(
        &'a self,
        _: &'a Zone,
        _: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        unimplemented!("the server reads whole zones")
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            self.pass().await;
            let mut state = self.state();
            groups
                .iter()
                .map(|group| {
                    state.groups.push((zone.name.to_string(), group.clone()));
                    state.apply(group)
                })
                .collect()
        })
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(async move {
            self.pass().await;
            if self.state().unreadable.contains("adjust") {
                return Err(ProviderError::Unavailable("out of order".into()));
            }
            Ok(wanted.into_iter().map(canonical).collect())
        })
    }
}

/// Names in lower case and no record without a TTL.
fn canonical(mut endpoint: Endpoint) -> Endpoint {
    endpoint.dns_name = endpoint.dns_name.to_ascii_lowercase().into();
    endpoint.ttl = endpoint.ttl.or(DEFAULT_TTL.try_into().ok());
    endpoint
}
