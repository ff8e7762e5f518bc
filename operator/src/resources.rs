//! The kinds of objects the operator reads and writes, and where the API server
//! serves them.

use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Client};

use crate::dns::cluster::SINGLETON;
use crate::dns::inputs::NAME_RESOLVER_NAMESPACE;
use crate::dns::names::{
    self, CLUSTER_ROLE, CONFIG_NAMESPACE, DNS_DEFAULT, LEASE, MONITORING_ROLE, NAMESPACE, OPERATOR_NAMESPACE,
};
use crate::dns::objects::ObjectKey;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
}

const fn resource(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> Resource {
    Resource {
        group,
        version,
        kind,
        plural,
    }
}

const DNS: Resource = resource("operator.openshift.io", "v1", "DNS", "dnses");
const NETWORK: Resource = resource("config.openshift.io", "v1", "Network", "networks");
const API_SERVER: Resource = resource("config.openshift.io", "v1", "APIServer", "apiservers");
const FEATURE_GATE: Resource = resource("config.openshift.io", "v1", "FeatureGate", "featuregates");
const NAMESPACES: Resource = resource("", "v1", "Namespace", "namespaces");
const SERVICE_ACCOUNTS: Resource = resource("", "v1", "ServiceAccount", "serviceaccounts");
const CONFIG_MAPS: Resource = resource("", "v1", "ConfigMap", "configmaps");
const SERVICES: Resource = resource("", "v1", "Service", "services");
const DAEMON_SETS: Resource = resource("apps", "v1", "DaemonSet", "daemonsets");
const NETWORK_POLICIES: Resource = resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");
const CLUSTER_OPERATOR: Resource =
    resource("config.openshift.io", "v1", "ClusterOperator", "clusteroperators");
const SERVICE_MONITORS: Resource =
    resource("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors");
const LEASES: Resource = resource("coordination.k8s.io", "v1", "Lease", "leases");
const PODS: Resource = resource("", "v1", "Pod", "pods");
/// The name of the Lease of central servers of external records.
const CENTRAL_LEASE: &str = "dns-operator-records-serve";
const ROLES: Resource = resource("rbac.authorization.k8s.io", "v1", "Role", "roles");
const ROLE_BINDINGS: Resource = resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings");
const CLUSTER_ROLES: Resource = resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles");
const CLUSTER_ROLE_BINDINGS: Resource = resource(
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
);

const ENDPOINT_SLICES: Resource = resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");
const NAME_RESOLVERS: Resource = resource(
    "network.openshift.io",
    "v1alpha1",
    "DNSNameResolver",
    "dnsnameresolvers",
);

const DNS_ENDPOINTS: Resource = resource("externaldns.k8s.io", "v1alpha1", "DNSEndpoint", "dnsendpoints");

const DNS_PROVIDERS: Resource = resource("dns.gardener.cloud", "v1alpha1", "DNSProvider", "dnsproviders");

const ALL: [Resource; 22] = [
    DNS,
    NETWORK,
    API_SERVER,
    FEATURE_GATE,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    CONFIG_MAPS,
    SERVICES,
    DAEMON_SETS,
    NETWORK_POLICIES,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_OPERATOR,
    SERVICE_MONITORS,
    LEASES,
    PODS,
    ENDPOINT_SLICES,
    NAME_RESOLVERS,
    DNS_ENDPOINTS,
    DNS_PROVIDERS,
];

impl Resource {
    /// The kind of an object.
    #[must_use]
    pub fn of(key: &ObjectKey) -> Option<Self> {
        ALL.into_iter().find(|resource| resource.serves(key))
    }

    /// Whether an object is of this kind.
    #[must_use]
    pub fn serves(&self, key: &ObjectKey) -> bool {
        self.kind == key.kind && self.api_version() == key.api_version
    }

    /// The group and version, such as `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.into()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The name of its definition, for kinds that come with one.
    #[must_use]
    pub fn definition(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    /// Its name in paths and rules, such as `daemonsets`.
    #[must_use]
    pub fn plural(&self) -> &'static str {
        self.plural
    }

    /// The objects of this kind at an API server: of a namespace, or all there are.
    #[must_use]
    pub fn objects(&self, client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &self.api()),
            None => Api::all_with(client.clone(), &self.api()),
        }
    }

    /// Where the API server serves it.
    #[must_use]
    pub fn api(&self) -> ApiResource {
        ApiResource {
            group: self.group.into(),
            version: self.version.into(),
            api_version: self.api_version(),
            kind: self.kind.into(),
            plural: self.plural.into(),
        }
    }
}

