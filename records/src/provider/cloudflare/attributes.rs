//! What a record has beside its data, as Cloudflare and as external-dns tell it. Pure.

use std::num::NonZeroU32;

use super::Settings;
use crate::{Endpoint, Property, RecordType};

/// The TTL that Cloudflare chooses.
pub(super) const AUTOMATIC: u32 = 1;
/// Whether the record is proxied.
pub const PROXIED: &str = "external-dns.alpha.kubernetes.io/cloudflare-proxied";
/// A note on the record.
pub const COMMENT: &str = "external-dns.alpha.kubernetes.io/cloudflare-record-comment";
/// Tags of the record, sorted, with commas between them.
pub const TAGS: &str = "external-dns.alpha.kubernetes.io/cloudflare-tags";
/// Hostnames of others that lead to the record, sorted, with commas between them.
pub const CUSTOM_HOSTNAME: &str = "external-dns.alpha.kubernetes.io/cloudflare-custom-hostname";
/// Where the record's traffic may be looked into.
pub const REGION_KEY: &str = "external-dns.alpha.kubernetes.io/cloudflare-region-key";
/// What the names of these properties begin with; external-dns lets through to a webhook
/// provider only those that begin with the second.
const PREFIXES: [&str; 2] = ["external-dns.alpha.kubernetes.io/", "webhook/"];

/// What a record has beside its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    /// In seconds; 1 is Cloudflare's choice.
    pub ttl: u32,
    pub proxied: bool,
    pub comment: Box<str>,
    /// Sorted.
    pub tags: Vec<Box<str>>,
}

/// What belongs to a name rather than to its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NameProperties {
    /// Sorted, with commas between them; empty for none.
    pub custom_hostnames: Box<str>,
    /// None where the feature is off.
    pub region: Option<Box<str>>,
}

impl Attributes {
    /// What a wanted record is to have.
    pub fn wanted(endpoint: &Endpoint, settings: &Settings, longest_comment: usize) -> Self {
        let default = || Box::from(settings.proxied.to_string());
        let proxied = property(endpoint, PROXIED).map_or_else(default, Into::into);
        // As Go reads truth; what is neither is the default.
        let proxied = match &*proxied {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
            "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
            _ => settings.proxied,
        } && can_be_proxied(&endpoint.record_type);
        let comment = property(endpoint, COMMENT).unwrap_or(&settings.comment);
        Self {
            ttl: match endpoint.ttl {
                Some(ttl) if !proxied => ttl.get(),
                _ => AUTOMATIC,
            },
            proxied,
            comment: comment.chars().take(longest_comment).collect::<String>().into(),
            tags: tags(property(endpoint, TAGS).unwrap_or_default().split(',')),
        }
    }

    /// What a record has that was listed, or adjusted before.
    pub fn listed(endpoint: &Endpoint) -> Self {
        Self {
            ttl: endpoint.ttl.map_or(AUTOMATIC, NonZeroU32::get),
            proxied: property(endpoint, PROXIED) == Some("true"),
            comment: property(endpoint, COMMENT).unwrap_or_default().into(),
            tags: tags(property(endpoint, TAGS).unwrap_or_default().split(',')),
        }
    }

    /// Whether the comment is longer than some zones take.
    pub fn is_long(&self) -> bool {
        self.comment.chars().count() > super::FREE_COMMENT
    }

    /// The TTL as endpoints have it.
    pub fn endpoint_ttl(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.ttl).filter(|ttl| ttl.get() != AUTOMATIC)
    }

    /// As properties, sorted by name.
    pub fn properties(&self, of_name: &NameProperties) -> Box<[Property]> {
        let text = |name: &str, value: &str| Property {
            name: name.into(),
            value: value.into(),
        };
        let some = |name: &str, value: &str| (!value.is_empty()).then(|| text(name, value));
        let region = of_name.region.as_deref();
        let all = [
            some(CUSTOM_HOSTNAME, &of_name.custom_hostnames),
            Some(text(PROXIED, if self.proxied { "true" } else { "false" })),
            some(COMMENT, &self.comment),
            region.map(|region| text(REGION_KEY, region)),
            some(TAGS, &self.tags.join(",")),
        ];
        all.into_iter().flatten().collect()
    }
}

impl NameProperties {
    /// What a name is to have, as far as records of this type decide it.
    pub fn wanted(endpoint: &Endpoint, settings: &Settings) -> Self {
        let hostnames = settings.custom_hostnames.is_some() && has_custom_hostnames(&endpoint.record_type);
        let hostnames = hostnames
            .then(|| property(endpoint, CUSTOM_HOSTNAME))
            .flatten()
            .unwrap_or_default();
        let default = settings.region_key.as_deref();
        Self {
            custom_hostnames: tags(hostnames.split(',')).join(",").into(),
            region: default
                .filter(|_| has_region(&endpoint.record_type))
                .map(|default| property(endpoint, REGION_KEY).unwrap_or(default).into()),
        }
    }
}

/// The texts without white space around them and without empty ones, sorted.
pub(super) fn tags<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Box<str>> {
    let texts = texts.map(str::trim).filter(|text| !text.is_empty());
    let mut tags: Vec<Box<str>> = texts.map(Into::into).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// The value of a property, whoever named it.
fn property<'a>(endpoint: &'a Endpoint, name: &str) -> Option<&'a str> {
    let bare = |name: &'a str| PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
    let wanted = name.strip_prefix(PREFIXES[0])?;
    let of_name = |property: &&'a Property| bare(&property.name) == Some(wanted);
    let found = endpoint.provider_specific.iter().find(of_name)?;
    Some(&found.value)
}

/// Whether Cloudflare proxies records of this type.
pub(super) fn can_be_proxied(record_type: &RecordType) -> bool {
    matches!(record_type, RecordType::A | RecordType::Aaaa | RecordType::Cname)
}

/// Whether custom hostnames lead to records of this type.
pub(super) fn has_custom_hostnames(record_type: &RecordType) -> bool {
    matches!(record_type, RecordType::A | RecordType::Cname)
}

/// Whether names of such records have a region.
pub(super) fn has_region(record_type: &RecordType) -> bool {
    can_be_proxied(record_type)
}
