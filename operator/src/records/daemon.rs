//! `dns-operator records run`: passes, one after the other.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use records::ProviderError;
use records::cache::Cached;
use records::engine::{Demand, Engine, PassResult, Prospect, ZoneResult};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, sleep_until};

use super::backend::Backend;
use super::cli::RunArgs;
use super::metrics::{Pass, PassMetrics};
use super::report::{Report, summary};
use super::settings;
use super::sources::Sources;
use crate::health::Health;
use crate::serve::http;

/// How often it is looked whether a zone has its turn to be confirmed, where none is known.
const IDLE: Duration = Duration::from_secs(10);

/// Keeps the zones until it is told to stop; whether everything was in place in the end.
pub async fn run(args: &RunArgs) -> anyhow::Result<bool> {
    let engine = &args.engine;
    let kubeconfig = engine.sources.kubeconfig.as_deref();
    let backend = Backend::open(&engine.provider, &engine.cache, kubeconfig, args.dry_run).await?;
    let confirming = backend.confirming();
    let health = Arc::new(Health::default());
    let (site, metrics) = backend.site(Arc::clone(&health)).with_passes();
    let mut daemon = Daemon {
        args,
        engine: Engine::new(
            backend.provider(),
            settings::engine(&engine.ownership, &engine.rules)?,
        ),
        sources: Sources::open(&engine.sources).await?,
        backend,
        metrics,
        health,
    };
    if args.once {
        daemon.sources.listed().await?;
        return Ok(daemon.pass().await);
    }
    let listener = TcpListener::bind(args.metrics_address)
        .await
        .context("--metrics-address")?;
    tracing::info!("serving metrics on http://{}", listener.local_addr()?);
    tokio::select! {
        () = daemon.passes() => Ok(true),
        outcome = http::serve(listener, Arc::new(site), None) => outcome.map(|()| true),
        () = confirming => Ok(true),
        () = stopped() => Ok(true),
    }
}

struct Daemon<'a> {
    args: &'a RunArgs,
    engine: Engine,
    sources: Sources,
    backend: Backend,
    metrics: PassMetrics,
    health: Arc<Health>,
}

impl Daemon<'_> {
    /// A pass at each interval, and soon after a source has changed.
    async fn passes(&mut self) {
        if let Err(error) = self.sources.listed().await {
            tracing::warn!("{error:#}; until they are, nothing is deleted");
        }
        loop {
            let begun = Instant::now();
            self.pass().await;
            if self.sources.are_listed() {
                self.health.listed();
            }
            tokio::select! {
                () = sleep_until(begun + self.args.interval) => {}
                () = either(self.sources.changed(), self.backend.changed()) => {
                    sleep_until(begun + self.args.min_event_sync_interval).await;
                }
            }
        }
    }

    /// Whether everything is in place.
    async fn pass(&mut self) -> bool {
        let demand = self.sources.read();
        let mut pass = Pass {
            rejected: demand.wanted.rejected.clone(),
            unread: demand.unread.len(),
            ..Pass::default()
        };
        match self.look(demand).await {
            Ok(prospect) if self.args.dry_run => {
                pass.is_held_back = !prospect.is_empty();
                pass.result = Some(untouched(prospect));
            }
            Ok(prospect) => {
                let result = self.write(prospect).await;
                self.sources.tell(&result).await;
                pass.result = Some(result);
            }
            Err(error) => {
                tracing::error!("the pass was given up: {error}");
                if !self.args.dry_run {
                    let reason = format!("the zones cannot be listed: {error}");
                    self.sources.tell_all(&reason).await;
                }
            }
        }
        self.metrics.count(&pass);
        pass.is_complete()
    }

    /// What is to be done.
    async fn look(&self, demand: Demand) -> Result<Prospect, ProviderError> {
        let told = Report::of_demand(&demand);
        for source in &told.unread {
            tracing::warn!("not read, so nothing is deleted: {source}");
        }
        for rejection in &told.rejected {
            tracing::warn!("rejected: {rejection}");
        }
        let prospect = self.engine.prospect(demand).await?;
        if self.args.dry_run {
            let report = told.with_prospect(&prospect);
            tracing::info!("would change, but for --dry-run:\n{report}");
        }
        Ok(prospect)
    }

    async fn write(&self, prospect: Prospect) -> PassResult {
        let result = self.engine.apply(prospect).await;
        for zone in &result.zones {
            if let Some(trouble) = &zone.trouble {
                tracing::warn!("zone {}: left alone: {trouble}", zone.zone.name);
            }
            if let Some(refused) = &zone.refused {
                tracing::warn!("{refused}");
            }
            if !zone.groups.is_empty() {
                tracing::info!("{}", summary(zone));
            }
        }
        for verdict in &result.verdicts {
            let key = &verdict.key;
            tracing::debug!(
                name = %key.name, record_type = %key.record_type, resource = %verdict.resource,
                reason = verdict.state.reason(), "not in place: {}", verdict.state.message()
            );
        }
        result
    }
}

/// Ends when the first of two does.
async fn either(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    tokio::select! {
        () = one => {}
        () = other => {}
    }
}

/// What a pass has done that has done nothing.
fn untouched(prospect: Prospect) -> PassResult {
    let zones = prospect.zones.into_iter().map(|zone| ZoneResult {
        zone: zone.zone,
        groups: Vec::new(),
        trouble: zone.trouble,
        refused: zone.refused,
    });
    PassResult {
        zones: zones.collect(),
        wanted: prospect.wanted,
        verdicts: prospect.verdicts,
        figures: prospect.figures,
    }
}

/// Confirms one zone after the other, for ever: evenly over the time that they are
/// trusted.
pub async fn confirm_in_turns(cache: &Cached) {
    loop {
        let wait = cache.next_confirmation().unwrap_or(IDLE);
        if !wait.is_zero() {
            sleep(wait.min(IDLE)).await;
            continue;
        }
        if let Some((zone, Err(error))) = cache.confirm_one().await {
            tracing::warn!(zone = %zone.0, "failed to confirm: {error}");
        }
    }
}

/// Ends when the process is told to.
pub async fn stopped() {
    let mut stop = pin!(crate::run::stop_signal());
    match stop.as_mut().await {
        Ok(signal) => tracing::info!("stopping on {signal}"),
        Err(error) => tracing::error!("stopping: {error:#}"),
    }
}
