//! Our engine at the stand-in, as `dns-operator records run` has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use records::batch;
use records::cache::{self, Cached, Clock};
use records::engine::{self, Demand, Engine, PassResult};
use records::ownership::{Affix, Ownership, Registry};
use records::pace::Rate;
use records::plan::{Guard, Policy, Rules};
use records::provider::cloudflare::{Cloudflare, Credentials, MAX_PER_PAGE, Settings};
use records::source::Wanted;
use records::{Endpoint, ManagedTypes, Provider};
use tests::cloudflare::TOKEN;

use super::account::Account;
use crate::clock::Simulated;

/// Who owns what both programs write.
pub const OWNER: &str = "bench";
/// How long the cache and the list of zones are used.
const CACHE_TIME: Duration = Duration::from_secs(3_600);
const ZONES_TIME: Duration = Duration::from_secs(300);
/// What Cloudflare allows an account, with some left for others.
const RATE: Rate = Rate {
    burst: 200,
    calls: 1_000,
    period: Duration::from_secs(300),
};

/// An engine with its cache, and the clock that both go by.
pub struct Ours {
    engine: Engine,
    clock: Arc<Simulated>,
}

impl Ours {
    /// One that knows nothing of the account yet.
    pub fn new(account: &Account) -> Result<Self> {
        let clock = Arc::new(Simulated::default());
        let settings = Settings {
            base_url: account.0.url().parse()?,
            credentials: Credentials::token(TOKEN),
            zone_ids: Vec::new(),
            zones_time: ZONES_TIME,
            per_page: MAX_PER_PAGE,
            proxied: false,
            comment: Box::default(),
            custom_hostnames: None,
            region_key: None,
            rate: RATE,
            batch: batch::Settings::default(),
        };
        let provider = Cloudflare::new(settings)?.with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let cache = cache::Settings {
            time: CACHE_TIME,
            patch_on_apply: true,
            ..cache::Settings::default()
        };
        let cached = Cached::open(Arc::new(provider), cache, Arc::clone(&clock) as Arc<dyn Clock>)?;
        Ok(Self {
            engine: engine(Arc::new(cached))?,
            clock,
        })
    }

    /// Makes one pass; what came of it, and how long it took.
    pub async fn pass(&self, wanted: &[Endpoint]) -> Result<(PassResult, Duration)> {
        pass(&self.engine, wanted).await
    }

    /// Sets its clock ahead.
    pub fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }
}

/// An engine that keeps what it owns, by the rules that are the default.
pub fn engine(provider: Arc<dyn Provider>) -> Result<Engine> {
    let settings = engine::Settings {
        ownership: Ownership::from(Registry::new(OWNER, Affix::new("", "", "")?)?),
        rules: Rules {
            policy: Policy::Sync,
            owner: Some(OWNER.into()),
            old_owner: None,
            managed: ManagedTypes::default(),
            domain_filters: Vec::new(),
        },
        guard: Guard::default(),
    };
    Ok(Engine::new(provider, settings))
}

/// Makes one pass; what came of it, and how long it took.
pub async fn pass(engine: &Engine, wanted: &[Endpoint]) -> Result<(PassResult, Duration)> {
    let begun = Instant::now();
    let demand = Demand {
        wanted: Wanted {
            endpoints: wanted.to_vec(),
            rejected: Vec::new(),
        },
        unread: Vec::new(),
    };
    let prospect = engine.prospect(demand).await?;
    let result = engine.apply(prospect).await;
    Ok((result, begun.elapsed()))
}
