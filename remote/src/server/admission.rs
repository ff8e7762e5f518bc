//! Who may do what. Every call asks.

mod mutual_tls;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tonic::{Extensions, Status};

pub use self::mutual_tls::MutualTls;

/// What stands in every message about tokens: by it old clients know that they have to log
/// in again.
const INVALID_TOKEN: &str = "[invalid token]";

/// Tells from a request's extensions whether it may be made. The listener has put into them
/// whom the client's certificate stands for.
pub trait Admission: Send + Sync + 'static {
    /// Whether the client may use a namespace.
    fn admit(&self, extensions: &Extensions, namespace: &str) -> Result<(), Refusal>;

    /// A token for a client that may use the namespace.
    fn login(&self, extensions: &Extensions, session: &Session) -> Result<String, Refusal>;

    /// What a token stands for that was given to this client.
    fn session(&self, extensions: &Extensions, token: &str) -> Result<Session, Refusal>;
}

/// What a token of Gardener's protocol stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The namespace that is used.
    pub namespace: String,
    /// What the client calls itself.
    pub client: String,
    /// 0: no routing policies; 1: with routing policies.
    pub protocol_version: i32,
}

/// Why a call may not be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody knows who the client is.
    #[error("{0}")]
    Unknown(String),
    /// The client's certificate is not for the namespace, or not valid any more.
    #[error("{0}")]
    Namespace(String),
    /// The token is unknown, too old, or another client's.
    #[error("{INVALID_TOKEN} {0}")]
    Token(String),
}

impl Refusal {
    /// As Gardener's clients are told it: they know one code only.
    pub(super) fn to_gardener(&self) -> Status {
        Status::unauthenticated(self.to_string())
    }

    /// As clients of our protocol are told it.
    pub(super) fn to_status(&self) -> Status {
        match self {
            Self::Unknown(_) | Self::Token(_) => Status::unauthenticated(self.to_string()),
            Self::Namespace(_) => Status::permission_denied(self.to_string()),
        }
    }
}
