//! Reads what a reconcile decides from, out of the cache.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use api::{DnsSpec, DnsStatus};
use serde_json::Value;

use crate::cache::Cache;
use crate::cli::ClusterArgs;
use crate::dns::cluster;
use crate::dns::config::CaBundleName;
use crate::dns::inputs::{CaBundle, Inputs};
use crate::dns::names::{
    CA_BUNDLE_LABEL, CONFIG_NAMESPACE, DNS_DEFAULT, FINALIZER, NAMESPACE, NODE_RESOLVER,
};
use crate::dns::objects::{Desired, ObjectKey};
use crate::dns::status::Rollout;
use crate::dns::tls_profile::TlsProfile;
use crate::images::Images;
use crate::resources::{
    api_server_key, config_map_key, daemon_set_key, default_dns_key, feature_gate_key, network_key,
    service_key,
};

/// The DNS resource as it is stored.
#[derive(Clone)]
pub struct StoredDns(Arc<Value>);

impl StoredDns {
    /// The resource `default`, if there is one.
    #[must_use]
    pub fn observe(cache: &Cache) -> Option<Self> {
        cache.get(&default_dns_key()).map(Self)
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
pub fn inputs(cache: &Cache, args: &ClusterArgs, images: &Images, dns: &StoredDns) -> (Inputs, Vec<String>) {
    let mut failures = Vec::new();
    let service_address = service_address(cache)
        .or(args.cluster_ip)
        .or_else(|| address_of_network(cache, &mut failures));
    let inputs = Inputs {
        images: images.clone(),
        service_address,
        cluster_domain: args.cluster_domain.clone(),
        ca_bundles: ca_bundles(cache),
        tls_profile: tls_profile(cache),
        name_resolver_namespaces: cluster::name_resolver_namespaces(
            cache.get(&feature_gate_key()).as_deref(),
            &args.release_version,
        ),
        topology_hints: false,
        owner_uid: dns.value()["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    };
    (inputs, failures)
}

/// The cluster's TLS profile; `Intermediate` where there is none.
#[must_use]
pub fn tls_profile(cache: &Cache) -> TlsProfile {
    cache
        .get(&api_server_key())
        .map(|server| TlsProfile::from_api_server_spec(&server["spec"]))
        .unwrap_or_default()
}

/// The CA bundles of `openshift-config`. One that has gone there is used for as
/// long as its copy is here.
fn ca_bundles(cache: &Cache) -> BTreeMap<CaBundleName, CaBundle> {
    let (mut sources, mut copies) = (BTreeMap::new(), BTreeMap::new());
    for map in cache.of_kind("ConfigMap") {
        let metadata = &map["metadata"];
        if metadata["namespace"] == CONFIG_NAMESPACE {
            sources.extend(cluster::ca_bundle(&map).map(|bundle| (bundle.name().clone(), bundle)));
        } else if metadata["labels"][CA_BUNDLE_LABEL] == "true" {
            copies.extend(cluster::copied_ca_bundle(&map).map(|bundle| (bundle.name().clone(), bundle)));
        }
    }
    copies.extend(sources);
    copies
}

/// Whether a CA bundle's source is there, with certificates or without.
#[must_use]
pub fn has_ca_bundle_source(cache: &Cache, name: &CaBundleName) -> bool {
    cache.get(&config_map_key(CONFIG_NAMESPACE, &name.0)).is_some()
}

/// Copies of CA bundles that nothing of the configuration uses.
#[must_use]
pub fn unused_ca_bundles(cache: &Cache, desired: &[Desired]) -> Vec<ObjectKey> {
    cache
        .of_kind("ConfigMap")
        .iter()
        .filter(|map| map["metadata"]["namespace"] == NAMESPACE)
        .filter(|map| map["metadata"]["labels"][CA_BUNDLE_LABEL] == "true")
        .filter_map(|map| ObjectKey::from_value(map))
        .filter(|key| !desired.iter().any(|object| object.key == *key))
        .collect()
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

/// The Corefile in force.
#[must_use]
pub fn corefile(cache: &Cache) -> Option<String> {
    let map = cache.get(&config_map_key(NAMESPACE, DNS_DEFAULT))?;
    map["data"]["Corefile"].as_str().map(Into::into)
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
