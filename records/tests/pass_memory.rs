//! How much memory a pass over a large zone takes. A binary of its own: its allocator counts.

#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use dhat::{HeapStats, Profiler};
use records::cache::{Cached, Settings, SystemClock};
use records::engine::{self, Demand, Engine};
use records::ownership::{Affix, Ownership, Registry};
use records::plan::{Guard, Policy, Rules};
use records::provider::memory::Memory;
use records::source::Wanted;
use records::{Endpoint, ManagedTypes, Name, Provider, RESOURCE_LABEL, ZoneId};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// How many records are wanted; the zone has as many that tell who owns them.
const WANTED: usize = 10_000;
/// The most octets for a record of the zone beside its name and data.
const ALLOWED: usize = 200;
/// What an allocation costs the C library beside what was asked for, on average, in octets:
/// its own 8, and what is lost by rounding up to 16.
const ALLOCATION: usize = 16;

/// A record as a cluster with many services wants it.
fn endpoint(number: usize) -> Endpoint {
    let resource = format!("service/team-{}/web-{number}", number % 500);
    Endpoint {
        dns_name: format!("web-{number}.team-{}.example.test", number % 500).into(),
        targets: [format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255).into()].into(),
        ttl: NonZeroU32::new(300),
        labels: [(RESOURCE_LABEL.into(), resource.into())].into(),
        ..Endpoint::default()
    }
}

fn demand() -> Demand {
    Demand {
        wanted: Wanted {
            endpoints: (0..WANTED).map(endpoint).collect(),
            rejected: Vec::new(),
        },
        unread: Vec::new(),
    }
}

fn text(endpoint: &Endpoint) -> usize {
    let targets: usize = endpoint.targets.iter().map(|target| target.len()).sum();
    endpoint.dns_name.len() + targets
}

#[tokio::test]
async fn a_pass_with_nothing_to_do_takes_little_beside_the_text() {
    let settings = engine::Settings {
        ownership: Ownership::from(Registry::new("default", Affix::default()).unwrap()),
        rules: Rules {
            policy: Policy::Sync,
            owner: Some("default".into()),
            old_owner: None,
            managed: ManagedTypes::default(),
            domain_filters: Vec::new(),
        },
        guard: Guard::default(),
    };
    let provider = Arc::new(Memory::new([Name::parse("example.test").unwrap()]));
    let direct = Engine::new(Arc::clone(&provider) as Arc<dyn Provider>, settings.clone());
    let filled = direct.apply(direct.prospect(demand()).await.unwrap()).await;
    assert!(filled.is_complete());
    let zone = provider.records(&ZoneId("example.test".into()));
    let (count, text) = (zone.len(), zone.iter().map(text).sum::<usize>());
    assert_eq!(count, 2 * WANTED);
    drop((zone, filled));

    let _profiler = Profiler::builder().testing().build();
    let cached = Cached::open(
        Arc::clone(&provider) as Arc<dyn Provider>,
        Settings {
            time: Duration::from_hours(1),
            patch_on_apply: true,
            ..Settings::default()
        },
        Arc::new(SystemClock::default()),
    );
    let engine = Engine::new(Arc::new(cached.unwrap()), settings);
    assert!(engine.prospect(demand()).await.unwrap().is_empty());
    let stats = HeapStats::get();
    let most = stats.max_bytes + stats.max_blocks * ALLOCATION;
    let beside = most.saturating_sub(text) / count;
    assert!(
        beside <= ALLOWED,
        "{beside} octets a record, in {} allocations of {} records",
        stats.max_blocks,
        count
    );
}
