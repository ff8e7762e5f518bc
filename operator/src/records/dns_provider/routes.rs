//! Which account each zone of all DNSProviders is kept by, and which of its names.

use std::collections::BTreeMap;
use std::sync::Arc;

use records::{DomainFilter, Domains, Name, Zone, ZoneId};

use super::account::Account;
use super::usable::UsableProvider;

/// Where each zone is kept.
#[derive(Default)]
pub(super) struct Routes {
    routes: BTreeMap<ZoneId, Arc<Route>>,
    /// The zones that are not used because an earlier DNSProvider has one of the name, in
    /// words.
    pub passed_over: Vec<String>,
}

/// Where a zone is kept.
pub(super) struct Route {
    /// The account that keeps it.
    pub account: Arc<Account>,
    /// The zone as the account calls it.
    pub zone: Zone,
    /// The names that are kept: those that all of these take.
    pub filters: Vec<DomainFilter>,
}

/// A zone on the way to a route, and who has it.
struct Claim<'a> {
    provider: &'a UsableProvider,
    zone: &'a Zone,
    forwarded: &'a [Name],
    selections: Vec<Domains>,
}

impl Routes {
    /// Of two zones with one name, the one of the DNSProvider that comes first by namespace
    /// and name is used. DNSProviders that share an account share its zones, each for the
    /// domains that it includes.
    pub fn of(usable: &[UsableProvider]) -> Self {
        let mut claims = BTreeMap::<&Name, Claim<'_>>::new();
        let mut passed_over = Vec::new();
        for provider in usable {
            for selected in &provider.zones {
                let zone = &selected.zone;
                let claim = claims.entry(&zone.name).or_insert_with(|| Claim {
                    provider,
                    zone,
                    forwarded: &selected.forwarded,
                    selections: Vec::new(),
                });
                if claim.provider.account.name == provider.account.name && claim.zone.id == zone.id {
                    claim.selections.push(provider.domains.clone());
                    continue;
                }
                let (first, name) = (claim.provider, &zone.name);
                passed_over.push(format!(
                    "the zone {name} of the DNSProvider {}/{} is not used: {}/{} has one of that name",
                    provider.namespace, provider.name, first.namespace, first.name
                ));
            }
        }
        let routes = claims.into_values().map(Claim::route);
        Self {
            routes: routes.collect(),
            passed_over,
        }
    }

    /// All zones. Their ids are not those of the accounts, which may be the same in several.
    pub fn zones(&self) -> Vec<Zone> {
        let zones = self.routes.iter().map(|(id, route)| Zone {
            id: id.clone(),
            name: route.zone.name.clone(),
        });
        zones.collect()
    }

    /// Where a zone is kept; none if it is not there any more.
    pub fn find(&self, id: &ZoneId) -> Option<&Arc<Route>> {
        self.routes.get(id)
    }
}

impl Claim<'_> {
    fn route(self) -> (ZoneId, Arc<Route>) {
        let account = &self.provider.account;
        let id = ZoneId(format!("{}/{}", account.name, self.zone.id.0).into());
        let outside = Domains {
            include: [self.zone.name.clone()].into(),
            exclude: self.forwarded.iter().cloned().collect(),
        };
        let route = Route {
            account: Arc::clone(account),
            zone: self.zone.clone(),
            filters: vec![
                DomainFilter::nearest(self.selections),
                DomainFilter::nearest(vec![outside]),
            ],
        };
        (id, Arc::new(route))
    }
}

impl Route {
    /// Whether a name of the zone is kept.
    pub fn takes(&self, name: &Name) -> bool {
        self.filters.iter().all(|filter| filter.matches(name))
    }
}
