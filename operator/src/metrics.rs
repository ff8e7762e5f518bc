//! What the operator counts, for Prometheus.
//!
//! The names of the reconciles are those of controller-runtime, which dashboards
//! for OpenShift's operator ask for; the others are our own. Labels take few
//! values, all known beforehand, so that the number of series is bounded.

#[macro_use]
mod label;
mod process;
mod requests;
mod upstreams;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::dns::Outcome;
use crate::dns::notice::Published;
use crate::upstreams::failure::Failure;
use crate::upstreams::verdict::Verdicts;

use requests::{Code, RequestLabels, Verb};
use upstreams::UpstreamMetrics;

pub use requests::CountRequests;

/// The media type of [`Metrics::text`] (OpenMetrics 1.0).
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the reconciles' durations, in seconds: from a pass that has
/// nothing to write to one that is given up.
const DURATIONS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// Everything that is counted. The methods cost next to nothing.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: Family<ReconcileLabels, Counter>,
    durations: Family<ControllerLabels, Histogram, fn() -> Histogram>,
    spec_valid: Verdict,
    config_in_force: Verdict,
    corefile: Family<CorefileLabels, Gauge>,
    cache_limits: Family<CacheLabels, Gauge>,
    published: Counter,
    ca_bundles: Family<CaBundleLabels, Gauge>,
    requests: Family<RequestLabels, Counter>,
    leader: Gauge,
    upstreams: UpstreamMetrics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    controller: Controller,
    result: ReconcileResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabels {
    controller: Controller,
}

label! {
    enum Controller {
        Dns = "dns_controller",
    }
}

label! {
    enum ReconcileResult {
        Success = "success",
        Error = "error",
        RequeueAfter = "requeue_after",
    }
}

/// Whether something is so. Not shown before it is known: a replica that stands by has
/// checked nothing.
#[derive(Clone, Debug)]
struct Verdict {
    name: &'static str,
    help: &'static str,
    known: Arc<Mutex<Option<bool>>>,
}

impl Verdict {
    fn new(name: &'static str, help: &'static str) -> Self {
        let known = Arc::default();
        Self { name, help, known }
    }

    fn set(&self, verdict: Option<bool>) {
        *self.lock() = verdict;
    }

    fn lock(&self) -> MutexGuard<'_, Option<bool>> {
        // Nothing that holds the lock can panic half way through a change.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Verdict {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(verdict) = *self.lock() else {
            return Ok(());
        };
        show(
            &mut encoder,
            self.name,
            self.help,
            &ConstGauge::new(i64::from(verdict)),
        )
    }
}

