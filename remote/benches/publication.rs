//! What it costs to publish a large zone: `cargo bench -p remote --bench publication`.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be made is a panic")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use records::cache::{Cached, Settings, SystemClock};
use records::provider::memory::Memory;
use records::{Change, Endpoint, Group, Name, Provider as _, Zone, ZoneId, ZoneRecords};
use remote::server::publication::Publication;

/// How many record sets there are.
const RECORDS: usize = 200_000;

/// A record set as a cluster with many services has it.
fn record(number: usize) -> Endpoint {
    Endpoint {
        dns_name: format!("web-{number:06}.team-{}.example.com", number % 500).into(),
        targets: [format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255).into()].into(),
        ..Endpoint::default()
    }
}

/// What a cache tells of a zone: before a change to one record set, after it, and when it
/// has read the zone again.
fn sources() -> [Arc<ZoneRecords>; 3] {
    let name = Name::parse("example.com").unwrap();
    let zone = Zone {
        id: ZoneId(name.as_str().into()),
        name: name.clone(),
    };
    let memory = Arc::new(Memory::new([name]));
    (0..RECORDS).for_each(|number| memory.put(record(number)));
    let settings = Settings {
        time: Duration::from_secs(3600),
        patch_on_apply: true,
        ..Settings::default()
    };
    let open = || {
        let clock = Arc::new(SystemClock::default());
        Cached::open(memory.clone(), settings.clone(), clock).unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let cache = open();
        let before = cache.shared(&zone).await.unwrap();
        let old = record(RECORDS / 2);
        let mut new = old.clone();
        new.targets = ["192.0.2.1".into()].into();
        let group = Group {
            name: old.name().unwrap(),
            changes: vec![Change::Update { old, new }],
        };
        cache.apply(&zone, &[group]).await;
        let after = cache.shared(&zone).await.unwrap();
        [before, after, open().shared(&zone).await.unwrap()]
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
    let [zone, changed, again] = sources();
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
    let steps = [
        ("one record set has changed", &zone),
        ("read again, and nothing has changed", &again),
    ];
    for (what, other) in steps {
        let mut turns = [&changed, other].into_iter().cycle();
        publication.publish(other);
        group.bench_function(what, |bencher| {
            bencher.iter(|| turns.next().map(|source| publication.publish(black_box(source))));
        });
    }
    group.finish();
}

criterion_group!(benches, publication);
criterion_main!(benches);
