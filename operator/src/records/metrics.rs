//! What is counted of external records, for Prometheus: with external-dns's names where it
//! counts the same.

mod batches;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use records::cache::{CacheStatus, Cached, ZoneStatus};
use records::engine::PassResult;
use records::{Outcome, Provider};

use self::batches::BatchCollector;
use crate::metrics;
use crate::serve::http::{Respond, text as plain, with_header};

/// Everything that is counted of external records.
#[derive(Debug)]
pub struct RecordMetrics {
    registry: Registry,
    last_sync: Gauge<f64, AtomicU64>,
    last_reconcile: Gauge<f64, AtomicU64>,
    soft_errors: Gauge,
    idle_passes: Counter,
    groups: Family<OutcomeLabels, Counter>,
    changes: Family<ResultLabels, Counter>,
    not_in_place: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

/// A cache, read when the metrics are.
struct CacheCollector(Arc<Cached>);

impl fmt::Debug for CacheCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CacheCollector")
    }
}

impl RecordMetrics {
    /// Nothing is counted yet, but by the cache.
    #[must_use]
    pub fn new(cache: Arc<Cached>) -> Self {
        let mut registry = Registry::default();
        let last_sync = Gauge::default();
        let last_reconcile = Gauge::default();
        let soft_errors = Gauge::default();
        let idle_passes = Counter::default();
        let groups = Family::default();
        let changes = Family::default();
        let not_in_place = Gauge::default();
        registry.register(
            "external_dns_controller_last_sync_timestamp_seconds",
            "When a pass has last left everything in place",
            last_sync.clone(),
        );
        registry.register(
            "external_dns_controller_last_reconcile_timestamp_seconds",
            "When a pass was last made",
            last_reconcile.clone(),
        );
        registry.register(
            "external_dns_controller_consecutive_soft_errors",
            "Passes in a row that could not find out or do everything",
            soft_errors.clone(),
        );
        registry.register(
            "external_dns_controller_no_op_runs",
            "Passes that had nothing to change",
            idle_passes.clone(),
        );
        registry.register(
            "external_dns_records_groups",
            "Names whose changes were handed to the provider, by what came of them",
            groups.clone(),
        );
        registry.register(
            "external_dns_records_changes",
            "Changes of record sets, those that tell ownership among them, by how they ended in their pass",
            changes.clone(),
        );
        registry.register(
            "external_dns_records_not_in_place",
            "Wanted record sets that are not in place",
            not_in_place.clone(),
        );
        let provider: Arc<dyn Provider> = Arc::clone(&cache) as _;
        registry.register_collector(Box::new(BatchCollector(provider)));
        registry.register_collector(Box::new(CacheCollector(cache)));
        Self {
            registry,
            last_sync,
            last_reconcile,
            soft_errors,
            idle_passes,
            groups,
            changes,
            not_in_place,
        }
    }

    /// Counts a pass; none if it could not even be begun.
    pub fn pass(&self, result: Option<&PassResult>) {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        self.last_reconcile.set(now);
        let Some(result) = result else {
            self.soft_errors.inc();
            return;
        };
        if result.is_complete() {
            self.last_sync.set(now);
            self.soft_errors.set(0);
        } else {
            self.soft_errors.inc();
        }
        let groups = result.zones.iter().flat_map(|zone| &zone.groups);
        let mut idle = true;
        for group in groups {
            idle = false;
            let (outcome, result) = match group.outcome {
                Outcome::Applied { .. } => ("applied", "applied"),
                Outcome::Rejected { .. } => ("rejected", "rejected"),
                Outcome::Conflict { .. } => ("conflict", "pending"),
                Outcome::Postponed { .. } => ("postponed", "pending"),
                Outcome::Unknown { .. } => ("unknown", "pending"),
            };
            self.groups.get_or_create(&OutcomeLabels { outcome }).inc();
            let changes = self.changes.get_or_create(&ResultLabels { result });
            changes.inc_by(group.group.changes.len() as u64);
        }
        if idle {
            self.idle_passes.inc();
        }
        let open = i64::try_from(result.verdicts.len()).unwrap_or(i64::MAX);
        self.not_in_place.set(open);
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry)?;
        Ok(encoded)
    }
}

