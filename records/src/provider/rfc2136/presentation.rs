//! Names and character strings as zone files have them, and as they are sent.

use hickory_proto::rr::Name;
use thiserror::Error;

use crate::zone_file::{InvalidWords, MAX_STRING, escaped};

/// Why a text is no record data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(super) struct InvalidData(pub String);

impl From<InvalidWords> for InvalidData {
    fn from(invalid: InvalidWords) -> Self {
        Self(invalid.to_string())
    }
}

/// A name in lower case, without the final dot; `.` is the root. What could be taken for
/// something else is written as `\DDD`, dots within labels among them: those of the text
/// always part labels.
pub(super) fn name_text(name: &Name) -> String {
    let mut text = String::with_capacity(name.len());
    for label in name {
        if !text.is_empty() {
            text.push('.');
        }
        for octet in label {
            match octet.to_ascii_lowercase() {
                plain @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'*' | b'/' | b'+' | b'=' | b':') => {
                    text.push(char::from(plain));
                }
                other => push_decimal(&mut text, other),
            }
        }
    }
    if text.is_empty() { ".".into() } else { text }
}

/// The name that a text stands for, with or without the final dot; in lower case.
pub(super) fn parse_name(text: &str) -> Result<Name, InvalidData> {
    let invalid = |why: &str| InvalidData(format!("{text:?} is not a domain name: {why}"));
    let mapped = crate::Name::parse(text).map_err(|error| invalid(&error.to_string()))?;
    let mut labels = Vec::new();
    let mut label = Vec::new();
    let mut octets = mapped.as_str().bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'.' => labels.push(std::mem::take(&mut label)),
            b'\\' => label.push(escaped(&mut octets).ok_or_else(|| invalid("an escape is cut off"))?),
            plain => label.push(plain),
        }
    }
    if !mapped.is_root() {
        labels.push(label);
    }
    Name::from_labels(labels.iter().map(Vec::as_slice))
        .map(|name| name.to_lowercase())
        .map_err(|error| invalid(&error.to_string()))
}

/// A character string in quotation marks.
pub(super) fn quoted(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() + 2);
    text.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(octet)]),
            b' '..=b'~' => text.push(char::from(octet)),
            other => push_decimal(&mut text, other),
        }
    }
    text.push('"');
    text
}

/// Appends a character string as it is sent.
pub(super) fn push_string(wire: &mut Vec<u8>, string: &[u8]) -> Result<(), InvalidData> {
    let length = u8::try_from(string.len()).map_err(|_| {
        InvalidData(format!(
            "a string has {} octets; at most {MAX_STRING} are allowed",
            string.len()
        ))
    })?;
    wire.push(length);
    wire.extend(string);
    Ok(())
}

fn push_decimal(text: &mut String, octet: u8) {
    text.push('\\');
    for digit in [octet / 100, octet / 10 % 10, octet % 10] {
        text.push(char::from(b'0' + digit));
    }
}
