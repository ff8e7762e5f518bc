//! What the operator says of itself: the status of a DNS.
//!
//! Beside OpenShift's fields stand those that tell which configuration is in force.
//! They only add: a client of OpenShift's schema does not notice them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator made of the specification.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsStatus {
    /// The domain under which services and pods have names, `cluster.local`
    /// for most clusters.
    #[serde(default)]
    pub cluster_domain: String,

    /// The address at which pods reach the DNS service; empty while there is
    /// none.
    #[serde(default, rename = "clusterIP")]
    pub cluster_ip: String,

    /// Available, Progressing, Degraded and Upgradeable, and where there is something
    /// to say others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<OperatorCondition>,

    /// The Corefile in force: what CoreDNS loads when it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corefile: Option<CorefileStatus>,

    /// How long answers are kept by the Corefile in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_cache: Option<EffectiveCache>,

    /// On how many nodes the DNS pods are of the present template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodeCounts>,

    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// The Corefile in force, and which specification it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CorefileStatus {
    /// The generation of the specification that the Corefile says; not there while
    /// that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,

    /// Since when this Corefile has been in the cluster.
    pub published_time: Time,

    /// The SHA-256 of the Corefile, in hexadecimal digits. Events and metrics call a
    /// Corefile by the first eight of them.
    pub sha256: String,

    /// Whether the present specification is in force: `Current` if it is, `LastGood`
    /// while it is refused and an earlier one goes on serving, `Pending` while it is
    /// accepted and not yet published, `Unmanaged` while the operator is told to keep
    /// its hands off.
    pub spec_in_force: SpecInForce,
}

/// Whether the present specification is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, description = "")]
pub enum SpecInForce {
    /// It is.
    Current,
    /// It is refused; an earlier one goes on serving.
    LastGood,
    /// It is accepted and not yet published.
    Pending,
    /// The operator is told to keep its hands off.
    Unmanaged,
}

/// How long answers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectiveCache {
    /// The limit for negative answers (NXDOMAIN and NODATA).
    #[serde(default, rename = "negativeTTL", skip_serializing_if = "Option::is_none")]
    pub negative_ttl: Option<EffectiveTtl>,

    /// The limit for answers with records.
    #[serde(default, rename = "positiveTTL", skip_serializing_if = "Option::is_none")]
    pub positive_ttl: Option<EffectiveTtl>,
}

/// A limit as it acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveTtl {
    /// Why it is not what the specification says, or what else to know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,

    /// The shortest time that an answer is kept, in seconds: CoreDNS raises a shorter
    /// TTL of an upstream to 5 seconds, but not over the limit.
    pub minimum_seconds: u32,

    /// Where the limit comes from: `AsSpecified`, `Default` when none is specified or
    /// it rounds to zero, `Rounded` to whole seconds, `Capped` at the longest TTL that
    /// DNS has, `NotInForce` when the Corefile in force is not of this specification.
    pub reason: TtlReason,

    /// The longest time that an answer is kept, in seconds.
    pub seconds: u32,
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, description = "")]
pub enum TtlReason {
    /// The specification says so.
    AsSpecified,
    /// The specification says nothing, or zero.
    Default,
    /// To whole seconds.
    Rounded,
    /// At the longest TTL that DNS has.
    Capped,
    /// The Corefile in force is not of this specification.
    NotInForce,
}

/// How far a rollout of the DNS pods is. While one goes on, the counts may lag
/// behind by some seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeCounts {
    /// Nodes that should have a DNS pod.
    pub desired: i64,

    /// Nodes whose pod is of the present template.
    pub updated: i64,
}

/// One aspect of the cluster's DNS, and since when it is so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperatorCondition {
    /// When `status` last changed.
    pub last_transition_time: Time,

    /// The state in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,

    /// The state in one word, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,

    /// `True`, `False` or `Unknown`.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    pub status: String,

    /// Which aspect.
    #[serde(rename = "type")]
    #[schemars(
        length(max = 316),
        regex(
            pattern = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
        )
    )]
    pub kind: String,
}
