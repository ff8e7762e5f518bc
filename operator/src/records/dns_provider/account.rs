//! The accounts that DNSProviders stand for: one for all that are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use records::cache::{self, Cached, SystemClock};
use records::pace::Rate;
use records::provider::{Paced, cloudflare::Cloudflare, rfc2136::Rfc2136, route53::Route53};
use records::{Provider, ProviderError, Zone};

use super::problem::Problem;
use super::settings::{Blueprint, ProviderSettings};

/// An account at a provider, with a cache before it.
pub struct Account {
    /// What no other account has, such as `rfc2136-1f0c77e5a9b3d264`.
    pub name: String,
    /// Gardener's type of it, such as `aws-route53`.
    pub provider_type: &'static str,
    /// Its zones.
    pub cache: Arc<Cached>,
    /// How often it is called at most; none where nothing holds it back.
    pub rate: Option<Rate>,
    /// Where its cache is kept.
    folder: Option<PathBuf>,
}

impl Account {
    /// Sets up an account; asks nobody. Reads what is kept of it on disk, and so may take a
    /// second.
    fn open(blueprint: Blueprint, settings: &cache::Settings) -> Result<Self, Problem> {
        let failed = |error: &dyn std::fmt::Display| Problem::Error(error.to_string());
        let (provider_type, provider): (_, Arc<dyn Provider>) = match blueprint.provider {
            ProviderSettings::Cloudflare(settings) => {
                let provider = Cloudflare::new(settings).map_err(|error| failed(&error))?;
                ("cloudflare-dns", Arc::new(provider))
            }
            ProviderSettings::Route53(settings) => {
                let provider = Route53::new(settings).map_err(|error| failed(&error))?;
                ("aws-route53", Arc::new(provider))
            }
            ProviderSettings::Rfc2136(settings) => {
                let provider = Arc::new(Rfc2136::new(&settings).map_err(|error| failed(&error))?);
                match blueprint.rate {
                    Some(rate) => ("rfc2136", Arc::new(Paced::new(provider, rate))),
                    None => ("rfc2136", provider),
                }
            }
        };
        let folder = settings.directory.as_ref().map(|base| base.join(&blueprint.name));
        let settings = cache::Settings {
            directory: folder.clone(),
            identity: blueprint.name.clone(),
            ..settings.clone()
        };
        let cache = Cached::open(provider, settings, Arc::new(SystemClock::default()));
        Ok(Self {
            name: blueprint.name,
            provider_type,
            cache: Arc::new(cache.map_err(|error| failed(&error))?),
            rate: blueprint.rate,
            folder,
        })
    }

    /// The zones that the account lets us keep.
    pub async fn zones(&self) -> Result<Vec<Zone>, ProviderError> {
        let zones = self.cache.zones().await?;
        if self.provider_type == "rfc2136" {
            // The list is our own: whether the server lets us in shows at the zone.
            for zone in &zones {
                let apex = [zone.name.clone()];
                self.cache.read_names(zone, &apex).await?;
            }
        }
        Ok(zones)
    }
}

/// The accounts that are in use, by their names.
#[derive(Default)]
pub struct Accounts(BTreeMap<String, Arc<Account>>);

impl Accounts {
    /// The account of a blueprint: the one that is there, or a new one.
    pub async fn obtain(
        &mut self,
        blueprint: Blueprint,
        settings: &cache::Settings,
    ) -> Result<Arc<Account>, Problem> {
        if let Some(account) = self.0.get(&blueprint.name) {
            return Ok(Arc::clone(account));
        }
        let settings = settings.clone();
        let opened = tokio::task::spawn_blocking(move || Account::open(blueprint, &settings)).await;
        let account = Arc::new(opened.map_err(|error| Problem::Error(error.to_string()))??);
        tracing::info!(account = account.name, "set up");
        self.0.insert(account.name.clone(), Arc::clone(&account));
        Ok(account)
    }

    /// Gives up the accounts that are not among these, with what is kept of them on disk: who
    /// still has one may use it to its end.
    pub async fn retain(&mut self, used: &BTreeSet<String>) {
        let (kept, given_up) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(name, _)| used.contains(name));
        self.0 = kept;
        let given_up: BTreeMap<String, Arc<Account>> = given_up;
        for account in given_up.values() {
            tracing::info!(account = account.name, "given up");
            let Some(folder) = &account.folder else { continue };
            if let Err(error) = tokio::fs::remove_dir_all(folder).await {
                tracing::warn!("{}: {error}", folder.display());
            }
        }
    }
}
