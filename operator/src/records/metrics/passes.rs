//! What is counted of passes.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use records::engine::{PassResult, ZoneResult};
use records::source::Rejection;
use records::{Outcome, RecordType};

/// What may come of a group.
const OUTCOMES: [&str; 5] = ["applied", "rejected", "conflict", "postponed", "unknown"];
/// How a change may end in its pass; what is pending comes again.
const RESULTS: [&str; 3] = ["applied", "rejected", "pending"];

/// What a pass came to.
#[derive(Debug, Default)]
pub struct Pass {
    /// What was done; none if it could not even be begun.
    pub result: Option<PassResult>,
    /// Endpoints that cannot be taken as they are written.
    pub rejected: Vec<Rejection>,
    /// How many sources could not be read.
    pub unread: usize,
    /// Whether there was something to be done that was only told.
    pub is_held_back: bool,
}

impl Pass {
    /// Whether everything that is wanted is in place, and nothing else of ours.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let result = self.result.as_ref();
        let known = self.unread == 0 && self.rejected.is_empty() && !self.is_held_back;
        known && result.is_some_and(PassResult::is_complete)
    }

    /// Whether all that could be done was done. What is wanted and cannot be does not count.
    fn is_synced(&self) -> bool {
        let zones = self.result.as_ref().map(|result| &result.zones);
        self.unread == 0 && zones.is_some_and(|zones| zones.iter().all(ZoneResult::is_complete))
    }
}

