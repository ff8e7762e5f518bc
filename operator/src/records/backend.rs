//! What keeps the zones of a command: one provider with the cache before it, or the accounts
//! of DNSProviders, each with its own.

use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;
use records::Provider;
use records::cache::Cached;
use tokio::runtime::Handle;
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

use super::cli::{CacheArgs, ProviderArgs, ProviderName};
use super::daemon::confirm_in_turns;
use super::dns_provider::place::Place;
use super::dns_provider::usable::{Usable, accounts};
use super::dns_provider::zone_union::ZoneUnion;
use super::metrics::Site;
use super::settings;
use crate::health::Health;

/// What keeps the zones.
pub enum Backend {
    /// One provider.
    One(Arc<Cached>),
    /// The accounts of DNSProviders.
    DnsProviders(DnsProviders),
}

/// The accounts of DNSProviders, which are followed until this is dropped.
pub struct DnsProviders {
    union: Arc<ZoneUnion>,
    usable: channel::Receiver<Usable>,
    following: JoinHandle<()>,
}

impl Drop for DnsProviders {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Backend {
    /// What the command line says. Who only looks tells DNSProviders nothing, and writes to no
    /// zone.
    pub async fn open(
        args: &ProviderArgs,
        cache: &CacheArgs,
        kubeconfig: Option<&Path>,
        dry_run: bool,
    ) -> anyhow::Result<Self> {
        if args.provider != ProviderName::DnsProviders {
            return Ok(Self::One(settings::provider(args, cache, dry_run)?));
        }
        let mut settings = args.dns_providers.which.settings(cache)?;
        settings.cache.dry_run = dry_run;
        settings.tells = !dry_run;
        let files = &args.dns_providers.dns_provider_files;
        let place = Place::of("--dns-provider-file", files, kubeconfig);
        let (controller, usable) = place.controller(settings, &Handle::current()).await?;
        let union = ZoneUnion::new(usable.clone(), controller.survey());
        Ok(Self::DnsProviders(DnsProviders {
            union: Arc::new(union),
            usable,
            following: tokio::spawn(controller.run()),
        }))
    }

    /// It as the engine takes it.
    pub fn provider(&self) -> Arc<dyn Provider> {
        match self {
            Self::One(cache) => Arc::clone(cache) as _,
            Self::DnsProviders(providers) => Arc::clone(&providers.union) as _,
        }
    }

    /// What is told of it beside the work.
    pub fn site(&self, health: Arc<Health>) -> Site {
        match self {
            Self::One(cache) => Site::new(Arc::clone(cache), health),
            Self::DnsProviders(providers) => Site::dns_providers(providers.usable.clone(), health),
        }
    }

    /// Ends when other zones can be used than before; of one provider never.
    pub async fn changed(&mut self) {
        if let Self::DnsProviders(providers) = self
            && providers.usable.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }

    /// Confirms the zones of each cache in turns, for ever.
    pub fn confirming(&self) -> impl Future<Output = ()> + use<> {
        let (one, all) = match self {
            Self::One(cache) => (Some(Arc::clone(cache)), None),
            Self::DnsProviders(providers) => (None, Some(providers.usable.clone())),
        };
        async move {
            if let Some(cache) = one {
                confirm_in_turns(&cache).await;
            }
            if let Some(usable) = all {
                confirm_accounts(usable).await;
            }
        }
    }
}

/// Confirms the zones of the accounts that there are, those of each account in turns.
async fn confirm_accounts(mut usable: channel::Receiver<Usable>) {
    loop {
        let accounts = accounts(&usable.borrow_and_update().clone());
        let confirming = join_all(accounts.values().map(|account| confirm_in_turns(&account.cache)));
        let others = async {
            while usable.changed().await.is_ok() {
                let now = self::accounts(&usable.borrow_and_update().clone());
                let is_same = now.len() == accounts.len()
                    && now
                        .values()
                        .zip(accounts.values())
                        .all(|(one, other)| Arc::ptr_eq(one, other));
                if !is_same {
                    return;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = confirming, if !accounts.is_empty() => {}
            () = others => {}
        }
    }
}
