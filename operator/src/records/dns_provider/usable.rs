//! The DNSProviders whose accounts can be used, as they are handed out.

use std::collections::BTreeMap;
use std::sync::Arc;

use records::Domains;

use super::account::Account;
use super::object::is_remote;
use super::selection::SelectedZone;

/// A DNSProvider whose account can be used.
#[derive(Clone)]
pub struct UsableProvider {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The account, which other DNSProviders may have too.
    pub account: Arc<Account>,
    /// The zones that are used, as they were listed last.
    pub zones: Vec<SelectedZone>,
    /// Which names of them are used.
    pub domains: Domains,
}

impl UsableProvider {
    /// Whether its annotations let other clusters use it through the central server.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        is_remote(&self.annotations)
    }

    /// Whether nothing of the other one is different.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.account, &other.account)
            && (&self.namespace, &self.name) == (&other.namespace, &other.name)
            && self.labels == other.labels
            && self.annotations == other.annotations
            && self.zones == other.zones
            && self.domains == other.domains
    }
}

/// All DNSProviders whose accounts can be used, sorted by namespace and name.
pub type Usable = Arc<[UsableProvider]>;

/// Their accounts, by the names of these.
#[must_use]
pub fn accounts(usable: &[UsableProvider]) -> BTreeMap<String, Arc<Account>> {
    let accounts = usable.iter().map(|provider| &provider.account);
    accounts
        .map(|account| (account.name.clone(), Arc::clone(account)))
        .collect()
}
