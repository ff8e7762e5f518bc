//! Answers of DNS servers, as far as they matter here.

use hickory_proto::op::{Header, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::TSIG;
use hickory_proto::rr::{Name, RData, Record, RecordType as WireType};
use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder, DecodeError};

use super::presentation::name_text;
use super::record_data::{decode, known_type};
use crate::RecordType;

/// An answer.
pub(super) struct Answer {
    pub response_code: ResponseCode,
    pub authoritative: bool,
    pub records: Vec<Resource>,
    pub signature: Option<Signature>,
}

/// A resource record.
pub(super) struct Resource {
    /// In lower case, without the final dot.
    pub name: Box<str>,
    /// In seconds.
    pub ttl: u32,
    pub data: Data,
}

/// The data of a record.
pub(super) enum Data {
    /// The start of authority: which state the zone is in, and by whose count.
    Soa(Soa),
    /// The data of a type whose records are kept, as text.
    Kept(RecordType, Box<str>),
    /// Of another type.
    Other,
}

/// A state of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Soa {
    pub serial: u32,
    /// The name of the primary server, which counts (MNAME).
    pub primary: Box<str>,
}

/// The transaction signature at the end of a message (RFC 8945).
pub(super) struct Signature {
    /// Where in the message it starts, in octets.
    pub start: usize,
    /// The name of the key.
    pub key: Name,
    pub data: TSIG,
}

/// The number of a message.
pub(super) fn id(message: &[u8]) -> Option<u16> {
    message.first_chunk().map(|octets| u16::from_be_bytes(*octets))
}

impl Answer {
    /// Reads a message, which must be an answer.
    pub(super) fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = BinDecoder::new(message);
        let Header { metadata, counts } = Header::read(&mut decoder)?;
        if metadata.message_type != MessageType::Response {
            return Err(DecodeError::InsufficientBytes);
        }
        for _ in 0..counts.queries {
            Query::read(&mut decoder)?;
        }
        let records = section(&mut decoder, counts.answers)?;
        section(&mut decoder, counts.authorities)?;
        let mut signature = None;
        for _ in 0..counts.additionals {
            let start = decoder.index();
            signature = additional(&mut decoder)?.map(|(key, data)| Signature { start, key, data });
        }
        Ok(Self {
            response_code: metadata.response_code,
            authoritative: metadata.authoritative,
            records,
            signature,
        })
    }
}

fn section(decoder: &mut BinDecoder<'_>, count: u16) -> Result<Vec<Resource>, DecodeError> {
    (0..count).map(|_| resource(decoder)).collect()
}

fn resource(decoder: &mut BinDecoder<'_>) -> Result<Resource, DecodeError> {
    let name = name_text(&Name::read(decoder)?).into();
    let (record_type, ttl, length) = fixed_part(decoder)?;
    let end = decoder.index() + length;
    let data = match known_type(record_type) {
        Some(known) => {
            let text = decode(&known, decoder, length)?;
            Data::Kept(known, text.into())
        }
        None if record_type == WireType::SOA => Data::Soa(soa(decoder)?),
        None => {
            decoder.read_slice(length)?;
            Data::Other
        }
    };
    if decoder.index() == end {
        Ok(Resource { name, ttl, data })
    } else {
        Err(DecodeError::InsufficientBytes)
    }
}

/// Type, TTL and the length of the data.
fn fixed_part(decoder: &mut BinDecoder<'_>) -> Result<(WireType, u32, usize), DecodeError> {
    let record_type = WireType::read(decoder)?;
    let _class = decoder.read_u16()?;
    let ttl = decoder.read_u32()?.unverified(/* any number is one */);
    let length = decoder.read_u16()?.unverified(/* reading on finds one that is too long */);
    Ok((record_type, ttl, length.into()))
}

fn soa(decoder: &mut BinDecoder<'_>) -> Result<Soa, DecodeError> {
    let primary = name_text(&Name::read(decoder)?).into();
    let _mailbox = Name::read(decoder)?;
    let serial = decoder.read_u32()?.unverified(/* any number is one */);
    // Refresh, retry, expire and minimum.
    decoder.read_slice(16)?;
    Ok(Soa { serial, primary })
}

/// The signature, if the next record is one.
fn additional(decoder: &mut BinDecoder<'_>) -> Result<Option<(Name, TSIG)>, DecodeError> {
    let before = u16::try_from(decoder.index()).map_err(|_| DecodeError::InsufficientBytes)?;
    Name::read(decoder)?;
    let (record_type, _, length) = fixed_part(decoder)?;
    decoder.read_slice(length)?;
    if record_type != WireType::TSIG {
        return Ok(None);
    }
    let record = Record::read(&mut decoder.clone(before))?;
    Ok(match record.data {
        RData::TSIG(data) => Some((record.name, data)),
        _ => None,
    })
}
