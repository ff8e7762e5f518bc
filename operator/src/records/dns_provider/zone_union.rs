//! The zones of all DNSProviders that can be used, as one provider of the engine. Each
//! account has its own cache; there is none before all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use records::provider::Confirmation;
use records::{DomainFilter, Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneRecords};
use tokio::sync::{OnceCell, watch as channel};
use tokio::time::timeout;

use super::account::Account;
use super::controller::Survey;
use super::routes::{Route, Routes};
use super::usable::Usable;

/// How long it may take to find out of every DNSProvider what can be used. Then what is known
/// is used.
const FINDING_OUT: Duration = Duration::from_secs(30);

/// The zones of all DNSProviders that can be used, those of the moment.
pub struct ZoneUnion {
    usable: channel::Receiver<Usable>,
    survey: channel::Receiver<Survey>,
    found_out: OnceCell<()>,
    /// Where zones are kept, and what that was made of.
    known: Mutex<(Usable, Arc<Routes>)>,
    /// The accounts that could not tell how they would list what is wanted, by their names:
    /// until they are asked again, nothing is compared with what they hold.
    unadjusted: Mutex<BTreeMap<String, ProviderError>>,
}

impl ZoneUnion {
    /// Of what a controller hands out, and how far it is.
    #[must_use]
    pub fn new(usable: channel::Receiver<Usable>, survey: channel::Receiver<Survey>) -> Self {
        Self {
            usable,
            survey,
            found_out: OnceCell::new(),
            known: Mutex::default(),
            unadjusted: Mutex::default(),
        }
    }

    /// Waits once for every DNSProvider to be looked at.
    async fn find_out(&self) {
        let finding_out = async {
            let mut survey = self.survey.clone();
            let complete = survey.wait_for(|survey| survey.is_complete);
            if timeout(FINDING_OUT, complete).await.is_err() {
                tracing::warn!(
                    "not every DNSProvider was found out about within {FINDING_OUT:?}: what is known is used"
                );
            }
        };
        self.found_out.get_or_init(|| finding_out).await;
    }

    fn routes(&self) -> Arc<Routes> {
        let usable = self.usable.borrow().clone();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.0, &usable) {
            let routes = Routes::of(&usable);
            for words in routes
                .passed_over
                .iter()
                .filter(|words| !known.1.passed_over.contains(words))
            {
                tracing::warn!("{words}");
            }
            *known = (usable, Arc::new(routes));
        }
        Arc::clone(&known.1)
    }

    fn route(&self, zone: &Zone) -> Result<Arc<Route>, ProviderError> {
        let found = self.routes().find(&zone.id).map(Arc::clone);
        found.ok_or_else(|| {
            let words = format!(
                "no DNSProvider that can be used has the zone {} any more",
                zone.name
            );
            ProviderError::NoSuchZone(words)
        })
    }

    fn unadjusted(&self) -> MutexGuard<'_, BTreeMap<String, ProviderError>> {
        self.unadjusted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the account would list it; as it is wanted where the account cannot tell.
    async fn adjust_for(&self, account: &Account, wanted: Vec<Endpoint>) -> Vec<Endpoint> {
        match account.cache.adjust(wanted.clone()).await {
            Ok(adjusted) => adjusted,
            Err(error) => {
                self.unadjusted().insert(account.name.clone(), error);
                wanted
            }
        }
    }
}

impl Provider for ZoneUnion {
    fn name(&self) -> &'static str {
        "dns-providers"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        async {
            self.find_out().await;
            self.unadjusted().clear();
            let zones = self.routes().zones();
            if zones.is_empty() {
                return Err(ProviderError::Unavailable(
                    "there is no DNSProvider that can be used; the status of each says why".into(),
                ));
            }
            Ok(zones)
        }
        .boxed()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        async {
            let route = self.route(zone)?;
            let unadjusted = self.unadjusted().get(&route.account.name).cloned();
            match unadjusted {
                Some(error) => Err(error),
                None => route.account.cache.read(&route.zone).await,
            }
        }
        .boxed()
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        async {
            let route = self.route(zone)?;
            route.account.cache.read_names(&route.zone, names).await
        }
        .boxed()
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        async {
            let route = self.route(zone)?;
            route.account.cache.confirm(&route.zone, known).await
        }
        .boxed()
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        async {
            let route = match self.route(zone) {
                Ok(route) => route,
                Err(error) => return vec![Outcome::postponed(error.to_string()); groups.len()],
            };
            if groups.iter().all(|group| route.takes(&group.name)) {
                return route.account.cache.apply(&route.zone, groups).await;
            }
            let taken = groups.iter().filter(|group| route.takes(&group.name));
            let taken: Vec<Group> = taken.cloned().collect();
            let mut outcomes = route.account.cache.apply(&route.zone, &taken).await.into_iter();
            let outcome = |group: &Group| {
                if !route.takes(&group.name) {
                    let reason = format!("no DNSProvider of the zone includes {}", group.name);
                    return Outcome::Rejected { reason };
                }
                outcomes.next().unwrap_or(Outcome::Unknown {
                    reason: "the account gave no answer".into(),
                })
            };
            groups.iter().map(outcome).collect()
        }
        .boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        async move {
            let routes = self.routes();
            let zones = routes.zones();
            let mut parts = BTreeMap::<String, (Arc<Account>, Vec<Endpoint>)>::new();
            let mut adjusted = Vec::new();
            for endpoint in wanted {
                let zone = endpoint.name().ok().and_then(|name| Zone::of(&zones, &name));
                let Some(route) = zone.and_then(|zone| routes.find(&zone.id)) else {
                    adjusted.push(endpoint);
                    continue;
                };
                let part = parts.entry(route.account.name.clone());
                let part = part.or_insert_with(|| (Arc::clone(&route.account), Vec::new()));
                part.1.push(endpoint);
            }
            let parts = parts
                .into_values()
                .map(|(account, wanted)| async move { self.adjust_for(&account, wanted).await });
            adjusted.extend(join_all(parts).await.into_iter().flatten());
            Ok(adjusted)
        }
        .boxed()
    }

    fn domain_filters(&self, zone: &Zone) -> Vec<DomainFilter> {
        let route = self.route(zone);
        route.map(|route| route.filters.clone()).unwrap_or_default()
    }
}
