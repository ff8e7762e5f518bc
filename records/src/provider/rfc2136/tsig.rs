//! Transaction signatures (RFC 8945): messages are signed, answers verified.

use std::fmt;
use std::sync::Arc;

use hickory_proto::ProtoError;
use hickory_proto::op::Message;
use hickory_proto::rr::Name;
use hickory_proto::rr::rdata::tsig::{TSIG, TsigAlgorithm, TsigError, make_tsig_record, message_tbs};
use hickory_proto::serialize::binary::BinEncoder;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use thiserror::Error;

use super::answer::Signature;
use super::settings::Algorithm;

/// How far the clocks may be apart, in seconds (RFC 8945, section 10).
const FUDGE: u16 = 300;
/// The most messages of an answer in a row that need no signature (RFC 8945, 5.3.1).
const MOST_UNSIGNED: usize = 99;
/// The octets of a header (RFC 1035, 4.1.1), and where it counts the additional records.
const HEADER: usize = 12;
const ADDITIONALS: usize = 10;

/// A key that is shared with a server.
pub(super) struct Key {
    pub name: Name,
    pub algorithm: Algorithm,
    pub secret: Box<[u8]>,
}

/// Why the signature of an answer is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Unverified {
    #[error("the answer is not signed")]
    Unsigned,
    #[error("the answer is signed with another key")]
    WrongKey,
    #[error("the signature of the answer is wrong")]
    WrongSignature,
    #[error("the answer was signed {0} s away from our time; at most {FUDGE} are allowed")]
    WrongTime(u64),
    #[error("the server answers {0}")]
    Refused(&'static str),
}

impl Key {
    /// Signs a message, which must not change after that. `now` is the time since 1970,
    /// in seconds.
    pub(super) fn sign(self: &Arc<Self>, message: &mut Message, now: u64) -> Result<Verifier, ProtoError> {
        let stub = TSIG::new(
            self.wire_algorithm(),
            now,
            FUDGE,
            Vec::new(),
            message.metadata.id,
            None,
            Vec::new(),
        );
        let code = self.code(&message_tbs(message, &stub, &self.name)?);
        message.signature = Some(Box::new(make_tsig_record(
            self.name.clone(),
            stub.set_mac(code.clone()),
        )));
        Ok(Verifier {
            key: Arc::clone(self),
            previous: code,
            first: true,
            unsigned: Vec::new(),
            unsigned_count: 0,
        })
    }

    fn wire_algorithm(&self) -> TsigAlgorithm {
        match self.algorithm {
            Algorithm::HmacSha1 => TsigAlgorithm::HmacSha1,
            Algorithm::HmacSha224 => TsigAlgorithm::HmacSha224,
            Algorithm::HmacSha256 => TsigAlgorithm::HmacSha256,
            Algorithm::HmacSha384 => TsigAlgorithm::HmacSha384,
            Algorithm::HmacSha512 => TsigAlgorithm::HmacSha512,
        }
    }

    /// The message authentication code of some octets.
    fn code(&self, octets: &[u8]) -> Vec<u8> {
        match self.algorithm {
            Algorithm::HmacSha1 => code::<Hmac<Sha1>>(&self.secret, octets),
            Algorithm::HmacSha224 => code::<Hmac<Sha224>>(&self.secret, octets),
            Algorithm::HmacSha256 => code::<Hmac<Sha256>>(&self.secret, octets),
            Algorithm::HmacSha384 => code::<Hmac<Sha384>>(&self.secret, octets),
            Algorithm::HmacSha512 => code::<Hmac<Sha512>>(&self.secret, octets),
        }
    }

    /// Whether that is the code of some octets; in a time that does not tell how much is right.
    fn is_code(&self, octets: &[u8], code: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::HmacSha1 => is_code::<Hmac<Sha1>>(&self.secret, octets, code),
            Algorithm::HmacSha224 => is_code::<Hmac<Sha224>>(&self.secret, octets, code),
            Algorithm::HmacSha256 => is_code::<Hmac<Sha256>>(&self.secret, octets, code),
            Algorithm::HmacSha384 => is_code::<Hmac<Sha384>>(&self.secret, octets, code),
            Algorithm::HmacSha512 => is_code::<Hmac<Sha512>>(&self.secret, octets, code),
        }
    }
}

