//! Which zones the provider has, as it listed them last: so that what is kept of them can be
//! used after a restart too, while the provider cannot be asked.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Cached;
use super::age::Moment;
use super::store::StoredList;
use crate::{Zone, ZoneId, ZoneRecords};

/// The zones of a provider as it listed them last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedZones {
    /// All of them, read or not.
    pub zones: Arc<[Zone]>,
    /// How long ago; none if that is not known.
    pub age: Option<Duration>,
}

/// The same, at any time.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    zones: Arc<[Zone]>,
    listed: Option<Moment>,
}

impl Listing {
    /// What was kept. A time in the future shows that the clock was or is wrong.
    pub fn restored(stored: StoredList, now: Duration, wall: Duration) -> Self {
        let age = wall.checked_sub(stored.listed);
        Self {
            zones: stored.zones.into(),
            listed: age.map(|age| Moment::of_age(now, age)),
        }
    }
}

impl Cached {
    /// The zones that were kept last, by this process or by the one before it; none if there
    /// never were any. Asks nobody.
    #[must_use]
    pub fn listed(&self) -> Option<ListedZones> {
        let listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let listing = listing.as_ref()?;
        Some(ListedZones {
            zones: Arc::clone(&listing.zones),
            age: listing.listed.map(|listed| listed.age(self.now())),
        })
    }

    /// Keeps the zones that the provider has just listed, on disk where there is one. That it
    /// fails is told, and no reason to fail.
    pub async fn keep_listed(&self, zones: &[Zone]) {
        let listing = Listing {
            zones: zones.into(),
            listed: Some(Moment::now(self.now())),
        };
        *self.listing.lock().unwrap_or_else(PoisonError::into_inner) = Some(listing);
        let list = StoredList {
            zones: zones.to_vec(),
            listed: self.clock.wall(),
        };
        if let Err(error) = self.persistence.write_list(list).await {
            tracing::warn!(%error, "the list of zones cannot be kept on disk");
        }
    }

    /// What is known of a zone, however long ago the provider said so: [`Cached::age`] tells.
    /// None if nothing is, or nobody knows how old it is. Asks nobody.
    #[must_use]
    pub fn known(&self, zone: &ZoneId) -> Option<Arc<ZoneRecords>> {
        self.age(zone)?;
        let zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        let zone = zones.get(zone)?.clone();
        drop(zones);
        zone.knowledge().records.clone()
    }
}
