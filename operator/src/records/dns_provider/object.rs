//! A DNSProvider as the watch has it.

use std::collections::BTreeMap;

use api::{DnsProviderSpec, DnsProviderStatus};
use kube::core::DynamicObject;
use serde::Deserialize;

use super::problem::Problem;
use super::secret::SecretName;
use crate::dns::objects::ObjectKey;
use crate::records::objects::Object;
use crate::resources::dns_provider_key;

/// The annotation that says which controller an object is for.
const CLASS: &str = "dns.gardener.cloud/class";
/// The annotations that let clusters use an account through the central server: the one that
/// Gardener's documentation names, and the one that its code reads.
pub const REMOTE: [&str; 2] = [
    "dns.gardener.cloud/remoteAccess",
    "dns.gardener.cloud/remote-access",
];

/// A DNSProvider.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsProviderObject {
    /// Which one.
    pub key: ObjectKey,
    /// Its namespace.
    pub namespace: String,
    /// What tells it from a later one of its name.
    pub uid: String,
    /// The version that this is, of `metadata.resourceVersion`.
    pub version: String,
    /// The generation of the specification.
    pub generation: i64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its specification, or why that cannot be understood.
    pub spec: Result<DnsProviderSpec, Problem>,
    /// Its status; empty where it has none that can be understood.
    pub status: DnsProviderStatus,
}

impl DnsProviderObject {
    /// What the API server tells of an object that is for controllers of a class; none of one
    /// that is for others, or on its way out.
    #[must_use]
    pub fn of(object: DynamicObject, class: &str) -> Option<Self> {
        let metadata = object.metadata;
        let annotations = metadata.annotations.unwrap_or_default();
        let is_ours = annotations.get(CLASS).map_or(DEFAULT_CLASS, String::as_str) == class;
        if !is_ours || metadata.deletion_timestamp.is_some() {
            return None;
        }
        let (namespace, name) = (metadata.namespace?, metadata.name?);
        let spec = DnsProviderSpec::deserialize(&object.data["spec"]);
        Some(Self {
            key: dns_provider_key(&namespace, &name),
            namespace,
            uid: metadata.uid.unwrap_or_default(),
            version: metadata.resource_version.unwrap_or_default(),
            generation: metadata.generation.unwrap_or_default(),
            labels: metadata.labels.unwrap_or_default(),
            annotations,
            spec: spec.map_err(|error| Problem::Invalid(format!("spec: {error}"))),
            status: DnsProviderStatus::deserialize(&object.data["status"]).unwrap_or_default(),
        })
    }

    /// The Secret that it names.
    pub fn secret(&self) -> Result<SecretName, Problem> {
        let spec = self.spec.as_ref().map_err(Clone::clone)?;
        SecretName::of(spec.secret_ref.as_ref(), &self.namespace)
    }
}

impl Object for DnsProviderObject {
    fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn differs(&self, other: &Self) -> bool {
        self.uid != other.uid
            || self.generation != other.generation
            || self.labels != other.labels
            || self.annotations != other.annotations
            || self.spec != other.spec
    }
}

/// The class of objects that name none, and of Gardener's controller.
pub const DEFAULT_CLASS: &str = "gardendns";

/// Whether annotations let other clusters use the account through the central server.
#[must_use]
pub fn is_remote(annotations: &BTreeMap<String, String>) -> bool {
    REMOTE
        .iter()
        .any(|name| annotations.get(*name).is_some_and(|value| is_true(value)))
}

/// Whether a text is true to Go's `strconv.ParseBool`.
pub(super) fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}
