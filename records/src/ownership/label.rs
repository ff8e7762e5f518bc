//! Names of the labels that ownership itself uses (external-dns's reserved labels).

/// Who owns a record: the id of an instance (`--txt-owner-id`).
pub use crate::OWNER_LABEL as OWNER;
/// On an ownership record: the name of the record that it is for.
pub const OWNED_RECORD: &str = "ownedRecord";
/// The nonce that an ownership text was encrypted with, in base64. Never written itself.
pub const NONCE: &str = "txt-encryption-nonce";
