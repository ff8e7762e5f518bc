//! Types of resource records.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a resource record (RFC 9499, section 5), such as `A`; in capital letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Box<str>", into = "String")]
pub enum RecordType {
    /// An IPv4 address.
    #[default]
    A,
    /// An IPv6 address.
    Aaaa,
    /// An alias for another name.
    Cname,
    /// An alias for the names below a name (RFC 6672).
    Dname,
    /// A mail exchange.
    Mx,
    /// A rule of name authority pointers (RFC 3403).
    Naptr,
    /// A name server of a zone below.
    Ns,
    /// The name of an address.
    Ptr,
    /// Where a service is served.
    Srv,
    /// Text.
    Txt,
    /// Any other type.
    Other(Box<str>),
}

impl RecordType {
    /// The type as it is written in zone files.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Dname => "DNAME",
            Self::Mx => "MX",
            Self::Naptr => "NAPTR",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
            Self::Other(name) => name,
        }
    }

    /// Whether this is what stands for no type at all in JSON.
    pub(crate) fn is_unset(&self) -> bool {
        self.as_str().is_empty()
    }

    /// Whether the record data is the name of a host or domain and nothing else.
    pub(crate) fn holds_name(&self) -> bool {
        matches!(self, Self::Cname | Self::Dname | Self::Ns | Self::Ptr)
    }
}

impl From<&str> for RecordType {
    fn from(text: &str) -> Self {
        let upper = text.to_ascii_uppercase();
        match upper.as_str() {
            "A" => Self::A,
            "AAAA" => Self::Aaaa,
            "CNAME" => Self::Cname,
            "DNAME" => Self::Dname,
            "MX" => Self::Mx,
            "NAPTR" => Self::Naptr,
            "NS" => Self::Ns,
            "PTR" => Self::Ptr,
            "SRV" => Self::Srv,
            "TXT" => Self::Txt,
            _ => Self::Other(upper.into()),
        }
    }
}

impl From<Box<str>> for RecordType {
    fn from(text: Box<str>) -> Self {
        Self::from(&*text)
    }
}

impl From<RecordType> for String {
    fn from(record_type: RecordType) -> Self {
        record_type.as_str().to_owned()
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
