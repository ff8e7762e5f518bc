//! Finds out about DNSProviders what there is to be found out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch as channel;

use super::account::{Account, Accounts};
use super::controller::Settings;
use super::finding::Finding;
use super::last_good::{Good, LastGood};
use super::leftovers::Leftovers;
use super::listings::Listings;
use super::object::DnsProviderObject;
use super::problem::Problem;
use super::secret::SecretData;
use super::secrets::{Known, Secrets};
use super::selection::{Rules, Selection};
use super::settings::{blueprint, provider_type};

/// Finds out about DNSProviders.
pub(super) struct Inspector {
    settings: Settings,
    secrets: Secrets,
    accounts: Accounts,
    /// What is known of the zones of each account.
    pub listings: Listings,
    last_good: LastGood,
    leftovers: Leftovers,
    /// The generation of each object that was looked at last, by its uid.
    seen: BTreeMap<String, i64>,
}

impl Inspector {
    pub fn new(settings: Settings, secrets: Secrets) -> Self {
        // Who only looks removes nothing.
        let directory = settings
            .cache
            .directory
            .clone()
            .filter(|_| !settings.cache.dry_run);
        Self {
            secrets,
            accounts: Accounts::default(),
            listings: Listings::new(settings.zone_cache_time),
            last_good: LastGood::default(),
            leftovers: Leftovers::of(directory),
            seen: BTreeMap::new(),
            settings,
        }
    }

    /// Tells of every change of a Secret from now on.
    pub fn changes(&self) -> channel::Receiver<()> {
        self.secrets.changes()
    }

    /// Follows the Secrets of these DNSProviders, those of now and those that are in use.
    pub fn follow(&mut self, objects: &[Arc<DnsProviderObject>]) {
        self.last_good.retain(objects);
        let wanted = objects.iter().filter_map(|object| object.secret().ok());
        let names = wanted.chain(self.last_good.secrets().cloned());
        self.secrets.follow(&names.collect());
    }

    /// What there is to be found out about a DNSProvider; none while that is not known.
    pub async fn look(&mut self, object: &DnsProviderObject) -> Option<Finding> {
        let found = self.look_up(object).await;
        if let Ok(Some(Finding {
            selection: Some(_), ..
        })) = found
        {
            return found.unwrap_or_default();
        }
        match self.used_before(object) {
            Some((account, selection)) => Some(Finding::before(found, account, selection)),
            None => found.unwrap_or_else(|problem| Some(problem.into())),
        }
    }

    async fn look_up(&mut self, object: &DnsProviderObject) -> Result<Option<Finding>, Problem> {
        let spec = object.spec.as_ref().map_err(Clone::clone)?;
        provider_type(spec)?;
        let rules = Rules::of(spec)?;
        let name = object.secret()?;
        let data: Arc<SecretData> = match self.secrets.get(&name) {
            Known::Nothing => return Ok(None),
            Known::Absent => return Err(Problem::Error(format!("Secret {name} is not there"))),
            Known::Forbidden(words) => {
                return Err(Problem::Error(format!("Secret {name} cannot be read: {words}")));
            }
            Known::Present(data) => data,
        };
        let blueprint = blueprint(spec, &name, &data, &self.settings.addresses)?;
        let (account, is_renewed) = self.accounts.obtain(blueprint, &self.settings.cache).await?;
        let listing = self.listings.of(&account);
        let is_answered = listing.is_answered;
        let selection = listing.zones.as_ref().map(|zones| rules.select(zones));
        let before = self.seen.insert(object.uid.clone(), object.generation);
        if is_renewed || before.is_some_and(|before| before != object.generation) {
            self.listings.hasten(&account.name);
        }
        if selection.is_some() {
            let good = Good {
                secret: name,
                account: Arc::clone(&account),
                rules,
            };
            self.last_good.put(object, good);
        }
        let failure = self.listings.failure(&account.name);
        let trouble = selection.as_ref().and_then(|selection| selection.trouble.clone());
        Ok(Some(Finding {
            account: Some(account),
            coming: None,
            problem: failure.or(trouble).map(Problem::Error),
            selection,
            is_told: is_answered,
            is_settled: true,
        }))
    }

    /// The account that was last used for a DNSProvider, and what was. Who takes away its
    /// Secret takes away both.
    fn used_before(&mut self, object: &DnsProviderObject) -> Option<(Arc<Account>, Selection)> {
        let good = self.last_good.get(object)?;
        if self.secrets.get(&good.secret) == Known::Absent {
            self.last_good.forget(object);
            return None;
        }
        let zones = self.listings.zones(&good.account.name)?;
        Some((Arc::clone(&good.account), good.rules.select(&zones)))
    }

    /// Gives up the accounts that nothing was found of, and asks the others whose time it is
    /// for their zones.
    pub async fn settle(&mut self, findings: &[(&Arc<DnsProviderObject>, Finding)]) {
        let used = findings.iter().flat_map(|(_, finding)| finding.accounts());
        let used: BTreeSet<String> = used.map(|account| account.name.clone()).collect();
        self.accounts.retain(&used).await;
        self.listings.retain(&used);
        self.listings.ask();
    }

    /// Removes what is kept of accounts that no DNSProvider has. Every one of them was found
    /// out about.
    pub async fn clear_leftovers(&mut self, findings: &[(&Arc<DnsProviderObject>, Finding)]) {
        self.leftovers.clear(findings).await;
    }
}
