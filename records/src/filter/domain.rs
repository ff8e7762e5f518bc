//! Names by the domains that they are in.

use std::collections::BTreeSet;

use regex::Regex;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::json::{Keyed, Keys};
use crate::{InvalidName, Name};

/// Which names are looked at: those in some domains, or those that a pattern finds. The
/// default takes all. In JSON it is what external-dns's webhook protocol has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainFilter(Rule);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Domains {
        include: BTreeSet<Domain>,
        exclude: BTreeSet<Domain>,
    },
    Patterns {
        include: Option<Pattern>,
        exclude: Option<Pattern>,
    },
    Nearest(Vec<Domains>),
}

/// Domains whose names are looked at, and others whose names are not. Of those that a name
/// is in, the longest counts; in both it is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// The names that are looked at.
    pub include: BTreeSet<Name>,
    /// The names that are not.
    pub exclude: BTreeSet<Name>,
}

impl Domains {
    fn take(&self, name: &str) -> bool {
        // None is less than any.
        longest(&self.include, name) > longest(&self.exclude, name)
    }
}

/// A regular expression; the same as another with the same text.
#[derive(Clone, Debug)]
struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

/// A domain of a filter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Domain {
    /// As people read it; the order in JSON is by this.
    text: String,
    name: Name,
    /// Whether only the names below it are meant: it was written with a dot before it.
    is_below_only: bool,
}

/// Why something is no filter of domains.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidFilter {
    /// A domain that is no name.
    #[error("the domain filter {domain:?} is not a domain: {reason}")]
    Domain {
        /// The domain.
        domain: String,
        /// What is wrong with it.
        reason: InvalidName,
    },
    /// A pattern that is no regular expression.
    #[error("the domain filter {pattern:?} is not a regular expression: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Domains and patterns at once.
    #[error("a domain filter has either lists of domains or regular expressions, not both")]
    Mixed,
}

impl DomainFilter {
    /// The names in the domains of the first list (all if it is empty) without those in the
    /// domains of the second (external-dns's `--domain-filter` and `--exclude-domains`).
    /// A domain that begins with a dot stands for the names below it only. Empty texts do
    /// not count.
    pub fn domains<T: AsRef<str>>(include: &[T], exclude: &[T]) -> Result<Self, InvalidFilter> {
        Ok(Self(Rule::Domains {
            include: Domain::parse_all(include)?,
            exclude: Domain::parse_all(exclude)?,
        }))
    }

    /// The names that the first pattern finds (all if it is empty) without those that the
    /// second finds (external-dns's `--regex-domain-filter` and `--regex-domain-exclusion`).
    /// Patterns see names in lower case, in their own script, without the final dot.
    pub fn patterns(include: &str, exclude: &str) -> Result<Self, InvalidFilter> {
        Ok(Self(Rule::Patterns {
            include: Pattern::parse(include)?,
            exclude: Pattern::parse(exclude)?,
        }))
    }

    /// The names that one of these takes (Gardener's rule for DNSProviders). Has no form in
    /// JSON.
    #[must_use]
    pub fn nearest(any: Vec<Domains>) -> Self {
        Self(Rule::Nearest(any))
    }

    /// Whether a name is looked at.
    #[must_use]
    pub fn matches(&self, name: &Name) -> bool {
        self.matches_text(name.as_str())
    }

    /// As [`DomainFilter::matches`], for the text of a [`Name`].
    pub(crate) fn matches_text(&self, name: &str) -> bool {
        match &self.0 {
            Rule::Domains { include, exclude } => {
                (include.is_empty() || contain(include, name)) && !contain(exclude, name)
            }
            Rule::Patterns { include, exclude } => {
                let text = idna::domain_to_unicode(name).0;
                !exclude.as_ref().is_some_and(|pattern| pattern.0.is_match(&text))
                    && include.as_ref().is_none_or(|pattern| pattern.0.is_match(&text))
            }
            Rule::Nearest(any) => any.iter().any(|domains| domains.take(name)),
        }
    }

