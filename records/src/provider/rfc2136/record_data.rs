//! Record data as external-dns spells it, and as it is sent.
//!
//! The data is decoded here and not by hickory: that one knows no DNAME, and refuses a
//! whole message for one record that it finds odd.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::{Name, RecordType as WireType};
use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder, DecodeError};

use super::presentation::{InvalidData, name_text, parse_name, push_string, quoted};
use crate::RecordType;
use crate::zone_file::words;

/// The types whose records are kept: those that external-dns knows.
pub(super) const TYPES: [(RecordType, WireType); 10] = [
    (RecordType::A, WireType::A),
    (RecordType::Aaaa, WireType::AAAA),
    (RecordType::Cname, WireType::CNAME),
    (RecordType::Dname, WireType::DNAME),
    (RecordType::Mx, WireType::MX),
    (RecordType::Naptr, WireType::NAPTR),
    (RecordType::Ns, WireType::NS),
    (RecordType::Ptr, WireType::PTR),
    (RecordType::Srv, WireType::SRV),
    (RecordType::Txt, WireType::TXT),
];

/// The type as it is sent; none of one whose records are not kept.
pub(super) fn wire_type(record_type: &RecordType) -> Option<WireType> {
    let (_, wire) = TYPES.iter().find(|(known, _)| known == record_type)?;
    Some(*wire)
}

/// The type that was sent; none of one whose records are not kept.
pub(super) fn known_type(wire: WireType) -> Option<RecordType> {
    let (known, _) = TYPES.iter().find(|(_, candidate)| *candidate == wire)?;
    Some(known.clone())
}

/// A text as the zone lists it: addresses in their shortest form, names in lower case and
/// without the final dot (but those of SRV and NAPTR, which external-dns leaves), strings
/// in quotation marks.
pub(super) fn canonical(record_type: &RecordType, text: &str) -> Result<String, InvalidData> {
    let wire = encode(record_type, text)?;
    decode(record_type, &mut BinDecoder::new(&wire), wire.len())
        .map_err(|error| InvalidData(format!("{text:?}: {error}")))
}

/// A text as it is sent.
pub(super) fn encode(record_type: &RecordType, text: &str) -> Result<Vec<u8>, InvalidData> {
    let mut wire = Vec::new();
    match record_type {
        RecordType::A => wire.extend(address::<Ipv4Addr>(text, "an IPv4 address")?.octets()),
        RecordType::Aaaa => wire.extend(address::<Ipv6Addr>(text, "an IPv6 address")?.octets()),
        RecordType::Cname | RecordType::Dname | RecordType::Ns | RecordType::Ptr => {
            push_name(&mut wire, text)?;
        }
        RecordType::Mx => {
            let [preference, exchange] = fields(text, "a preference and a name")?;
            push_number(&mut wire, preference)?;
            push_name(&mut wire, exchange)?;
        }
        RecordType::Srv => {
            let [priority, weight, port, target] = fields(text, "a priority, a weight, a port and a name")?;
            for number in [priority, weight, port] {
                push_number(&mut wire, number)?;
            }
            push_name(&mut wire, target)?;
        }
        RecordType::Naptr => push_naptr(&mut wire, text)?,
        RecordType::Txt if text.starts_with('"') => {
            for string in words(text)? {
                push_string(&mut wire, &string.octets)?;
            }
        }
        // Without quotation marks it is one string, as it stands.
        RecordType::Txt => push_string(&mut wire, text.as_bytes())?,
        RecordType::Other(name) => {
            return Err(InvalidData(format!("records of type {name} are not kept")));
        }
    }
    Ok(wire)
}

/// What was sent, as text.
pub(super) fn decode(
    record_type: &RecordType,
    decoder: &mut BinDecoder<'_>,
    length: usize,
) -> Result<String, DecodeError> {
    let end = decoder.index() + length;
    Ok(match record_type {
        RecordType::A => Ipv4Addr::from(number::<4>(decoder)?).to_string(),
        RecordType::Aaaa => Ipv6Addr::from(number::<16>(decoder)?).to_string(),
        RecordType::Cname | RecordType::Dname | RecordType::Ns | RecordType::Ptr => {
            name_text(&Name::read(decoder)?)
        }
        RecordType::Mx => format!("{} {}", short(decoder)?, name_text(&Name::read(decoder)?)),
        RecordType::Srv => format!(
            "{} {} {} {}",
            short(decoder)?,
            short(decoder)?,
            short(decoder)?,
            dotted(&Name::read(decoder)?)
        ),
        RecordType::Naptr => format!(
            "{} {} {} {} {} {}",
            short(decoder)?,
            short(decoder)?,
            string(decoder)?,
            string(decoder)?,
            string(decoder)?,
            dotted(&Name::read(decoder)?)
        ),
        RecordType::Txt | RecordType::Other(_) => {
            let mut strings = Vec::with_capacity(1);
            while decoder.index() < end {
                strings.push(string(decoder)?);
            }
            strings.join(" ")
        }
    })
}

fn push_naptr(wire: &mut Vec<u8>, text: &str) -> Result<(), InvalidData> {
    let words = words(text)?;
    let [order, preference, flags, services, regexp, replacement] = words.as_slice() else {
        return Err(InvalidData(format!(
            "{text:?} is not an order, a preference, flags, services, a regular expression and a name"
        )));
    };
    for number in [order, preference] {
        push_number(wire, &String::from_utf8_lossy(&number.octets))?;
    }
    for string in [flags, services, regexp] {
        push_string(wire, &string.octets)?;
    }
    push_name(wire, &String::from_utf8_lossy(&replacement.octets))
}

fn address<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, InvalidData> {
    text.parse()
        .map_err(|_| InvalidData(format!("{text:?} is not {what}")))
}

fn fields<'a, const COUNT: usize>(text: &'a str, what: &str) -> Result<[&'a str; COUNT], InvalidData> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    fields
        .try_into()
        .map_err(|_| InvalidData(format!("{text:?} is not {what}")))
}

fn push_number(wire: &mut Vec<u8>, text: &str) -> Result<(), InvalidData> {
    let number: u16 = text
        .parse()
        .map_err(|_| InvalidData(format!("{text:?} is not a number from 0 to {}", u16::MAX)))?;
    wire.extend(number.to_be_bytes());
    Ok(())
}

fn push_name(wire: &mut Vec<u8>, text: &str) -> Result<(), InvalidData> {
    if text.is_empty() {
        return Err(InvalidData("the name is empty; the root is \".\"".into()));
    }
    for label in &parse_name(text)? {
        push_string(wire, label)?;
    }
    wire.push(0);
    Ok(())
}

fn dotted(name: &Name) -> String {
    let mut text = name_text(name);
    if !name.is_root() {
        text.push('.');
    }
    text
}

fn short(decoder: &mut BinDecoder<'_>) -> Result<u16, DecodeError> {
    Ok(decoder.read_u16()?.unverified(/* any number is one */))
}

fn string(decoder: &mut BinDecoder<'_>) -> Result<String, DecodeError> {
    Ok(quoted(
        decoder.read_character_data()?.unverified(/* any octets are text */),
    ))
}

fn number<const LENGTH: usize>(decoder: &mut BinDecoder<'_>) -> Result<[u8; LENGTH], DecodeError> {
    let octets = decoder.read_slice(LENGTH)?.unverified(/* as long as was asked for */);
    octets.try_into().map_err(|_| DecodeError::InsufficientBytes)
}
