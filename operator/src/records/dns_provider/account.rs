//! The accounts that DNSProviders stand for: one for all that are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use records::cache::{self, Cached, SystemClock};
use records::pace::Rate;
use records::provider::{Paced, cloudflare::Cloudflare, rfc2136::Rfc2136, route53::Route53};
use records::{Provider, ProviderError, Zone};
use remote::client::{Access, Remote};
use tokio::sync::watch as channel;

use super::problem::Problem;
use super::settings::{Blueprint, ProviderSettings, remote as central};
use crate::records::settings::remote_client;

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
    /// What lets it in, where that may change while the account stays.
    credentials: Option<Credentials>,
    /// Whether its server tells by itself what changes, where it does such a thing.
    heard: Option<channel::Receiver<bool>>,
}

/// What a central server is shown, and how it follows its Secret.
struct Credentials {
    access: channel::Sender<Access>,
    /// What the Secret is known by.
    secret: Mutex<String>,
}

impl Credentials {
    /// A client, and what it is shown from now on.
    fn of(settings: central::Settings) -> (Self, Remote) {
        let (access, followed) = channel::channel(settings.access);
        let client = remote::client::Settings {
            rate: settings.rate,
            // They are kept here: that the server is away is to be told.
            lists_last: false,
            ..remote_client()
        };
        let credentials = Self {
            access,
            secret: Mutex::new(settings.secret),
        };
        (credentials, Remote::new(followed, client))
    }

    /// Takes over a Secret; whether it is another one.
    fn take(&self, settings: central::Settings) -> bool {
        let mut secret = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        if *secret == settings.secret {
            return false;
        }
        *secret = settings.secret;
        self.access.send_replace(settings.access);
        true
    }
}

impl Account {
    /// Sets up an account; asks nobody. Reads what is kept of it on disk, and so may take a
    /// second.
    fn open(blueprint: Blueprint, settings: &cache::Settings) -> Result<Self, Problem> {
        let failed = |error: &dyn std::fmt::Display| Problem::Error(error.to_string());
        let (mut credentials, mut heard) = (None, None);
        let (provider_type, provider): (_, Arc<dyn Provider>) = match blueprint.provider {
            ProviderSettings::Cloudflare(settings) => {
                let provider = Cloudflare::new(settings).map_err(|error| failed(&error))?;
                ("cloudflare-dns", Arc::new(provider))
            }
            ProviderSettings::Route53(settings) => {
                let provider = Route53::new(settings).map_err(|error| failed(&error))?;
                ("aws-route53", Arc::new(provider))
            }
            ProviderSettings::Remote(settings) => {
                let (shown, provider) = Credentials::of(settings);
                credentials = Some(shown);
                heard = Some(provider.is_heard());
                ("remote", Arc::new(provider))
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
            credentials,
            heard,
        })
    }

    /// Takes over what a blueprint of it has that may change; whether it is something else.
    fn take(&self, blueprint: Blueprint) -> bool {
        match (&self.credentials, blueprint.provider) {
            (Some(credentials), ProviderSettings::Remote(settings)) => credentials.take(settings),
            _ => false,
        }
    }

    /// Whether its server tells by itself what changes: not, while it is away. None where no
    /// server does.
    pub fn heard(&self) -> Option<channel::Receiver<bool>> {
        self.heard.clone()
    }

    /// The zones that were listed last, by the process before this one too.
    pub fn last_zones(&self) -> Option<Arc<[Zone]>> {
        Some(self.cache.listed()?.zones)
    }

    /// How old the oldest part is of what is known of the zones; none if that is not known.
    pub fn age(&self) -> Option<Duration> {
        let listed = self.cache.listed()?;
        let records = listed.zones.iter().filter_map(|zone| self.cache.age(&zone.id));
        records.chain([listed.age?]).max()
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
        self.cache.keep_listed(&zones).await;
        Ok(zones)
    }
}

/// The accounts that are in use, by their names.
#[derive(Default)]
pub struct Accounts(BTreeMap<String, Arc<Account>>);

impl Accounts {
    /// The account of a blueprint: the one that is there, or a new one. Whether one that was
    /// there is let in by another Secret now.
    pub async fn obtain(
        &mut self,
        blueprint: Blueprint,
        settings: &cache::Settings,
    ) -> Result<(Arc<Account>, bool), Problem> {
        if let Some(account) = self.0.get(&blueprint.name) {
            let is_renewed = account.take(blueprint);
            if is_renewed {
                tracing::info!(account = account.name, "the Secret has changed");
            }
            return Ok((Arc::clone(account), is_renewed));
        }
        let settings = settings.clone();
        let opened = tokio::task::spawn_blocking(move || Account::open(blueprint, &settings)).await;
        let account = Arc::new(opened.map_err(|error| Problem::Error(error.to_string()))??);
        tracing::info!(account = account.name, "set up");
        self.0.insert(account.name.clone(), Arc::clone(&account));
        Ok((account, false))
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
