//! `dnsnameresolvers.network.openshift.io`: the addresses behind a DNS name, for
//! those who enforce rules on names.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name to keep resolved.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "network.openshift.io",
    version = "v1alpha1",
    kind = "DNSNameResolver",
    root = "DnsNameResolver",
    plural = "dnsnameresolvers",
    singular = "dnsnameresolver",
    namespaced,
    status = "DnsNameResolverStatus",
    derive = "PartialEq",
    doc = "DNSNameResolver holds the addresses that a DNS name has at present. CoreDNS writes down what it answers for the name; the DNS operator asks again when the addresses expire and takes away those that were not confirmed. Works while the feature gate DNSNameResolver is on. The API may change at any time."
)]
pub struct DnsNameResolverSpec {
    /// The name, fully qualified and in lower case. `*.example.com.` stands for
    /// every name with one label in place of the asterisk, so for
    /// `www.example.com.` and not for `a.www.example.com.`.
    #[schemars(
        length(max = 254),
        regex(pattern = r"^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.){2,}$"),
        extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "spec.name is immutable"}])
    )]
    pub name: String,
}

/// What the name resolves to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsNameResolverStatus {
    /// The names that were asked for and match `spec.name`, each with its
    /// addresses. For a wildcard these are names it stands for, and the
    /// wildcard itself if the DNS has an answer for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["dnsName"],
    ))]
    pub resolved_names: Vec<ResolvedName>,
}

/// A name and its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedName {
    /// Whether the last lookup failed: the condition `Degraded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["type"],
    ))]
    pub conditions: Option<Vec<NameCondition>>,

    /// The name, fully qualified and in lower case.
    #[schemars(
        length(max = 254),
        regex(pattern = r"^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.){2,}$")
    )]
    pub dns_name: String,

    /// How many lookups have failed since the last one that did not. After the
    /// fifth, the name is taken away once its addresses have expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_failures: Option<i32>,

    /// The name's addresses.
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["ip"],
    ))]
    pub resolved_addresses: Vec<ResolvedAddress>,
}

/// An address, and for how long it is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedAddress {
    /// The address, IPv4 or IPv6.
    #[schemars(extend("anyOf" = [{ "format": "ipv4" }, { "format": "ipv6" }]))]
    pub ip: String,

    /// When CoreDNS last got the address as an answer.
    pub last_lookup_time: Time,

    /// For how many seconds from `lastLookupTime` the address is good. It is taken
    /// away 5 seconds after that, unless another answer has it by then.
    pub ttl_seconds: i32,
}

/// One aspect of a name, and since when it is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NameCondition {
    /// When `status` last changed.
    pub last_transition_time: Time,

    /// The state in words; may be empty.
    #[schemars(length(max = 32768))]
    pub message: String,

    /// The generation of the object that this condition speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// The state in one word, for programs: DNS's name of the response code.
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    )]
    pub reason: String,

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
