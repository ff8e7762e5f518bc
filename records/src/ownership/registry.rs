//! The settings of ownership, and texts of ownership records by them.

use thiserror::Error;

use super::label::{NONCE, OWNED_RECORD, OWNER};
use super::{Affix, Cipher, Refusal, heritage};
use crate::{Endpoint, Labels, Name, RECORD_IDS_LABEL, RecordKey, RecordType};

/// Ownership by TXT records.
#[derive(Clone, Debug)]
pub struct Registry {
    owner: Box<str>,
    former_owner: Option<Box<str>>,
    pub(super) affix: Affix,
    cipher: Option<Cipher>,
    encrypts: bool,
}

/// An owner id that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the owner id is {0:?}; it takes at least one character, and no commas, quotes and backslashes")]
pub struct InvalidOwner(pub Box<str>);

impl Registry {
    /// The registry of an owner id (`--txt-owner-id`).
    pub fn new(owner: &str, affix: Affix) -> Result<Self, InvalidOwner> {
        let labels = Labels::from([(OWNER.into(), owner.into())]);
        if owner.is_empty() || heritage::write(&labels).is_err() {
            return Err(InvalidOwner(owner.into()));
        }
        Ok(Self {
            owner: owner.into(),
            former_owner: None,
            affix,
            cipher: None,
            encrypts: false,
        })
    }

    /// Reads encrypted texts, and writes them if `encrypts` is set (`--txt-encrypt-enabled`).
    #[must_use]
    pub fn with_cipher(mut self, cipher: Cipher, encrypts: bool) -> Self {
        self.cipher = Some(cipher);
        self.encrypts = encrypts;
        self
    }

    /// Takes over what another owner id has (`--migrate-from-txt-owner`).
    #[must_use]
    pub fn migrating_from(mut self, former_owner: &str) -> Self {
        self.former_owner = Some(former_owner.into());
        self
    }

    /// Our id.
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// Whether labels name us, or the owner whose records we take over.
    pub(super) fn is_ours(&self, labels: &Labels) -> bool {
        let owner = labels.get(OWNER);
        owner == Some(&*self.owner) || owner.is_some() && owner == self.former_owner.as_deref()
    }

    /// The labels that a text tells; none of one that is not of ownership.
    pub(super) fn parse(&self, text: &str) -> Option<Labels> {
        let opened = self
            .cipher
            .as_ref()
            .and_then(|cipher| cipher.open(text.trim_matches('"')));
        let Some(opened) = opened else {
            return heritage::parse(text);
        };
        let mut labels = heritage::parse(&opened.text)?;
        labels.insert(NONCE.into(), opened.nonce);
        Some(labels)
    }

    /// The labels that a record set tells; none of one that is not of ownership. Of
    /// several texts, one that is not ours counts.
    pub(super) fn labels_of(&self, record: &Endpoint) -> Option<Labels> {
        if record.record_type != RecordType::Txt {
            return None;
        }
        let mut ours = None;
        for labels in record.targets.iter().filter_map(|text| self.parse(text)) {
            if !self.is_ours(&labels) {
                return Some(labels);
            }
            ours = ours.or(Some(labels));
        }
        ours
    }

    /// The texts of a record set that are not of ownership.
    pub(super) fn other_texts(&self, record: &Endpoint) -> Vec<Box<str>> {
        record
            .targets
            .iter()
            .filter(|text| self.parse(text).is_none())
            .cloned()
            .collect()
    }

    /// Whether a text that tells these labels would be written again as it is.
    pub(super) fn is_current(&self, told: &Labels, wanted: &Labels) -> bool {
        told.contains_key(NONCE) == self.encrypts && written(told).eq(written(wanted))
    }

    /// The text to write, in quotes.
    pub(super) fn text(&self, txt: &RecordKey, labels: &Labels) -> Result<Box<str>, Refusal> {
        let labels = written(labels).map(|(key, value)| (key.into(), value.into()));
        let mut heritage = heritage::write(&labels.collect())?;
        if let Some(cipher) = self.cipher.as_ref().filter(|_| self.encrypts) {
            heritage = cipher.seal(&format!("{} {}", txt.name, txt.set_identifier), &heritage)?;
        }
        Ok(format!("\"{heritage}\"").into())
    }

    /// A new ownership record for a record that carries its labels.
    ///
    /// As in external-dns it has no TTL, and is made after the provider has adjusted what is
    /// wanted: what a provider makes of it is taken as it is.
    pub(super) fn companion(&self, txt: &RecordKey, record: &Endpoint) -> Result<Endpoint, Refusal> {
        Ok(Endpoint {
            dns_name: txt.name.as_str().into(),
            targets: [self.text(txt, &record.labels)?].into(),
            record_type: RecordType::Txt,
            set_identifier: record.set_identifier.clone(),
            ttl: None,
            labels: Labels::from([(OWNED_RECORD.into(), record.dns_name.clone())]),
            provider_specific: record.provider_specific.clone(),
        })
    }

    /// The key of the ownership record for a record of a zone.
    pub(super) fn txt_key(&self, zone: &Name, key: &RecordKey) -> Result<RecordKey, Refusal> {
        let name = self
            .affix
            .txt_name(zone, &key.name, &key.record_type)
            .map_err(Refusal::TxtName)?;
        Ok(RecordKey {
            name,
            record_type: RecordType::Txt,
            set_identifier: key.set_identifier.clone(),
        })
    }
}

/// The labels that a text tells: not what belongs to the text itself or to the provider.
fn written(labels: &Labels) -> impl Iterator<Item = (&str, &str)> {
    labels
        .iter()
        .filter(|(key, _)| *key != NONCE && *key != RECORD_IDS_LABEL)
}
