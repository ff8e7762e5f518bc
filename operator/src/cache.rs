//! What the API server holds, as far as the watches have told.
//!
//! A write of our own is put in at once, and an older state that a watch still
//! delivers does not undo it: so a reconcile never acts on what it has itself
//! replaced. Nor does the answer to a write bring an object back whose deletion
//! the watch has told meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch as channel;

use crate::dns::objects::ObjectKey;
use crate::nodes::Nodes;
use crate::resources::Scope;

/// How many deletions are remembered: far more than answers can be under way.
const REMEMBERED: usize = 64;

/// The live objects.
#[derive(Default)]
pub struct Cache {
    objects: Mutex<Objects>,
    nodes: Mutex<Nodes>,
    changed: channel::Sender<()>,
}

#[derive(Default)]
struct Objects {
    live: BTreeMap<ObjectKey, Arc<Value>>,
    /// The uids of objects that were deleted lately.
    gone: VecDeque<Value>,
}

impl Objects {
    fn remember_gone(&mut self, uid: Value) {
        self.gone.push_back(uid);
        if self.gone.len() > REMEMBERED {
            self.gone.pop_front();
        }
    }
}

impl Cache {
    /// A live object.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Value>> {
        self.lock().live.get(key).cloned()
    }

    /// The live objects of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Vec<Arc<Value>> {
        self.lock()
            .live
            .iter()
            .filter(|(key, _)| key.kind == kind)
            .map(|(_, value)| Arc::clone(value))
            .collect()
    }

    /// The nodes.
    pub fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a watch has told of nodes. Nobody is woken for what changes
    /// no decision: nodes report their health all the time.
    pub fn change_nodes(&self, change: impl FnOnce(&mut Nodes) -> bool) {
        let mut nodes = self.nodes();
        if change(&mut nodes) && nodes.conclude() {
            self.wake();
        }
    }

    /// Tells of every change from now on, changes in quick succession once.
    #[must_use]
    pub fn changes(&self) -> channel::Receiver<()> {
        self.changed.subscribe()
    }

    fn wake(&self) {
        self.changed.send_replace(());
    }

    /// Puts in what a watch has told, unless it is known already.
    pub fn put(&self, key: ObjectKey, value: Value) {
        if self.insert(key, value) {
            self.wake();
        }
    }

    /// Puts in what a write of our own has made. Whoever wrote it knows, so nobody
    /// is woken; and the watch, which tells the same, wakes nobody either.
    pub fn put_written(&self, key: ObjectKey, value: Value) {
        self.insert(key, value);
    }

    fn insert(&self, key: ObjectKey, value: Value) -> bool {
        let mut objects = self.lock();
        let known = objects
            .live
            .get(&key)
            .is_some_and(|held| version(held) >= version(&value));
        if known || objects.gone.contains(&value["metadata"]["uid"]) {
            return false;
        }
        objects.live.insert(key, Arc::new(value));
        true
    }

    /// Takes an object out, unless the deletion is older than what is here.
    pub fn remove(&self, key: &ObjectKey, last: &Value) {
        let mut objects = self.lock();
        if objects
            .live
            .get(key)
            .is_some_and(|held| version(held) > version(last))
        {
            return;
        }
        objects.live.remove(key);
        objects.remember_gone(last["metadata"]["uid"].clone());
        drop(objects);
        self.wake();
    }

    /// Takes out what a complete list of a scope did not have.
    pub fn retain(&self, scope: &Scope<'_>, listed: &[ObjectKey]) {
        // An object made since the list was taken goes with the others; its own
        // event, still to come, brings it back.
        self.lock()
            .live
            .retain(|key, _| !scope.contains(key) || listed.contains(key));
        self.wake();
    }

    fn lock(&self) -> MutexGuard<'_, Objects> {
        // Nothing that holds the lock can panic half way through a change.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scope<'_> {
    fn contains(&self, key: &ObjectKey) -> bool {
        self.resource.serves(key)
            && self
                .namespace
                .is_none_or(|namespace| key.namespace.as_deref() == Some(namespace))
            && self.name.is_none_or(|name| key.name == name)
    }
}

/// Tells earlier from later states, of an object and of what comes after it under
/// its name: resource versions are numbers that grow (KEP-5504).
fn version(object: &Value) -> u64 {
    let text = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    text.parse().unwrap_or_default()
}
