//! What is counted of external records, for Prometheus: with external-dns's names where it
//! counts the same (`docs/external-records.md` has them all).

mod batches;
mod cache;
mod central;
mod passes;

use std::fmt;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;
use records::cache::Cached;
use tokio::sync::watch as channel;

use super::dns_provider::usable::{Usable, UsableProvider, accounts};
use super::serve::Office;
use crate::health::Health;
use crate::metrics;
use crate::serve::http::{Respond, text as plain, with_header};

use batches::BatchCollector;
use cache::CacheCollector;
use central::CentralCollector;
pub use passes::{Pass, PassMetrics};

/// What is served beside the work: `/metrics`, and for the kubelet's probes `/healthz` and
/// `/readyz`.
#[derive(Debug)]
pub struct Site {
    registry: Registry,
    health: Arc<Health>,
}

impl Site {
    /// Tells of a cache, the batches of the provider behind it, and the program.
    #[must_use]
    pub fn new(cache: Arc<Cached>, health: Arc<Health>) -> Self {
        let caches = Caches(Box::new(move || vec![(None, Arc::clone(&cache))]));
        Self::of(caches, health)
    }

    /// Tells of the central server while it leads, and of the accounts that it then has.
    #[must_use]
    pub fn central(office: channel::Receiver<Option<Arc<Office>>>, health: Arc<Health>) -> Self {
        let held = office.clone();
        let caches = Caches(Box::new(move || {
            let office = held.borrow().clone();
            office
                .map(|office| of_accounts(&office.usable.borrow()))
                .unwrap_or_default()
        }));
        let mut site = Self::of(caches, health);
        site.registry
            .register_collector(Box::new(CentralCollector(office)));
        site
    }

    /// Tells of the accounts of DNSProviders, those of the moment.
    #[must_use]
    pub fn dns_providers(usable: channel::Receiver<Usable>, health: Arc<Health>) -> Self {
        Self::of(Caches(Box::new(move || of_accounts(&usable.borrow()))), health)
    }

    fn of(caches: Caches, health: Arc<Health>) -> Self {
        let mut registry = Registry::default();
        let caches = Arc::new(caches);
        registry.register_collector(Box::new(BatchCollector(Arc::clone(&caches))));
        registry.register_collector(Box::new(CacheCollector(caches)));
        metrics::register_program(&mut registry);
        Self { registry, health }
    }

    /// Tells of passes too, which are counted on what this gives.
    #[must_use]
    pub fn with_passes(mut self) -> (Self, PassMetrics) {
        let passes = PassMetrics::register(&mut self.registry);
        (self, passes)
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry)?;
        Ok(encoded)
    }
}

impl Respond for Site {
    type Body = Full<Bytes>;

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            // One thread serves and works: that it answers tells that it goes on.
            (&Method::GET, "/healthz") => plain(StatusCode::OK, "ok"),
            (&Method::GET, "/readyz") => match self.health.readiness() {
                Ok(role) => plain(StatusCode::OK, role),
                Err(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, reason),
            },
            (&Method::GET, "/metrics") => match self.text() {
                Ok(body) => with_header(plain(StatusCode::OK, body), CONTENT_TYPE, metrics::CONTENT_TYPE),
                Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            },
            _ => plain(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

/// A cache, with the name of its account where there are several.
type AccountCache = (Option<String>, Arc<Cached>);

/// The caches of all accounts by the names of these.
fn of_accounts(usable: &[UsableProvider]) -> Vec<AccountCache> {
    let accounts = accounts(usable).into_iter();
    accounts
        .map(|(name, account)| (Some(name), Arc::clone(&account.cache)))
        .collect()
}

/// The caches that there are now.
struct Caches(Box<dyn Fn() -> Vec<AccountCache> + Send + Sync>);

impl fmt::Debug for Caches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Caches")
    }
}

/// What tells a series from the others of its metric.
type Labels = Vec<(&'static str, String)>;

/// The labels of what is an account's.
fn of_account(account: Option<&String>) -> Labels {
    account
        .map(|account| ("account", account.clone()))
        .into_iter()
        .collect()
}

/// A label beside others.
fn with(mut labels: Labels, label: &'static str, value: impl Into<String>) -> Labels {
    labels.push((label, value.into()));
    labels
}

/// All series of a metric. Only one that is alone has no labels.
fn series<M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    kind: MetricType,
    samples: impl IntoIterator<Item = (Labels, M)>,
) -> Result<(), fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, sample) in samples {
        if labels.is_empty() {
            return sample.encode(metric);
        }
        sample.encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

/// All series of a counter.
fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    told: (&str, &str),
    counts: impl IntoIterator<Item = (Labels, u64)>,
) -> Result<(), fmt::Error> {
    let counts = counts.into_iter();
    let counts = counts.map(|(labels, count)| (labels, ConstCounter::new(count)));
    series(encoder, told, MetricType::Counter, counts)
}