/// What is told of the program and its process, whatever it does.
pub(crate) fn register_program(registry: &mut Registry) {
    registry.register(
        "dns_operator_build",
        "The version of the program",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
    registry.register_collector(Box::new(process::Process));
}

/// Shows a metric that is read only when it is asked for.
fn show(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CorefileLabels {
    revision: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    kind: CacheKind,
}

label! {
    enum CacheKind {
        Positive = "positive",
        Negative = "negative",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CaBundleLabels {
    state: CaBundleState,
}

label! {
    enum CaBundleState {
        InUse = "in_use",
        Missing = "missing",
        Unreadable = "unreadable",
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let mut metrics = Self {
            upstreams: UpstreamMetrics::register(&mut registry),
            registry,
            reconciles: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            spec_valid: Verdict::new(
                "dns_operator_spec_valid",
                "Whether the specification of the DNS is one that is put into force.",
            ),
            config_in_force: Verdict::new(
                "dns_operator_config_in_force",
                "Whether the Corefile in force is that of the present specification.",
            ),
            corefile: Family::default(),
            cache_limits: Family::default(),
            published: Counter::default(),
            ca_bundles: Family::default(),
            requests: Family::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        // A series that begins at zero tells the first increase.
        for &result in ReconcileResult::ALL {
            let controller = Controller::Dns;
            metrics
                .reconciles
                .get_or_create(&ReconcileLabels { controller, result })
                .inc_by(0);
        }
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "controller_runtime_reconcile",
            "Passes over the objects, by what came of them",
            self.reconciles.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_time_seconds",
            "How long the passes took",
            self.durations.clone(),
        );
        for verdict in [&self.spec_valid, &self.config_in_force] {
            registry.register_collector(Box::new(verdict.clone()));
        }
        registry.register(
            "dns_operator_corefile_info",
            "The Corefile in force, by the first eight hexadecimal digits of its SHA-256",
            self.corefile.clone(),
        );
        registry.register_with_unit(
            "dns_operator_cache_limit",
            "How long answers with records and denials are cached at most, by the Corefile in force",
            Unit::Seconds,
            self.cache_limits.clone(),
        );
        registry.register(
            "dns_operator_corefile_published",
            "Changes of the Corefile in force",
            self.published.clone(),
        );
        registry.register(
            "dns_operator_ca_bundles",
            "CA bundles that the specification names, by what was found of them",
            self.ca_bundles.clone(),
        );
        registry.register(
            "dns_operator_api_requests",
            "Answers of the API server, or errors in their stead; repetitions of a refused request are not counted",
            self.requests.clone(),
        );
        registry.register(
            "dns_operator_leader",
            "Whether this replica is the one that acts",
            self.leader.clone(),
        );
        register_program(registry);
    }

    /// A pass over the objects has ended.
    pub fn reconciled(&self, outcome: &Outcome, took: Duration) {
        let controller = Controller::Dns;
        let result = match outcome {
            Outcome { failed: true, .. } => ReconcileResult::Error,
            Outcome {
                look_again: Some(_), ..
            } => ReconcileResult::RequeueAfter,
            Outcome { .. } => ReconcileResult::Success,
        };
        self.reconciles
            .get_or_create(&ReconcileLabels { controller, result })
            .inc();
        self.durations
            .get_or_create(&ControllerLabels { controller })
            .observe(took.as_secs_f64());
    }

    /// The specification was checked.
    pub fn spec_valid(&self, valid: bool) {
        self.spec_valid.set(Some(valid));
    }

    /// Whether the Corefile in force is that of the present specification; none when
    /// none shall be put into force.
    pub fn config_in_force(&self, in_force: Option<bool>) {
        self.config_in_force.set(in_force);
    }

    /// Which Corefile was in force before a pass, and which is after it.
    pub fn corefile(&self, before: Option<&str>, after: Option<&str>) {
        let Some(corefile) = after else {
            return;
        };
        if before != after {
            self.published.inc();
        }
        let published = Published::of(corefile);
        for (kind, limit) in [
            (CacheKind::Positive, published.positive_ttl),
            (CacheKind::Negative, published.negative_ttl),
        ] {
            let labels = CacheLabels { kind };
            match limit {
                Some(limit) => {
                    self.cache_limits.get_or_create(&labels).set(limit.into());
                }
                None => {
                    self.cache_limits.remove(&labels);
                }
            }
        }
        let labels = CorefileLabels {
            revision: published.revision,
        };
        if self.corefile.get(&labels).is_none() {
            self.corefile.clear();
            self.corefile.get_or_create(&labels).set(1);
        }
    }

    /// How many of the CA bundles that the specification names are in use, are not
    /// there, and hold no certificates. One that has gone while its copy is in use
    /// counts as both.
    pub fn ca_bundles(&self, in_use: usize, missing: usize, unreadable: usize) {
        for (state, count) in [
            (CaBundleState::InUse, in_use),
            (CaBundleState::Missing, missing),
            (CaBundleState::Unreadable, unreadable),
        ] {
            self.ca_bundles
                .get_or_create(&CaBundleLabels { state })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// This replica acts from now on, or does not any more.
    pub fn leading(&self, leading: bool) {
        self.leader.set(leading.into());
    }

    /// An upstream was probed: why it failed, if it did.
    pub fn probed(&self, failure: Option<&Failure>) {
        self.upstreams.probed(failure);
    }

    /// What is thought of all upstreams.
    pub fn upstreams(&self, verdicts: &Verdicts) {
        self.upstreams.show(verdicts);
    }

    fn requested(&self, verb: Verb, code: Code) {
        self.requests.get_or_create(&RequestLabels { verb, code }).inc();
    }

    /// Everything as text in the format of OpenMetrics.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
