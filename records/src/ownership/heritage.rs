//! The text of ownership records: `heritage=external-dns,external-dns/owner=…`.

use thiserror::Error;

use crate::Labels;

/// What tells the texts of external-dns from others, and begins the keys in them.
const HERITAGE: &str = "external-dns";

/// Why a label cannot be written into an ownership text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the label {key:?} is {value:?}; an ownership text takes no commas, quotes, backslashes and control characters, and no = in a key"
)]
pub struct InvalidLabel {
    /// The name of the label.
    pub key: Box<str>,
    /// Its value.
    pub value: Box<str>,
}

/// The labels in a text; none of a text that is not external-dns's.
///
/// As lenient as external-dns: quotes may be missing, keys need only begin with
/// `external-dns`, and what has no `=` is passed over. A text in several character
/// strings is read as one.
#[must_use]
pub fn parse(text: &str) -> Option<Labels> {
    let joined = text.contains("\" \"").then(|| text.replace("\" \"", ""));
    let bare = joined.as_deref().unwrap_or(text).trim_matches('"');
    let mut labels = Labels::new();
    let mut known = false;
    for (key, value) in bare.split(',').filter_map(|token| token.split_once('=')) {
        if key == "heritage" {
            if value != HERITAGE {
                return None;
            }
            known = true;
        } else if let Some(rest) = key.strip_prefix(HERITAGE) {
            labels.insert(rest.strip_prefix('/').unwrap_or(key).into(), value.into());
        }
    }
    known.then_some(labels)
}

/// The text for some labels, sorted by name, without quotes.
pub fn write(labels: &Labels) -> Result<String, InvalidLabel> {
    let mut text = format!("heritage={HERITAGE}");
    for (key, value) in labels.iter() {
        let breaks = |c: char| c.is_control() || matches!(c, ',' | '"' | '\\');
        if value.contains(breaks) || key.contains(|c: char| c == '=' || breaks(c)) {
            return Err(InvalidLabel {
                key: key.into(),
                value: value.into(),
            });
        }
        text.extend([",", HERITAGE, "/", key, "=", value]);
    }
    Ok(text)
}
