//! What a provider is reached by: one cache, whatever number of namespaces use its zones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use records::cache::Cached;
use records::{Zone, ZoneId};

use super::queue::Limits;
use super::zone::ServedZone;

/// An account at a provider.
pub struct Account {
    name: Box<str>,
    provider_type: Box<str>,
    cache: Arc<Cached>,
    limits: Limits,
    zones: Mutex<BTreeMap<ZoneId, Weak<ServedZone>>>,
}

impl Account {
    /// An account. Its name is unlike that of any other; the type is Gardener's, such as
    /// `aws-route53`. The cache keeps zones for some time: with none, every read of a client
    /// would be one of the provider.
    #[must_use]
    pub fn new(name: &str, provider_type: &str, cache: Arc<Cached>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            provider_type: provider_type.into(),
            cache,
            limits,
            zones: Mutex::default(),
        })
    }

    /// What stands before the provider.
    #[must_use]
    pub fn cache(&self) -> &Arc<Cached> {
        &self.cache
    }

    /// The zone as it is served to everybody.
    pub(super) fn served(self: &Arc<Self>, zone: &Zone) -> Arc<ServedZone> {
        let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        zones.retain(|_, served| served.strong_count() > 0);
        if let Some(served) = zones.get(&zone.id).and_then(Weak::upgrade) {
            return served;
        }
        let served = Arc::new(ServedZone::new(Arc::clone(self), zone.clone(), self.limits));
        zones.insert(zone.id.clone(), Arc::downgrade(&served));
        served
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn provider_type(&self) -> &str {
        &self.provider_type
    }
}
