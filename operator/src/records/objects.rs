//! Follows the objects of a kind in a cluster, and keeps of each what counts.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use kube::Api;
use kube::core::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::sync::watch as channel;

use crate::dns::objects::ObjectKey;
use crate::watch::{PAGE, WATCH_SECONDS};

/// What is kept of an object.
pub trait Object {
    /// Which one.
    fn key(&self) -> &ObjectKey;

    /// Whether another state of it wants something else; a status changes nothing.
    fn differs(&self, other: &Self) -> bool;
}

/// The objects of a kind, as far as the watch has told.
pub struct Objects<T> {
    held: Mutex<Held<T>>,
    changed: channel::Sender<()>,
}

struct Held<T> {
    objects: BTreeMap<ObjectKey, Arc<T>>,
    listed: bool,
}

impl<T> Default for Objects<T> {
    fn default() -> Self {
        let held = Held {
            objects: BTreeMap::new(),
            listed: false,
        };
        Self {
            held: Mutex::new(held),
            changed: channel::Sender::default(),
        }
    }
}

impl<T: Object> Objects<T> {
    /// All objects, sorted by namespace and name; none while it is not known which there
    /// are. They stay as they were last seen while the API server cannot be asked.
    #[must_use]
    pub fn snapshot(&self) -> Option<Vec<Arc<T>>> {
        let held = self.lock();
        held.listed.then(|| held.objects.values().cloned().collect())
    }

    /// Tells of every change to what is wanted from now on, changes in quick succession
    /// once.
    #[must_use]
    pub fn changes(&self) -> channel::Receiver<()> {
        self.changed.subscribe()
    }

    /// Puts these in the place of all others, where no watch tells of them.
    pub fn replace(&self, objects: Vec<T>) {
        self.change(|held| {
            let present = objects.iter().map(|object| object.key().clone()).collect();
            let mut changed = false;
            for object in objects {
                changed |= held.put(object);
            }
            held.retain(&present) || changed
        });
    }

    fn lock(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Held<T>) -> bool) {
        let changed = change(&mut self.lock());
        if changed {
            self.changed.send_replace(());
        }
    }
}

impl<T: Object> Held<T> {
    /// Tells whether something else is wanted now.
    fn put(&mut self, object: T) -> bool {
        let before = self.objects.get(object.key());
        let changed = before.is_none_or(|before| before.differs(&object));
        self.objects.insert(object.key().clone(), Arc::new(object));
        changed
    }

    fn retain(&mut self, keys: &BTreeSet<ObjectKey>) -> bool {
        let before = self.objects.len();
        self.objects.retain(|key, _| keys.contains(key));
        let first = !self.listed;
        self.listed = true;
        first || self.objects.len() < before
    }

    fn remove(&mut self, key: Option<ObjectKey>) -> bool {
        key.is_some_and(|key| self.objects.remove(&key).is_some())
    }
}

/// How the objects of a kind are read.
pub struct Reading<R> {
    /// Where they are.
    pub api: Api<DynamicObject>,
    /// Which of them the API server is to tell of, by their labels.
    pub selector: watcher::Config,
    /// The key of an object by its namespace and name.
    pub key: fn(&str, &str) -> ObjectKey,
    /// What is kept of one; none if it does not count.
    pub read: R,
}

/// Follows the objects for as long as it is polled.
pub async fn follow<T: Object>(
    reading: Reading<impl Fn(DynamicObject) -> Option<T>>,
    objects: Arc<Objects<T>>,
) {
    let kind = (reading.key)("", "").kind;
    let config = reading.selector.page_size(PAGE).timeout(WATCH_SECONDS);
    let key_of = |object: &DynamicObject| {
        let metadata = &object.metadata;
        let (namespace, name) = (metadata.namespace.as_deref()?, metadata.name.as_deref()?);
        Some((reading.key)(namespace, name))
    };
    let mut events = pin!(watcher(reading.api, config).default_backoff());
    let mut present = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => present.clear(),
            Ok(Event::InitApply(object)) => {
                if let Some(object) = (reading.read)(object) {
                    present.insert(object.key().clone());
                    objects.change(|held| held.put(object));
                }
            }
            Ok(Event::InitDone) => objects.change(|held| held.retain(&present)),
            Ok(Event::Apply(object)) => {
                let key = key_of(&object);
                match (reading.read)(object) {
                    Some(object) => objects.change(|held| held.put(object)),
                    None => objects.change(|held| held.remove(key)),
                }
            }
            Ok(Event::Delete(object)) => objects.change(|held| held.remove(key_of(&object))),
            Err(error) => {
                tracing::warn!(kind, %error, "failed to watch, trying again");
            }
        }
    }
}