/// A part of the cluster that the operator keeps an eye on.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The kind of object.
    pub resource: Resource,
    /// The namespace, for kinds that have one.
    pub namespace: Option<&'a str>,
    /// The only name that matters.
    pub name: Option<&'a str>,
}

const fn everywhere(resource: Resource) -> Scope<'static> {
    Scope {
        resource,
        namespace: None,
        name: None,
    }
}

const fn named(resource: Resource, name: &'static str) -> Scope<'static> {
    Scope {
        resource,
        namespace: None,
        name: Some(name),
    }
}

const fn within(namespace: &'static str, resource: Resource) -> Scope<'static> {
    Scope {
        resource,
        namespace: Some(namespace),
        name: None,
    }
}

/// What is watched on every cluster, nodes apart. The namespace `default` has the
/// services `kubernetes`, which tells the service range, and `openshift`.
pub const WATCHED: [Scope<'static>; 16] = [
    everywhere(DNS),
    named(NAMESPACES, NAMESPACE),
    within(NAMESPACE, SERVICE_ACCOUNTS),
    within(NAMESPACE, CONFIG_MAPS),
    within(NAMESPACE, SERVICES),
    within(NAMESPACE, DAEMON_SETS),
    within(NAMESPACE, NETWORK_POLICIES),
    within(NAMESPACE, ROLES),
    within(NAMESPACE, ROLE_BINDINGS),
    within(CONFIG_NAMESPACE, CONFIG_MAPS),
    within("default", SERVICES),
    named(CLUSTER_ROLES, CLUSTER_ROLE),
    named(CLUSTER_ROLES, MONITORING_ROLE),
    named(CLUSTER_ROLE_BINDINGS, CLUSTER_ROLE),
    named(CLUSTER_ROLE_BINDINGS, MONITORING_ROLE),
    Scope {
        resource: LEASES,
        namespace: Some(OPERATOR_NAMESPACE),
        name: Some(LEASE),
    },
];

/// What is watched where it is defined: an OpenShift cluster has all of it.
pub const WATCHED_WHERE_DEFINED: [Scope<'static>; 5] = [
    named(NETWORK, SINGLETON),
    named(API_SERVER, SINGLETON),
    named(FEATURE_GATE, SINGLETON),
    named(CLUSTER_OPERATOR, names::CLUSTER_OPERATOR),
    Scope {
        resource: SERVICE_MONITORS,
        namespace: Some(NAMESPACE),
        name: Some(DNS_DEFAULT),
    },
];

/// The names that are kept resolved: watched where they are defined, while the
/// feature gate `DNSNameResolver` is on.
pub const WATCHED_NAME_RESOLVERS: Scope<'static> = within(NAME_RESOLVER_NAMESPACE, NAME_RESOLVERS);
/// The pods that are asked for them, watched as long.
pub const WATCHED_DNS_PODS: Scope<'static> = within(NAMESPACE, ENDPOINT_SLICES);

/// The DNS resource of a name.
#[must_use]
pub fn dns_key(name: &str) -> ObjectKey {
    key(DNS, None, name)
}

/// The DNS resource in force.
#[must_use]
pub fn default_dns_key() -> ObjectKey {
    dns_key(names::DNS)
}

/// OpenShift's network configuration.
#[must_use]
pub fn network_key() -> ObjectKey {
    key(NETWORK, None, SINGLETON)
}

/// OpenShift's configuration of the API server, which holds the TLS profile.
#[must_use]
pub fn api_server_key() -> ObjectKey {
    key(API_SERVER, None, SINGLETON)
}

/// Which features of OpenShift are on.
#[must_use]
pub fn feature_gate_key() -> ObjectKey {
    key(FEATURE_GATE, None, SINGLETON)
}

/// What the operator reports to the cluster's administrators on OpenShift.
#[must_use]
pub fn cluster_operator_key() -> ObjectKey {
    key(CLUSTER_OPERATOR, None, names::CLUSTER_OPERATOR)
}

/// What Prometheus is told of the DNS pods.
#[must_use]
pub fn service_monitor_key() -> ObjectKey {
    key(SERVICE_MONITORS, Some(NAMESPACE), DNS_DEFAULT)
}

/// What the replicas of the operator agree by on which of them acts.
#[must_use]
pub fn lease_key() -> ObjectKey {
    key(LEASES, Some(OPERATOR_NAMESPACE), LEASE)
}

/// What the central servers of external records agree by on which of them acts.
#[must_use]
pub fn central_lease(namespace: &str) -> Scope<'_> {
    Scope {
        resource: LEASES,
        namespace: Some(namespace),
        name: Some(CENTRAL_LEASE),
    }
}

/// The same Lease by its key.
#[must_use]
pub fn central_lease_key(namespace: &str) -> ObjectKey {
    key(LEASES, Some(namespace), CENTRAL_LEASE)
}

/// A pod, to be watched alone.
#[must_use]
pub fn pod<'a>(namespace: &'a str, name: &'a str) -> Scope<'a> {
    Scope {
        resource: PODS,
        namespace: Some(namespace),
        name: Some(name),
    }
}

/// The same pod by its key.
#[must_use]
pub fn pod_key(namespace: &str, name: &str) -> ObjectKey {
    key(PODS, Some(namespace), name)
}

/// The DNSNameResolver of a name.
#[must_use]
pub fn name_resolver_key(name: &str) -> ObjectKey {
    key(NAME_RESOLVERS, Some(NAME_RESOLVER_NAMESPACE), name)
}

/// An object that lists external records which are wanted.
#[must_use]
pub fn dns_endpoint_key(namespace: &str, name: &str) -> ObjectKey {
    key(DNS_ENDPOINTS, Some(namespace), name)
}

/// The objects that list external records, of a namespace or all there are.
#[must_use]
pub fn dns_endpoints(client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
    DNS_ENDPOINTS.objects(client, namespace)
}

/// An account at a DNS provider.
#[must_use]
pub fn dns_provider_key(namespace: &str, name: &str) -> ObjectKey {
    key(DNS_PROVIDERS, Some(namespace), name)
}

/// The accounts at DNS providers, of a namespace or all there are.
#[must_use]
pub fn dns_providers(client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
    DNS_PROVIDERS.objects(client, namespace)
}

/// A ConfigMap.
#[must_use]
pub fn config_map_key(namespace: &str, name: &str) -> ObjectKey {
    key(CONFIG_MAPS, Some(namespace), name)
}

/// A Service.
#[must_use]
pub fn service_key(namespace: &str, name: &str) -> ObjectKey {
    key(SERVICES, Some(namespace), name)
}

/// A DaemonSet of the operand's namespace.
#[must_use]
pub fn daemon_set_key(name: &str) -> ObjectKey {
    key(DAEMON_SETS, Some(NAMESPACE), name)
}

fn key(resource: Resource, namespace: Option<&str>, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: resource.api_version(),
        kind: resource.kind.into(),
        namespace: namespace.map(Into::into),
        name: name.into(),
    }
}
