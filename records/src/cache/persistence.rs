//! The store as the cache uses it: off the threads that serve, in order, and never a
//! reason to stop.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as Turn;
use tokio::task::spawn_blocking;

use super::store::{Store, StoreError, StoredList, ZoneWrite};
use crate::{Zone, ZoneId};

/// Where zones are kept, if anywhere.
pub(super) struct Persistence {
    store: Option<Arc<Turn<Box<dyn Store>>>>,
    /// Rises whenever all that was kept is thrown away.
    epoch: Arc<AtomicU64>,
    failure: Mutex<Option<String>>,
}

impl Persistence {
    /// Zones are kept in this store; without one, in memory only.
    pub fn new(store: Option<Box<dyn Store>>) -> Self {
        Self {
            store: store.map(|store| Arc::new(Turn::new(store))),
            epoch: Arc::default(),
            failure: Mutex::default(),
        }
    }

    /// Whether zones are kept at all.
    pub fn is_used(&self) -> bool {
        self.store.is_some()
    }

    /// What was kept under another number is there no longer.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Why what is kept is older than it should be; none if it is as it should be.
    pub fn failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps what has changed of a zone.
    pub async fn write(&self, zone: &Zone, write: ZoneWrite) -> Result<(), StoreError> {
        let zone = zone.clone();
        let result = self.run(move |store| store.write(&zone, &write)).await;
        self.note(&result);
        result
    }

    /// Keeps which zones the provider has. That says nothing of whether what is in them is
    /// kept.
    pub async fn write_list(&self, list: StoredList) -> Result<(), StoreError> {
        self.run(move |store| store.write_list(&list)).await
    }

    /// Forgets a zone.
    pub async fn remove(&self, zone: &ZoneId) -> Result<(), StoreError> {
        let zone = zone.clone();
        let result = self.run(move |store| store.remove(&zone)).await;
        self.note(&result);
        result
    }

    /// Takes care that nothing that is kept is ever believed again. That nothing is kept then
    /// mends no failure.
    pub async fn discard(&self) -> Result<(), StoreError> {
        let epoch = self.epoch.clone();
        let result = self.run(move |store| {
            store.discard()?;
            epoch.fetch_add(1, Ordering::AcqRel);
            Ok(())
        });
        let result = result.await;
        if result.is_err() {
            self.note(&result);
        }
        result
    }

    /// Does something with the store. What was begun is finished, and in the order in
    /// which it was begun, even when nobody waits for it any more.
    async fn run(
        &self,
        act: impl FnOnce(&mut dyn Store) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let Some(store) = self.store.clone() else {
            return Ok(());
        };
        let mut store = store.lock_owned().await;
        let done = spawn_blocking(move || act(&mut **store)).await;
        done.unwrap_or_else(|error| {
            Err(StoreError::Failed {
                path: PathBuf::new(),
                reason: error.to_string(),
            })
        })
    }

    /// Says so when it begins to fail, and when it works again.
    fn note(&self, result: &Result<(), StoreError>) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match (result, &*failure) {
            (Err(error), None) => {
                tracing::error!(%error, "the record cache goes on in memory, for it cannot be kept on disk");
            }
            (Ok(()), Some(_)) => tracing::info!("the record cache is kept on disk again"),
            _ => {}
        }
        *failure = result.as_ref().err().map(ToString::to_string);
    }
}
