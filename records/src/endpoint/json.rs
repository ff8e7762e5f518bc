//! Endpoints in JSON: as external-dns writes and reads them, and as people may write them.

use std::num::NonZeroU32;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{Endpoint, MAX_TTL, Property};
use crate::json::{Keyed, Keys};
use crate::{Labels, RecordType};

/// An endpoint as it may be written. `null` is what is empty.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an endpoint")]
struct Written {
    dns_name: Option<Box<str>>,
    targets: Option<Vec<Option<Box<str>>>>,
    record_type: Option<RecordType>,
    set_identifier: Option<Box<str>>,
    #[serde(rename = "recordTTL")]
    ttl: Option<i64>,
    labels: Option<Labels>,
    provider_specific: Option<Vec<Property>>,
}

/// A property as it may be written.
#[derive(Default, Deserialize)]
#[serde(default, expecting = "a property")]
struct WrittenProperty {
    name: Option<Box<str>>,
    value: Option<Box<str>>,
}

impl Written {
    fn endpoint(self, ttl: Option<NonZeroU32>) -> Endpoint {
        let targets = self.targets.unwrap_or_default();
        Endpoint {
            dns_name: self.dns_name.unwrap_or_default(),
            targets: targets.into_iter().map(Option::unwrap_or_default).collect(),
            // No type is not the same as A: it is written back as it came.
            record_type: self
                .record_type
                .unwrap_or_else(|| RecordType::Other(Box::default())),
            set_identifier: self.set_identifier.unwrap_or_default(),
            ttl,
            labels: self.labels.unwrap_or_default(),
            provider_specific: self.provider_specific.unwrap_or_default().into(),
        }
    }
}

/// As external-dns reads it, which is Go's way: keys in any case, unknown ones passed over.
impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(Keyed(Keys::InAnyCase, deserializer))?;
        // external-dns takes what is not positive for no TTL. DNS has 32 bits for one.
        let seconds = written.ttl.unwrap_or_default().max(0);
        let ttl = NonZeroU32::new(u32::try_from(seconds).unwrap_or(u32::MAX));
        Ok(written.endpoint(ttl))
    }
}

/// An endpoint of people, whose slips are told and not guessed at: keys as they are
/// spelled and no others, a type, a TTL that records can have.
pub(crate) struct Strict(pub Endpoint);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(Keyed(Keys::Exact, deserializer))?;
        let seconds = written.ttl.unwrap_or_default();
        let allowed = u32::try_from(seconds).ok().filter(|&seconds| seconds <= MAX_TTL);
        let ttl = allowed.map(NonZeroU32::new).ok_or_else(|| {
            D::Error::custom(format_args!(
                "recordTTL: {seconds}: must be 0, for the provider's choice, or 1 to {MAX_TTL} seconds"
            ))
        })?;
        let endpoint = written.endpoint(ttl);
        if endpoint.record_type.is_unset() {
            return Err(D::Error::custom(
                "recordType: is missing; such as A, AAAA or CNAME",
            ));
        }
        Ok(Self(endpoint))
    }
}

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenProperty::deserialize(Keyed(Keys::InAnyCase, deserializer))?;
        Ok(Self {
            name: written.name.unwrap_or_default(),
            value: written.value.unwrap_or_default(),
        })
    }
}
