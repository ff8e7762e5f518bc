//! JSON as Go reads it: the keys of objects are taken in any case.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Reads a struct whose keys are taken in any case (of ASCII letters). What stands within
/// its fields is read as it is.
pub(crate) struct AnyCase<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AnyCase<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(StructVisitor { fields, visitor })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Hands the entries of a map to a struct's visitor.
struct StructVisitor<V> {
    fields: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for StructVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let fields = self.fields;
        self.visitor.visit_map(Entries { fields, map })
    }
}

/// The entries of a map, by the names of the fields that they are meant for.
struct Entries<A> {
    fields: &'static [&'static str],
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let field = FieldSeed {
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
        let known = self
            .fields
            .iter()
            .find(|field| key.eq_ignore_ascii_case(field))
            .copied();
        Ok(known.map_or_else(
            || Field::Unknown(StringDeserializer::new(key.to_owned())),
            Field::Known,
        ))
    }
}
