//! The tokens of Gardener's protocol. They are signed and nothing is kept of them, so that
//! they survive a restart and another server with the same key takes them, and so that
//! nobody can fill the server's memory by asking for them.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac::{self, Key};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::peer::{Peer, Refusal};

/// How long a token is good for, as Gardener's server has it.
pub const LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);
/// The longest token that is looked at, in octets.
const LONGEST: usize = 4096;
/// What the key is derived for.
const PURPOSE: &[u8] = b"dns-operator remote provider token";

/// Makes and checks tokens.
pub struct Tokens {
    key: Key,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The namespace that is used.
    pub namespace: String,
    /// What the client calls itself.
    pub client: String,
    /// 0: no routing policies; 1: with routing policies.
    pub protocol_version: i32,
    /// When it ends, in seconds since 1970.
    expiry: u64,
    /// The SHA-256 of the certificate that it was given to.
    fingerprint: [u8; 32],
}

/// Why a token is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidToken {
    /// It is none of ours, or has been changed.
    #[error("it is unknown")]
    Unknown,
    /// It is too old.
    #[error("it has expired")]
    Expired,
    /// It was given to another certificate.
    #[error("it was given to another client certificate")]
    Stolen,
    /// The certificate may not use the namespace (any more).
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens")
    }
}

impl Tokens {
    /// Tokens signed with a key that follows from a secret which all servers have: the
    /// private key of their certificate.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let salt = Salt::new(HKDF_SHA256, &[]);
        let key = salt.extract(secret);
        let purpose = [PURPOSE];
        // This only fails for lengths that the algorithm does not have.
        let key = match key.expand(&purpose, hmac::HMAC_SHA256) {
            Ok(key) => key.into(),
            Err(_) => Key::new(hmac::HMAC_SHA256, secret),
        };
        Self { key }
    }

    /// A token for a client, if its certificate may use the namespace.
    pub fn login(
        &self,
        peer: &Peer,
        namespace: &str,
        client: &str,
        protocol_version: i32,
        now: SystemTime,
    ) -> Result<String, Refusal> {
        peer.admit(namespace)?;
        let session = Session {
            namespace: namespace.to_owned(),
            client: client.to_owned(),
            protocol_version,
            expiry: seconds(now + LIFETIME),
            fingerprint: *peer.fingerprint(),
        };
        let content = serde_json::to_vec(&session).unwrap_or_default();
        let signature = hmac::sign(&self.key, &content);
        Ok(format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&content),
            URL_SAFE_NO_PAD.encode(signature)
        ))
    }

    /// What a token stands for, if it is one of ours, of this client, and good now.
    pub fn check(&self, peer: &Peer, token: &str, now: SystemTime) -> Result<Session, InvalidToken> {
        if token.len() > LONGEST {
            return Err(InvalidToken::Unknown);
        }
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let (content, signature) = token
            .split_once('.')
            .and_then(|(content, signature)| Some((decode(content)?, decode(signature)?)))
            .ok_or(InvalidToken::Unknown)?;
        hmac::verify(&self.key, &content, &signature).map_err(|_| InvalidToken::Unknown)?;
        let session: Session = serde_json::from_slice(&content).map_err(|_| InvalidToken::Unknown)?;
        if session.expiry <= seconds(now) {
            return Err(InvalidToken::Expired);
        }
        if session.fingerprint != *peer.fingerprint() {
            return Err(InvalidToken::Stolen);
        }
        peer.admit(&session.namespace)?;
        Ok(session)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
