//! How long the planner takes: `cargo bench -p records --bench planner`.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use records::plan::{Policy, Rules};
use records::{Endpoint, ManagedTypes, OWNER_LABEL, RESOURCE_LABEL, plan};

/// How many records there are.
const RECORDS: usize = 100_000;

/// A record as a cluster with many services wants it.
fn endpoint(number: usize) -> Endpoint {
    let resource = format!("service/team-{}/web-{number}", number % 500);
    Endpoint {
        dns_name: format!("web-{number}.team-{}.example.com", number % 500).into(),
        targets: [format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255).into()].into(),
        ttl: NonZeroU32::new(300),
        labels: [(RESOURCE_LABEL.into(), resource.into())].into(),
        ..Endpoint::default()
    }
}

fn owned(number: usize) -> Arc<Endpoint> {
    let mut endpoint = endpoint(number);
    endpoint.labels.insert(OWNER_LABEL.into(), "default".into());
    Arc::new(endpoint)
}

fn planner(criterion: &mut Criterion) {
    let rules = Rules {
        policy: Policy::Sync,
        owner: Some("default".into()),
        old_owner: None,
        managed: ManagedTypes::default(),
        domain_filters: Vec::new(),
    };
    let wanted: Vec<_> = (0..RECORDS).map(endpoint).collect();
    let current: Vec<_> = (0..RECORDS).map(owned).collect();
    // As far from the order of the wanted as a list can be: 7,919 is prime to the length.
    let scattered: Vec<_> = (0..RECORDS)
        .map(|number| owned(number * 7919 % RECORDS))
        .collect();
    let mut group = criterion.benchmark_group("plan of 100,000 records");
    group.sample_size(20);
    group.bench_function("nothing to do", |bencher| {
        bencher.iter(|| plan(black_box(&current), black_box(&wanted), &rules));
    });
    group.bench_function("nothing to do, in no order", |bencher| {
        bencher.iter(|| plan(black_box(&scattered), black_box(&wanted), &rules));
    });
    group.bench_function("all to be created", |bencher| {
        bencher.iter_batched(
            || (),
            |()| plan(&[], black_box(&wanted), &rules),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, planner);
criterion_main!(benches);
