//! What OpenShift's operator answers, a case a line, under `tests/cases/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A DNS, and what OpenShift's operator makes of it.
#[derive(Debug, Deserialize)]
pub struct RenderCase {
    /// Group and name.
    pub name: String,
    /// Why the case is not to be copied as it is: see `tests/README.md`.
    pub tags: Vec<String>,
    /// Whether the API server takes it.
    pub valid: bool,
    /// The DNS as it is applied.
    pub dns_raw: Value,
    /// The DNS as it is stored.
    pub dns: Value,
    /// The cluster around it.
    pub inputs: RenderInputs,
    /// The names under which CA bundles are mounted, by bundle.
    pub ca_bundle_revisions: Option<BTreeMap<String, String>>,
    /// Why OpenShift's operator does not render it.
    pub expected_error: Option<String>,
    /// The Corefile.
    pub expected_corefile: Option<String>,
    /// The DaemonSet of the DNS pods.
    pub expected_daemonset: Option<Value>,
    /// The DNS service.
    pub expected_service: Option<Value>,
    /// The network policies.
    pub expected_networkpolicies: Option<Vec<Value>>,
    /// The node-resolver DaemonSet, its script masked.
    pub expected_node_resolver_daemonset: Option<Value>,
    /// The ClusterRole of the DNS pods.
    pub expected_clusterrole: Option<Value>,
    /// Whether CoreDNS loads the Corefile; none where there is none.
    pub coredns_loads: Option<bool>,
}

/// The cluster around a DNS.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenderInputs {
    /// CA bundles in `openshift-config`, with the versions of their copies.
    pub ca_bundle_config_maps: BTreeMap<String, String>,
    /// The domain of services and pods.
    pub cluster_domain: String,
    /// The address of the DNS service.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: String,
    /// Where DNSNameResolvers are.
    pub dns_name_resolver_namespaces: Vec<String>,
    /// Whether a feature is on.
    pub feature_gates: BTreeMap<String, bool>,
    /// Whether the Service asks for hints.
    pub topology_aware_hints: bool,
    /// The cluster's TLS profile.
    pub tls_security_profile: Option<Value>,
}

impl RenderCase {
    /// Whether the case has a tag.
    #[must_use]
    pub fn is(&self, tag: &str) -> bool {
        self.tags.iter().any(|other| other == tag)
    }
}

/// A duration, and what OpenShift's operator makes of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DurationCase {
    /// As it is typed.
    pub duration: String,
    /// Whether the resource definition admits it.
    pub crd_pattern: bool,
    /// Rounded; none where Go does not parse it.
    pub rounded_seconds: Option<f64>,
}

/// What was observed of a DNS, and what OpenShift's operator says of it.
#[derive(Debug, Deserialize)]
pub struct StatusCase {
    /// Group and name.
    pub name: String,
    /// What was observed.
    pub request: StatusRequest,
    /// What came of it.
    pub expected: ExpectedStatus,
}

/// The state of a DNS.
#[derive(Debug, Deserialize)]
pub struct StatusRequest {
    /// The address of the DNS service; empty when it has none.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: String,
    /// The DNS resource.
    pub dns: Value,
    /// The DaemonSets and the conditions so far.
    pub status: StatusInputs,
}

/// The DaemonSets and the conditions so far.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusInputs {
    /// Whether the DaemonSet of the DNS pods exists.
    #[serde(rename = "haveDNSDaemonSet")]
    pub have_dns_daemon_set: bool,
    /// The status of that DaemonSet.
    pub dns_daemon_set_status: Value,
    /// The whole of that DaemonSet, where more than its status matters.
    pub dns_daemon_set: Option<Value>,
    /// Whether the node-resolver DaemonSet exists.
    pub have_node_resolver_daemon_set: bool,
    /// Its status.
    pub node_resolver_daemon_set_status: Value,
    /// The conditions, each with its `ageSeconds`.
    pub old_conditions: Vec<Value>,
    /// How long a condition that just turned good stays, where it is not 40
    /// seconds.
    pub tolerance_seconds: Option<i64>,
}

/// The conditions, and when they are looked at again.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedStatus {
    /// The conditions in order; `transition` is `now` or `kept`.
    pub conditions: Vec<Value>,
    /// When to look again; 0 is never.
    pub requeue_after_seconds: i64,
    /// When to try again after an error.
    pub retry_after_seconds: Option<i64>,
}

/// Objects, and what OpenShift's operator makes of them.
#[derive(Debug, Deserialize)]
pub struct ReconcileCase {
    /// Group and name.
    pub name: String,
    /// What is there.
    pub request: ReconcileRequest,
    /// What is there afterwards.
    pub expected: ExpectedObjects,
    /// The writes, as `verb Kind[/subresource] name`.
    pub writes: Vec<String>,
}

/// Objects, and how the operator is run on them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileRequest {
    /// The objects that are there.
    pub objects: Vec<Value>,
    /// The images of the operand.
    pub images: CaseImages,
    /// The calls that fail, as `verb Kind [name]`.
    #[serde(default)]
    pub fail_on: Vec<String>,
    /// The version of the release, where it matters.
    pub release_version: Option<String>,
    /// How often OpenShift's operator looks.
    #[serde(default = "once")]
    pub times: usize,
    /// Whether the ClusterOperator is kept too.
    #[serde(default)]
    pub status_controller: bool,
}

fn once() -> usize {
    1
}

/// The images of the operand.
#[derive(Debug, Deserialize)]
pub struct CaseImages {
    /// CoreDNS.
    pub coredns: String,
    /// The node-resolver.
    #[serde(rename = "openshiftCLI")]
    pub openshift_cli: String,
    /// The proxy before the metrics.
    #[serde(rename = "kubeRBACProxy")]
    pub kube_rbac_proxy: String,
}

/// What is there afterwards.
#[derive(Debug, Deserialize)]
pub struct ExpectedObjects {
    /// Every object.
    pub objects: Vec<Value>,
}

/// The cases for rendering.
pub fn render() -> Result<Vec<RenderCase>> {
    load("render.jsonl")
}

/// The cases for durations.
pub fn durations() -> Result<Vec<DurationCase>> {
    load("durations.jsonl")
}

/// The cases for the status of the DNS.
pub fn status() -> Result<Vec<StatusCase>> {
    load("status.jsonl")
}

/// The cases for whole passes.
pub fn reconcile() -> Result<Vec<ReconcileCase>> {
    load("reconcile.jsonl")
}

fn load<T: DeserializeOwned>(file: &str) -> Result<Vec<T>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases").join(file);
    let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("failed to decode a line of {file}")))
        .collect()
}
