//! Reads what a reconcile decides from, out of the cache.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use api::{DnsSpec, DnsStatus};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::cache::Cache;
use crate::dns::Setup;
use crate::dns::ca_bundle::{self, CaBundle, CaBundles};
use crate::dns::cluster;
use crate::dns::config::Config;
use crate::dns::inputs::{Inputs, Remark};
use crate::dns::names::{
    CA_BUNDLE_LABEL, CONFIG_NAMESPACE, COREFILE_KEY, DNS_DEFAULT, FINALIZER, NAMESPACE, NODE_RESOLVER,
};
use crate::dns::objects::{Desired, ObjectKey};
use crate::dns::status::Rollout;
use crate::dns::tls_profile::TlsProfile;
use crate::dns::trust::Mounted;
use crate::resources::{
    api_server_key, config_map_key, daemon_set_key, default_dns_key, feature_gate_key, network_key,
    service_key, service_monitor_key,
};
use crate::served::Served;

/// The DNS resource as it is stored.
#[derive(Clone)]
pub struct StoredDns(Arc<Value>);

impl StoredDns {
    /// The resource `default`, if there is one.
    #[must_use]
    pub fn observe(cache: &Cache) -> Option<Self> {
        cache.get(&default_dns_key()).map(Self)
    }

    /// A resource that is not stored yet.
    #[must_use]
    pub fn of(dns: Arc<Value>) -> Self {
        Self(dns)
    }

    /// The whole resource.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The specification, not yet decoded.
    #[must_use]
    pub fn spec(&self) -> &Value {
        &self.0["spec"]
    }

    /// The status as it was last written; empty when it cannot be read.
    #[must_use]
    pub fn status(&self) -> DnsStatus {
        serde_json::from_value(self.0["status"].clone()).unwrap_or_default()
    }

    /// Which version of the specification this is.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.0["metadata"]["generation"].as_i64()
    }

    /// Whether somebody has asked for its deletion.
    #[must_use]
    pub fn is_being_deleted(&self) -> bool {
        self.0["metadata"]["deletionTimestamp"].is_string()
    }

    /// Whether the operator is told to keep its hands off.
    #[must_use]
    pub fn is_unmanaged(&self) -> bool {
        self.spec()["managementState"] == "Unmanaged"
    }

    /// What keeps the resource from going away.
    #[must_use]
    pub fn finalizers(&self) -> Vec<&str> {
        let finalizers = self.0["metadata"]["finalizers"].as_array();
        finalizers
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// Whether the operator's finalizer is on it.
    #[must_use]
    pub fn has_finalizer(&self) -> bool {
        self.finalizers().contains(&FINALIZER)
    }

    /// How much the operator should log.
    #[must_use]
    pub fn operator_log_level(&self) -> api::LogLevel {
        serde_json::from_value::<DnsSpec>(serde_json::json!({
            "operatorLogLevel": self.spec()["operatorLogLevel"],
        }))
        .ok()
        .and_then(|spec| spec.operator_log_level)
        .unwrap_or_default()
    }
}

