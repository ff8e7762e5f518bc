//! `dnsendpoints.externaldns.k8s.io`: DNS records that somebody wants, as external-dns has
//! it, and what has become of them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The records that are wanted.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "externaldns.k8s.io",
    version = "v1alpha1",
    kind = "DNSEndpoint",
    root = "DnsEndpoint",
    plural = "dnsendpoints",
    singular = "dnsendpoint",
    namespaced,
    status = "DnsEndpointStatus",
    derive = "PartialEq",
    doc = "DNSEndpoint lists DNS records that are wanted. They are written into the zones at a DNS provider, and the status tells which of them are in place."
)]
pub struct DnsEndpointSpec {
    /// The record sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Vec<DnsRecordSet>>,
}

/// A set of records of one name and type. What the API server lets through here may still
/// be refused: the status then says why, and the other record sets are written all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsRecordSet {
    /// The name that the records are at, such as `www.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,

    /// What is remembered with the records beside their data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,

    /// What only some DNS providers know, such as weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_specific: Option<Vec<DnsRecordProperty>>,

    /// For how many seconds the records may be cached. 0 leaves it to the provider.
    #[serde(default, rename = "recordTTL", skip_serializing_if = "Option::is_none")]
    pub record_ttl: Option<i64>,

    /// The type of the records, such as `A` or `CNAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_type: Option<String>,

    /// Tells several record sets of one name and type apart, where a provider has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_identifier: Option<String>,

    /// The data of the records, one text each: addresses, a name, or what stands in a zone
    /// file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<String>>,
}

/// A property of records that only some DNS providers know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsRecordProperty {
    /// Which one, such as `aws/weight`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What has become of the records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsEndpointStatus {
    /// `Accepted`: every record set is understood, in a zone that is kept, and nobody
    /// else's. `Programmed`: the zones hold all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["type"],
    ))]
    pub conditions: Option<Vec<Condition>>,

    /// The record sets that the zones do not hold as they are wanted, the first hundred of
    /// them in the order of the specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "atomic"))]
    pub not_in_place: Option<Vec<RecordSetStatus>>,

    /// How many record sets the zones do not hold as they are wanted, those among them that
    /// `notInPlace` has no room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub not_in_place_count: Option<i64>,

    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// A record set that a zone does not hold as it is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordSetStatus {
    /// Its name, as the specification has it.
    pub dns_name: String,

    /// Why it is not in place, in words; may be empty.
    pub message: String,

    /// Why it is not in place, in one word for programs.
    pub reason: String,

    /// Its type, as the specification has it.
    pub record_type: String,

    /// Its set identifier; not there where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_identifier: String,
}
