//! Whole passes with cache and ownership, over a zone in memory that takes batches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use records::batch::{Answer, Dispatcher, Limits, Settings};
use records::cache::{self, Cached};
use records::engine::{Engine, PassResult};
use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind, Memory, Naming};
use records::{Endpoint, Name, Outcome, Provider, RecordType, Zone};

use crate::cache::world::{HandClock, MINUTE, TIME, name, only_zone, zone};
use crate::passes::{a, demand, settings, told};

struct Site {
    memory: Arc<Memory>,
    cache: Arc<Cached>,
    engine: Engine,
    clock: Arc<HandClock>,
    zone: Zone,
}

impl Site {
    fn new(size: usize) -> Self {
        let clock = Arc::<HandClock>::default();
        let zone = zone("example.com");
        let batches = Settings {
            size,
            ..Settings::default()
        };
        let dispatcher = Dispatcher::new(batches).with_clock(clock.clone());
        let memory = Arc::new(Memory::new([zone.name.clone()]).with_dispatcher(dispatcher));
        let kept = cache::Settings {
            time: TIME,
            patch_on_apply: true,
            ..cache::Settings::default()
        };
        let cache = Cached::open(memory.clone(), kept, clock.clone()).unwrap();
        let cache = Arc::new(cache);
        let engine = Engine::new(cache.clone(), settings());
        Self {
            memory,
            cache,
            engine,
            clock,
            zone,
        }
    }

    async fn pass(&self, wanted: &[Endpoint]) -> PassResult {
        let prospect = self.engine.prospect(demand(wanted)).await.unwrap();
        self.engine.apply(prospect).await
    }

    fn refuse(&self, numbers: &BTreeSet<usize>) {
        for number in numbers {
            let name = name(&format!("n{number}.example.com"));
            self.memory.refuse(name, Some("content is not valid"));
        }
    }

    /// The names with an address. Each has its ownership record, and no other has one.
    fn names(&self) -> BTreeSet<Name> {
        let records = self.memory.records(&self.zone.id);
        let of = |record_type: RecordType| -> BTreeSet<Name> {
            let records = records.iter().filter(|record| record.record_type == record_type);
            records.map(|record| record.name().unwrap()).collect()
        };
        let addresses = of(RecordType::A);
        let owned: BTreeSet<Name> = of(RecordType::Txt)
            .iter()
            .map(|txt| name(txt.as_str().strip_prefix("a-").unwrap()))
            .collect();
        assert_eq!(addresses, owned, "a group was split");
        addresses
    }

    /// Whether the cache is what the zone is.
    async fn assert_cache_is_right(&self) {
        let by_key = |records: Vec<Endpoint>| -> BTreeMap<_, _> {
            let keyed = records.into_iter().map(|record| (record.key().unwrap(), record));
            keyed.collect()
        };
        let read = self.cache.read(&self.zone).await.unwrap();
        let read = read.records.iter().map(|record| (**record).clone()).collect();
        assert_eq!(by_key(read), by_key(self.memory.records(&self.zone.id)));
        assert_eq!(only_zone(&self.cache.status()).doubtful, 0);
    }

    fn applies(&self) -> u64 {
        self.memory.calls().of(Operation::Apply)
    }
}

fn wanted(count: usize) -> Vec<Endpoint> {
    let names = (0..count).map(|number| format!("n{number}.example.com"));
    names.map(|name| a(&name, "192.0.2.1")).collect()
}

