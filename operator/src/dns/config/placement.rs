//! Where the DNS pods run: `spec.nodePlacement`.

use std::collections::BTreeMap;

use api::NodePlacement;
use k8s_openapi::api::core::v1::{Taint, Toleration};

/// Node selector and tolerations of the DNS pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Labels a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints the pods tolerate.
    pub tolerations: Vec<Toleration>,
}

/// Effects of taints that keep a pod from a node; `PreferNoSchedule` only makes
/// it a last choice.
const REPELLING: [&str; 2] = ["NoSchedule", "NoExecute"];
/// Taints that the DaemonSet controller makes every pod of a DaemonSet tolerate.
const TOLERATED_BY_DAEMON_SETS: [&str; 6] = [
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
];

impl Placement {
    /// Whether a node takes a DNS pod of this placement. `has` tells whether it
    /// has a label with a value.
    pub fn admits<'a>(
        &self,
        has: impl Fn(&str, &str) -> bool,
        mut taints: impl Iterator<Item = &'a Taint>,
    ) -> bool {
        self.node_selector.iter().all(|(key, value)| has(key, value))
            && taints.all(|taint| {
                !REPELLING.contains(&taint.effect.as_str())
                    || TOLERATED_BY_DAEMON_SETS.contains(&taint.key.as_str())
                    || self
                        .tolerations
                        .iter()
                        .any(|toleration| tolerates(toleration, taint))
            })
    }
}

/// The rule of the scheduler for `Equal` and `Exists`; other operators compare
/// numbers and are behind a feature gate of Kubernetes.
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let set = |text: &Option<String>| text.clone().unwrap_or_default();
    let (effect, key, value) = (
        set(&toleration.effect),
        set(&toleration.key),
        set(&toleration.value),
    );
    if !(effect.is_empty() || effect == taint.effect) || !(key.is_empty() || key == taint.key) {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or_default() {
        "Exists" => true,
        "" | "Equal" => value == taint.value.clone().unwrap_or_default(),
        _ => false,
    }
}

/// The API server has checked what the fields may hold; here only the defaults
/// are filled in.
pub(super) fn check(placement: Option<&NodePlacement>) -> Placement {
    let node_selector = placement
        .and_then(|placement| placement.node_selector.clone())
        .filter(|selector| !selector.is_empty())
        .unwrap_or_else(|| BTreeMap::from([("kubernetes.io/os".into(), "linux".into())]));
    let tolerations = placement
        .and_then(|placement| placement.tolerations.clone())
        .filter(|tolerations| !tolerations.is_empty())
        .unwrap_or_else(|| {
            vec![Toleration {
                key: Some("node-role.kubernetes.io/master".into()),
                operator: Some("Exists".into()),
                ..Toleration::default()
            }]
        });
    let tolerations = tolerations.into_iter().map(as_stored).collect();
    Placement {
        node_selector,
        tolerations,
    }
}

/// The API server drops empty text from a pod's toleration, so asking for it
/// would never be done.
fn as_stored(toleration: Toleration) -> Toleration {
    let set = |text: Option<String>| text.filter(|text| !text.is_empty());
    Toleration {
        effect: set(toleration.effect),
        key: set(toleration.key),
        operator: set(toleration.operator),
        toleration_seconds: toleration.toleration_seconds,
        value: set(toleration.value),
    }
}
