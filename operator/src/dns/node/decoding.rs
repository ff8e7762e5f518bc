//! How a Node is decoded: what is not kept is not allocated either.
//!
//! A large cluster's nodes are listed by the thousand. Texts that are dropped again at once
//! would leave the heap in pieces, and what is allocated later would lie all over it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::Labels;

/// Labels, in the order in which they are told.
pub(super) fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    deserializer.deserialize_option(LabelsVisitor)
}

/// Whether the conditions have one that says that the node is ready.
pub(super) fn is_ready<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_seq(ConditionsVisitor)
}

/// Whether a quantity is there and not zero.
pub(super) fn is_some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Quantity::deserialize(deserializer)? {
        Quantity::Text(text) => text.chars().any(|c| c.is_ascii_digit() && c != '0'),
        Quantity::Number(number) => number > 0.0,
        Quantity::Other(IgnoredAny) => false,
    })
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = Labels;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of labels")
    }

    fn visit_none<E>(self) -> Result<Labels, E> {
        Ok(Labels::default())
    }

    fn visit_unit<E>(self) -> Result<Labels, E> {
        Ok(Labels::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Labels, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut labels = Labels::default();
        while map.next_key_seed(Append(&mut labels.0))?.is_some() {
            labels.0.push('=');
            map.next_value_seed(Append(&mut labels.0))?;
            labels.0.push('\n');
        }
        Ok(labels)
    }
}

/// Puts a text at the end of another one.
struct Append<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Append<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Append<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string without line breaks")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\n') {
            return Err(E::invalid_value(Unexpected::Str(text), &self));
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Quantity<'a> {
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Number(f64),
    Other(IgnoredAny),
}

struct ConditionsVisitor;

#[derive(Deserialize)]
struct Condition<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
}

impl<'de> Visitor<'de> for ConditionsVisitor {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of conditions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut conditions: A) -> Result<bool, A::Error> {
        let mut is_ready = false;
        while let Some(condition) = conditions.next_element::<Condition<'_>>()? {
            is_ready |= condition.kind == "Ready" && condition.status == "True";
        }
        Ok(is_ready)
    }
}
