//! The source of wanted records in a cluster: follows the objects of kind `DNSEndpoint`,
//! and keeps of each what it wants and what its status says.

use std::sync::Arc;

use api::DnsEndpointStatus;
use clap::Args;
use kube::Client;
use kube::core::{DynamicObject, Selector, SelectorExt};
use kube::runtime::watcher;
use records::source::{Origin, Wanted};
use serde::Deserialize;
use serde_json::Value;

use super::objects::{self, Object, Objects, Reading};
use super::selector;
use crate::dns::objects::ObjectKey;
use crate::resources::{dns_endpoint_key, dns_endpoints};

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
pub type DnsEndpoints = Objects<DnsEndpointObject>;

impl Object for DnsEndpointObject {
    fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn differs(&self, other: &Self) -> bool {
        (self.generation, &self.wanted) != (other.generation, &other.wanted)
    }
}

/// Follows the objects for as long as it is polled.
pub async fn follow(client: Client, args: ObjectArgs, endpoints: Arc<DnsEndpoints>) {
    let reading = Reading {
        api: dns_endpoints(&client, args.namespace.as_deref()),
        selector: watcher::Config::default().labels_from(&args.label_filter),
        key: dns_endpoint_key,
        read: |object| admitted(object, &args.annotation_filter),
    };
    objects::follow(reading, endpoints).await;
}

/// What an object wants, if its annotations are such as count.
fn admitted(object: DynamicObject, annotations: &Selector) -> Option<DnsEndpointObject> {
    let has = object.metadata.annotations.clone().unwrap_or_default();
    annotations
        .matches(&has)
        .then(|| DnsEndpointObject::of(object))
        .flatten()
}