    /// Whether names that are looked at may be in a zone that lies above the domains
    /// (external-dns's `--aws-zone-match-parent`). Patterns cannot tell, and take all zones.
    #[must_use]
    pub fn matches_parent(&self, zone: &Name) -> bool {
        match &self.0 {
            Rule::Patterns { .. } => true,
            Rule::Nearest(any) => any.iter().any(|domains| {
                let mut include = domains.include.iter();
                include.any(|domain| domain != zone && domain.is_within(zone))
            }),
            Rule::Domains { include, exclude } => {
                !contain(exclude, zone.as_str())
                    && (include.is_empty()
                        || include.iter().any(|domain| {
                            !domain.is_below_only && domain.name != *zone && domain.name.is_within(zone)
                        }))
            }
        }
    }
}

impl Default for DomainFilter {
    fn default() -> Self {
        Self(Rule::Domains {
            include: BTreeSet::new(),
            exclude: BTreeSet::new(),
        })
    }
}

/// Whether a name is in one of the domains.
fn contain(domains: &BTreeSet<Domain>, name: &str) -> bool {
    domains.iter().any(|domain| {
        name.strip_suffix(domain.name.as_str())
            .is_some_and(|rest| rest.ends_with('.') || (rest.is_empty() && !domain.is_below_only))
    })
}

/// How long the longest of the domains is that a name is in; none if it is in none.
fn longest(domains: &BTreeSet<Name>, name: &str) -> Option<usize> {
    let holds = |domain: &&Name| {
        domain.is_root()
            || name
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let lengths = domains.iter().filter(holds).map(|domain| domain.as_str().len());
    lengths.max()
}

impl Pattern {
    /// None of an empty text.
    fn parse(pattern: &str) -> Result<Option<Self>, InvalidFilter> {
        if pattern.is_empty() {
            return Ok(None);
        }
        let regex = Regex::new(pattern).map_err(|error| InvalidFilter::Pattern {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Some(Self(regex)))
    }
}

impl Domain {
    fn parse_all<T: AsRef<str>>(domains: &[T]) -> Result<BTreeSet<Self>, InvalidFilter> {
        domains
            .iter()
            .map(|domain| domain.as_ref().trim())
            .filter(|domain| !matches!(*domain, "" | "."))
            .map(Self::parse)
            .collect()
    }

    fn parse(domain: &str) -> Result<Self, InvalidFilter> {
        let bare = domain.strip_prefix('.');
        let name = Name::parse(bare.unwrap_or(domain)).map_err(|reason| InvalidFilter::Domain {
            domain: domain.to_owned(),
            reason,
        })?;
        let dot = if bare.is_some() { "." } else { "" };
        Ok(Self {
            text: format!("{dot}{}", idna::domain_to_unicode(name.as_str()).0),
            name,
            is_below_only: bare.is_some(),
        })
    }
}

/// A filter as it is written in JSON.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Writing<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regex_include: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regex_exclude: Option<&'a str>,
}

impl Serialize for DomainFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let writing = match &self.0 {
            Rule::Domains { include, exclude } => Writing {
                include: include.iter().map(|domain| &*domain.text).collect(),
                exclude: exclude.iter().map(|domain| &*domain.text).collect(),
                ..Writing::default()
            },
            Rule::Patterns { include, exclude } => Writing {
                regex_include: include.as_ref().map(|pattern| pattern.0.as_str()),
                regex_exclude: exclude.as_ref().map(|pattern| pattern.0.as_str()),
                ..Writing::default()
            },
            Rule::Nearest(_) => return Err(serde::ser::Error::custom("such a filter has no form in JSON")),
        };
        writing.serialize(serializer)
    }
}

/// A filter as it may be written in JSON.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    regex_include: Option<String>,
    regex_exclude: Option<String>,
}

impl<'de> Deserialize<'de> for DomainFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(Keyed(Keys::InAnyCase, deserializer))?;
        let [include, exclude] = [written.include, written.exclude].map(Option::unwrap_or_default);
        let [regex_include, regex_exclude] =
            [written.regex_include, written.regex_exclude].map(Option::unwrap_or_default);
        let filter = if regex_include.is_empty() && regex_exclude.is_empty() {
            Self::domains(&include, &exclude)
        } else if include.is_empty() && exclude.is_empty() {
            Self::patterns(&regex_include, &regex_exclude)
        } else {
            Err(InvalidFilter::Mixed)
        };
        filter.map_err(D::Error::custom)
    }
}
