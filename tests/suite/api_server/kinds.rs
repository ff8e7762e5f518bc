//! The kinds that the API server in memory serves, and how their paths read.

use serde_json::{Value, json};

/// A kind of object.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    pub api_version: &'static str,
    pub name: &'static str,
    pub plural: &'static str,
    namespaced: bool,
    /// Whether the status is written apart from the rest.
    pub has_status: bool,
}

const fn kind(
    api_version: &'static str,
    name: &'static str,
    plural: &'static str,
    namespaced: bool,
    has_status: bool,
) -> Kind {
    Kind {
        api_version,
        name,
        plural,
        namespaced,
        has_status,
    }
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const CONFIG: &str = "config.openshift.io/v1";

pub static KINDS: [Kind; 23] = [
    kind("v1", "Namespace", "namespaces", false, true),
    kind("v1", "Node", "nodes", false, true),
    kind("v1", "Pod", "pods", true, true),
    kind("v1", "Service", "services", true, true),
    kind("v1", "ConfigMap", "configmaps", true, false),
    kind("v1", "ServiceAccount", "serviceaccounts", true, false),
    kind("v1", "Event", "events", true, false),
    kind("events.k8s.io/v1", "Event", "events", true, false),
    kind("apps/v1", "DaemonSet", "daemonsets", true, true),
    kind("coordination.k8s.io/v1", "Lease", "leases", true, false),
    kind(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "networkpolicies",
        true,
        false,
    ),
    kind(RBAC, "ClusterRole", "clusterroles", false, false),
    kind(RBAC, "ClusterRoleBinding", "clusterrolebindings", false, false),
    kind(RBAC, "Role", "roles", true, false),
    kind(RBAC, "RoleBinding", "rolebindings", true, false),
    kind(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        "servicemonitors",
        true,
        false,
    ),
    kind("operator.openshift.io/v1", "DNS", "dnses", false, true),
    kind(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
        true,
    ),
    kind(CONFIG, "Network", "networks", false, false),
    kind(CONFIG, "APIServer", "apiservers", false, false),
    kind(CONFIG, "FeatureGate", "featuregates", false, true),
    kind(CONFIG, "ClusterVersion", "clusterversions", false, true),
    kind(CONFIG, "ClusterOperator", "clusteroperators", false, true),
];

/// What a path stands for.
#[derive(Debug)]
pub enum Place<'a> {
    /// The kinds of a group and version.
    Discovery(String),
    /// A kind, and perhaps an object of it.
    Objects {
        kind: &'static Kind,
        namespace: Option<&'a str>,
        name: Option<&'a str>,
        subresource: Option<&'a str>,
    },
}

impl Kind {
    /// The kind of an object.
    pub fn of(object: &Value) -> Option<&'static Self> {
        KINDS
            .iter()
            .find(|kind| object["kind"] == kind.name && object["apiVersion"] == kind.api_version)
    }

    /// Whether the API server counts the changes of its specification.
    pub fn has_generations(&self) -> bool {
        !["v1", "events.k8s.io/v1", "coordination.k8s.io/v1", RBAC].contains(&self.api_version)
    }
}

/// Reads a path; nothing where nothing is served.
pub fn parse(path: &str) -> Option<Place<'_>> {
    let (group, rest) = if let Some(rest) = path.strip_prefix("/apis/") {
        rest.split_once('/')?
    } else {
        ("", path.strip_prefix("/api/")?)
    };
    let mut parts = rest.split('/');
    let version = parts.next()?;
    let api_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut parts: Vec<&str> = parts.collect();
    if parts.is_empty() {
        return Some(Place::Discovery(api_version));
    }
    let namespace = (parts.len() >= 3 && parts[0] == "namespaces" && parts[2] != "status").then(|| parts[1]);
    if namespace.is_some() {
        parts.drain(..2);
    }
    let kind = KINDS
        .iter()
        .find(|kind| kind.api_version == api_version && kind.plural == parts[0])?;
    Some(Place::Objects {
        kind,
        namespace: namespace.filter(|_| kind.namespaced),
        name: parts.get(1).copied(),
        subresource: parts.get(2).copied(),
    })
}

/// The kinds of a group and version, as the API server lists them.
pub fn discovery(api_version: &str) -> Option<Value> {
    let kinds = KINDS.iter().filter(|kind| kind.api_version == api_version);
    let resources: Vec<Value> = kinds
        .map(|kind| {
            json!({
                "name": kind.plural, "singularName": "", "namespaced": kind.namespaced,
                "kind": kind.name, "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
            })
        })
        .collect();
    (!resources.is_empty()).then(|| {
        json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version,
            "resources": resources,
        })
    })
}
