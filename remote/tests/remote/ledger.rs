//! A provider that outlives its servers, which it can kill.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures::FutureExt as _;
use futures::future::{BoxFuture, pending};
use records::provider::Confirmation;
use records::provider::memory::Memory;
use records::{Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneRecords};
use tokio::sync::Notify;

use super::world::{a, name, zone};

/// A provider that outlives its servers, and counts what it wrote of each name.
pub struct Ledger {
    pub memory: Arc<Memory>,
    written: Mutex<BTreeMap<String, usize>>,
    /// The steps of calls until the server is killed; none is never.
    pub steps: Mutex<Option<usize>>,
    pub killed: Notify,
}

impl Ledger {
    pub fn new() -> Arc<Self> {
        let memory = Memory::new([name("example.com")]);
        memory.put(a("old.example.com", "192.0.2.1"));
        memory.put(a("other.example.com", "192.0.2.1"));
        memory.put(a("stays.example.com", "192.0.2.1"));
        Arc::new(Self {
            memory: Arc::new(memory),
            written: Mutex::default(),
            steps: Mutex::default(),
            killed: Notify::new(),
        })
    }

    pub fn written(&self) -> BTreeMap<String, usize> {
        self.written.lock().unwrap().clone()
    }

    /// Lets a call go on, or never.
    async fn step(&self) {
        let is_over = match &mut *self.steps.lock().unwrap() {
            None => false,
            Some(0) => true,
            Some(steps) => {
                *steps -= 1;
                false
            }
        };
        if is_over {
            self.killed.notify_one();
            pending::<()>().await;
        }
    }

    /// Asks the provider; the question and the answer are steps.
    async fn ask<T>(&self, call: impl Future<Output = T>) -> T {
        self.step().await;
        let answer = call.await;
        self.step().await;
        answer
    }

    /// Counts the names that are not as they were.
    fn note(&self, groups: &[Group], before: &[Endpoint]) {
        let after = self.records();
        let mut written = self.written.lock().unwrap();
        for group in groups {
            let of = |records: &[Endpoint]| {
                let mut found = records.iter();
                found
                    .find(|record| *record.dns_name == *group.name.as_str())
                    .cloned()
            };
            if of(before) != of(&after) {
                *written.entry(group.name.to_string()).or_default() += 1;
            }
        }
    }

    pub fn records(&self) -> Vec<Endpoint> {
        self.memory.records(&zone("example.com").id)
    }
}

impl Provider for Ledger {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        self.memory.zones()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        self.ask(self.memory.read(zone)).boxed()
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        self.ask(self.memory.read_names(zone, names)).boxed()
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        self.ask(self.memory.confirm(zone, known)).boxed()
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            // The request is on its way; a server that is killed here has written nothing.
            self.step().await;
            tokio::task::yield_now().await;
            let before = self.records();
            let mut answers = self.memory.apply(zone, groups);
            // The first poll writes, whatever becomes of the answer.
            let answered = futures::poll!(&mut answers);
            self.note(groups, &before);
            let outcomes = match answered {
                Poll::Ready(outcomes) => outcomes,
                Poll::Pending => answers.await,
            };
            self.step().await;
            outcomes
        }
        .boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.memory.adjust(wanted)
    }
}