fn code<M: Mac + KeyInit>(secret: &[u8], octets: &[u8]) -> Vec<u8> {
    // A secret may have any length.
    <M as Mac>::new_from_slice(secret).map_or_else(
        |_| Vec::new(),
        |mac| mac.chain_update(octets).finalize().into_bytes().to_vec(),
    )
}

fn is_code<M: Mac + KeyInit>(secret: &[u8], octets: &[u8], code: &[u8]) -> bool {
    <M as Mac>::new_from_slice(secret).is_ok_and(|mac| mac.chain_update(octets).verify_slice(code).is_ok())
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Key")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Verifies the messages of the answer to one request, in their order.
pub(super) struct Verifier {
    key: Arc<Key>,
    /// The code of the last signed message, at first that of the request.
    previous: Vec<u8>,
    first: bool,
    /// The messages since then, which the next signature is for too.
    unsigned: Vec<u8>,
    unsigned_count: usize,
}

impl Verifier {
    /// Takes the next message. The first must be signed, and one of a hundred after that.
    pub(super) fn verify(
        &mut self,
        message: &[u8],
        signature: Option<&Signature>,
        now: u64,
    ) -> Result<(), Unverified> {
        let Some(signature) = signature else {
            if self.first || self.unsigned_count == MOST_UNSIGNED {
                return Err(Unverified::Unsigned);
            }
            self.unsigned.extend(message);
            self.unsigned_count += 1;
            return Ok(());
        };
        let TSIG { mac, error, time, .. } = &signature.data;
        if let (Some(error), true) = (error, mac.is_empty()) {
            // Who does not know the key cannot sign.
            return Err(Unverified::Refused(error_name(*error)));
        }
        if signature.key != self.key.name || signature.data.algorithm != self.key.wire_algorithm() {
            return Err(Unverified::WrongKey);
        }
        let octets = self
            .signed_octets(message, signature)
            .map_err(|_| Unverified::WrongSignature)?;
        if !self.key.is_code(&octets, mac) {
            return Err(Unverified::WrongSignature);
        }
        if let Some(error) = error {
            return Err(Unverified::Refused(error_name(*error)));
        }
        if time.abs_diff(now) > u64::from(FUDGE) {
            return Err(Unverified::WrongTime(time.abs_diff(now)));
        }
        self.previous.clone_from(mac);
        self.first = false;
        self.unsigned.clear();
        self.unsigned_count = 0;
        Ok(())
    }

    /// Whether the last message was signed, as that of an answer must be.
    pub(super) fn is_settled(&self) -> bool {
        !self.first && self.unsigned_count == 0
    }

    /// What a signature is for (RFC 8945, sections 4.3 and 5.3.1).
    fn signed_octets(&self, message: &[u8], signature: &Signature) -> Result<Vec<u8>, ProtoError> {
        let data = &signature.data;
        let mut octets = Vec::with_capacity(self.previous.len() + self.unsigned.len() + message.len() + 128);
        octets.extend(
            u16::try_from(self.previous.len())
                .unwrap_or_default()
                .to_be_bytes(),
        );
        octets.extend(&self.previous);
        octets.extend(&self.unsigned);
        // The message as it was before it was signed: with its own number and one record less.
        octets.extend(data.oid.to_be_bytes());
        octets.extend(message.get(2..ADDITIONALS).unwrap_or_default());
        let count = message.get(ADDITIONALS..HEADER).unwrap_or_default();
        let count = count.first_chunk().map_or(0, |count| u16::from_be_bytes(*count));
        octets.extend(count.saturating_sub(1).to_be_bytes());
        octets.extend(message.get(HEADER..signature.start).unwrap_or_default());
        if self.first {
            // By itself: an encoder takes no more than the octets of one message.
            let mut variables = Vec::new();
            data.emit_tsig_for_mac(&mut BinEncoder::new(&mut variables), &signature.key)?;
            octets.extend(variables);
        } else {
            octets.extend(&data.time.to_be_bytes()[2..]);
            octets.extend(data.fudge.to_be_bytes());
        }
        Ok(octets)
    }
}

fn error_name(error: TsigError) -> &'static str {
    match error {
        TsigError::BadSig => "BADSIG: the secret is not that of the key",
        TsigError::BadKey => "BADKEY: it does not know the key",
        TsigError::BadTime => "BADTIME: its clock and ours are too far apart",
        TsigError::BadTrunc => "BADTRUNC: the signature is too short for it",
        TsigError::Unknown(_) => "an error of transaction signatures that has no name",
    }
}
