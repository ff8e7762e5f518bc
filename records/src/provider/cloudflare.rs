//! Zones at Cloudflare, by its API v4.
//!
//! Cloudflare keeps single records with ids. A set of a name and type is one endpoint here,
//! and the ids of its records stand in a label of it as it was listed
//! ([`RECORD_IDS_LABEL`](crate::RECORD_IDS_LABEL)): so a change needs no listing before it.
//! Batches are transactions. Their answers tell the records as they are from then on.
//!
//! Writes are compare-and-swap as far as the API goes: a record that is deleted or patched
//! is the one of that id, and a group whose record is gone is refused as a whole. What the
//! API does not see to: an edit that somebody makes under the same id before a deletion is
//! deleted with it, and a record that somebody adds to a set meanwhile stays there until
//! the zone is read again.
//!
//! Nothing less than a full read confirms a zone: the API orders lists by type, name,
//! content, TTL or proxy status, not by time, and has no number that moves with every
//! change. A read takes a call for each 5,000 records.

mod attributes;
mod content;
mod credentials;
mod envelope;
mod exchange;
mod hostnames;
mod listing;
mod operations;
mod record;
mod settings;
mod standing;
mod submission;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

pub use self::attributes::{COMMENT, CUSTOM_HOSTNAME, PROXIED, REGION_KEY, TAGS};
pub use self::credentials::Credentials;
pub use self::settings::{BASE_URL, CustomHostnameSettings, InvalidSettings, MAX_PER_PAGE, Settings};

use self::attributes::{Attributes, NameProperties};
use self::envelope::Failure;
use self::exchange::Exchange;
use self::listing::ZoneFacts;
use super::Confirmation;
use super::set_identifiers::without_idle_identifiers;
use crate::batch::{Counters, Dispatcher};
use crate::cache::{Clock, SystemClock};
use crate::{Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneId, ZoneRecords};

/// The most operations of a batch in a zone that somebody pays for.
const PAID_OPERATIONS: usize = 3_500;
/// The most operations of a batch in other zones.
const FREE_OPERATIONS: usize = 200;
/// The longest comment in a zone that somebody pays for, in characters.
const PAID_COMMENT: usize = 500;
/// The longest comment in other zones.
const FREE_COMMENT: usize = 100;

/// What a zone's plan allows, as far as is known.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// The most operations of a batch.
    operations: usize,
    /// The longest comment, in characters.
    comment: usize,
}

/// An account at Cloudflare.
pub struct Cloudflare {
    settings: Settings,
    exchange: Exchange,
    dispatcher: Dispatcher,
    clock: Arc<dyn Clock>,
    facts: Mutex<BTreeMap<ZoneId, ZoneFacts>>,
    /// The zones, and when they were listed.
    zones: Mutex<Option<(Duration, Vec<Zone>)>>,
}

