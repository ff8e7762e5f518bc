//! A record set as text.
//!
//! It is the name, the set identifier, the labels, and the data: type, TTL, targets and
//! properties. Before each text stands its length in octets, and before the items of each
//! list how many there are. Numbers are written six bits at a time, the least ones first,
//! in ASCII characters of which all but the last have their seventh bit set.

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::name::place;
use crate::{Endpoint, InvalidName, Name, Property, RecordKey, RecordType};

/// The types that are written as numbers; 0 is for all others, whose names follow.
static TYPES: [RecordType; 10] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Dname,
    RecordType::Mx,
    RecordType::Naptr,
    RecordType::Ns,
    RecordType::Ptr,
    RecordType::Srv,
    RecordType::Txt,
];

/// A record set of a list.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a> {
    text: &'a str,
    /// The owner name.
    pub(crate) dns_name: &'a str,
    /// The set identifier.
    pub(crate) set_identifier: &'a str,
    label_count: usize,
    labels: Reader<'a>,
    data: Reader<'a>,
}

/// What a record set holds beside its name, set identifier and labels.
struct Data<'a> {
    record_type: RecordType,
    ttl: Option<NonZeroU32>,
    target_count: usize,
    rest: Reader<'a>,
}

#[derive(Clone, Copy)]
struct Reader<'a>(&'a str);

impl<'a> Packed<'a> {
    /// A record set of its text.
    pub(super) fn read(text: &'a str) -> Self {
        let mut reader = Reader(text);
        let dns_name = reader.text();
        let set_identifier = reader.text();
        let label_count = reader.number();
        let labels = reader;
        for _ in 0..2 * label_count {
            reader.text();
        }
        Self {
            text,
            dns_name,
            set_identifier,
            label_count,
            labels,
            data: reader,
        }
    }

    /// Writes a record set behind a text.
    pub(super) fn write(endpoint: &Endpoint, text: &mut String) {
        write_text(&endpoint.dns_name, text);
        write_text(&endpoint.set_identifier, text);
        write_number(endpoint.labels.iter().count(), text);
        for (name, value) in endpoint.labels.iter() {
            write_text(name, text);
            write_text(value, text);
        }
        let known = TYPES
            .iter()
            .position(|record_type| *record_type == endpoint.record_type);
        write_number(known.map_or(0, |place| place + 1), text);
        if known.is_none() {
            write_text(endpoint.record_type.as_str(), text);
        }
        write_number(endpoint.ttl.map_or(0, |ttl| ttl.get() as usize), text);
        write_number(endpoint.targets.len(), text);
        for target in &endpoint.targets {
            write_text(target, text);
        }
        write_number(endpoint.provider_specific.len(), text);
        for Property { name, value } in &endpoint.provider_specific {
            write_text(name, text);
            write_text(value, text);
        }
    }

    /// All of it.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The text by which a zone is in order, as [`Endpoint::place`] tells it.
    pub(crate) fn place(&self) -> Cow<'a, str> {
        place(self.dns_name)
    }

    /// The owner name as it is compared.
    pub(crate) fn name(&self) -> Result<Name, InvalidName> {
        Name::parse(self.dns_name)
    }

    /// What tells it from all others.
    pub(crate) fn key(&self) -> Result<RecordKey, InvalidName> {
        Ok(RecordKey {
            name: self.name()?,
            record_type: self.record_type(),
            set_identifier: self.set_identifier.into(),
        })
    }

    pub(crate) fn record_type(&self) -> RecordType {
        self.data().record_type
    }

    pub(crate) fn targets(self) -> impl Iterator<Item = &'a str> {
        let Data {
            target_count,
            mut rest,
            ..
        } = self.data();
        (0..target_count).map(move |_| rest.text())
    }

    /// The names and values of what only some providers know.
    pub(crate) fn provider_specific(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let Data {
            target_count,
            mut rest,
            ..
        } = self.data();
        for _ in 0..target_count {
            rest.text();
        }
        (0..rest.number()).map(move |_| (rest.text(), rest.text()))
    }

    pub(crate) fn has_labels(&self) -> bool {
        self.label_count > 0
    }

    /// Whether another one is the same to the letter, but for name, set identifier and
    /// labels.
    pub(crate) fn has_data_of(&self, other: &Self) -> bool {
        self.data.0 == other.data.0
    }

    /// The record set by itself.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let Data { record_type, ttl, .. } = self.data();
        let mut labels = self.labels;
        let label = |_| (labels.text().into(), labels.text().into());
        let property = |(name, value): (&str, &str)| Property {
            name: name.into(),
            value: value.into(),
        };
        Endpoint {
            dns_name: self.dns_name.into(),
            targets: self.targets().map(Into::into).collect(),
            record_type,
            set_identifier: self.set_identifier.into(),
            ttl,
            labels: (0..self.label_count).map(label).collect(),
            provider_specific: self.provider_specific().map(property).collect(),
        }
    }

    fn data(&self) -> Data<'a> {
        let mut rest = self.data;
        let known = rest.number().checked_sub(1).and_then(|place| TYPES.get(place));
        let record_type = match known {
            Some(known) => known.clone(),
            None => RecordType::Other(rest.text().into()),
        };
        Data {
            record_type,
            ttl: u32::try_from(rest.number()).ok().and_then(NonZeroU32::new),
            target_count: rest.number(),
            rest,
        }
    }
}

impl PartialEq for Packed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> usize {
        let mut number = 0;
        for (place, octet) in self.0.bytes().enumerate() {
            number |= usize::from(octet & 0x3f) << (6 * place);
            if octet & 0x40 == 0 {
                self.0 = &self.0[place + 1..];
                break;
            }
        }
        number
    }

    fn text(&mut self) -> &'a str {
        let length = self.number();
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        text
    }
}

fn write_number(mut number: usize, text: &mut String) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 6;
        if number == 0 {
            text.push(char::from(low & 0x3f));
            return;
        }
        text.push(char::from(low & 0x3f | 0x40));
    }
}

fn write_text(item: &str, text: &mut String) {
    write_number(item.len(), text);
    text.push_str(item);
}
