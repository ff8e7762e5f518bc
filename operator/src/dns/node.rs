//! A Node, as far as it matters to DNS.

use std::borrow::Cow;

use k8s_openapi::ClusterResourceScope;
use k8s_openapi::api::core::v1::Taint;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;
use serde_json::Value;

use crate::dns::cluster::Worker;

const CONTROL_PLANE_LABELS: [&str; 2] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
];
const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// The fields of a Node that are read. The others are not even decoded: the list
/// of images alone is longer than these.
#[derive(Clone, Debug, Deserialize)]
pub struct Node {
    /// Its name and labels.
    pub metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    taints: Vec<Taint>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
    #[serde(default)]
    allocatable: Allocatable,
}

#[derive(Clone, Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Allocatable {
    #[serde(default)]
    cpu: Value,
}

impl Node {
    /// Which state of the node this is: resource versions are numbers that grow.
    #[must_use]
    pub fn version(&self) -> u64 {
        let version = self.metadata.resource_version.as_deref();
        version.and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// Its labels.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata
            .labels
            .iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Its taints.
    pub fn taints(&self) -> impl Iterator<Item = &Taint> {
        self.spec.taints.iter()
    }

    /// What it counts as for routing by zone; none unless it is a ready worker.
    #[must_use]
    pub fn worker(&self) -> Option<Worker<&str>> {
        let is_control_plane = self.labels().any(|(key, _)| CONTROL_PLANE_LABELS.contains(&key));
        let is_ready = self
            .status
            .conditions
            .iter()
            .any(|condition| condition.kind == "Ready" && condition.status == "True");
        let zone = self
            .labels()
            .find(|(key, zone)| *key == ZONE_LABEL && !zone.is_empty())
            .map(|(_, zone)| zone)
            .filter(|_| self.has_cpu());
        (is_ready && !is_control_plane).then_some(Worker { zone })
    }

    /// Whether the allocatable processor time is there and not zero.
    fn has_cpu(&self) -> bool {
        match &self.status.allocatable.cpu {
            Value::String(text) => text.chars().any(|c| c.is_ascii_digit() && c != '0'),
            Value::Number(number) => number.as_f64().is_some_and(|cpu| cpu > 0.0),
            _ => false,
        }
    }
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
