//! A Node, as far as it matters to DNS.

mod decoding;

use std::borrow::Cow;

use k8s_openapi::ClusterResourceScope;
use k8s_openapi::api::core::v1::Taint;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;

use crate::dns::cluster::Worker;

const CONTROL_PLANE_LABELS: [&str; 2] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
];
const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// The fields of a Node that are read. The others are not even decoded: the list
/// of images alone is longer than these, and so is who wrote which field.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Decoded")]
pub struct Node {
    /// Its name and resource version.
    pub metadata: ObjectMeta,
    labels: Labels,
    taints: Vec<Taint>,
    is_ready: bool,
    has_cpu: bool,
}

#[derive(Deserialize)]
struct Decoded {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    resource_version: Option<String>,
    #[serde(default, deserialize_with = "decoding::labels")]
    labels: Labels,
}

#[derive(Default, Deserialize)]
struct Spec {
    #[serde(default)]
    taints: Vec<Taint>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default, rename = "conditions", deserialize_with = "decoding::is_ready")]
    is_ready: bool,
    #[serde(default)]
    allocatable: Allocatable,
}

#[derive(Default, Deserialize)]
struct Allocatable {
    #[serde(default, rename = "cpu", deserialize_with = "decoding::is_some")]
    has_cpu: bool,
}

impl From<Decoded> for Node {
    fn from(decoded: Decoded) -> Self {
        let Decoded {
            metadata,
            spec,
            status,
        } = decoded;
        Self {
            metadata: ObjectMeta {
                name: metadata.name,
                resource_version: metadata.resource_version,
                ..ObjectMeta::default()
            },
            labels: metadata.labels,
            taints: spec.taints,
            is_ready: status.is_ready,
            has_cpu: status.allocatable.has_cpu,
        }
    }
}

/// Labels in one text: for each a line `key=value`.
#[derive(Clone, Debug, Default)]
struct Labels(String);

impl Node {
    /// Which state of the node this is: resource versions are numbers that grow.
    #[must_use]
    pub fn version(&self) -> u64 {
        let version = self.metadata.resource_version.as_deref();
        version.and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// Its labels, each as `key=value`.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.0.split_terminator('\n')
    }

    /// Its taints.
    pub fn taints(&self) -> impl Iterator<Item = &Taint> {
        self.taints.iter()
    }

    /// What it counts as for routing by zone; none unless it is a ready worker.
    #[must_use]
    pub fn worker(&self) -> Option<Worker<&str>> {
        let labels = || self.labels().filter_map(|label| label.split_once('='));
        let is_control_plane = labels().any(|(key, _)| CONTROL_PLANE_LABELS.contains(&key));
        let zone = labels()
            .find(|(key, zone)| *key == ZONE_LABEL && !zone.is_empty())
            .map(|(_, zone)| zone)
            .filter(|_| self.has_cpu);
        (self.is_ready && !is_control_plane).then_some(Worker { zone })
    }
}

/// Whether a label, as `key=value`, has this key and this value.
#[must_use]
pub fn is_label(label: &str, key: &str, value: &str) -> bool {
    label.split_once('=') == Some((key, value))
}

impl Resource for Node {
    type DynamicType = ();
    type Scope = ClusterResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Node".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "nodes".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
