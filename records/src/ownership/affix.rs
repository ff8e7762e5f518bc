//! Names of ownership records: external-dns's `--txt-prefix`, `--txt-suffix` and
//! `--txt-wildcard-replacement`.

use thiserror::Error;

use crate::{InvalidName, Name, RecordType};

/// What stands for the type of the record in a prefix or suffix.
const TYPE: &str = "%{record_type}";
/// The first label of an apex, which has none of its own within its zone. No host is
/// called that.
const APEX: &str = "_apex";
/// The types that are found again in the name of an ownership record.
const TYPES: [RecordType; 10] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Ns,
    RecordType::Mx,
    RecordType::Srv,
    RecordType::Naptr,
    RecordType::Ptr,
    RecordType::Txt,
    RecordType::Dname,
];

/// How the name of an ownership record is made from the name and type of the record that
/// it is for. The default has neither prefix nor suffix: `a-www.example.com`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affix {
    prefix: Box<str>,
    suffix: Box<str>,
    wildcard: Box<str>,
}

/// Why a prefix or suffix cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidAffix {
    /// There is a prefix and a suffix.
    #[error("there is a TXT prefix {prefix:?} and a TXT suffix {suffix:?}; only one of them can be set")]
    Both {
        /// The prefix.
        prefix: String,
        /// The suffix.
        suffix: String,
    },
    /// No domain name comes of it.
    #[error("the TXT prefix, suffix or wildcard replacement makes no domain name: {0}")]
    NoName(#[from] InvalidName),
    /// Letters outside ASCII would change when they meet those of a name.
    #[error("{0:?} in the TXT prefix, suffix or wildcard replacement is not ASCII")]
    NotAscii(String),
}

impl Affix {
    /// An affix; empty texts for what is not set. The prefix or suffix may have
    /// `%{record_type}` where the type is to stand, and `wildcard` stands for `*`.
    pub fn new(prefix: &str, suffix: &str, wildcard: &str) -> Result<Self, InvalidAffix> {
        if !prefix.is_empty() && !suffix.is_empty() {
            return Err(InvalidAffix::Both {
                prefix: prefix.to_owned(),
                suffix: suffix.to_owned(),
            });
        }
        for text in [prefix, suffix, wildcard] {
            if !text.is_ascii() {
                return Err(InvalidAffix::NotAscii(text.to_owned()));
            }
        }
        let lower = |text: &str| text.to_ascii_lowercase().into_boxed_str();
        let affix = Self {
            prefix: lower(prefix),
            suffix: lower(suffix),
            wildcard: lower(wildcard),
        };
        let mut example = String::new();
        affix.write("*.example", Some("A"), &mut example);
        Name::parse(&example)?;
        Ok(affix)
    }

    /// The name of the ownership record for a record of a zone: the one that external-dns
    /// gives it, but for an apex whose ownership record would be outside of the zone: that
    /// has the name that a host called `_apex` would have.
    pub fn txt_name(&self, zone: &Name, name: &Name, record_type: &RecordType) -> Result<Name, InvalidName> {
        let mut text = String::new();
        self.write_txt_name(zone, name, record_type, &mut text);
        Name::parse(&text)
    }

    /// Writes [`Affix::txt_name`] into a text, without checking that it is a name.
    pub(super) fn write_txt_name(
        &self,
        zone: &Name,
        name: &Name,
        record_type: &RecordType,
        text: &mut String,
    ) {
        text.clear();
        self.write(name.as_str(), Some(record_type.as_str()), text);
        if name == zone && (name.is_root() || !Name::parse(text).is_ok_and(|txt| txt.is_within(zone))) {
            text.clear();
            self.write(&apex_host(zone), Some(record_type.as_str()), text);
        }
    }

    /// Writes the name that the ownership record had before external-dns 0.12, one for
    /// all types, into a text.
    pub(super) fn write_untyped_name(&self, name: &Name, text: &mut String) {
        text.clear();
        self.write(name.as_str(), None, text);
    }

    /// The name and type of the record that an ownership record of a zone is for, as
    /// external-dns reads them, the name with the replacement for `*`; no type in names
    /// from before 0.12, nothing where the affix is missing. What it says is ambiguous:
    /// `mx-1.example.com` is for `1.example.com`, or for `mx-1.example.com` before 0.12.
    #[must_use]
    pub fn record_of(&self, zone: &Name, txt: &Name) -> Option<(Name, Option<RecordType>)> {
        let (head, tail) = self.split(txt.as_str());
        let (first, record_type) = self.strip(head)?;
        let host = format!("{first}{tail}");
        if host == apex_host(zone) {
            return Some((zone.clone(), record_type));
        }
        let name = Name::parse(&host).ok().filter(|name| !name.is_root())?;
        Some((name, record_type))
    }

    /// Splits the labels that the affix is in from the others.
    fn split<'a>(&self, txt: &'a str) -> (&'a str, &'a str) {
        if self.suffix.is_empty() {
            return (txt, "");
        }
        let dots = self.suffix.matches('.').count();
        let end = txt.match_indices('.').nth(dots).map_or(txt.len(), |(at, _)| at);
        txt.split_at(end)
    }

    fn strip<'a>(&self, head: &'a str) -> Option<(&'a str, Option<RecordType>)> {
        let without = |kind: &str| {
            let rest = head.strip_prefix(&*self.prefix.replace(TYPE, kind))?;
            rest.strip_suffix(&*self.suffix.replace(TYPE, kind))
        };
        if self.has_type() {
            for record_type in TYPES {
                if let Some(first) = without(&record_type.as_str().to_ascii_lowercase()) {
                    return Some((first, Some(record_type)));
                }
            }
        }
        let bare = without("")?;
        let typed = bare.split_once('-').and_then(|(kind, first)| {
            let record_type = RecordType::from(kind);
            TYPES.contains(&record_type).then_some((first, Some(record_type)))
        });
        Some(typed.unwrap_or((bare, None)))
    }

    fn has_type(&self) -> bool {
        self.prefix.contains(TYPE) || self.suffix.contains(TYPE)
    }

    /// Writes the name for a record of a type, or for all types.
    fn write(&self, name: &str, record_type: Option<&str>, text: &mut String) {
        let (first, rest) = name
            .split_once('.')
            .map_or((name, None), |(first, rest)| (first, Some(rest)));
        let wild = first == "*" && !self.wildcard.is_empty();
        write_affix(&self.prefix, record_type, text);
        if record_type.is_some() && !self.has_type() {
            write_type(record_type, text);
            text.push('-');
        }
        text.push_str(if wild { &self.wildcard } else { first });
        write_affix(&self.suffix, record_type, text);
        if let Some(rest) = rest {
            text.push('.');
            text.push_str(rest);
        }
    }
}

/// Writes a prefix or suffix with a type in its place.
fn write_affix(affix: &str, record_type: Option<&str>, text: &mut String) {
    for (index, part) in affix.split(TYPE).enumerate() {
        if index > 0 {
            write_type(record_type, text);
        }
        text.push_str(part);
    }
}

fn write_type(record_type: Option<&str>, text: &mut String) {
    text.extend(
        record_type
            .unwrap_or_default()
            .chars()
            .map(|letter| letter.to_ascii_lowercase()),
    );
}

/// The name of the host that stands for the apex of a zone.
fn apex_host(zone: &Name) -> String {
    if zone.is_root() {
        APEX.to_owned()
    } else {
        format!("{APEX}.{}", zone.as_str())
    }
}
