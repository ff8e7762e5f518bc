//! A group of changes as operations on single records. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::attributes::{Attributes, NameProperties};
use super::content::{self, RecordData};
use super::record::{self, Told, ZoneRecord, same_name};
use super::{Limit, Settings};
use crate::{Change, Endpoint, Group, RecordType};

/// The longest and the shortest TTL in seconds that some zone takes; those that are not of
/// Cloudflare's Enterprise plan take no less than 60.
const TTLS: std::ops::RangeInclusive<u32> = 30..=86_400;

/// Operations on records, in the order in which Cloudflare makes them. What is changed in
/// place is patched: a put would need all of a record, in a form for each type.
#[derive(Debug, Default, Serialize)]
pub(super) struct Operations {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deletes: Vec<Delete>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<Post>,
    /// Records that stay as they are.
    #[serde(skip)]
    kept: Vec<ZoneRecord>,
}

#[derive(Debug, Serialize)]
pub(super) struct Delete {
    id: Box<str>,
}

/// What changes of a record that stays.
#[derive(Debug, Serialize)]
pub(super) struct Patch {
    id: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxied: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Box<str>>>,
}

/// A new record.
#[derive(Debug, Serialize)]
pub(super) struct Post {
    #[serde(rename = "type")]
    record_type: RecordType,
    name: Box<str>,
    #[serde(flatten)]
    content: RecordData,
    ttl: u32,
    proxied: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: Box<str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Box<str>>,
}

/// Why there are no operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It cannot be written as it is.
    Malformed(String),
    /// It is not known which records are meant.
    Unidentified,
}

impl Operations {
    /// The operations of a group.
    pub fn of(group: &Group, settings: &Settings, limit: Limit) -> Result<Self, Fault> {
        regions_agree(group, settings)?;
        let mut operations = Self::default();
        for change in &group.changes {
            match change {
                Change::Create(new) => operations.write(None, new, settings, limit)?,
                Change::Update { old, new } => operations.write(Some(old), new, settings, limit)?,
                Change::Delete(old) => {
                    let members = record::members(old).ok_or(Fault::Unidentified)?;
                    let delete = |member: record::Member<'_>| Delete { id: member.id.into() };
                    operations.deletes.extend(members.into_iter().map(delete));
                }
            }
        }
        Ok(operations)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.deletes.len() + self.patches.len() + self.posts.len()
    }

    fn write(
        &mut self,
        old: Option<&Endpoint>,
        new: &Endpoint,
        settings: &Settings,
        limit: Limit,
    ) -> Result<(), Fault> {
        let attributes = Attributes::wanted(new, settings, limit.comment);
        if attributes.ttl != 1 && !TTLS.contains(&attributes.ttl) {
            return Err(Fault::Malformed(format!(
                "recordTTL: {} is not allowed; 60 to 86400 seconds are (from 30 in zones of the Enterprise plan), and 1 for Cloudflare's choice",
                attributes.ttl
            )));
        }
        if !new.set_identifier.is_empty() {
            return Err(Fault::Malformed(format!(
                "setIdentifier: {:?} is not allowed; a zone has one set of a name and type",
                new.set_identifier
            )));
        }
        let wanted: Vec<_> = new
            .targets
            .iter()
            .map(|target| content::canonical(&new.record_type, target))
            .collect();
        let mut missing: BTreeSet<&str> = wanted.iter().map(|target| &**target).collect();
        if let Some(old) = old {
            let members = record::members(old).ok_or(Fault::Unidentified)?;
            let before = Attributes::listed(old);
            for member in members {
                if wanted.iter().any(|target| **target == *member.target) {
                    missing.remove(member.target);
                    self.keep(old, &member, &before, &attributes);
                } else {
                    self.deletes.push(Delete { id: member.id.into() });
                }
            }
        }
        let name = new.name().map_err(|error| Fault::Malformed(error.to_string()))?;
        for target in missing {
            let content = content::content(&new.record_type, target).map_err(Fault::Malformed)?;
            self.posts.push(Post {
                record_type: new.record_type.clone(),
                name: name.as_str().into(),
                content,
                ttl: attributes.ttl,
                proxied: attributes.proxied,
                comment: attributes.comment.clone(),
                tags: attributes.tags.clone(),
            });
        }
        Ok(())
    }

