//! What is counted of a cache and the provider behind it.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use records::cache::{CacheStatus, Cached, Counters, ZoneStatus};

use super::family;

/// A cache, read when the metrics are.
pub(super) struct CacheCollector(pub(super) Arc<Cached>);

impl fmt::Debug for CacheCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CacheCollector")
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
    of_external_dns(encoder, counters)?;
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
    disk(encoder, status)
}

/// external-dns's counters whose names do not end as OpenMetrics wants it of a counter.
fn of_external_dns(encoder: &mut DescriptorEncoder<'_>, counters: &Counters) -> Result<(), fmt::Error> {
    let mut calls = encoder.encode_descriptor(
        "external_dns_provider_cache_records_calls",
        "Zones that were read, by whether the cache alone answered",
        None,
        MetricType::Unknown,
    )?;
    for (value, count) in [("true", counters.hits), ("false", counters.misses)] {
        number(count).encode(calls.encode_family(&[("from_cache", value)])?)?;
    }
    number(counters.apply_calls).encode(encoder.encode_descriptor(
        "external_dns_provider_cache_apply_changes_calls",
        "Calls with changes for the provider",
        None,
        MetricType::Unknown,
    )?)
}

fn number(count: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX))
}

fn disk(encoder: &mut DescriptorEncoder<'_>, status: &CacheStatus) -> Result<(), fmt::Error> {
    let failed = ConstGauge::new(i64::from(status.not_kept.is_some()));
    failed.encode(encoder.encode_descriptor(
        "external_dns_records_cache_disk_failed",
        "Whether the cache cannot be kept on disk and goes on in memory",
        None,
        failed.metric_type(),
    )?)?;
    let restored = ConstGauge::new(status.counters.restore_time.as_secs_f64());
    restored.encode(encoder.encode_descriptor(
        "external_dns_records_cache_restore_seconds",
        "How long it took to read the cache from disk",
        None,
        restored.metric_type(),
    )?)
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
