//! What is counted of caches and the providers behind them.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use records::cache::{CacheStatus, Counters, ZoneStatus};

use super::{Caches, Labels, counters, of_account, series, with};

/// Caches, read when the metrics are.
#[derive(Debug)]
pub(super) struct CacheCollector(pub Arc<Caches>);

/// What a cache tells, and the labels of all that is its.
type Counted = [(Labels, CacheStatus)];

impl Collector for CacheCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let caches = (self.0.0)();
        let counted = caches
            .iter()
            .map(|(account, cache)| (of_account(account.as_ref()), cache.status()));
        let counted: Vec<(Labels, CacheStatus)> = counted.collect();
        if counted.is_empty() {
            return Ok(());
        }
        of_external_dns(&mut encoder, &counted)?;
        calls(&mut encoder, &counted)?;
        disk(&mut encoder, &counted)?;
        zones(&mut encoder, &counted)
    }
}

type Plain = (&'static str, &'static str, fn(&Counters) -> u64);

const PLAIN: [Plain; 5] = [
    (
        "external_dns_records_cache_hits",
        "Zones served without asking the provider",
        |counters| counters.hits,
    ),
    (
        "external_dns_records_cache_misses",
        "Zones served after asking the provider",
        |counters| counters.misses,
    ),
    (
        "external_dns_records_cache_patches",
        "Names that were put into the cache after they were written",
        |counters| counters.patches,
    ),
    (
        "external_dns_records_cache_conflicts",
        "Names of which a zone did not hold what was believed",
        |counters| counters.conflicts,
    ),
    (
        "external_dns_records_cache_restores",
        "Zones that came from disk",
        |counters| counters.restores,
    ),
];

fn calls(encoder: &mut DescriptorEncoder<'_>, counted: &Counted) -> Result<(), fmt::Error> {
    let calls = counted.iter().flat_map(|(labels, status)| {
        let calls = status.provider_calls.iter();
        calls.map(|(operation, count)| (with(labels.clone(), "operation", operation.as_str()), *count))
    });
    let told = (
        "external_dns_records_provider_calls",
        "Calls of the provider, by what for",
    );
    counters(encoder, told, calls)?;
    for (name, help, count) in PLAIN {
        let counts = counted
            .iter()
            .map(|(labels, status)| (labels.clone(), count(&status.counters)));
        counters(encoder, (name, help), counts)?;
    }
    Ok(())
}

/// external-dns's counters whose names do not end as OpenMetrics wants it of a counter.
fn of_external_dns(encoder: &mut DescriptorEncoder<'_>, counted: &Counted) -> Result<(), fmt::Error> {
    let calls = counted.iter().flat_map(|(labels, status)| {
        let counters = &status.counters;
        [("true", counters.hits), ("false", counters.misses)]
            .map(|(value, count)| (with(labels.clone(), "from_cache", value), number(count)))
    });
    series(
        encoder,
        (
            "external_dns_provider_cache_records_calls",
            "Zones that were read, by whether the cache alone answered",
        ),
        MetricType::Unknown,
        calls,
    )?;
    let writes = counted
        .iter()
        .map(|(labels, status)| (labels.clone(), number(status.counters.apply_calls)));
    series(
        encoder,
        (
            "external_dns_provider_cache_apply_changes_calls",
            "Calls with changes for the provider",
        ),
        MetricType::Unknown,
        writes,
    )
}

fn number(count: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX))
}

fn disk(encoder: &mut DescriptorEncoder<'_>, counted: &Counted) -> Result<(), fmt::Error> {
    let failed = counted.iter().map(|(labels, status)| {
        let failed = i64::from(status.not_kept.is_some());
        (labels.clone(), ConstGauge::new(failed))
    });
    series(
        encoder,
        (
            "external_dns_records_cache_disk_failed",
            "Whether the cache cannot be kept on disk and goes on in memory",
        ),
        MetricType::Gauge,
        failed,
    )?;
    let restored = counted.iter().map(|(labels, status)| {
        let seconds = status.counters.restore_time.as_secs_f64();
        (labels.clone(), ConstGauge::new(seconds))
    });
    series(
        encoder,
        (
            "external_dns_records_cache_restore_seconds",
            "How long it took to read the cache from disk",
        ),
        MetricType::Gauge,
        restored,
    )
}

fn zones(encoder: &mut DescriptorEncoder<'_>, counted: &Counted) -> Result<(), fmt::Error> {
    let count = |number: usize| Some(i64::try_from(number).unwrap_or(i64::MAX));
    by_zone(
        encoder,
        "external_dns_records_cache_dirty",
        "Names that are read again before they are believed",
        counted,
        |zone| count(zone.doubtful),
    )?;
    by_zone(
        encoder,
        "external_dns_records_cache_records",
        "Record sets of the zone",
        counted,
        |zone| count(zone.records),
    )?;
    by_zone(
        encoder,
        "external_dns_records_cache_age_seconds",
        "How long ago all of the zone was read",
        counted,
        |zone| zone.age.map(|age| age.as_secs_f64()),
    )
}

/// A gauge for each zone that has a value.
fn by_zone<T: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counted: &Counted,
    value: impl Fn(&ZoneStatus) -> Option<T>,
) -> Result<(), fmt::Error> {
    let samples = counted.iter().flat_map(|(labels, status)| {
        let of_zones = status.zones.iter().filter_map(|zone| {
            let value = value(zone)?;
            let labels = with(labels.clone(), "zone", zone.zone.name.to_string());
            Some((labels, ConstGauge::new(value)))
        });
        of_zones.collect::<Vec<_>>()
    });
    series(encoder, (name, help), MetricType::Gauge, samples)
}
