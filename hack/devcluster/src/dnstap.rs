//! Reading the queries out of a dnstap file: frame streams that hold protobuf.

use std::time::{Duration, SystemTime};

/// A query that a DNS server got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The name asked for: lower case, with the dot at its end.
    pub name: String,
    /// The type asked for, as a number: 1 is A, 28 is AAAA.
    pub qtype: u16,
    /// When it arrived.
    pub at: SystemTime,
}

/// All queries in a dnstap file, also in one that is still being written.
#[must_use]
pub fn queries(mut file: &[u8]) -> Vec<Query> {
    let mut queries = Vec::new();
    while let Some((length, rest)) = take_length(file) {
        if length == 0 {
            // A control frame: its own length follows.
            let Some((length, rest)) = take_length(rest) else {
                break;
            };
            let Some(rest) = rest.get(length..) else { break };
            file = rest;
            continue;
        }
        let Some((frame, rest)) = rest.split_at_checked(length) else {
            break;
        };
        queries.extend(query(frame));
        file = rest;
    }
    queries
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_be_bytes(*length)).ok()?, rest))
}

/// The query of one dnstap message; none if it tells of something else.
fn query(frame: &[u8]) -> Option<Query> {
    const MESSAGE: u64 = 14;
    const TIME_SECONDS: u64 = 8;
    const TIME_NANOSECONDS: u64 = 9;
    const QUERY: u64 = 10;
    let (_, Value::Bytes(message)) = Fields(frame).find(|(number, _)| *number == MESSAGE)? else {
        return None;
    };
    let (mut seconds, mut nanoseconds, mut wire) = (0, 0, None);
    for (number, value) in Fields(message) {
        match (number, value) {
            (TIME_SECONDS, Value::Number(value)) => seconds = value,
            (TIME_NANOSECONDS, Value::Number(value)) => nanoseconds = u32::try_from(value).ok()?,
            (QUERY, Value::Bytes(bytes)) => wire = Some(bytes),
            _ => {}
        }
    }
    let (name, qtype) = question(wire?)?;
    Some(Query {
        name,
        qtype,
        at: SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds),
    })
}

/// The name and the type of a DNS message's question.
fn question(message: &[u8]) -> Option<(String, u16)> {
    let mut rest = message.get(12..)?;
    let mut name = String::new();
    loop {
        let (length, tail) = rest.split_first()?;
        if *length == 0 {
            rest = tail;
            break;
        }
        let (label, tail) = tail.split_at_checked(usize::from(*length))?;
        name.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
        name.push('.');
        rest = tail;
    }
    if name.is_empty() {
        name.push('.');
    }
    let (qtype, _) = rest.split_first_chunk::<2>()?;
    Some((name, u16::from_be_bytes(*qtype)))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protobuf message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => Value::Number(u64::from(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}
