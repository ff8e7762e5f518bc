//! What a Secret tells of an account.

use std::collections::BTreeMap;
use std::fmt;

use api::DnsSecretReference;

use super::problem::Problem;

/// The longest names of objects, in octets (RFC 1123, section 2.1).
const LONGEST_NAME: usize = 253;

/// Which Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl SecretName {
    /// The Secret of a reference; in a namespace if it names none.
    pub fn of(reference: Option<&DnsSecretReference>, namespace: &str) -> Result<Self, Problem> {
        let field = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let Some(name) = reference.and_then(|reference| field(&reference.name)) else {
            return Err(Problem::Invalid(
                "spec.secretRef.name is missing: it names the Secret that lets us into the account".into(),
            ));
        };
        let named = reference.and_then(|reference| field(&reference.namespace));
        let secret = Self {
            namespace: named.unwrap_or_else(|| namespace.to_owned()),
            name,
        };
        // They go into paths and selectors.
        for (field, text) in [("name", &secret.name), ("namespace", &secret.namespace)] {
            if !is_object_name(text) {
                return Err(Problem::Invalid(format!(
                    "spec.secretRef.{field} is {text:?}: it takes at most {LONGEST_NAME} letters a to z, \
                     digits, hyphens and dots"
                )));
            }
        }
        Ok(secret)
    }
}

fn is_object_name(text: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    let mut ends = text.bytes().take(1).chain(text.bytes().last());
    text.len() <= LONGEST_NAME
        && ends.all(is_plain)
        && text
            .bytes()
            .all(|octet| is_plain(octet) || matches!(octet, b'-' | b'.'))
}

/// The data of a Secret. Never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretData(BTreeMap<String, Vec<u8>>);

/// What is wrong with a key of a Secret. The value is told only where it is no secret.
type Refusal = String;

impl SecretData {
    /// The data by its keys.
    #[must_use]
    pub fn new(data: BTreeMap<String, Vec<u8>>) -> Self {
        Self(data)
    }

    /// All of it, sorted by key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The values by their keys.
    pub(super) fn values(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.0
    }

    /// The value of the first of several keys for one thing that has one.
    pub(super) fn optional(&self, keys: &[&'static str]) -> Result<Option<Value<'_>>, Refusal> {
        let found = keys.iter().find_map(|key| {
            let value = self.0.get(*key)?;
            (!value.is_empty()).then_some((*key, value))
        });
        let Some((key, value)) = found else {
            return Ok(None);
        };
        let text = str::from_utf8(value).map_err(|_| format!("{key} is not UTF-8"))?;
        if text.trim() != text {
            return Err(format!(
                "{key} begins or ends with white space, such as the end of a line: it takes none"
            ));
        }
        Ok(Some(Value { key, text }))
    }

    /// The same, where there must be one.
    pub(super) fn required(&self, keys: &[&'static str]) -> Result<Value<'_>, Refusal> {
        self.optional(keys)?.ok_or_else(|| match keys {
            [key, alternatives @ ..] if !alternatives.is_empty() => {
                format!("{key} (or {}) is missing", alternatives.join(" or "))
            }
            _ => format!("{} is missing", keys.concat()),
        })
    }
}

impl fmt::Debug for SecretData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value of a Secret, and the key that it stands at.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub key: &'static str,
    pub text: &'a str,
}

impl Value<'_> {
    /// Refuses a value that is no secret.
    pub fn refused(&self, allowed: &str) -> Refusal {
        format!("{} is {:?}: it takes {allowed}", self.key, self.text)
    }

    /// Refuses a value that is one.
    pub fn refused_unseen(&self, allowed: &str) -> Refusal {
        format!("{} cannot be used: it takes {allowed}", self.key)
    }
}
