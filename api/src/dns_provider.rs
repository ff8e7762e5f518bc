//! `dnsproviders.dns.gardener.cloud`: accounts at DNS providers, as Gardener has them
//! (external-dns-management), and which of their zones are used.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The account, and which of its zones are used.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "dns.gardener.cloud",
    version = "v1alpha1",
    kind = "DNSProvider",
    root = "DnsProvider",
    plural = "dnsproviders",
    singular = "dnsprovider",
    shortname = "dnspr",
    namespaced,
    status = "DnsProviderStatus",
    derive = "PartialEq",
    doc = "DNSProvider is an account at a DNS provider. Its status tells which of the account's zones are used, or why none can be."
)]
pub struct DnsProviderSpec {
    /// The TTL, in seconds, of records that come without one.
    #[serde(default, rename = "defaultTTL", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 8_640_000))]
    pub default_ttl: Option<i64>,

    /// Which names are used, by the domains that they are in; all names of the zones that are
    /// used when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<DnsSelection>,

    /// What else only some types of providers know: for `aws-route53` it may have `batchSize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_form")]
    pub provider_config: Option<Map<String, Value>>,

    /// How much of the account may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotas: Option<DnsProviderQuotas>,

    /// How often the account may be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<DnsRateLimit>,

    /// The Secret that lets us into the account; in the namespace of the DNSProvider when it
    /// names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub secret_ref: Option<DnsSecretReference>,

    /// Who keeps the zones.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = [
        "aws-route53", "alicloud-dns", "azure-dns", "azure-private-dns", "cloudflare-dns", "gdch-dns",
        "google-clouddns", "infoblox-dns", "local", "mock-inmemory", "netlify-dns", "openstack-designate",
        "powerdns", "remote", "rfc2136",
    ]))]
    pub provider_type: Option<String>,

    /// Which zones are used, by their ids; all of the account when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones: Option<DnsSelection>,
}

/// What is used and what is not; what is named in neither is used if nothing is to be included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsSelection {
    /// What is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub exclude: Option<Vec<String>>,

    /// What is used, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub include: Option<Vec<String>>,
}

/// How often an account may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsRateLimit {
    /// How many calls may be made at once after a rest.
    #[schemars(range(min = 0))]
    pub burst: i64,

    /// How many calls may be made in a day.
    #[schemars(range(min = 1))]
    pub requests_per_day: i64,
}

/// How much of an account may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsProviderQuotas {
    /// How many DNSEntries there may be; Gardener's controller heeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<i64>,
}

/// Which Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsSecretReference {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// Whether the account can be used, and which of its zones are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsProviderStatus {
    /// The TTL, in seconds, of records that come without one.
    #[serde(default, rename = "defaultTTL", skip_serializing_if = "Option::is_none")]
    pub default_ttl: Option<i64>,

    /// The domains whose names are used, and those whose names are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<DnsSelectionStatus>,

    /// Why the account could not be used lately; not there when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub last_error: Option<DnsProviderError>,

    /// What Gardener's controller did last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_form")]
    pub last_operation: Option<Map<String, Value>>,

    /// When this status last came to say something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,

    /// Why the state is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,

    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// How often the account is called at most; not there when nothing holds it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<DnsRateLimit>,

    /// `Ready`, `Error` (it may mend by itself, or by another Secret) or `Invalid` (the
    /// specification has to be changed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,

    /// The ids of the account's zones that are used, and of those that are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones: Option<DnsSelectionStatus>,
}

/// What is used and what is not, each sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsSelectionStatus {
    /// What is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Vec<String>>,

    /// What is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub included: Option<Vec<String>>,
}

/// What went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsProviderError {
    /// What it was, in words.
    pub description: String,

    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
}

fn free_form(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
