//! Zones by what their provider calls them.

use crate::ZoneId;

/// Which zones are kept (external-dns's `--zone-id-filter`): those whose id *ends with* one
/// of the texts, so that `ABC` takes `/hostedzone/ABC`, and `XABC` too. No text, or an
/// empty one, takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneIdFilter(Box<[Box<str>]>);

impl ZoneIdFilter {
    /// The zones whose ids end with one of these texts.
    #[must_use]
    pub fn new(suffixes: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self(suffixes.into_iter().map(Into::into).collect())
    }

    /// Whether a zone is kept.
    #[must_use]
    pub fn matches(&self, id: &ZoneId) -> bool {
        self.0.is_empty() || self.0.iter().any(|suffix| id.0.ends_with(&**suffix))
    }
}
