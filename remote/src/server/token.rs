//! The tokens of Gardener's protocol. They are signed and nothing is kept of them, so that
//! they survive a restart and another server with the same key takes them, and so that
//! nobody can fill the server's memory by asking for them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac::{self, Key};
use serde::{Deserialize, Serialize};

use super::admission::{Refusal, Session};
use super::peer::Peer;

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

/// What is in a token.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    session: Cow<'a, Session>,
    /// When it ends, in seconds since 1970.
    expiry: u64,
    /// The SHA-256 of the certificate that it was given to.
    fingerprint: [u8; 32],
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

    /// A token for a client, if its certificate may use the namespace. `now` is the time
    /// since 1970.
    pub fn login(&self, peer: &Peer, session: &Session, now: Duration) -> Result<String, Refusal> {
        peer.admit(&session.namespace)?;
        let content = Content {
            session: Cow::Borrowed(session),
            expiry: (now + LIFETIME).as_secs(),
            fingerprint: *peer.fingerprint(),
        };
        let content = serde_json::to_vec(&content).unwrap_or_default();
        let signature = hmac::sign(&self.key, &content);
        Ok(format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&content),
            URL_SAFE_NO_PAD.encode(signature)
        ))
    }

    /// What a token stands for, if it is one of ours, of this client, and good now: `now` is
    /// the time since 1970.
    pub fn check(&self, peer: &Peer, token: &str, now: Duration) -> Result<Session, Refusal> {
        let content = self
            .content(token)
            .ok_or_else(|| Refusal::Token("it is unknown".to_owned()))?;
        if content.expiry <= now.as_secs() {
            return Err(Refusal::Token("it has expired".to_owned()));
        }
        if content.fingerprint != *peer.fingerprint() {
            let reason = "it was given to another client certificate";
            return Err(Refusal::Token(reason.to_owned()));
        }
        peer.admit(&content.session.namespace)?;
        Ok(content.session.into_owned())
    }

    /// What is in a token, if it is one of ours.
    fn content(&self, token: &str) -> Option<Content<'static>> {
        if token.len() > LONGEST {
            return None;
        }
        let (content, signature) = token.split_once('.')?;
        let content = URL_SAFE_NO_PAD.decode(content).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key, &content, &signature).ok()?;
        serde_json::from_slice(&content).ok()
    }
}
