//! What is counted of the central server's clients, by their namespace.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use remote::server::{Figures, NamespaceFigures};
use tokio::sync::watch as channel;

use super::super::serve::Office;
use super::{Labels, counters, series, with};

/// The central server while it leads, read when the metrics are.
#[derive(Debug)]
pub(super) struct CentralCollector(pub channel::Receiver<Option<Arc<Office>>>);

impl Collector for CentralCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let office = self.0.borrow().clone();
        let leading = ConstGauge::new(i64::from(office.is_some()));
        let told = (
            "external_dns_records_remote_leading",
            "Whether this server talks to the providers",
        );
        series(&mut encoder, told, MetricType::Gauge, [(Labels::new(), leading)])?;
        match office {
            Some(office) => encode(&mut encoder, &office.central.figures()),
            None => Ok(()),
        }
    }
}

type Plain = (&'static str, &'static str, fn(&NamespaceFigures) -> u64);

const PLAIN: [Plain; 3] = [
    (
        "external_dns_records_remote_whole_reads",
        "Zones that were told to a client whole",
        |figures| figures.whole_reads,
    ),
    (
        "external_dns_records_remote_record_sets_sent",
        "Record sets that were told to clients",
        |figures| figures.records,
    ),
    (
        "external_dns_records_remote_overloads",
        "Calls that were told to come again later, because of quotas and full queues",
        |figures| figures.overloads,
    ),
];

fn encode(encoder: &mut DescriptorEncoder<'_>, figures: &Figures) -> Result<(), fmt::Error> {
    let namespaces = || {
        let namespaces = figures.namespaces.iter();
        namespaces.map(|(namespace, figures)| (vec![("namespace", namespace.to_string())], figures))
    };
    let calls = namespaces().flat_map(|(labels, figures): (Labels, _)| {
        [
            ("login", figures.logins),
            ("list_zones", figures.lists),
            ("read_zone", figures.reads),
            ("watch_zones", figures.watches),
            ("apply", figures.writes),
        ]
        .map(|(call, count)| (with(labels.clone(), "call", call), count))
    });
    let told = (
        "external_dns_records_remote_calls",
        "Calls of clients, by their namespace",
    );
    counters(encoder, told, calls)?;
    let outcomes = namespaces().flat_map(|(labels, figures): (Labels, _)| {
        [
            ("applied", figures.applied),
            ("rejected", figures.rejected),
            ("conflict", figures.conflicts),
            ("postponed", figures.postponed),
            ("unknown", figures.unknown),
        ]
        .map(|(outcome, count)| (with(labels.clone(), "outcome", outcome), count))
    });
    let told = (
        "external_dns_records_remote_groups",
        "Names whose changes clients asked for, by what came of them",
    );
    counters(encoder, told, outcomes)?;
    for (name, help, count) in PLAIN {
        counters(
            encoder,
            (name, help),
            namespaces().map(|(labels, figures)| (labels, count(figures))),
        )?;
    }
    let told = (
        "external_dns_records_remote_denied",
        "Calls that were refused because of who made them",
    );
    counters(encoder, told, [(Labels::new(), figures.denied)])
}
