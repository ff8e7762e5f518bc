//! Where the DNS pods run: `spec.nodePlacement`.

use std::collections::BTreeMap;

use api::NodePlacement;
use k8s_openapi::api::core::v1::Toleration;

/// Node selector and tolerations of the DNS pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Labels a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints the pods tolerate.
    pub tolerations: Vec<Toleration>,
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
