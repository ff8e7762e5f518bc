//! Endpoints as external-dns writes them, read as it reads them: keys in any case, `null`
//! for what is empty, a TTL of 0 for none.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Endpoint, MAX_TTL, Property};
use crate::RecordType;
use crate::json::AnyCase;

/// An endpoint as it may be written.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    dns_name: Option<Box<str>>,
    targets: Option<Vec<Option<Box<str>>>>,
    record_type: Option<RecordType>,
    set_identifier: Option<Box<str>>,
    #[serde(rename = "recordTTL")]
    ttl: Ttl,
    labels: Option<BTreeMap<Box<str>, Option<Box<str>>>>,
    provider_specific: Option<Vec<Property>>,
}

/// A property as it may be written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenProperty {
    name: Option<Box<str>>,
    value: Option<Box<str>>,
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(AnyCase(deserializer))?;
        let targets = written.targets.unwrap_or_default();
        let labels = written.labels.unwrap_or_default();
        Ok(Self {
            dns_name: written.dns_name.unwrap_or_default(),
            targets: targets.into_iter().map(Option::unwrap_or_default).collect(),
            // No type is not the same as A: it is written back as it came.
            record_type: written
                .record_type
                .unwrap_or_else(|| RecordType::Other(Box::default())),
            set_identifier: written.set_identifier.unwrap_or_default(),
            ttl: written.ttl.0,
            labels: labels
                .into_iter()
                .map(|(name, value)| (name, value.unwrap_or_default()))
                .collect(),
            provider_specific: written.provider_specific.unwrap_or_default().into(),
        })
    }
}

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenProperty::deserialize(AnyCase(deserializer))?;
        Ok(Self {
            name: written.name.unwrap_or_default(),
            value: written.value.unwrap_or_default(),
        })
    }
}

/// A number of seconds; none for 0 and `null`.
#[derive(Default)]
struct Ttl(Option<NonZeroU32>);

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TtlVisitor)
    }
}

struct TtlVisitor;

impl Visitor<'_> for TtlVisitor {
    type Value = Ttl;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a recordTTL of 0 to {MAX_TTL} seconds")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Ttl, E> {
        u64::try_from(seconds)
            .map_err(|_| E::invalid_value(Unexpected::Signed(seconds), &self))
            .and_then(|seconds| self.visit_u64(seconds))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Ttl, E> {
        u32::try_from(seconds)
            .ok()
            .filter(|&seconds| seconds <= MAX_TTL)
            .map(|seconds| Ttl(NonZeroU32::new(seconds)))
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(seconds), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<Ttl, E> {
        Ok(Ttl(None))
    }
}
