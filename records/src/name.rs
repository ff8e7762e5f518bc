//! Domain names in the form in which they are compared.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most octets of a label (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;
/// The most octets of a name without its final dot, as text.
const MAX_NAME: usize = 253;

/// A domain name as it is compared: ASCII (letters of other scripts as in UTS 46), in
/// lower case, without the final dot, `*` for `\052`. The root is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(Box<str>);

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// A label of no octets.
    #[error("{0:?} has an empty label")]
    EmptyLabel(String),
    /// A label of more than 63 octets.
    #[error("{name:?} has a label of {octets} octets; at most {MAX_LABEL} are allowed")]
    LongLabel {
        /// The name.
        name: String,
        /// How long the label is.
        octets: usize,
    },
    /// More than 253 octets.
    #[error("{name:?} has {octets} octets; at most {MAX_NAME} are allowed")]
    LongName {
        /// The name.
        name: String,
        /// How long it is.
        octets: usize,
    },
    /// Letters that domain names do not have.
    #[error("{0:?} is not a domain name that UTS 46 maps to ASCII")]
    Unmapped(String),
}

impl Name {
    /// The name that a text stands for.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        canonical(text).map(|name| Self(name.into()))
    }

    /// The text, without the final dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this name is `zone` or below it, on label boundaries.
    #[must_use]
    pub fn is_within(&self, zone: &Self) -> bool {
        zone.is_root()
            || self
                .0
                .strip_suffix(&*zone.0)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The name without its first label; none of the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let rest = self.0.split_once('.').map(|(_, rest)| rest);
        Some(Self(rest.unwrap_or_default().into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

/// The text of the name that a text stands for: the text itself, not copied, where it is
/// in that form already.
pub(crate) fn canonical(text: &str) -> Result<Cow<'_, str>, InvalidName> {
    if is_canonical(text) {
        return Ok(Cow::Borrowed(text));
    }
    let bare = text.strip_suffix('.').unwrap_or(text);
    if bare.is_empty() {
        return Ok(Cow::Borrowed(""));
    }
    let starred = bare.strip_prefix("\\052").map(|rest| format!("*{rest}"));
    let bare = starred.as_deref().unwrap_or(bare);
    let ascii = if bare.is_ascii() {
        bare.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii_cow(bare.as_bytes(), idna::AsciiDenyList::EMPTY)
            .map_err(|_| InvalidName::Unmapped(text.to_owned()))?
            .into_owned()
    };
    for label in ascii.split('.') {
        if label.is_empty() {
            return Err(InvalidName::EmptyLabel(text.to_owned()));
        }
        if label.len() > MAX_LABEL {
            return Err(InvalidName::LongLabel {
                name: text.to_owned(),
                octets: label.len(),
            });
        }
    }
    if ascii.len() > MAX_NAME {
        return Err(InvalidName::LongName {
            name: text.to_owned(),
            octets: ascii.len(),
        });
    }
    Ok(Cow::Owned(ascii))
}

/// The text by which record sets of this owner name are in order: the name as it is
/// compared. What is no domain name stands by its text.
pub(crate) fn place(dns_name: &str) -> Cow<'_, str> {
    canonical(dns_name).unwrap_or(Cow::Borrowed(dns_name))
}

/// Whether a text is a name in the form in which names are compared. Almost all are, so
/// that this is one pass over the octets.
fn is_canonical(text: &str) -> bool {
    let mut label = 0;
    for (place, octet) in text.bytes().enumerate() {
        match octet {
            b'.' if (1..=MAX_LABEL).contains(&(place - label)) => label = place + 1,
            b'.' | b'A'..=b'Z' | b'\\' | 0x80.. => return false,
            _ => {}
        }
    }
    (1..=MAX_LABEL).contains(&(text.len() - label)) && text.len() <= MAX_NAME
}
