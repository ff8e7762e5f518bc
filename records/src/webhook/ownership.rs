//! Ownership records of external-dns's TXT registry, as far as the protocol has to know them.

use std::collections::BTreeSet;

use crate::ownership::heritage;
use crate::{Endpoint, Name, OWNER_LABEL, RecordType};

use super::OWNED_RECORD;

/// The text of an ownership record.
pub(super) enum OwnershipText {
    /// In plain words.
    Plain {
        /// Who owns the record that it is for.
        owner: Option<Box<str>>,
    },
    /// Perhaps: only who has the key can tell (external-dns's `--txt-encrypt-enabled`).
    Encrypted,
}

impl OwnershipText {
    /// The text of a record; none if it can be no ownership record.
    pub(super) fn of(endpoint: &Endpoint) -> Option<Self> {
        /// A nonce, a tag and the shortest gzip file, in base64.
        const SHORTEST_ENCRYPTED: usize = 64;
        let [target] = &*endpoint.targets else { return None };
        if endpoint.record_type != RecordType::Txt {
            return None;
        }
        if let Some(mut labels) = heritage::parse(target) {
            let owner = labels.remove(OWNER_LABEL);
            return Some(Self::Plain { owner });
        }
        let text = target.trim_matches('"');
        let base64 = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        (base64 && text.len() >= SHORTEST_ENCRYPTED && text.len().is_multiple_of(4))
            .then_some(Self::Encrypted)
    }
}

/// Whether external-dns says of a record that it tells ownership, or it says so itself.
pub(super) fn is_ownership(endpoint: &Endpoint) -> bool {
    let says_so = matches!(OwnershipText::of(endpoint), Some(OwnershipText::Plain { .. }));
    says_so || endpoint.record_type == RecordType::Txt && endpoint.labels.contains_key(OWNED_RECORD)
}

/// The name that an ownership record without a label is for: `a-www.example.com` and
/// `txt.a-www.example.com` are for `www.example.com` if that one has an A record among `records`.
pub(super) fn owned_name<'a>(name: &'a Name, records: &BTreeSet<(&str, &str)>) -> Option<&'a str> {
    let name = name.as_str();
    let starts = name.match_indices(['.', '-']).map(|(at, _)| at + 1);
    std::iter::once(0).chain(starts).find_map(|start| {
        let (record_type, owned) = name[start..].split_once('-')?;
        records
            .contains(&(owned, record_type.to_ascii_uppercase().as_str()))
            .then_some(owned)
    })
}
