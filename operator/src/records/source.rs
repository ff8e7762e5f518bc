//! The source of wanted records in a cluster: follows the objects of kind `DNSEndpoint`,
//! and keeps of each what it wants and what its status says.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::DnsEndpointStatus;
use clap::Args;
use futures::StreamExt;
use kube::Client;
use kube::core::{DynamicObject, Selector, SelectorExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use records::source::{Origin, Wanted};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch as channel;

use super::selector;
use crate::dns::objects::ObjectKey;
use crate::resources::{dns_endpoint_key, dns_endpoints};
use crate::watch::{PAGE, WATCH_SECONDS};

/// Which objects count, by the flags of external-dns.
#[derive(Clone, Debug, Default, Args)]
pub struct ObjectArgs {
    /// The only namespace whose objects count; all of them when not given.
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Only objects with such labels count, as `kubectl get --selector` takes them.
    #[arg(long, value_name = "SELECTOR", default_value = "", value_parser = selector::parse)]
    pub label_filter: Selector,
    /// Only objects with such annotations count, written like a selector of labels.
    #[arg(long, value_name = "SELECTOR", default_value = "", value_parser = selector::parse)]
    pub annotation_filter: Selector,
}

/// A DNSEndpoint: what it wants, and what its status says.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsEndpointObject {
    /// Which one.
    pub key: ObjectKey,
    /// What tells it from a later one of its name.
    pub uid: String,
    /// The version that this is, of `metadata.resourceVersion`.
    pub version: String,
    /// The generation of the specification.
    pub generation: i64,
    /// What it wants.
    pub wanted: Wanted,
    /// Its status; empty where it has none that can be understood.
    pub status: DnsEndpointStatus,
}

impl DnsEndpointObject {
    /// What an object wants; none of one without a name.
    #[must_use]
    pub fn of(object: DynamicObject) -> Option<Self> {
        let (namespace, name) = (object.metadata.namespace?, object.metadata.name?);
        let mut wanted = Wanted::default();
        let origin = Origin {
            resource: resource_label(&namespace, &name).into(),
            file: None,
        };
        if let Some(Value::Array(list)) = object.data.pointer("/spec/endpoints") {
            wanted.take(list, &origin);
        }
        Some(Self {
            key: dns_endpoint_key(&namespace, &name),
            uid: object.metadata.uid.unwrap_or_default(),
            version: object.metadata.resource_version.unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            wanted,
            status: DnsEndpointStatus::deserialize(&object.data["status"]).unwrap_or_default(),
        })
    }

    /// The label `resource` of what it wants.
    #[must_use]
    pub fn resource(&self) -> String {
        resource_label(self.key.namespace.as_deref().unwrap_or_default(), &self.key.name)
    }
}

fn resource_label(namespace: &str, name: &str) -> String {
    format!("crd/{namespace}/{name}")
}

/// What objects want together.
#[must_use]
pub fn wanted(objects: &[Arc<DnsEndpointObject>]) -> Wanted {
    let mut wanted = Wanted::default();
    for object in objects {
        wanted.extend(object.wanted.clone());
    }
    wanted
}

/// The objects, as far as the watch has told.
#[derive(Default)]
pub struct DnsEndpoints {
    held: Mutex<Held>,
    changed: channel::Sender<()>,
}

#[derive(Default)]
struct Held {
    objects: BTreeMap<ObjectKey, Arc<DnsEndpointObject>>,
    listed: bool,
}

impl DnsEndpoints {
    /// All objects, sorted by namespace and name; none while it is not known which there
    /// are. They stay as they were last seen while the API server cannot be asked.
    #[must_use]
    pub fn snapshot(&self) -> Option<Vec<Arc<DnsEndpointObject>>> {
        let held = self.lock();
        held.listed.then(|| held.objects.values().cloned().collect())
    }

    /// Tells of every change to what is wanted from now on, changes in quick succession
    /// once.
    #[must_use]
    pub fn changes(&self) -> channel::Receiver<()> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Held) -> bool) {
        let changed = change(&mut self.lock());
        if changed {
            self.changed.send_replace(());
        }
    }
}

impl Held {
    /// Tells whether other records are wanted now: a status changes nothing.
    fn put(&mut self, object: DnsEndpointObject) -> bool {
        let wanted = (object.generation, &object.wanted);
        let before = self.objects.get(&object.key);
        let changed = before.is_none_or(|before| (before.generation, &before.wanted) != wanted);
        self.objects.insert(object.key.clone(), Arc::new(object));
        changed
    }

    fn retain(&mut self, keys: &BTreeSet<ObjectKey>) -> bool {
        let before = self.objects.len();
        self.objects.retain(|key, _| keys.contains(key));
        let first = !self.listed;
        self.listed = true;
        first || self.objects.len() < before
    }
}

/// Follows the objects for as long as it is polled.
pub async fn follow(client: Client, args: ObjectArgs, endpoints: Arc<DnsEndpoints>) {
    let objects = dns_endpoints(&client, args.namespace.as_deref());
    let config = watcher::Config::default()
        .page_size(PAGE)
        .timeout(WATCH_SECONDS)
        .labels_from(&args.label_filter);
    let mut events = pin!(watcher(objects, config).default_backoff());
    let mut present = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => present.clear(),
            Ok(Event::InitApply(object)) => {
                if let Some(object) = admitted(object, &args.annotation_filter) {
                    present.insert(object.key.clone());
                    endpoints.change(|held| held.put(object));
                }
            }
            Ok(Event::InitDone) => endpoints.change(|held| held.retain(&present)),
            Ok(Event::Apply(object)) => {
                let key = key_of(&object);
                match admitted(object, &args.annotation_filter) {
                    Some(object) => endpoints.change(|held| held.put(object)),
                    None => endpoints.change(|held| remove(held, key)),
                }
            }
            Ok(Event::Delete(object)) => endpoints.change(|held| remove(held, key_of(&object))),
            Err(error) => {
                tracing::warn!(kind = "DNSEndpoint", %error, "failed to watch, trying again");
            }
        }
    }
}

fn remove(held: &mut Held, key: Option<ObjectKey>) -> bool {
    key.is_some_and(|key| held.objects.remove(&key).is_some())
}

fn key_of(object: &DynamicObject) -> Option<ObjectKey> {
    let metadata = &object.metadata;
    Some(dns_endpoint_key(
        metadata.namespace.as_deref()?,
        metadata.name.as_deref()?,
    ))
}

/// What an object wants, if its annotations are such as count.
fn admitted(object: DynamicObject, annotations: &Selector) -> Option<DnsEndpointObject> {
    let has = object.metadata.annotations.clone().unwrap_or_default();
    annotations
        .matches(&has)
        .then(|| DnsEndpointObject::of(object))
        .flatten()
}
