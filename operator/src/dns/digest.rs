//! Short names for content.

use sha2::{Digest, Sha256};

/// The first hexadecimal digits of a text's SHA-256.
#[must_use]
pub fn digest(text: &str, digits: usize) -> String {
    let mut hex = format!("{:x}", Sha256::digest(text.as_bytes()));
    hex.truncate(digits);
    hex
}
