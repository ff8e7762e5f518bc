//! Short names for content.

use sha2::{Digest, Sha256};

/// Digits that tell one content from another.
const REVISION_DIGITS: usize = 8;

/// Tells one content from another: the first eight hexadecimal digits of its
/// SHA-256.
#[must_use]
pub fn revision(text: &str) -> String {
    digest(text, REVISION_DIGITS)
}

/// The first hexadecimal digits of a text's SHA-256.
#[must_use]
pub fn digest(text: &str, digits: usize) -> String {
    let mut hex = sha256(text);
    hex.truncate(digits);
    hex
}

/// A text's SHA-256, in hexadecimal digits.
#[must_use]
pub fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}