impl Cloudflare {
    /// A client. Nothing is sent before it is first asked.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        if !(1..=MAX_PER_PAGE).contains(&settings.per_page) {
            return Err(InvalidSettings::PerPage(settings.per_page));
        }
        Ok(Self {
            exchange: Exchange::new(&settings)?,
            dispatcher: Dispatcher::new(settings.batch),
            clock: Arc::new(SystemClock::default()),
            settings,
            facts: Mutex::default(),
            zones: Mutex::default(),
        })
    }

    /// The same, by another clock: it tells how old the list of zones is, and when refused
    /// groups are tried again.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.dispatcher = self.dispatcher.with_clock(Arc::clone(&clock));
        self.clock = clock;
        self
    }

    /// The zones, as they were listed not long ago.
    async fn known_zones(&self) -> Result<Vec<Zone>, ProviderError> {
        if let Some((listed, zones)) = &*self.zones.lock().unwrap_or_else(PoisonError::into_inner)
            && self.clock.monotonic().saturating_sub(*listed) < self.settings.zones_time
        {
            return Ok(zones.clone());
        }
        let listed = self.clock.monotonic();
        let zones = self.list_zones().await?;
        *self.zones.lock().unwrap_or_else(PoisonError::into_inner) = Some((listed, zones.clone()));
        Ok(zones)
    }

    /// Has the zones be listed again: one of them is gone.
    fn forget_zones(&self) {
        *self.zones.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn all_facts(&self) -> MutexGuard<'_, BTreeMap<ZoneId, ZoneFacts>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn facts(&self, zone: &Zone) -> Option<ZoneFacts> {
        self.all_facts().get(&zone.id).cloned()
    }

    fn with_facts(&self, zone: &Zone, note: impl FnOnce(&mut ZoneFacts)) {
        let mut all = self.all_facts();
        note(all.entry(zone.id.clone()).or_insert_with(|| ZoneFacts {
            name: zone.name.clone(),
            paid: false,
            records: None,
            operations: PAID_OPERATIONS,
        }));
    }

    fn note_zone(&self, zone: &Zone, paid: bool) {
        self.with_facts(zone, |facts| facts.paid = paid);
    }

    fn note_records(&self, zone: &Zone, records: usize) {
        self.with_facts(zone, |facts| facts.records = Some(records));
    }

    fn note_small_batches(&self, zone: &Zone) {
        self.with_facts(zone, |facts| facts.operations = FREE_OPERATIONS);
    }

    fn limit(&self, zone: &Zone) -> Limit {
        let facts = self.facts(zone);
        let paid = facts.as_ref().is_some_and(|facts| facts.paid);
        Limit {
            operations: facts.map_or(PAID_OPERATIONS, |facts| facts.operations),
            comment: if paid { PAID_COMMENT } else { FREE_COMMENT },
        }
    }

    /// The longest comment that a name may have.
    fn longest_comment(facts: &BTreeMap<ZoneId, ZoneFacts>, name: Option<&Name>) -> usize {
        let holds = |facts: &&ZoneFacts| name.is_some_and(|name| name.is_within(&facts.name));
        let zone = facts
            .values()
            .filter(holds)
            .max_by_key(|facts| facts.name.as_str().len());
        if zone.is_some_and(|zone| zone.paid) {
            PAID_COMMENT
        } else {
            FREE_COMMENT
        }
    }

    /// A wanted record as the zone lists it, with its labels.
    fn adjusted(&self, endpoint: Endpoint, longest_comment: usize) -> Endpoint {
        let attributes = Attributes::wanted(&endpoint, &self.settings, longest_comment);
        let of_name = NameProperties::wanted(&endpoint, &self.settings);
        let targets = endpoint.targets.iter();
        let mut targets: Vec<_> = targets
            .map(|target| content::canonical(&endpoint.record_type, target))
            .collect();
        targets.sort_unstable();
        targets.dedup();
        Endpoint {
            targets: targets.into(),
            ttl: attributes.endpoint_ttl(),
            provider_specific: attributes.properties(&of_name),
            ..endpoint
        }
    }
}

impl Provider for Cloudflare {
    fn name(&self) -> &'static str {
        "cloudflare"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        Box::pin(self.known_zones())
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        Box::pin(async move {
            let records = self.list_records(zone).await.inspect_err(|failure| {
                if matches!(failure, Failure::NoSuchZone(_)) {
                    self.forget_zones();
                }
            })?;
            Ok(ZoneRecords {
                records: records.into_iter().collect(),
                version: None,
            })
        })
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(async move { Ok(self.list_names(zone, names).await?) })
    }

    fn confirm<'a>(
        &'a self,
        _: &'a Zone,
        _: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        Box::pin(async { Ok(Confirmation::ReadAgain) })
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let mut outcomes = self.dispatcher.apply(self, zone, groups).await;
            for (group, outcome) in groups.iter().zip(&mut outcomes) {
                if !matches!(outcome, Outcome::Applied { .. }) {
                    continue;
                }
                if let Err(failure) = self.write_hostnames(zone, group).await {
                    let reason = format!("the records are written, not what belongs to the name: {failure}");
                    *outcome = Outcome::Unknown { reason };
                }
            }
            outcomes
        })
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(async move {
            let is_long = |endpoint| Attributes::wanted(endpoint, &self.settings, PAID_COMMENT).is_long();
            if self.all_facts().is_empty() && wanted.iter().any(is_long) {
                // How long a comment may be depends on the zone.
                self.known_zones().await?;
            }
            let facts = self.all_facts().clone();
            let adjusted = without_idle_identifiers(wanted).into_iter().map(|endpoint| {
                let longest = Self::longest_comment(&facts, endpoint.name().ok().as_ref());
                self.adjusted(endpoint, longest)
            });
            Ok(adjusted.collect())
        })
    }

    fn batches(&self) -> Option<Counters> {
        Some(self.dispatcher.counters())
    }
}