/// The cluster's facts, and what could not be found out.
pub fn inputs(
    cache: &Cache,
    setup: &Setup,
    served: Option<&Served>,
    dns: &StoredDns,
) -> (Inputs, Vec<String>) {
    let mut failures = Vec::new();
    let service_address = service_address(cache)
        .or(setup.cluster.cluster_ip)
        .or_else(|| address_of_network(cache, &mut failures));
    let inputs = Inputs {
        images: setup.images.clone(),
        service_address,
        cluster_domain: setup.cluster.cluster_domain.clone(),
        ca_bundles: BTreeMap::new(),
        tls_profile: tls_profile(cache),
        name_resolver_namespaces: cluster::name_resolver_namespaces(
            cache.get(&feature_gate_key()).as_deref(),
            &setup.cluster.release_version,
        ),
        topology_hints: cache.nodes().topology_hints(),
        owner_uid: dns.value()["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        monitored: served.is_some_and(|served| served.has(&service_monitor_key())),
        daemon_set_uid: cache
            .get(&daemon_set_key(DNS_DEFAULT))
            .and_then(|set| set["metadata"]["uid"].as_str().map(ToOwned::to_owned)),
    };
    (inputs, failures)
}

/// What of the cluster's configuration cannot be followed as it is. An API that is
/// not there asks for nothing.
#[must_use]
pub fn remarks(cache: &Cache, setup: &Setup, served: Option<&Served>) -> Vec<Remark> {
    let remark = |reason| move |message| Remark { reason, message };
    let ciphers = tls_profile(cache).remark().map(remark("UnknownCiphers"));
    let gates = served
        .is_some_and(|served| served.has(&feature_gate_key()))
        .then(|| {
            let gate = cache.get(&feature_gate_key());
            cluster::unknown_gates(gate.as_deref(), &setup.cluster.release_version)
        });
    let gates = gates.flatten().map(remark("UnknownFeatureGates"));
    ciphers.into_iter().chain(gates).collect()
}

/// The cluster's TLS profile; `Intermediate` where there is none.
#[must_use]
pub fn tls_profile(cache: &Cache) -> TlsProfile {
    cache
        .get(&api_server_key())
        .map(|server| TlsProfile::from_api_server_spec(&server["spec"]))
        .unwrap_or_default()
}

/// The CA bundles that a configuration asks for. One that has gone, or has become
/// unreadable, is used for as long as its copy is here.
#[must_use]
pub fn ca_bundles(cache: &Cache, config: &Config) -> CaBundles {
    let mut bundles = CaBundles::default();
    for name in config.ca_bundles() {
        let copy = || {
            let copy = cache.get(&config_map_key(NAMESPACE, &ca_bundle::copy_name(name)))?;
            let copy = CaBundle::of(name, &copy);
            copy.ok().map(|bundle| (name.clone(), bundle))
        };
        match cache.get(&config_map_key(CONFIG_NAMESPACE, &name.0)) {
            None => {
                bundles.missing.push(name.clone());
                bundles.usable.extend(copy());
            }
            Some(source) => match CaBundle::of(name, &source) {
                Ok(bundle) => {
                    bundles.usable.insert(name.clone(), bundle);
                }
                Err(why) => {
                    bundles.unreadable.push((name.clone(), why));
                    bundles.usable.extend(copy());
                }
            },
        }
    }
    bundles
}

/// The version of the copy of a bundle, provided that it holds the same.
#[must_use]
pub fn copy_version(cache: &Cache, bundle: &CaBundle) -> Option<String> {
    let copy = cache.get(&config_map_key(NAMESPACE, &bundle.copy_name()))?;
    let same = copy["data"] == json!(bundle.data());
    let version = copy["metadata"]["resourceVersion"].as_str();
    version.filter(|_| same).map(ToOwned::to_owned)
}

/// What of CA bundles the DNS pods have, which have loaded a Corefile; `had_pods`
/// when there were some before.
#[must_use]
pub fn mounted(cache: &Cache, corefile: Option<&str>, had_pods: bool) -> Mounted {
    let set = cache.get(&daemon_set_key(DNS_DEFAULT));
    Mounted::of(set.as_deref(), corefile, had_pods)
}

/// The Corefile in force.
#[must_use]
pub fn corefile(cache: &Cache) -> Option<String> {
    let map = cache.get(&config_map_key(NAMESPACE, DNS_DEFAULT))?;
    map["data"][COREFILE_KEY].as_str().map(ToOwned::to_owned)
}

/// When the ConfigMap of the Corefile was last written.
#[must_use]
pub fn corefile_written(cache: &Cache) -> Option<Timestamp> {
    let map = cache.get(&config_map_key(NAMESPACE, DNS_DEFAULT))?;
    map["metadata"]["managedFields"][0]["time"].as_str()?.parse().ok()
}

/// Copies of CA bundles that nothing of the configuration uses, nor any pod.
#[must_use]
pub fn unused_ca_bundles(cache: &Cache, desired: &[Arc<Desired>], had_pods: bool) -> Vec<ObjectKey> {
    let mut copies = ca_bundle_copies(cache);
    copies.retain(|key| !desired.iter().any(|object| object.key == *key));
    if !copies.is_empty() {
        let mounted = mounted(cache, corefile(cache).as_deref(), had_pods);
        copies.retain(|key| !mounted.uses(&key.name));
    }
    copies
}

/// All copies of CA bundles.
#[must_use]
pub fn ca_bundle_copies(cache: &Cache) -> Vec<ObjectKey> {
    let is_copy = |map: &Value| {
        map["metadata"]["namespace"] == NAMESPACE && map["metadata"]["labels"][CA_BUNDLE_LABEL] == "true"
    };
    let maps = cache.of_kind("ConfigMap");
    let copies = maps.iter().filter(|map| is_copy(map));
    copies.filter_map(|map| ObjectKey::from_value(map)).collect()
}

/// The address the DNS service has: it cannot be changed any more.
pub fn service_address(cache: &Cache) -> Option<IpAddr> {
    let service = cache.get(&service_key(NAMESPACE, DNS_DEFAULT))?;
    service["spec"]["clusterIP"].as_str()?.parse().ok()
}

/// The address the service network provides for. A Network config that says
/// nothing usable is not made up for by a guess.
fn address_of_network(cache: &Cache, failures: &mut Vec<String>) -> Option<IpAddr> {
    if let Some(network) = cache.get(&network_key()) {
        return cluster::dns_address(&network)
            .map_err(|error| failures.push(format!("failed to get cluster IP from network config: {error}")))
            .ok();
    }
    let kubernetes = cache.get(&service_key("default", "kubernetes"))?;
    cluster::dns_address_beside(&kubernetes)
}

/// How far the DNS pods are.
#[must_use]
pub fn dns_rollout(cache: &Cache) -> Option<Rollout> {
    cache
        .get(&daemon_set_key(DNS_DEFAULT))
        .map(|set| Rollout::of(&set))
}

/// How far the node-resolver pods are.
#[must_use]
pub fn node_resolver_rollout(cache: &Cache) -> Option<Rollout> {
    cache
        .get(&daemon_set_key(NODE_RESOLVER))
        .map(|set| Rollout::of(&set))
}

/// Whether the namespace of the pods exists.
#[must_use]
pub fn has_namespace(cache: &Cache) -> bool {
    cache.get(&ObjectKey::of::<Namespace>(None, NAMESPACE)).is_some()
}