fn numbers(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    numbers.into_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn a_pass_is_as_few_calls_as_its_batches() {
    let site = Site::new(200);
    assert!(site.pass(&wanted(250)).await.is_complete());
    assert_eq!(site.names().len(), 250);
    // 250 addresses and as many ownership records.
    assert_eq!(site.applies(), 3);
    let batches = site.cache.batches().unwrap();
    assert_eq!((batches.sent(), batches.answered(Answer::Applied)), (3, 3));
    assert!(site.pass(&wanted(250)).await.is_complete());
    assert_eq!(site.applies(), 3);
    site.assert_cache_is_right().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_is_told_and_costs_the_next_passes_nothing() {
    let site = Site::new(400);
    site.refuse(&numbers([123]));
    let result = site.pass(&wanted(200)).await;
    assert_eq!(told(&result.verdicts), ["n123.example.com RejectedByProvider"]);
    let message = result.verdicts[0].state.message();
    assert!(
        message.starts_with("content is not valid; it is tried again at"),
        "{message}"
    );
    assert_eq!(site.names().len(), 199);
    let first = site.applies();
    assert!(first <= 16, "{first} calls");
    for _ in 1..20 {
        site.clock.advance(MINUTE);
        let result = site.pass(&wanted(200)).await;
        assert_eq!(told(&result.verdicts), ["n123.example.com RejectedByProvider"]);
    }
    assert_eq!(site.applies(), first + 4);
    let mut mended = wanted(200);
    mended[123] = a("n123.example.com", "192.0.2.2");
    site.memory.refuse(name("n123.example.com"), None);
    assert!(site.pass(&mended).await.is_complete());
    assert_eq!(site.applies(), first + 5);
    site.assert_cache_is_right().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_wrote_keeps_no_other_back() {
    let site = Site::new(200);
    site.pass(&[]).await;
    site.memory.put(a("n3.example.com", "198.51.100.1"));
    let result = site.pass(&wanted(8)).await;
    assert_eq!(told(&result.verdicts), ["n3.example.com Pending"]);
    assert_eq!(site.cache.batches().unwrap().quarantined, 0);
    site.assert_cache_is_right().await;
}

#[derive(Clone, Debug)]
struct Scene {
    count: usize,
    bad: BTreeSet<usize>,
    size: usize,
    told: Limits,
    held: Limits,
    naming: Naming,
}

fn limits() -> impl Strategy<Value = Limits> {
    let limits = (
        option::of(2..30usize),
        option::of(100..900usize),
        option::of(2..30usize),
    );
    limits.prop_map(|(operations, octets, values)| Limits {
        operations,
        octets,
        values,
    })
}

fn scene() -> impl Strategy<Value = Scene> {
    let naming = prop::sample::select(vec![Naming::Nobody, Naming::First, Naming::All]);
    let zone = (1..40usize, btree_set(0..40usize, 0..8), 1..50usize);
    (zone, limits(), limits(), naming).prop_map(|((count, bad, size), told, held, naming)| Scene {
        count,
        bad: bad.into_iter().filter(|bad| *bad < count).collect(),
        size,
        told,
        held,
        naming,
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    let kind = prop_oneof![
        Just(FaultKind::Throttled),
        Just(FaultKind::Unavailable),
        Just(FaultKind::Malformed),
        (0..2usize).prop_map(|written| FaultKind::LostReply { written }),
        Just(FaultKind::Latency(Duration::from_secs(20))),
    ];
    (0..12usize, kind).prop_map(|(after, kind)| Fault {
        operation: Operation::Apply,
        after,
        kind,
    })
}

/// A pass over an empty zone, and those after it.
async fn play(scene: Scene, faults: Vec<Fault>) {
    let site = Site::new(scene.size);
    site.memory.set_limits(scene.told, scene.held);
    site.memory.set_naming(scene.naming);
    site.refuse(&scene.bad);
    let calm = faults.is_empty();
    for fault in faults {
        site.memory.fail(fault);
    }
    let wanted = wanted(scene.count);
    let good: BTreeSet<Name> = wanted
        .iter()
        .enumerate()
        .filter(|(number, _)| scene.size > 1 && !scene.bad.contains(number))
        .map(|(_, endpoint)| endpoint.name().unwrap())
        .collect();
    let result = site.pass(&wanted).await;
    let names = site.names();
    assert_eq!(result.zones[0].groups.len(), scene.count);
    for group in &result.zones[0].groups {
        let there = names.contains(&group.group.name);
        match &group.outcome {
            Outcome::Applied { .. } => assert!(there, "{group:?}"),
            Outcome::Unknown { .. } => assert!(!calm, "{group:?}"),
            Outcome::Postponed { .. } => assert!(!there && !calm, "{group:?}"),
            Outcome::Rejected { reason } => {
                let ours = scene.size > 1
                    || reason.contains("2 operations") && reason.contains("--batch-change-size");
                assert!(!there && ours && !good.contains(&group.group.name), "{group:?}");
            }
            Outcome::Conflict { .. } => panic!("{group:?}"),
        }
    }
    if calm {
        assert_eq!(names, good);
    }
    site.assert_cache_is_right().await;
    // However it went, all comes to be.
    for _ in 0..40 {
        site.pass(&wanted).await;
    }
    assert_eq!(site.names(), good);
    site.assert_cache_is_right().await;
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn good_groups_land_in_one_pass_whole(scene in scene(), faults in prop_oneof![Just(Vec::new()), vec(fault(), 1..5)]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(scene, faults));
    }
}
