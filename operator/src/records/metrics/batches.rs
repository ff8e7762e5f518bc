//! What is counted of batches, where the provider takes any.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use records::Provider as _;
use records::batch::{Answer, Counters};

use super::{Caches, Labels, counters, of_account, series, with};

/// Providers, asked when the metrics are read.
#[derive(Debug)]
pub(super) struct BatchCollector(pub Arc<Caches>);

impl Collector for BatchCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let caches = (self.0.0)();
        let counted = caches.iter().filter_map(|(account, cache)| {
            let counters = cache.batches()?;
            Some((of_account(account.as_ref()), counters))
        });
        let counted: Vec<(Labels, Counters)> = counted.collect();
        if counted.is_empty() {
            return Ok(());
        }
        encode(&mut encoder, &counted)
    }
}

type Plain = (&'static str, &'static str, fn(&Counters) -> u64);

const PLAIN: [Plain; 3] = [
    (
        "external_dns_records_batch_splits",
        "Calls that were cut in two because they were refused",
        |counters| counters.splits,
    ),
    (
        "external_dns_records_quarantine_held_back",
        "Names that were not sent because they were refused not long ago",
        |counters| counters.held_back,
    ),
    (
        "external_dns_records_throttle_waits",
        "Waits because the provider was called too often",
        |counters| counters.waits,
    ),
];

fn encode(encoder: &mut DescriptorEncoder<'_>, counted: &[(Labels, Counters)]) -> Result<(), fmt::Error> {
    let answers = counted.iter().flat_map(|(labels, of_one)| {
        Answer::ALL.map(|answer| {
            (
                with(labels.clone(), "answer", answer.as_str()),
                of_one.answered(answer),
            )
        })
    });
    counters(
        encoder,
        (
            "external_dns_records_batches",
            "Calls of the provider with changes, by what it answered",
        ),
        answers,
    )?;
    for (name, help, count) in PLAIN {
        let counts = counted
            .iter()
            .map(|(labels, counters)| (labels.clone(), count(counters)));
        counters(encoder, (name, help), counts)?;
    }
    let waited = counted.iter().map(|(labels, counters)| {
        let seconds = counters.waited.as_secs_f64();
        (labels.clone(), ConstCounter::new(seconds))
    });
    series(
        encoder,
        (
            "external_dns_records_throttle_wait_seconds",
            "How long these were",
        ),
        MetricType::Counter,
        waited,
    )?;
    let quarantined = counted.iter().map(|(labels, counters)| {
        let count = i64::try_from(counters.quarantined).unwrap_or(i64::MAX);
        (labels.clone(), ConstGauge::new(count))
    });
    series(
        encoder,
        (
            "external_dns_records_quarantined",
            "Names that were refused, and are tried again later",
        ),
        MetricType::Gauge,
        quarantined,
    )
}
