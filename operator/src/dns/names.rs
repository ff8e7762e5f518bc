//! Names that other programs know: where the operand lives and how its parts
//! are labelled.

/// The one DNS resource that the operator acts on.
pub const DNS: &str = "default";
/// The namespace of the DNS pods and all that stands around them.
pub const NAMESPACE: &str = "openshift-dns";
/// The namespace in which administrators keep CA bundles.
pub const CONFIG_NAMESPACE: &str = "openshift-config";
/// What keeps a deleted DNS until the operator has cleaned up.
pub const FINALIZER: &str = "dns.operator.openshift.io/dns-controller";
/// Tells which DNS an object belongs to.
pub const OWNING_DNS_LABEL: &str = "dns.operator.openshift.io/owning-dns";
/// Marks the copies of CA bundles.
pub const CA_BUNDLE_LABEL: &str = "dns.operator.openshift.io/ca-bundle";
/// The DaemonSet, Service, ConfigMap and NetworkPolicy of the DNS.
pub const DNS_DEFAULT: &str = "dns-default";
/// The DaemonSet that keeps the nodes' hosts files.
pub const NODE_RESOLVER: &str = "node-resolver";
/// The service account of the DNS pods.
pub const SERVICE_ACCOUNT: &str = "dns";
/// The ClusterRole of the DNS pods, and its binding.
pub const CLUSTER_ROLE: &str = "openshift-dns";
/// The name of the Corefile in its ConfigMap.
pub const COREFILE_KEY: &str = "Corefile";
/// The ClusterRole by which Prometheus may read the DNS, and its binding.
pub const MONITORING_ROLE: &str = "dns-monitoring";
/// The namespace of the operator itself.
pub const OPERATOR_NAMESPACE: &str = "openshift-dns-operator";
/// The Lease of the replica that acts.
pub const LEASE: &str = "dns-operator";
/// The ClusterOperator in which OpenShift's administrators see the DNS.
pub const CLUSTER_OPERATOR: &str = "dns";
