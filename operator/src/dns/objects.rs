//! The objects the operator keeps, each as it should be. Pure: facts in, objects
//! out.

mod ca_bundle;
mod cluster_role;
mod config_map;
mod daemon_set_dns;
mod daemon_set_node_resolver;
mod monitoring;
mod namespace;
mod network_policy;
mod service_account;
mod service_dns;
mod service_openshift;

use std::sync::LazyLock;

use k8s_openapi::Resource;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::dns::config::Config;
use crate::dns::inputs::Inputs;
use crate::dns::names;
use crate::dns::trust::Mount;

/// Where `apps/v1` keeps the number of a DaemonSet's template, a field of earlier versions.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// An object as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Which object.
    pub key: ObjectKey,
    /// The fields that the operator sets. A `null` stands for a field that must
    /// not be there.
    pub value: Value,
}

impl Desired {
    /// An object of nothing but a specification.
    #[must_use]
    pub fn with_spec(key: ObjectKey, spec: &Value) -> Self {
        let mut value = json!({
            "apiVersion": key.api_version,
            "kind": key.kind,
            "metadata": { "name": key.name },
            "spec": spec,
        });
        if let Some(namespace) = &key.namespace {
            value["metadata"]["namespace"] = json!(namespace);
        }
        Self { key, value }
    }

    /// The object as it is made. Pods that a deleted DaemonSet has left go over to the
    /// next one, and its controller takes those for up to date that carry the number of
    /// its template's generation, whatever template they are of. The API server begins
    /// with 1 each time; so this begins where no DaemonSet before can have come.
    #[must_use]
    pub fn as_created(&self, now: Timestamp) -> Self {
        let mut created = self.clone();
        if self.key.kind == "DaemonSet" {
            created.value["metadata"]["annotations"][TEMPLATE_GENERATION] =
                now.as_microsecond().to_string().into();
        }
        created
    }
}

/// Which object, whatever it holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// The group and version, such as `apps/v1`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace, for kinds that have one.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl ObjectKey {
    /// The key of an object of a known type.
    #[must_use]
    pub fn of<K: Resource>(namespace: Option<&str>, name: &str) -> Self {
        Self {
            api_version: K::API_VERSION.into(),
            kind: K::KIND.into(),
            namespace: namespace.map(Into::into),
            name: name.into(),
        }
    }

    /// The key that a decoded object carries.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        Some(Self {
            api_version: text(&value["apiVersion"])?,
            kind: text(&value["kind"])?,
            namespace: text(&value["metadata"]["namespace"]),
            name: text(&value["metadata"]["name"])?,
        })
    }
}

/// An object could not be built. The templates are part of the program and a
/// test decodes every one, so this is a defect of the program.
#[derive(Debug, thiserror::Error)]
#[error("failed to build {what}: {source}")]
pub struct BuildError {
    what: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl BuildError {
    fn new(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            what,
            source: source.into(),
        }
    }
}

/// What depends on the cluster alone, in the order it is needed.
pub fn desired_for_cluster(inputs: &Inputs) -> Result<Vec<Desired>, BuildError> {
    let mut objects = vec![namespace::desired()?];
    objects.extend(service_account::desired());
    objects.extend(cluster_role::desired(inputs)?);
    objects.extend(network_policy::desired(inputs)?);
    objects.extend(service_dns::desired(inputs)?);
    objects.extend(monitoring::desired(inputs)?);
    objects.push(daemon_set_node_resolver::desired(inputs)?);
    objects.push(service_openshift::desired(inputs)?);
    Ok(objects)
}

/// What depends on the specification too. The ConfigMap comes first: pods that
/// start find their Corefile. Without a Corefile, the ConfigMap is left out.
pub fn desired_for_config(
    config: &Config,
    corefile: Option<String>,
    inputs: &Inputs,
    kept: &[Mount],
) -> Result<Vec<Desired>, BuildError> {
    let mut objects = ca_bundle::desired(config, inputs)?;
    if let Some(corefile) = corefile {
        objects.push(config_map::desired(corefile, inputs)?);
    }
    objects.push(daemon_set_dns::desired(config, inputs, kept)?);
    Ok(objects)
}

/// Every object for a configuration, in the order it is applied. `kept` are mounts
/// that the DNS pods need beside those of the configuration.
pub fn desired(
    config: &Config,
    corefile: Option<String>,
    inputs: &Inputs,
    kept: &[Mount],
) -> Result<Vec<Desired>, BuildError> {
    Ok(in_order(
        desired_for_cluster(inputs)?,
        desired_for_config(config, corefile, inputs, kept)?,
    ))
}

/// The objects of the cluster and those of the configuration, in the order they are
/// applied: who the pods are and what they may do, then the pods, then the rest.
#[must_use]
pub fn in_order<T: AsRef<Desired>>(mut cluster: Vec<T>, config: Vec<T>) -> Vec<T> {
    let at = cluster
        .iter()
        .position(|object| object.as_ref().key.kind == "NetworkPolicy")
        .unwrap_or(cluster.len());
    cluster.splice(at..at, config);
    cluster
}

impl AsRef<Self> for Desired {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// One of the templates in `templates/objects/`, decoded once: a pass over the
/// objects would spend most of its time on parsing them.
struct Template<K>(LazyLock<Result<K, String>>);

impl<K: Clone> Template<K> {
    /// A template that `decode` decodes.
    const fn new(decode: fn() -> Result<K, String>) -> Self {
        Self(LazyLock::new(decode))
    }

    /// A copy to be completed.
    fn get(&self, what: &'static str) -> Result<K, BuildError> {
        self.0
            .as_ref()
            .cloned()
            .map_err(|error| BuildError::new(what, error.clone()))
    }
}

/// By way of JSON: a reader of YAML for each of these types would be megabytes of
/// program.
fn decode<K: DeserializeOwned>(yaml: &str) -> Result<K, String> {
    let value: Value = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// The object as JSON, with its key.
fn encode<K: Resource + Serialize>(what: &'static str, object: &K) -> Result<Desired, BuildError> {
    let value = serde_json::to_value(object).map_err(|error| BuildError::new(what, error))?;
    let key = ObjectKey::from_value(&value).ok_or_else(|| BuildError::new(what, "it has no name"))?;
    Ok(Desired { key, value })
}

/// Makes fields of an object the operator's by their absence.
fn must_be_missing(part: &mut Value, fields: &[&str]) {
    for field in fields {
        part[*field] = Value::Null;
    }
}

/// Makes an object part of the DNS: deleted with it.
fn owner(inputs: &Inputs) -> Vec<OwnerReference> {
    vec![OwnerReference {
        api_version: "operator.openshift.io/v1".into(),
        kind: "DNS".into(),
        name: names::DNS.into(),
        uid: inputs.owner_uid.clone(),
        controller: Some(true),
        block_owner_deletion: None,
    }]
}
