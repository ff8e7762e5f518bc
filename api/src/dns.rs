//! `dnses.operator.openshift.io`: how a cluster's DNS is configured.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

mod status;

pub use status::{
    CorefileStatus, DnsStatus, EffectiveCache, EffectiveTtl, NodeCounts, OperatorCondition, SpecInForce,
    TtlReason,
};

/// The desired behaviour of the cluster's DNS.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "operator.openshift.io",
    version = "v1",
    kind = "DNS",
    root = "Dns",
    plural = "dnses",
    singular = "dns",
    status = "DnsStatus",
    derive = "PartialEq",
    doc = "DNS tells the operator how to run the cluster's DNS: how long answers are cached, which servers other zones are forwarded to, and where the pods run. The operator acts on the resource named `default` and on no other."
)]
pub struct DnsSpec {
    /// How long CoreDNS keeps answers, in every server block of the Corefile.
    /// A limit that is not set, or is zero, means the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,

    /// Which queries CoreDNS logs: `Normal` those that failed, `Debug` also
    /// denials, `Trace` all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Normal"))]
    pub log_level: Option<LogLevel>,

    /// Whether the operator acts: `Managed` (also when not set) keeps everything
    /// as this resource says, `Unmanaged` reports status and changes nothing.
    /// `Force` and `Removed` act as `Managed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^(Managed|Unmanaged|Force|Removed)$"))]
    pub management_state: Option<String>,

    /// On which nodes the DNS pods run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_placement: Option<NodePlacement>,

    /// How much the operator itself logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Normal"))]
    pub operator_log_level: Option<LogLevel>,

    /// Zones that are forwarded to servers of their own. For a name in several
    /// zones the longest match decides; other names follow `upstreamResolvers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<Vec<Server>>,

    /// Where queries go that are neither for the cluster nor for a zone of
    /// `servers`. Without upstreams, to the servers of the node's
    /// `/etc/resolv.conf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {}))]
    pub upstream_resolvers: Option<UpstreamResolvers>,
}

/// How long CoreDNS may keep an answer. A limit shortens the TTL that the
/// upstream gave and never lengthens it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cache {
    /// The longest time a negative answer (NXDOMAIN or NODATA) is kept. Rounded
    /// to whole seconds, halves up; 30 seconds when it is not set or rounds to
    /// zero.
    #[serde(rename = "negativeTTL", skip_serializing_if = "Option::is_none")]
    pub negative_ttl: Option<GoDuration>,

    /// The longest time an answer with records is kept. Rounded to whole
    /// seconds, halves up; 900 seconds when it is not set or rounds to zero.
    #[serde(rename = "positiveTTL", skip_serializing_if = "Option::is_none")]
    pub positive_ttl: Option<GoDuration>,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, description = "")]
pub enum LogLevel {
    /// Errors, and what an administrator has to know.
    #[default]
    Normal,
    /// More, for tracking a problem down.
    Debug,
    /// Everything.
    Trace,
}

/// On which nodes the DNS pods run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodePlacement {
    /// Labels a node must have. When empty, `kubernetes.io/os: linux`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<BTreeMap<String, String>>,

    /// Taints the pods tolerate. When empty, `node-role.kubernetes.io/master`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerations: Option<Vec<Toleration>>,
}

/// Zones and the servers that answer for them: one server block of the Corefile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Where queries for the zones go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_plugin: Option<ForwardPlugin>,

    /// A name for people: it stands in a comment above the server block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// The zones, as domain names such as `example.com` or as address blocks
    /// such as `10.0.0.0/8` for reverse lookups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zones: Option<Vec<String>>,
}

/// How queries for the zones of a server are forwarded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForwardPlugin {
    /// The order in which upstreams are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Random"))]
    pub policy: Option<ForwardingPolicy>,

    /// `TCP` asks upstreams over TCP even when the client came over UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_strategy: Option<ProtocolStrategy>,

    /// How upstreams are reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_config: Option<TransportConfig>,

    /// The servers asked: IP addresses, with a port where it is not the
    /// transport's own (53, or 853 for TLS).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 15))]
    pub upstreams: Option<Vec<String>>,
}

/// The order in which upstreams are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, description = "")]
pub enum ForwardingPolicy {
    /// One at random for each query.
    Random,
    /// Each in turn.
    RoundRobin,
    /// The first that is healthy, in the order written.
    Sequential,
}

/// The protocol upstreams are asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, description = "")]
pub enum ProtocolStrategy {
    /// Always TCP.
    #[serde(rename = "TCP")]
    Tcp,
    /// The client's own.
    #[serde(rename = "")]
    Unset,
}

/// How upstreams are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransportConfig {
    /// With `TLS`, whom to expect at the other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ServerTls>,

    /// `TLS` for DNS over TLS (RFC 7858); `Cleartext`, also when empty, for
    /// plain DNS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
}

/// The transport between CoreDNS and its upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, description = "")]
pub enum Transport {
    /// DNS over TLS.
    #[serde(rename = "TLS")]
    Tls,
    /// Plain DNS.
    Cleartext,
    /// Plain DNS.
    #[serde(rename = "")]
    Unset,
}

/// Whom to expect at the other end of a TLS connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerTls {
    /// The ConfigMap of namespace `openshift-config` whose key `ca-bundle.crt`
    /// holds the authorities that may have signed the server's certificate.
    /// Without one, those of the CoreDNS image are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundleReference>,

    /// The name in the server's certificate, also sent to the server (SNI).
    #[schemars(
        length(max = 253),
        regex(
            pattern = r"^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9]))*$"
        )
    )]
    pub server_name: String,
}

/// A ConfigMap of namespace `openshift-config`, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaBundleReference {
    /// The name of the ConfigMap.
    pub name: String,
}

/// Where queries go that no zone claims.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamResolvers {
    /// The order in which upstreams are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Sequential"))]
    pub policy: Option<ForwardingPolicy>,

    /// `TCP` asks upstreams over TCP even when the client came over UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_strategy: Option<ProtocolStrategy>,

    /// How upstreams are reached. TLS needs upstreams of type `Network`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_config: Option<TransportConfig>,

    /// The servers asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 15), extend("default" = [{"type": "SystemResolvConf"}]))]
    pub upstreams: Option<Vec<Upstream>>,
}

/// One upstream resolver, or all those of the node's `/etc/resolv.conf`. An
/// `address` goes with type `Network`, which needs one, and with no other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upstream {
    /// The resolver's IP address; for type `Network`, and only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("anyOf" = [{ "format": "ipv4" }, { "format": "ipv6" }]))]
    pub address: Option<String>,

    /// The resolver's port; for type `Network`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535), extend("default" = 53))]
    pub port: Option<i32>,

    /// `Network` for the resolver at `address`, `SystemResolvConf` for those of
    /// `/etc/resolv.conf`.
    #[serde(rename = "type")]
    pub kind: UpstreamType,
}

/// What an upstream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, description = "")]
pub enum UpstreamType {
    /// The resolvers of the node's `/etc/resolv.conf`.
    SystemResolvConf,
    /// A resolver by address.
    Network,
    /// The same as `SystemResolvConf`.
    #[default]
    #[serde(rename = "")]
    Unset,
}
