//! Encryption of ownership texts, as external-dns does it (`--txt-encrypt-aes-key`): gzip,
//! then AES-256-GCM, then base64 of the nonce and what it sealed.

use std::fmt;
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use thiserror::Error;

/// The octets of a key.
const KEY_LEN: usize = 32;
/// More octets than any ownership text has.
const MAX_TEXT: u64 = 1 << 16;

/// A key for ownership texts. It never shows in messages.
#[derive(Clone)]
pub struct Cipher {
    texts: LessSafeKey,
    nonces: hmac::Key,
}

/// A text that was encrypted, and the nonce it was encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The text.
    pub text: String,
    /// The nonce, in base64.
    pub nonce: Box<str>,
}

/// A key of the wrong size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the AES key of ownership texts must have {KEY_LEN} octets, as they are or in standard base64")]
pub struct InvalidKey;

/// A text could not be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the ownership text could not be encrypted")]
pub struct NotSealed;

impl Cipher {
    /// The cipher of a key: 32 octets, as they are or in standard base64.
    pub fn new(key: &[u8]) -> Result<Self, InvalidKey> {
        let decoded;
        let octets = if key.len() == KEY_LEN {
            key
        } else {
            decoded = STANDARD.decode(key).map_err(|_| InvalidKey)?;
            &decoded
        };
        let texts = UnboundKey::new(&AES_256_GCM, octets).map_err(|_| InvalidKey)?;
        let seed = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, octets),
            b"nonces of ownership texts",
        );
        Ok(Self {
            texts: LessSafeKey::new(texts),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, seed.as_ref()),
        })
    }

    /// Encrypts a text for a place, such as the name of its record. The nonce is made of
    /// both: the same text of a place always looks the same, and a nonce that served for
    /// one text never serves for another, which would give the key of the seals away.
    pub fn seal(&self, place: &str, text: &str) -> Result<String, NotSealed> {
        let digest = hmac::sign(&self.nonces, format!("{place}\0{text}").as_bytes());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&digest.as_ref()[..NONCE_LEN]);

        let mut gzip = GzEncoder::new(nonce.to_vec(), Compression::best());
        gzip.write_all(text.as_bytes()).map_err(|_| NotSealed)?;
        let mut sealed = gzip.finish().map_err(|_| NotSealed)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .texts
            .seal_in_place_separate_tag(nonce, Aad::empty(), &mut sealed[NONCE_LEN..])
            .map_err(|_| NotSealed)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(STANDARD.encode(sealed))
    }

    /// Decrypts a text; none that was not encrypted with this key.
    #[must_use]
    pub fn open(&self, text: &str) -> Option<Opened> {
        let mut sealed = STANDARD.decode(text).ok()?;
        let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let unique = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let packed = self.texts.open_in_place(unique, Aad::empty(), sealed).ok()?;
        let mut text = String::new();
        // external-dns takes what is not packed as it is.
        if GzDecoder::new(&*packed)
            .take(MAX_TEXT)
            .read_to_string(&mut text)
            .is_err()
        {
            text = String::from_utf8(packed.to_vec()).ok()?;
        }
        Some(Opened {
            text,
            nonce: STANDARD.encode(nonce).into(),
        })
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cipher").finish_non_exhaustive()
    }
}
