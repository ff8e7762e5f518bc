//! What is offered to which namespace: the zones of its DNSProviders that let other clusters
//! use them.

use std::collections::BTreeMap;
use std::sync::Arc;

use remote::server::{Account, Awaited, Catalogue, Limits, Offer, OfferedZone};
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

use crate::records::daemon::confirm_in_turns;
use crate::records::dns_provider::account;
use crate::records::dns_provider::controller::Survey;
use crate::records::dns_provider::usable::{Usable, UsableProvider};

/// A DNSProvider: its namespace, and its name.
type Key = (String, String);

/// Keeps a catalogue as DNSProviders say.
pub struct Offers {
    catalogue: Arc<Catalogue>,
    accounts: BTreeMap<String, Served>,
    offered: BTreeMap<Key, Offer>,
    complete: channel::Sender<bool>,
}

/// An account whose zones are served. Its zones are confirmed in turns; dropped, no more.
struct Served {
    account: Arc<account::Account>,
    as_one: Arc<Account>,
    confirming: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.confirming.abort();
    }
}

impl Offers {
    /// Of a catalogue that has nothing yet; tells when all is in it that there is.
    pub fn new(catalogue: Arc<Catalogue>) -> (Self, channel::Receiver<bool>) {
        let (complete, is_complete) = channel::channel(false);
        let offers = Self {
            catalogue,
            accounts: BTreeMap::new(),
            offered: BTreeMap::new(),
            complete,
        };
        (offers, is_complete)
    }

    /// Follows the DNSProviders that can be used for as long as it is polled.
    pub async fn follow(
        mut self,
        mut usable: channel::Receiver<Usable>,
        mut survey: channel::Receiver<Survey>,
    ) {
        loop {
            // In this order: what can be used is then at least as new.
            let Survey {
                is_complete, awaited, ..
            } = survey.borrow_and_update().clone();
            let now = usable.borrow_and_update().clone();
            self.change(&now);
            drop(now);
            let awaited = awaited.map_or(Awaited::All, Awaited::Only);
            self.catalogue.set_awaited(awaited);
            if is_complete {
                self.complete.send_replace(true);
            }
            let news = tokio::select! {
                news = usable.changed() => news,
                news = survey.changed() => news,
            };
            if news.is_err() {
                // The controller has ended, and the term with it.
                return std::future::pending().await;
            }
        }
    }

    /// Offers what these say, and nothing else. What stays as it is, is not touched.
    fn change(&mut self, usable: &[UsableProvider]) {
        let mut next = BTreeMap::new();
        let mut accounts = BTreeMap::new();
        for provider in usable.iter().filter(|provider| provider.is_remote()) {
            let account = self.served(&provider.account, &mut accounts);
            let key = (provider.namespace.clone(), provider.name.clone());
            next.insert(key, offer(provider, account));
        }
        for (key, offer) in &next {
            if self.offered.get(key).is_none_or(|before| !is_same(before, offer)) {
                let zones: Vec<&str> = offer.zones.iter().map(|zone| zone.zone.name.as_str()).collect();
                let zones = zones.join(", ");
                tracing::info!(namespace = key.0, dns_provider = key.1, zones, "serving");
                self.catalogue.put(&key.0, &key.1, offer.clone());
            }
        }
        for key in self.offered.keys().filter(|key| !next.contains_key(*key)) {
            tracing::info!(namespace = key.0, dns_provider = key.1, "not serving any more");
            self.catalogue.remove(&key.0, &key.1);
        }
        self.offered = next;
        self.accounts = accounts;
    }

    /// An account as it is served to everybody: one that is there already stays.
    fn served(
        &mut self,
        account: &Arc<account::Account>,
        accounts: &mut BTreeMap<String, Served>,
    ) -> Arc<Account> {
        let known = self.accounts.remove(&account.name);
        let known = known.filter(|known| Arc::ptr_eq(&known.account, account));
        let served = accounts
            .entry(account.name.clone())
            .or_insert_with(|| known.unwrap_or_else(|| Served::new(account)));
        Arc::clone(&served.as_one)
    }
}

impl Served {
    fn new(account: &Arc<account::Account>) -> Self {
        let cache = Arc::clone(&account.cache);
        let as_one = Account::new(
            &account.name,
            account.provider_type,
            Arc::clone(&cache),
            Limits::default(),
        );
        let confirming = tokio::spawn(async move { confirm_in_turns(&cache).await });
        Self {
            account: Arc::clone(account),
            as_one,
            confirming,
        }
    }
}

fn offer(provider: &UsableProvider, account: Arc<Account>) -> Offer {
    let zones = provider.zones.iter().map(|selected| OfferedZone {
        zone: selected.zone.clone(),
        // No provider tells.
        private: false,
        forwarded: selected.forwarded.clone(),
    });
    Offer {
        account,
        zones: zones.collect(),
    }
}

fn is_same(one: &Offer, other: &Offer) -> bool {
    Arc::ptr_eq(&one.account, &other.account) && one.zones == other.zones
}
