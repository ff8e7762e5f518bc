//! How far a DaemonSet's pods are.

use std::collections::BTreeMap;

use api::NodeCounts;
use k8s_openapi::api::core::v1::Toleration;
use serde_json::Value;

use crate::dns::config::Placement;

/// The state of a DaemonSet, as its controller counts it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollout {
    /// Nodes that should have a pod.
    pub desired: i64,
    /// Nodes that have one.
    pub current: i64,
    /// Pods of the present template.
    pub updated: i64,
    /// Pods that have been ready for long enough.
    pub available: i64,
    /// Whether the counts are of the present specification.
    pub observed: bool,
    /// The images in force, by container.
    pub images: BTreeMap<String, String>,
    /// The node selector in force.
    pub node_selector: BTreeMap<String, String>,
    /// The tolerations in force.
    pub tolerations: Vec<Toleration>,
}

impl Rollout {
    /// The state that a DaemonSet reports. What it does not say is zero.
    #[must_use]
    pub fn of(daemon_set: &Value) -> Self {
        let count = |field: &str| daemon_set["status"][field].as_i64().unwrap_or_default();
        let pod = &daemon_set["spec"]["template"]["spec"];
        let decode = |field: &str| pod[field].clone();
        Self {
            desired: count("desiredNumberScheduled"),
            current: count("currentNumberScheduled"),
            updated: count("updatedNumberScheduled"),
            available: count("numberAvailable"),
            images: images(&pod["containers"]),
            observed: daemon_set["status"]["observedGeneration"] == daemon_set["metadata"]["generation"],
            node_selector: serde_json::from_value(decode("nodeSelector")).unwrap_or_default(),
            tolerations: serde_json::from_value(decode("tolerations")).unwrap_or_default(),
        }
    }

    /// Whether pods are being replaced. A node that has just come, or just left,
    /// is no rollout.
    #[must_use]
    pub fn is_rolling(&self) -> bool {
        !self.observed || self.updated < self.current
    }

    /// Whether no serving pod is of an older template. A node that does not serve,
    /// such as one that is down, is not waited for; but when none is said to serve,
    /// pods may only not have been counted yet.
    #[must_use]
    pub fn replaced_serving_pods(&self) -> bool {
        let all = self.updated >= self.desired;
        let serving = self.available > 0 && self.updated >= self.available;
        self.observed && (all || serving)
    }

    /// Whether there are pods, or are to be; not known before its controller has
    /// seen the DaemonSet.
    #[must_use]
    pub fn has_pods(&self) -> Option<bool> {
        match self.current.max(self.desired) {
            0 => self.observed.then_some(false),
            _ => Some(true),
        }
    }

    /// Whether every node that should have a pod has one of the present template,
    /// which has been ready for long enough.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.observed && self.updated >= self.desired && self.available >= self.desired
    }

    /// On how many nodes the pods are of the present template.
    #[must_use]
    pub fn nodes(&self) -> NodeCounts {
        NodeCounts {
            desired: self.desired,
            // Counts of an older template say nothing of the present one.
            updated: if self.observed { self.updated } else { 0 },
        }
    }

    /// The placement in force.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            node_selector: self.node_selector.clone(),
            tolerations: self.tolerations.clone(),
        }
    }

    /// What of the wanted placement is not in force.
    pub(super) fn misplacement(&self, wanted: &Placement) -> Vec<String> {
        let mut messages = Vec::new();
        if self.node_selector != wanted.node_selector {
            messages.push(format!(
                "Have DNS daemonset with node selector {}, want {}.",
                print_map(&self.node_selector),
                print_map(&wanted.node_selector)
            ));
        }
        if self.tolerations != wanted.tolerations {
            messages.push(format!(
                "Have DNS daemonset with tolerations {}, want {}.",
                print_tolerations(&self.tolerations),
                print_tolerations(&wanted.tolerations)
            ));
        }
        messages
    }
}

fn images(containers: &Value) -> BTreeMap<String, String> {
    let containers = containers.as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    containers
        .map(|container| (text(&container["name"]), text(&container["image"])))
        .collect()
}

/// As Go prints a map: people's scripts look for it.
fn print_map(map: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("map[{}]", pairs.join(" "))
}

/// As Go prints a list of structs, with the seconds where it prints an address.
fn print_tolerations(tolerations: &[Toleration]) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let items: Vec<String> = tolerations
        .iter()
        .map(|toleration| {
            format!(
                "{{Key:{} Operator:{} Value:{} Effect:{} TolerationSeconds:{}}}",
                text(&toleration.key),
                text(&toleration.operator),
                text(&toleration.value),
                text(&toleration.effect),
                toleration
                    .toleration_seconds
                    .map_or("<nil>".into(), |seconds| seconds.to_string())
            )
        })
        .collect();
    format!("[{}]", items.join(" "))
}