/// What is counted of passes.
#[derive(Clone, Debug, Default)]
pub struct PassMetrics {
    last_sync: Gauge<f64, AtomicU64>,
    last_reconcile: Gauge<f64, AtomicU64>,
    soft_errors: Gauge,
    idle_passes: Counter,
    source_errors: Counter,
    source_endpoints: Gauge,
    source_records: Family<TypeLabels, Gauge>,
    invalid_endpoints: Family<InvalidLabels, Gauge>,
    registry_errors: Counter,
    registry_endpoints: Gauge,
    registry_records: Family<TypeLabels, Gauge>,
    verified_records: Family<TypeLabels, Gauge>,
    groups: Family<OutcomeLabels, Counter>,
    changes: Family<ResultLabels, Counter>,
    not_in_place: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabels {
    record_type: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InvalidLabels {
    record_type: String,
    source_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

impl PassMetrics {
    /// Nothing is counted yet.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        metrics.register_sources(registry);
        metrics.register_zones(registry);
        // A series that begins at zero tells the first increase.
        for outcome in OUTCOMES {
            metrics.groups.get_or_create(&OutcomeLabels { outcome }).inc_by(0);
        }
        for result in RESULTS {
            metrics.changes.get_or_create(&ResultLabels { result }).inc_by(0);
        }
        metrics
    }

    fn register_sources(&self, registry: &mut Registry) {
        registry.register(
            "external_dns_source_errors",
            "Sources that could not be read, pass by pass",
            self.source_errors.clone(),
        );
        registry.register(
            "external_dns_source_endpoints_total",
            "Record sets that are wanted",
            self.source_endpoints.clone(),
        );
        registry.register(
            "external_dns_source_records",
            "Record sets that are wanted, by type",
            self.source_records.clone(),
        );
        registry.register(
            "external_dns_source_invalid_endpoints",
            "Endpoints that cannot be taken as they are written, by type and source",
            self.invalid_endpoints.clone(),
        );
        registry.register(
            "external_dns_controller_last_sync_timestamp_seconds",
            "When a pass has last done all that could be done",
            self.last_sync.clone(),
        );
        registry.register(
            "external_dns_controller_last_reconcile_timestamp_seconds",
            "When a pass was last made",
            self.last_reconcile.clone(),
        );
        registry.register(
            "external_dns_controller_consecutive_soft_errors",
            "Passes in a row that could not find out or do everything",
            self.soft_errors.clone(),
        );
        registry.register(
            "external_dns_controller_no_op_runs",
            "Passes that had nothing to change",
            self.idle_passes.clone(),
        );
    }

    fn register_zones(&self, registry: &mut Registry) {
        registry.register(
            "external_dns_registry_errors",
            "Zones that could not be read, or not be written as planned, pass by pass",
            self.registry_errors.clone(),
        );
        registry.register(
            "external_dns_registry_endpoints_total",
            "Record sets in the zones, but for those that only tell who owns others",
            self.registry_endpoints.clone(),
        );
        registry.register(
            "external_dns_registry_records",
            "Record sets in the zones, but for those that only tell who owns others, by type",
            self.registry_records.clone(),
        );
        registry.register(
            "external_dns_controller_verified_records",
            "Wanted record sets whose name and type the zones had before the pass, by type",
            self.verified_records.clone(),
        );
        registry.register(
            "external_dns_records_groups",
            "Names whose changes were handed to the provider, by what came of them",
            self.groups.clone(),
        );
        registry.register(
            "external_dns_records_changes",
            "Changes of record sets, those that tell ownership among them, by how they ended in their pass",
            self.changes.clone(),
        );
        registry.register(
            "external_dns_records_not_in_place",
            "Wanted record sets that are not in place, malformed ones among them",
            self.not_in_place.clone(),
        );
    }

    /// Counts a pass.
    pub fn count(&self, pass: &Pass) {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        self.last_reconcile.set(now);
        if pass.is_synced() {
            self.last_sync.set(now);
            self.soft_errors.set(0);
        } else {
            self.soft_errors.inc();
        }
        self.count_sources(pass);
        match &pass.result {
            Some(result) => self.count_zones(result, pass.rejected.len()),
            None => {
                self.registry_errors.inc();
            }
        }
    }

    fn count_sources(&self, pass: &Pass) {
        self.source_errors.inc_by(pass.unread as u64);
        self.invalid_endpoints.clear();
        for rejection in &pass.rejected {
            let labels = InvalidLabels {
                record_type: type_label(&RecordType::from(&*rejection.record_type)),
                source_type: match rejection.origin.file {
                    Some(_) => "file",
                    None => "crd",
                },
            };
            self.invalid_endpoints.get_or_create(&labels).inc();
        }
    }

    fn count_zones(&self, result: &PassResult, rejected: usize) {
        let figures = &result.figures;
        self.source_endpoints
            .set(set(&self.source_records, &figures.wanted));
        self.registry_endpoints
            .set(set(&self.registry_records, &figures.held));
        set(&self.verified_records, &figures.verified);
        let broken = result.zones.iter().filter(|zone| !zone.is_complete());
        self.registry_errors.inc_by(broken.count() as u64);
        let mut idle = true;
        for group in result.zones.iter().flat_map(|zone| &zone.groups) {
            idle = false;
            let [outcome, result] = match group.outcome {
                Outcome::Applied { .. } => [OUTCOMES[0], RESULTS[0]],
                Outcome::Rejected { .. } => [OUTCOMES[1], RESULTS[1]],
                Outcome::Conflict { .. } => [OUTCOMES[2], RESULTS[2]],
                Outcome::Postponed { .. } => [OUTCOMES[3], RESULTS[2]],
                Outcome::Unknown { .. } => [OUTCOMES[4], RESULTS[2]],
            };
            self.groups.get_or_create(&OutcomeLabels { outcome }).inc();
            let changes = self.changes.get_or_create(&ResultLabels { result });
            changes.inc_by(group.group.changes.len() as u64);
        }
        if idle {
            self.idle_passes.inc();
        }
        self.not_in_place.set(number(result.verdicts.len() + rejected));
    }
}

/// Shows counts by type; the sum.
fn set(family: &Family<TypeLabels, Gauge>, counts: &BTreeMap<RecordType, usize>) -> i64 {
    family.clear();
    for (record_type, count) in counts {
        let record_type = type_label(record_type);
        family
            .get_or_create(&TypeLabels { record_type })
            .inc_by(number(*count));
    }
    number(counts.values().sum())
}

/// The type in small letters, as external-dns has it. Whoever writes an endpoint may call its
/// type anything, and the number of series is bounded.
fn type_label(record_type: &RecordType) -> String {
    match record_type {
        RecordType::Other(_) => "other".into(),
        known => known.as_str().to_ascii_lowercase(),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
