//! Which zones a namespace may use. It can change at any time: providers come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use records::{Name, Zone};
use tokio::sync::watch;

use super::account::Account;
use super::zone::ServedZone;

/// What each namespace may use.
#[derive(Default)]
pub struct Catalogue {
    namespaces: Mutex<BTreeMap<Box<str>, watch::Sender<Arc<Namespace>>>>,
    awaited: Mutex<Awaited>,
}

/// Of which namespaces it is not known yet what they may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Of all of them.
    All,
    /// Of these.
    Only(BTreeSet<String>),
}

impl Default for Awaited {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

/// The zones of one provider that a namespace may use.
#[derive(Clone)]
pub struct Offer {
    /// Where they are.
    pub account: Arc<Account>,
    /// Which ones.
    pub zones: Vec<OfferedZone>,
}

/// A zone that a namespace may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedZone {
    /// The zone.
    pub zone: Zone,
    /// Whether only some networks can see it.
    pub private: bool,
    /// The names below which other servers answer.
    pub forwarded: Vec<Name>,
}

/// What a namespace may use now.
#[derive(Clone, Default)]
pub struct Namespace {
    offers: BTreeMap<Box<str>, Offer>,
    zones: BTreeMap<Box<str>, NamespaceZone>,
}

/// A zone as a namespace has it.
#[derive(Clone)]
pub struct NamespaceZone {
    /// The zone.
    pub served: Arc<ServedZone>,
    /// Whether only some networks can see it.
    pub private: bool,
    /// The names below which other servers answer.
    pub forwarded: Vec<Name>,
}

impl Catalogue {
    /// Lets a namespace use zones of a provider from now on, and no others of it.
    pub fn put(&self, namespace: &str, provider: &str, offer: Offer) {
        let mut namespaces = self.lock();
        let sender = namespaces
            .entry(namespace.into())
            .or_insert_with(|| watch::Sender::new(Arc::default()));
        let mut next = (**sender.borrow()).clone();
        next.offers.insert(provider.into(), offer);
        next.arrange();
        sender.send_replace(Arc::new(next));
    }

    /// Lets a namespace use a provider no more.
    pub fn remove(&self, namespace: &str, provider: &str) {
        let mut namespaces = self.lock();
        let Some(sender) = namespaces.get(namespace) else {
            return;
        };
        let mut next = (**sender.borrow()).clone();
        next.offers.remove(provider);
        next.arrange();
        let is_empty = next.offers.is_empty();
        sender.send_replace(Arc::new(next));
        if is_empty {
            namespaces.remove(namespace);
        }
    }

    /// Says of which namespaces it is not known yet what they may use: a client of one that
    /// has nothing is told to come again.
    pub fn set_awaited(&self, awaited: Awaited) {
        *self.awaited.lock().unwrap_or_else(PoisonError::into_inner) = awaited;
    }

    /// Whether it is not known yet what a namespace may use.
    #[must_use]
    pub fn is_awaited(&self, namespace: &str) -> bool {
        match &*self.awaited.lock().unwrap_or_else(PoisonError::into_inner) {
            Awaited::All => true,
            Awaited::Only(awaited) => awaited.contains(namespace),
        }
    }

    /// What a namespace may use now; none if no provider is there for it.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<Arc<Namespace>> {
        Some(Arc::clone(&self.lock().get(name)?.borrow()))
    }

    /// Follows what a namespace may use.
    #[must_use]
    pub fn watch(&self, name: &str) -> Option<watch::Receiver<Arc<Namespace>>> {
        Some(self.lock().get(name)?.subscribe())
    }

    /// All zones that any namespace may use, each once.
    #[must_use]
    pub fn zones(&self) -> Vec<Arc<ServedZone>> {
        let mut zones: Vec<Arc<ServedZone>> = Vec::new();
        for namespace in self.lock().values() {
            for zone in namespace.borrow().zones.values() {
                if !zones.iter().any(|known| Arc::ptr_eq(known, &zone.served)) {
                    zones.push(Arc::clone(&zone.served));
                }
            }
        }
        zones
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<str>, watch::Sender<Arc<Namespace>>>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Namespace {
    /// Its zones by the ids that clients have for them.
    #[must_use]
    pub fn zones(&self) -> &BTreeMap<Box<str>, NamespaceZone> {
        &self.zones
    }

    /// The zone of an id. One that was qualified when the client learned it still counts.
    #[must_use]
    pub fn zone(&self, id: &str) -> Option<&NamespaceZone> {
        self.zones.get(id).or_else(|| {
            let mut zones = self.zones.values();
            zones.find(|zone| zone.served.qualified_id() == id)
        })
    }

    /// Gives each zone its id: the provider's, or where two providers have the same one, that
    /// with the account before it.
    fn arrange(&mut self) {
        let mut found: Vec<NamespaceZone> = Vec::new();
        for offer in self.offers.values() {
            for offered in &offer.zones {
                let served = offer.account.served(&offered.zone);
                if !found.iter().any(|known| Arc::ptr_eq(&known.served, &served)) {
                    found.push(NamespaceZone {
                        served,
                        private: offered.private,
                        forwarded: offered.forwarded.clone(),
                    });
                }
            }
        }
        let mut of_id: BTreeMap<&str, usize> = BTreeMap::new();
        for zone in &found {
            *of_id.entry(&zone.served.zone().id.0).or_default() += 1;
        }
        self.zones = found
            .iter()
            .map(|zone| {
                let id = &zone.served.zone().id.0;
                let is_unique = of_id.get(&**id) == Some(&1);
                let id = if is_unique {
                    id.clone()
                } else {
                    zone.served.qualified_id().into()
                };
                (id, zone.clone())
            })
            .collect();
    }
}
