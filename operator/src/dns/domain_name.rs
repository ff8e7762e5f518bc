//! Domain names as CoreDNS compares them: by the text that its DNS library prints
//! for the octets of a query, in lower case.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

/// The longest label (RFC 1035, section 2.3.4), in octets.
const MAX_LABEL: usize = 63;
/// The longest name on the wire (RFC 1035, section 2.3.4), in octets.
const MAX_WIRE: usize = 255;
/// What is printed with a backslash before it, beside what is not printable ASCII.
const ESCAPED: &[u8] = b". '@;()\"\\";

/// A fully qualified domain name. Its text is the one that CoreDNS sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainName {
    text: String,
    /// Where the labels begin in the text.
    labels: Vec<usize>,
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl DomainName {
    /// Reads a name in the notation of zone files (RFC 1035, section 5.1): `\.` is a
    /// dot within a label, `\065` an octet by its decimal number. A final dot may be
    /// missing. What is wrong with it otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut name = Self {
            text: String::new(),
            labels: Vec::new(),
        };
        if text == "." {
            name.text.push('.');
            return Ok(name);
        }
        if text.is_empty() {
            return Err("must not be empty; the root is '.'".into());
        }
        let mut wire = 1;
        for label in labels(text)? {
            if label.is_empty() {
                return Err("must not have an empty label".into());
            }
            if label.len() > MAX_LABEL {
                return Err(format!(
                    "must have labels of at most {MAX_LABEL} octets, and one has {}",
                    label.len()
                ));
            }
            wire += label.len() + 1;
            name.push(&label);
        }
        if wire > MAX_WIRE {
            return Err(format!(
                "must be at most {MAX_WIRE} octets long on the wire, and is {wire}"
            ));
        }
        Ok(name)
    }

    /// The name under which reverse lookups ask for an address.
    #[must_use]
    pub fn reverse(address: IpAddr) -> Self {
        let mut labels: Vec<String> = match address {
            IpAddr::V4(address) => address.octets().map(|octet| octet.to_string()).to_vec(),
            IpAddr::V6(address) => {
                let nibbles = address
                    .octets()
                    .into_iter()
                    .flat_map(|octet| [octet >> 4, octet & 15]);
                nibbles.map(|nibble| format!("{nibble:x}")).collect()
            }
        };
        labels.reverse();
        let suffix = if address.is_ipv4() { "in-addr" } else { "ip6" };
        labels.extend([suffix.to_owned(), "arpa".to_owned()]);
        let mut name = Self {
            text: String::new(),
            labels: Vec::new(),
        };
        for label in labels {
            name.push(label.as_bytes());
        }
        name
    }

    fn push(&mut self, label: &[u8]) {
        self.labels.push(self.text.len());
        for octet in label {
            match octet {
                octet if ESCAPED.contains(octet) => self.text.extend(['\\', char::from(*octet)]),
                b'!'..=b'~' => self.text.push(char::from(*octet)),
                octet => {
                    // Writing to a string cannot fail.
                    let _ = write!(self.text, "\\{octet:03}");
                }
            }
        }
        self.text.push('.');
    }

    /// The same name in lower case.
    #[must_use]
    pub fn to_lower_case(&self) -> Self {
        Self {
            text: self.text.to_ascii_lowercase(),
            labels: self.labels.clone(),
        }
    }

    /// The octets of each label, as they are sent.
    #[must_use]
    pub fn octets(&self) -> Vec<Vec<u8>> {
        if self.labels.is_empty() {
            return Vec::new();
        }
        // The text is one of our own, so it can be read.
        labels(&self.text).unwrap_or_default()
    }

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name, then what is left of it without its first label, its first two,
    /// and so on, without the root unless that is the name.
    pub fn and_parents(&self) -> impl Iterator<Item = &str> {
        let root = self.labels.is_empty().then_some(self.text.as_str());
        root.into_iter()
            .chain(self.labels.iter().filter_map(|at| self.text.get(*at..)))
    }

    /// What stands before a zone in the name: empty for the zone itself, none when
    /// the name is not in it.
    #[must_use]
    pub fn before(&self, zone: &str) -> Option<&str> {
        let in_zone = self.and_parents().any(|parent| parent == zone);
        let before = self.text.strip_suffix(zone).filter(|_| in_zone)?;
        Some(before.strip_suffix('.').unwrap_or(before))
    }
}

/// The octets of each label.
fn labels(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut labels = vec![Vec::new()];
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let octet = match (first, tail) {
            (b'.', []) => return Ok(labels),
            (b'.', _) => {
                labels.push(Vec::new());
                continue;
            }
            (b'\\', [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', after @ ..]) => {
                rest = after;
                let number = [a, b, c]
                    .iter()
                    .fold(0u16, |number, digit| number * 10 + u16::from(**digit - b'0'));
                u8::try_from(number)
                    .map_err(|_| format!("must not have the escape '\\{number}': an octet is at most 255"))?
            }
            (b'\\', [escaped, after @ ..]) => {
                rest = after;
                *escaped
            }
            (b'\\', []) => return Err("must not end with a backslash".into()),
            (octet, _) => *octet,
        };
        if let Some(label) = labels.last_mut() {
            label.push(octet);
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        DomainName::parse(text).unwrap().to_string()
    }

    #[test]
    fn names_are_printed_as_corednss_library_prints_them() {
        for (typed, expected) in [
            ("a.b", "a.b."),
            ("a.b.", "a.b."),
            (".", "."),
            (r"a\.b.c", r"a\.b.c."),
            (r"\097\010.c", r"a\010.c."),
            (r"a@b.c", r"a\@b.c."),
            (r"\$\*.c", "$*.c."),
            ("Ä.c", r"\195\132.c."),
        ] {
            assert_eq!(printed(typed), expected, "{typed}");
        }
    }

    #[test]
    fn wrong_names_are_told_apart() {
        let long = "a".repeat(64);
        let many = "a.".repeat(128);
        for (typed, expected) in [
            ("", "empty"),
            ("a..b", "empty label"),
            (".a", "empty label"),
            (long.as_str(), "63 octets"),
            (many.as_str(), "255 octets"),
            (r"a\", "backslash"),
            (r"\256.a", "at most 255"),
        ] {
            let error = DomainName::parse(typed).unwrap_err();
            assert!(error.contains(expected), "{typed}: {error}");
        }
        assert_eq!(printed(&"a.".repeat(127)).len(), 254);
    }

    #[test]
    fn an_escaped_dot_parts_no_labels() {
        let name = DomainName::parse(r"x\.b.c").unwrap();
        assert_eq!(name.and_parents().collect::<Vec<_>>(), [r"x\.b.c.", "c."]);
        assert_eq!(name.before("c."), Some(r"x\.b"));
        assert_eq!(name.before("b.c."), None);
        assert_eq!(name.before(r"x\.b.c."), Some(""));
    }
}