impl Respond for RecordMetrics {
    type Body = Full<Bytes>;

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/healthz") => plain(StatusCode::OK, "ok"),
            (&Method::GET, "/metrics") => match self.text() {
                Ok(body) => with_header(plain(StatusCode::OK, body), CONTENT_TYPE, metrics::CONTENT_TYPE),
                Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            },
            _ => plain(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

impl Collector for CacheCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = self.0.status();
        counters(&mut encoder, &status)?;
        zones(&mut encoder, &status)
    }
}

fn counters(encoder: &mut DescriptorEncoder<'_>, status: &CacheStatus) -> Result<(), fmt::Error> {
    let counters = &status.counters;
    let calls = [("true", counters.hits), ("false", counters.misses)];
    family(
        encoder,
        "external_dns_provider_cache_records_calls",
        "Zones that were read, by whether the cache alone answered",
        "from_cache",
        calls,
    )?;
    let calls = status.provider_calls.iter();
    family(
        encoder,
        "external_dns_records_provider_calls",
        "Calls of the provider, by what for",
        "operation",
        calls.map(|(operation, count)| (operation.as_str(), *count)),
    )?;
    let plain = [
        (
            "external_dns_provider_cache_apply_changes_calls",
            "Calls with changes for the provider",
            counters.apply_calls,
        ),
        (
            "external_dns_records_cache_hits",
            "Zones served without asking the provider",
            counters.hits,
        ),
        (
            "external_dns_records_cache_misses",
            "Zones served after asking the provider",
            counters.misses,
        ),
        (
            "external_dns_records_cache_patches",
            "Names that were put into the cache after they were written",
            counters.patches,
        ),
        (
            "external_dns_records_cache_conflicts",
            "Names of which a zone did not hold what was believed",
            counters.conflicts,
        ),
        (
            "external_dns_records_cache_restores",
            "Zones that came from disk",
            counters.restores,
        ),
    ];
    for (name, help, count) in plain {
        let counter = ConstCounter::new(count);
        counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
    }
    let restored = ConstGauge::new(counters.restore_time.as_secs_f64());
    restored.encode(encoder.encode_descriptor(
        "external_dns_records_cache_restore_seconds",
        "How long it took to read the cache from disk",
        None,
        restored.metric_type(),
    )?)
}

/// A counter for each value of a label.
fn family<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    counts: impl IntoIterator<Item = (&'a str, u64)>,
) -> Result<(), fmt::Error> {
    let kind = ConstCounter::new(0u64).metric_type();
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (value, count) in counts {
        ConstCounter::new(count).encode(metric.encode_family(&[(label, value)])?)?;
    }
    Ok(())
}

fn zones(encoder: &mut DescriptorEncoder<'_>, status: &CacheStatus) -> Result<(), fmt::Error> {
    let count = |number: usize| Some(i64::try_from(number).unwrap_or(i64::MAX));
    by_zone(
        encoder,
        "external_dns_records_cache_dirty",
        "Names that are read again before they are believed",
        status,
        |zone| count(zone.doubtful),
    )?;
    by_zone(
        encoder,
        "external_dns_records_cache_records",
        "Record sets of the zone",
        status,
        |zone| count(zone.records),
    )?;
    by_zone(
        encoder,
        "external_dns_records_cache_age_seconds",
        "How long ago all of the zone was read",
        status,
        |zone| zone.age.map(|age| age.as_secs_f64()),
    )
}

/// A gauge for each zone that has a value.
fn by_zone<T: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    status: &CacheStatus,
    value: impl Fn(&ZoneStatus) -> Option<T>,
) -> Result<(), fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for zone in &status.zones {
        if let Some(value) = value(zone) {
            let labels = [("zone", zone.zone.name.to_string())];
            ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
