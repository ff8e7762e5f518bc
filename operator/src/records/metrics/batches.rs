//! What is counted of batches, where the provider takes any.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use records::Provider;
use records::batch::{Answer, Counters};

use super::family;

/// A provider, asked when the metrics are read.
pub(super) struct BatchCollector(pub Arc<dyn Provider>);

impl fmt::Debug for BatchCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BatchCollector")
    }
}

impl Collector for BatchCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        match self.0.batches() {
            Some(counters) => encode(&mut encoder, &counters),
            None => Ok(()),
        }
    }
}

fn encode(encoder: &mut DescriptorEncoder<'_>, counters: &Counters) -> Result<(), fmt::Error> {
    family(
        encoder,
        "external_dns_records_batches",
        "Calls of the provider with changes, by what it answered",
        "answer",
        Answer::ALL.map(|answer| (answer.as_str(), counters.answered(answer))),
    )?;
    let plain = [
        (
            "external_dns_records_batch_splits",
            "Calls that were cut in two because they were refused",
            counters.splits,
        ),
        (
            "external_dns_records_held_back",
            "Names that were not sent because they were refused not long ago",
            counters.held_back,
        ),
        (
            "external_dns_records_throttle_waits",
            "Waits because the provider was called too often",
            counters.waits,
        ),
    ];
    for (name, help, count) in plain {
        let counter = ConstCounter::new(count);
        counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
    }
    let waited = ConstCounter::new(counters.waited.as_secs_f64());
    waited.encode(encoder.encode_descriptor(
        "external_dns_records_throttle_wait_seconds",
        "How long these were",
        None,
        waited.metric_type(),
    )?)?;
    let quarantined = ConstGauge::new(i64::try_from(counters.quarantined).unwrap_or(i64::MAX));
    quarantined.encode(encoder.encode_descriptor(
        "external_dns_records_quarantined",
        "Names that were refused, and are tried again later",
        None,
        quarantined.metric_type(),
    )?)
}
