//! What is sent: media type, paths, change sets and domain filters.

use serde::Serialize;

use crate::Endpoint;

use super::decoding;

/// The one media type of the protocol; clients compare it to the letter.
pub const MEDIA_TYPE: &str = "application/external.dns.webhook+json;version=1";
/// Where records are read (GET) and changed (POST).
pub const RECORDS: &str = "/records";
/// Where wanted records are made into what the provider would list.
pub const ADJUST_ENDPOINTS: &str = "/adjustendpoints";

/// The changes of one pass, as external-dns plans them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSet<E = Endpoint> {
    /// What is to be there and is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<E>,
    /// What is there and is to become something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub update_old: Vec<E>,
    /// What becomes of each record set of `update_old`, in the same order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub update_new: Vec<E>,
    /// What is there and is to go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<E>,
}

impl<E> Default for ChangeSet<E> {
    fn default() -> Self {
        Self {
            create: Vec::new(),
            update_old: Vec::new(),
            update_new: Vec::new(),
            delete: Vec::new(),
        }
    }
}

impl ChangeSet {
    /// Decodes a change set; `null` has no changes. Fails if it is no JSON of that form, or if
    /// the two sides of the updates are not equally many.
    pub fn decode(json: &[u8]) -> serde_json::Result<Self> {
        decoding::change_set(json)
    }
}

/// Decodes a list of endpoints; `null` is an empty one.
pub fn decode_endpoints(json: &[u8]) -> serde_json::Result<Vec<Endpoint>> {
    decoding::endpoints(json)
}

/// Which names a provider takes: external-dns's `--domain-filter` and its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainFilter {
    /// By domains. `example.com` is that name and all below it, `.example.com` only those
    /// below it. No domains to include are all.
    Domains {
        /// Names in these domains.
        include: Vec<String>,
        /// But not in these.
        exclude: Vec<String>,
    },
    /// By regular expressions in the syntax of Go. An empty one is none.
    Patterns {
        /// Names that match this one.
        include: String,
        /// But not this one.
        exclude: String,
    },
}

impl Default for DomainFilter {
    fn default() -> Self {
        Self::Domains {
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

impl DomainFilter {
    /// Decodes a filter. One by domains and by patterns at once is none.
    pub fn decode(json: &[u8]) -> serde_json::Result<Self> {
        decoding::domain_filter(json)
    }

    /// As JSON, domains sorted.
    pub fn encode(&self) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Encoded<'a> {
            #[serde(skip_serializing_if = "Vec::is_empty")]
            include: Vec<&'a str>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            exclude: Vec<&'a str>,
            #[serde(skip_serializing_if = "str::is_empty")]
            regex_include: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            regex_exclude: &'a str,
        }
        let encoded = match self {
            Self::Domains { include, exclude } => Encoded {
                include: sort(include),
                exclude: sort(exclude),
                regex_include: "",
                regex_exclude: "",
            },
            Self::Patterns { include, exclude } => Encoded {
                include: Vec::new(),
                exclude: Vec::new(),
                regex_include: include,
                regex_exclude: exclude,
            },
        };
        serde_json::to_vec(&encoded)
    }
}

fn sort(domains: &[String]) -> Vec<&str> {
    let mut domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    domains.sort_unstable();
    domains
}
