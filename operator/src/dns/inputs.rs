//! What the objects depend on beside the DNS resource: the cluster's facts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::dns::ca_bundle::CaBundle;
use crate::dns::config::CaBundleName;
use crate::dns::tls_profile::TlsProfile;
use crate::images::Images;

/// The cluster's facts, read before anything is decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// The images of the pods.
    pub images: Images,
    /// The address of the DNS service; none while it is not known.
    pub service_address: Option<IpAddr>,
    /// The domain of services and pods.
    pub cluster_domain: String,
    /// The CA bundles at hand, by the name of their source.
    pub ca_bundles: BTreeMap<CaBundleName, CaBundle>,
    /// How the metrics are served.
    pub tls_profile: TlsProfile,
    /// Namespaces the `ocp_dnsnameresolver` plugin watches; empty while its
    /// feature gate is off.
    pub name_resolver_namespaces: Vec<String>,
    /// Whether the Service asks for topology aware hints; none while the nodes are
    /// not known, when it stays as it is.
    pub topology_hints: Option<bool>,
    /// The uid of the DNS resource, for owner references.
    pub owner_uid: String,
    /// Whether Prometheus's operator is there to be told of the DNS pods.
    pub monitored: bool,
    /// The uid of the DNS DaemonSet, once there is one: it owns what monitors it.
    pub daemon_set_uid: Option<String>,
}

/// The domain of services and pods when nobody says otherwise.
pub const DEFAULT_CLUSTER_DOMAIN: &str = "cluster.local";
/// Where DNSNameResolver objects live on OpenShift.
pub const NAME_RESOLVER_NAMESPACE: &str = "openshift-ovn-kubernetes";

/// Something about the cluster's configuration that cannot be followed as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// In one word, for programs.
    pub reason: &'static str,
    /// For people: what, and what is done instead.
    pub message: String,
}
