//! What it costs to publish a large zone: `cargo bench -p remote --bench publication`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use records::{Endpoint, ZoneRecords};
use remote::server::publication::Publication;

/// How many record sets there are.
const RECORDS: usize = 200_000;

/// A record set as a cluster with many services has it.
fn record(number: usize) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        dns_name: format!("web-{number:06}.team-{}.example.com", number % 500).into(),
        targets: [format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255).into()].into(),
        ..Endpoint::default()
    })
}

fn source(records: &[Arc<Endpoint>]) -> Arc<ZoneRecords> {
    Arc::new(ZoneRecords {
        records: records.to_vec(),
        version: None,
    })
}

/// The octets of memory that the process takes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4096
}

fn publication(criterion: &mut Criterion) {
    let records: Vec<_> = (0..RECORDS).map(record).collect();
    let zone = source(&records);
    let before = resident();
    let publication = Publication::default();
    publication.publish(&zone);
    let octets = resident().saturating_sub(before);
    let mut group = criterion.benchmark_group(format!(
        "publishing {RECORDS} record sets, which takes {} octets for each beside the cache",
        octets / RECORDS
    ));
    group.sample_size(10);
    group.bench_function("the first time", |bencher| {
        bencher.iter_batched(
            Publication::default,
            |publication| publication.publish(black_box(&zone)),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("nothing has changed", |bencher| {
        bencher.iter(|| publication.publish(black_box(&zone)));
    });
    let mut changed = records.clone();
    let mut other = (*changed[RECORDS / 2]).clone();
    other.targets = ["192.0.2.1".into()].into();
    changed[RECORDS / 2] = Arc::new(other);
    let changed = source(&changed);
    let mut is_changed = false;
    group.bench_function("one record set has changed", |bencher| {
        bencher.iter(|| {
            is_changed = !is_changed;
            publication.publish(black_box(if is_changed { &changed } else { &zone }))
        });
    });
    let again = source(
        &records
            .iter()
            .map(|record| Arc::new((**record).clone()))
            .collect::<Vec<_>>(),
    );
    let mut is_again = false;
    group.bench_function("read again, and nothing has changed", |bencher| {
        bencher.iter(|| {
            is_again = !is_again;
            publication.publish(black_box(if is_again { &again } else { &zone }))
        });
    });
    group.finish();
}

criterion_group!(benches, publication);
criterion_main!(benches);
