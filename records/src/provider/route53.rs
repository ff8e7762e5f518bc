//! Zones at Amazon Route 53.
//!
//! A zone is read in pages of 300 record sets. Route 53 has no serial number that counts
//! changes, so a zone is confirmed by how many sets it holds and by one page of them, each
//! time the next one: what somebody else changes without adding or removing anything is
//! found when its page has its turn, and with the next full read at the latest. No write
//! depends on that: every change names what it replaces, and Route 53 compares.

mod account;
mod adjust;
mod change_batch;
mod confirmation;
mod failure;
mod listing;
mod presentation;
mod record_set;
mod refusal;
mod routing;
mod service_zones;
mod settings;
mod submit;
mod zones;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use tokio::time::Instant;

use self::account::Account;
use self::confirmation::{MOST_DIFFERENT, State};
use self::failure::Failure;
use self::record_set::{bare_zone_id, listed};
use self::zones::Zones;
use super::{Confirmation, Provider, ProviderError};
use crate::batch::{Counters, Dispatcher, Limits};
use crate::{Endpoint, Group, Name, Outcome, RecordList, Zone, ZoneRecords};

pub use self::settings::{AccessKey, Identity, InvalidSettings, Settings, TagFilter, ZoneType};

/// The zones of an account at Amazon Route 53.
pub struct Route53 {
    settings: Settings,
    account: Account,
    dispatcher: Dispatcher,
    zones: Mutex<Listed>,
    learned: Mutex<Limits>,
    counts_denied: AtomicBool,
}

/// The zones as they were listed last, and when.
#[derive(Default)]
struct Listed {
    zones: Arc<Zones>,
    at: Option<Instant>,
}

impl Route53 {
    /// The account of some settings. Nothing is sent, and no key looked for, before the first
    /// call.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        settings.check()?;
        Ok(Self {
            account: Account::new(settings.clone()),
            dispatcher: Dispatcher::new(settings.batch),
            zones: Mutex::default(),
            learned: Mutex::default(),
            counts_denied: AtomicBool::new(false),
            settings,
        })
    }

    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learned(&self) -> MutexGuard<'_, Limits> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn list_zones(&self) -> Result<Vec<Zone>, ProviderError> {
        {
            let known = self.listed();
            if known
                .at
                .is_some_and(|at| at.elapsed() < self.settings.zones_cache)
            {
                return Ok(known.zones.zones.clone());
            }
        }
        let zones = Arc::new(zones::list(&self.account, &self.settings).await?);
        let mut known = self.listed();
        *known = Listed {
            zones: Arc::clone(&zones),
            at: Some(Instant::now()),
        };
        Ok(zones.zones.clone())
    }

    /// Whether a zone can be kept.
    fn check(&self, zone: &Zone) -> Result<(), ProviderError> {
        self.listed().zones.trouble(zone).map_or(Ok(()), Err)
    }

    async fn read_zone(&self, zone: &Zone) -> Result<ZoneRecords, ProviderError> {
        self.check(zone)?;
        let sets = listing::whole(&self.account, zone).await?;
        let records: RecordList = sets.iter().filter_map(|set| listed(set, &zone.id)).collect();
        let state = State {
            unlisted: sets.len() - records.len(),
            ..State::default()
        };
        Ok(ZoneRecords {
            records,
            version: Some(state.version()),
        })
    }

    async fn read_single(&self, zone: &Zone, names: &[Name]) -> Result<Vec<Endpoint>, ProviderError> {
        let mut found = Vec::new();
        for name in names.iter().collect::<BTreeSet<_>>() {
            let sets = listing::of_name(&self.account, zone, name).await?;
            found.extend(sets.iter().filter_map(|set| listed(set, &zone.id)));
        }
        Ok(found)
    }

    async fn confirm_zone(&self, zone: &Zone, known: &ZoneRecords) -> Result<Confirmation, ProviderError> {
        self.check(zone)?;
        let Some(state) = known.version.as_ref().and_then(State::of) else {
            return Ok(Confirmation::ReadAgain);
        };
        let expected = known.records.len() + state.unlisted;
        if self.count(zone).await? != Some(expected) {
            return Ok(Confirmation::ReadAgain);
        }
        let page = listing::names(&self.account, zone, &state.next).await?;
        let there = page.sets.iter().filter_map(|set| listed(set, &zone.id));
        let mut difference = confirmation::compare(&known.records, &state.next, &page, there);
        if difference.names.len() + difference.missing.len() > MOST_DIFFERENT {
            return Ok(Confirmation::ReadAgain);
        }
        // What the page passed over may only stand elsewhere in Route 53's order.
        let missing: Vec<Name> = difference.missing.into_iter().collect();
        let mut names = std::mem::take(&mut difference.names);
        names.extend(missing.iter().map(|name| (name.clone(), Vec::new())));
        for endpoint in self.read_single(zone, &missing).await? {
            if let Some(there) = endpoint.name().ok().and_then(|name| names.get_mut(&name)) {
                there.push(endpoint);
            }
        }
        names.retain(|name, there| confirmation::differs(&known.records, name, there));
        let state = State {
            next: page.next.unwrap_or_default(),
            ..state
        };
        Ok(Confirmation::Part {
            names,
            version: state.version(),
        })
    }

    /// How many sets Route 53 counts in a zone. Who may not ask for one zone, as
    /// external-dns's permissions have it, looks at the list of them.
    async fn count(&self, zone: &Zone) -> Result<Option<usize>, Failure> {
        let mut count = None;
        if !self.counts_denied.load(Ordering::Relaxed) {
            let answer = self.account.read(|client| {
                let call = client.get_hosted_zone().id(&*zone.id.0);
                Box::pin(call.send())
            });
            match answer.await {
                Ok(answer) => {
                    count = Some(answer.hosted_zone.and_then(|zone| zone.resource_record_set_count));
                }
                Err(Failure::Denied(_)) => self.counts_denied.store(true, Ordering::Relaxed),
                Err(failure) => return Err(failure),
            }
        }
        let count = if let Some(count) = count {
            count
        } else {
            let zones = zones::all(&self.account).await?;
            let found = zones.iter().find(|found| bare_zone_id(found.id()) == &*zone.id.0);
            found.and_then(|zone| zone.resource_record_set_count)
        };
        Ok(count.and_then(|count| usize::try_from(count).ok()))
    }
}

impl Provider for Route53 {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        Box::pin(self.list_zones())
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        Box::pin(self.read_zone(zone))
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(self.read_single(zone, names))
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        Box::pin(self.confirm_zone(zone, known))
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            if let Err(error) = self.check(zone) {
                return vec![Outcome::postponed_by(&error, error.to_string()); groups.len()];
            }
            self.dispatcher.apply(self, zone, groups).await
        })
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(async move {
            let known = Arc::clone(&self.listed().zones);
            let rules = adjust::Rules {
                prefer_cname: self.settings.prefer_cname,
                evaluate_target_health: self.settings.evaluate_target_health,
                zones: &known.zones,
            };
            Ok(adjust::adjusted(wanted, rules))
        })
    }

    fn batches(&self) -> Option<Counters> {
        Some(self.dispatcher.counters())
    }
}
