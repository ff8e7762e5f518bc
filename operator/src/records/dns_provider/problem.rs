//! Why a DNSProvider cannot be used.

use thiserror::Error;

/// Why a DNSProvider cannot be used, in words for its status. No secret is in them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Its specification has to be changed.
    #[error("{0}")]
    Invalid(String),
    /// Something else has to: its Secret, the account, the network.
    #[error("{0}")]
    Error(String),
}

impl Problem {
    /// The same, and something about it.
    #[must_use]
    pub fn and(self, words: &str) -> Self {
        match self {
            Self::Invalid(problem) => Self::Invalid(format!("{problem}; {words}")),
            Self::Error(problem) => Self::Error(format!("{problem}; {words}")),
        }
    }

    /// What the status calls it, as Gardener's does.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "Invalid",
            Self::Error(_) => "Error",
        }
    }
}