    /// Keeps a record, with other attributes perhaps.
    fn keep(&mut self, old: &Endpoint, member: &record::Member<'_>, before: &Attributes, after: &Attributes) {
        if before == after && !member.odd {
            self.kept.push(ZoneRecord {
                id: member.id.into(),
                name: old.dns_name.clone(),
                record_type: old.record_type.clone(),
                target: member.target.into(),
                attributes: after.clone(),
            });
            return;
        }
        let differs = |differs: bool| member.odd || differs;
        let Attributes {
            ttl,
            proxied,
            comment,
            tags,
        } = after;
        self.patches.push(Patch {
            id: member.id.into(),
            ttl: differs(before.ttl != *ttl).then_some(*ttl),
            proxied: differs(before.proxied != *proxied).then_some(*proxied),
            comment: differs(before.comment != *comment).then(|| comment.clone()),
            tags: differs(before.tags != *tags).then(|| tags.clone()),
        });
    }
}

/// Names have one region, whatever the types of their records.
fn regions_agree(group: &Group, settings: &Settings) -> Result<(), Fault> {
    let mut regions = BTreeMap::new();
    for new in group.changes.iter().filter_map(Change::after) {
        let Some(region) = NameProperties::wanted(new, settings).region else {
            continue;
        };
        let name = new.name().map_err(|error| Fault::Malformed(error.to_string()))?;
        let first = regions.entry(name).or_insert_with(|| region.clone());
        if *first != region {
            return Err(Fault::Malformed(format!(
                "the records of {} are to be in the regions {first:?} and {region:?}; a name has one",
                new.dns_name
            )));
        }
    }
    Ok(())
}

/// What Cloudflare says of a batch that was written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Written {
    patches: Option<Vec<Told>>,
    posts: Option<Vec<Told>>,
}

/// The operations of several groups in one batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// All of them.
    pub operations: Operations,
    /// For each group: how many of the patches and posts are its own, and what stays.
    shares: Vec<(usize, usize, Vec<ZoneRecord>)>,
}

impl Batch {
    /// Adds the operations of one more group.
    pub fn add(&mut self, mut group: Operations) {
        let kept = std::mem::take(&mut group.kept);
        self.shares.push((group.patches.len(), group.posts.len(), kept));
        self.operations.deletes.append(&mut group.deletes);
        self.operations.patches.append(&mut group.patches);
        self.operations.posts.append(&mut group.posts);
    }

    /// The record sets that the groups have written, as the zone lists them from now on;
    /// none if the answer does not tell of all of them.
    pub fn written(
        self,
        groups: &[&Group],
        answer: Written,
        settings: &Settings,
    ) -> Option<Vec<Vec<Endpoint>>> {
        let patches = answer.patches.unwrap_or_default();
        let posts = answer.posts.unwrap_or_default();
        let asked = &self.operations;
        let agree = patches.len() == asked.patches.len()
            && posts.len() == asked.posts.len()
            && patches
                .iter()
                .zip(&asked.patches)
                .all(|(told, asked)| told.id() == &*asked.id);
        if !agree {
            return None;
        }
        let (mut patches, mut posts) = (patches.into_iter(), posts.into_iter().zip(&asked.posts));
        let mut written = Vec::with_capacity(groups.len());
        for (group, (patched, posted, mut records)) in groups.iter().zip(self.shares) {
            records.extend(patches.by_ref().take(patched).map(ZoneRecord::from));
            for (told, post) in posts.by_ref().take(posted) {
                let record = ZoneRecord::from(told);
                if record.record_type != post.record_type || !same_name(&record.name, &post.name) {
                    return None;
                }
                records.push(record);
            }
            written.push(record::sets(records, |name, record_type| {
                of_name(group, name, record_type, settings)
            }));
        }
        Some(written)
    }
}

/// What a group wants of a name.
fn of_name(group: &Group, name: &str, record_type: &RecordType, settings: &Settings) -> NameProperties {
    let mut after = group.changes.iter().filter_map(Change::after);
    after
        .find(|new| new.record_type == *record_type && same_name(&new.dns_name, name))
        .map(|new| NameProperties::wanted(new, settings))
        .unwrap_or_default()
}
