//! The settings of each DNSProvider that could be used last: they stay in use while those that
//! it has now cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::account::Account;
use super::object::DnsProviderObject;
use super::secret::SecretName;
use super::selection::Rules;
use crate::dns::objects::ObjectKey;

/// Settings that could be used.
pub(super) struct Good {
    /// The Secret that they are made of.
    pub secret: SecretName,
    pub account: Arc<Account>,
    pub rules: Rules,
}

/// Those of each DNSProvider, with what tells it from a later one of its name.
#[derive(Default)]
pub(super) struct LastGood(BTreeMap<ObjectKey, (String, Good)>);

impl LastGood {
    /// Remembers those of a DNSProvider.
    pub fn put(&mut self, object: &DnsProviderObject, good: Good) {
        self.0.insert(object.key.clone(), (object.uid.clone(), good));
    }

    /// Those of a DNSProvider.
    pub fn get(&self, object: &DnsProviderObject) -> Option<&Good> {
        let (uid, good) = self.0.get(&object.key)?;
        (*uid == object.uid).then_some(good)
    }

    /// Forgets those of a DNSProvider.
    pub fn forget(&mut self, object: &DnsProviderObject) {
        self.0.remove(&object.key);
    }

    /// Forgets the DNSProviders that are not among these.
    pub fn retain(&mut self, objects: &[Arc<DnsProviderObject>]) {
        let keys: BTreeSet<&ObjectKey> = objects.iter().map(|object| &object.key).collect();
        self.0.retain(|key, _| keys.contains(key));
    }

    /// The Secrets that they are made of.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        self.0.values().map(|(_, good)| &good.secret)
    }
}
