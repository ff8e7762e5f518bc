//! Records as Cloudflare tells them, and record sets of them. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::attributes::{self, Attributes, NameProperties};
use super::content;
use crate::{Endpoint, Labels, Name, RECORD_IDS_LABEL, RecordType};

/// What follows the id of a record whose attributes are not those of its set.
const ODD: char = '~';

/// A record as Cloudflare tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    id: Box<str>,
    name: Box<str>,
    #[serde(rename = "type")]
    record_type: RecordType,
    #[serde(default)]
    content: Box<str>,
    #[serde(default)]
    priority: Option<f64>,
    #[serde(default)]
    data: Option<Map<String, Value>>,
    #[serde(default)]
    ttl: Option<u32>,
    #[serde(default)]
    proxied: Option<bool>,
    #[serde(default)]
    comment: Option<Box<str>>,
    #[serde(default)]
    tags: Option<Vec<Box<str>>>,
}

/// One record of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ZoneRecord {
    pub id: Box<str>,
    pub name: Box<str>,
    pub record_type: RecordType,
    /// As it is compared.
    pub target: Box<str>,
    pub attributes: Attributes,
}

/// A record of a set as it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub id: &'a str,
    pub target: &'a str,
    /// Whether its attributes are not those of the set.
    pub odd: bool,
}

impl Told {
    /// What tells it from all others.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl From<Told> for ZoneRecord {
    fn from(told: Told) -> Self {
        let data = told.data.as_ref();
        let target = content::target(&told.record_type, &told.content, told.priority, data);
        let tags = told.tags.unwrap_or_default();
        Self {
            id: told.id,
            name: told.name,
            target,
            attributes: Attributes {
                ttl: told.ttl.unwrap_or(attributes::AUTOMATIC),
                proxied: told.proxied.unwrap_or(false),
                comment: told.comment.unwrap_or_default(),
                tags: attributes::tags(tags.iter().map(|tag| &**tag)),
            },
            record_type: told.record_type,
        }
    }
}

/// Puts records together into sets of a name and type, in the order of those. Where the
/// records of a set have not all the same attributes, those of the first one count, and the
/// others are marked: the next change of the set mends them.
pub(super) fn sets(
    mut records: Vec<ZoneRecord>,
    of_name: impl Fn(&str, &RecordType) -> NameProperties,
) -> Vec<Endpoint> {
    let order = |one: &ZoneRecord, other: &ZoneRecord| {
        let key = |record: &ZoneRecord| (record.name.to_ascii_lowercase(), record.record_type.clone());
        let last = |record: &ZoneRecord| (record.target.clone(), record.id.clone());
        key(one)
            .cmp(&key(other))
            .then_with(|| last(one).cmp(&last(other)))
    };
    records.sort_unstable_by(order);
    let same_set = |one: &ZoneRecord, other: &ZoneRecord| {
        one.name.eq_ignore_ascii_case(&other.name) && one.record_type == other.record_type
    };
    records
        .chunk_by(same_set)
        .filter_map(|set| {
            let first = set.first()?;
            Some(endpoint(first, set, &of_name(&first.name, &first.record_type)))
        })
        .collect()
}

fn endpoint(first: &ZoneRecord, set: &[ZoneRecord], of_name: &NameProperties) -> Endpoint {
    let id = |record: &ZoneRecord| {
        let odd = record.attributes != first.attributes;
        let mark = if odd { ODD.to_string() } else { String::new() };
        format!("{}{mark}", record.id)
    };
    let ids: Vec<String> = set.iter().map(id).collect();
    Endpoint {
        dns_name: first.name.clone(),
        targets: set.iter().map(|record| record.target.clone()).collect(),
        record_type: first.record_type.clone(),
        set_identifier: Box::default(),
        ttl: first.attributes.endpoint_ttl(),
        labels: Labels::from([(RECORD_IDS_LABEL.into(), ids.join(",").into())]),
        provider_specific: first.attributes.properties(of_name),
    }
}

/// The records of a set that was listed; none if it does not say which they are.
pub(super) fn members(endpoint: &Endpoint) -> Option<Vec<Member<'_>>> {
    let ids: Vec<&str> = endpoint.labels.get(RECORD_IDS_LABEL)?.split(',').collect();
    if ids.len() != endpoint.targets.len() {
        return None;
    }
    let members = ids.into_iter().zip(&endpoint.targets).map(|(id, target)| Member {
        id: id.trim_end_matches(ODD),
        target,
        odd: id.ends_with(ODD),
    });
    Some(members.collect())
}

/// Whether two names are the same to the DNS.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || matches!((Name::parse(one), Name::parse(other)), (Ok(one), Ok(other)) if one == other)
}
