//! Keys of JSON objects: as Go takes them, or as they are spelled. What is read by them is
//! said where it is: of endpoints in [`crate::Endpoint`], for one.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Which keys of an object are those of a struct's fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// In any case (of ASCII letters), as in Go.
    InAnyCase,
    /// As they are spelled. Others than those of the fields are an error.
    Exact,
}

/// Reads a struct by its keys. What stands within its fields is read as it is.
pub(crate) struct Keyed<D>(pub Keys, pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Keyed<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.1.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.1.deserialize_map(StructVisitor {
            keys: self.0,
            fields,
            visitor,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Hands the entries of a map to a struct's visitor.
struct StructVisitor<V> {
    keys: Keys,
    fields: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for StructVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Entries {
            keys: self.keys,
            fields: self.fields,
            map,
        })
    }
}

/// The entries of a map, by the names of the fields that they are meant for.
struct Entries<A> {
    keys: Keys,
    fields: &'static [&'static str],
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let field = FieldSeed {
            keys: self.keys,
            fields: self.fields,
            error: PhantomData,
        };
        match self.map.next_key_seed(field)? {
            None => Ok(None),
            Some(Field::Known(name)) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            Some(Field::Unknown(name)) => seed.deserialize(name).map(Some),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

/// A key of a map.
enum Field<E> {
    Known(&'static str),
    Unknown(StringDeserializer<E>),
}

/// Finds the field that a key is meant for.
struct FieldSeed<E> {
    keys: Keys,
    fields: &'static [&'static str],
    error: PhantomData<E>,
}

impl<'de, E: Error> DeserializeSeed<'de> for FieldSeed<E> {
    type Value = Field<E>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<E>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<E: Error> Visitor<'_> for FieldSeed<E> {
    type Value = Field<E>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<F: Error>(self, key: &str) -> Result<Field<E>, F> {
        let is_meant = |field: &&&'static str| match self.keys {
            Keys::InAnyCase => key.eq_ignore_ascii_case(field),
            Keys::Exact => key == **field,
        };
        match (self.fields.iter().find(is_meant), self.keys) {
            (Some(field), _) => Ok(Field::Known(field)),
            (None, Keys::InAnyCase) => Ok(Field::Unknown(StringDeserializer::new(key.to_owned()))),
            (None, Keys::Exact) => Err(F::unknown_field(key, self.fields)),
        }
    }
}
