//! Decodes what external-dns and its providers send as Go would: keys in any case (external-dns
//! before v0.17.0 sent `Create`), unknown keys passed over, `null` for anything empty.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::{Endpoint, Labels, Property, RecordType};

use super::{ChangeSet, DomainFilter};

pub(super) fn change_set(json: &[u8]) -> serde_json::Result<ChangeSet> {
    let changes: ChangeSet = object(json)?;
    let (old, new) = (changes.update_old.len(), changes.update_new.len());
    if old != new {
        return Err(serde_json::Error::custom(format_args!(
            "updateOld has {old} endpoints and updateNew {new}: they go in pairs"
        )));
    }
    Ok(changes)
}

pub(super) fn endpoints(json: &[u8]) -> serde_json::Result<Vec<Endpoint>> {
    let endpoints: Option<Vec<Lenient<Endpoint>>> = serde_json::from_slice(json)?;
    Ok(bare(endpoints.unwrap_or_default()))
}

pub(super) fn domain_filter(json: &[u8]) -> serde_json::Result<DomainFilter> {
    let Filter {
        include,
        exclude,
        regex_include,
        regex_exclude,
    } = object(json)?;
    if regex_include.is_empty() && regex_exclude.is_empty() {
        return Ok(DomainFilter::Domains { include, exclude });
    }
    if !include.is_empty() || !exclude.is_empty() {
        return Err(serde_json::Error::custom(
            "a domain filter has include and exclude, or regexInclude and regexExclude, not both",
        ));
    }
    Ok(DomainFilter::Patterns {
        include: regex_include,
        exclude: regex_exclude,
    })
}

fn object<T: Fields>(json: &[u8]) -> serde_json::Result<T> {
    let object: Option<Lenient<T>> = serde_json::from_slice(json)?;
    Ok(object.map(|object| object.0).unwrap_or_default())
}

fn bare<T>(items: Vec<Lenient<T>>) -> Vec<T> {
    items.into_iter().map(|item| item.0).collect()
}

/// An object with fields that are known by name, in any case.
trait Fields: Default {
    /// What it is called in messages.
    const KIND: &'static str;
    /// What the fields are called.
    const NAMES: &'static [&'static str];

    /// Takes the value of a field, by its place among the names.
    fn take<'de, A: MapAccess<'de>>(&mut self, field: usize, map: &mut A) -> Result<(), A::Error>;
}

/// The value of a field; empty for `null`.
fn value<'de, A: MapAccess<'de>, V: Deserialize<'de> + Default>(map: &mut A) -> Result<V, A::Error> {
    map.next_value::<Option<V>>().map(Option::unwrap_or_default)
}

fn list<'de, A: MapAccess<'de>, T: Fields>(map: &mut A) -> Result<Vec<T>, A::Error> {
    value::<_, Vec<Lenient<T>>>(map).map(bare)
}

impl Fields for ChangeSet {
    const KIND: &'static str = "a change set";
    const NAMES: &'static [&'static str] = &["create", "updateOld", "updateNew", "delete"];

    fn take<'de, A: MapAccess<'de>>(&mut self, field: usize, map: &mut A) -> Result<(), A::Error> {
        let changes = list(map)?;
        match field {
            0 => self.create = changes,
            1 => self.update_old = changes,
            2 => self.update_new = changes,
            _ => self.delete = changes,
        }
        Ok(())
    }
}

impl Fields for Endpoint {
    const KIND: &'static str = "an endpoint";
    const NAMES: &'static [&'static str] = &[
        "dnsName",
        "targets",
        "recordType",
        "recordTTL",
        "setIdentifier",
        "labels",
        "providerSpecific",
    ];

    fn take<'de, A: MapAccess<'de>>(&mut self, field: usize, map: &mut A) -> Result<(), A::Error> {
        match field {
            0 => self.dns_name = value(map)?,
            1 => self.targets = value(map)?,
            2 => self.record_type = RecordType::from(value::<_, Box<str>>(map)?),
            3 => self.ttl = ttl(value(map)?),
            4 => self.set_identifier = value(map)?,
            5 => self.labels = value::<_, Labels>(map)?,
            _ => self.provider_specific = list(map)?.into(),
        }
        Ok(())
    }
}

/// external-dns takes what is not positive for no TTL. DNS has 32 bits for one.
fn ttl(seconds: i64) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(seconds.max(0)).unwrap_or(u32::MAX))
}

impl Fields for Property {
    const KIND: &'static str = "a property";
    const NAMES: &'static [&'static str] = &["name", "value"];

    fn take<'de, A: MapAccess<'de>>(&mut self, field: usize, map: &mut A) -> Result<(), A::Error> {
        match field {
            0 => self.name = value(map)?,
            _ => self.value = value(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Filter {
    include: Vec<String>,
    exclude: Vec<String>,
    regex_include: String,
    regex_exclude: String,
}

impl Fields for Filter {
    const KIND: &'static str = "a domain filter";
    const NAMES: &'static [&'static str] = &["include", "exclude", "regexInclude", "regexExclude"];

    fn take<'de, A: MapAccess<'de>>(&mut self, field: usize, map: &mut A) -> Result<(), A::Error> {
        match field {
            0 => self.include = value(map)?,
            1 => self.exclude = value(map)?,
            2 => self.regex_include = value(map)?,
            _ => self.regex_exclude = value(map)?,
        }
        Ok(())
    }
}

/// Decodes an object by its fields.
struct Lenient<T>(T);

impl<'de, T: Fields> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for ObjectVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::KIND)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = T::default();
        while let Some(field) = map.next_key_seed(FieldName(T::NAMES))? {
            match field {
                Some(field) => object.take(field, &mut map)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Lenient(object))
    }
}

/// Decodes a key to its place among the names of fields.
struct FieldName(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| name.eq_ignore_ascii_case(key)))
    }
}
