//! Passes over zones in memory: what is wanted comes to be, whatever else goes wrong.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use records::engine::{Demand, Engine, PassResult, Prospect, Settings};
use records::ownership::{Affix, Ownership, Registry};
use records::plan::{Acknowledgement, Guard, Policy, Rules};
use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind, Memory};
use records::source::{Origin, Rejection, Wanted};
use records::verdict::Verdict;
use records::{
    DomainFilter, Endpoint, Labels, ManagedTypes, Name, Provider, RESOURCE_LABEL, RecordType, ZoneId,
};

const ZONE: &str = "example.com";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn settings() -> Settings {
    let registry = Registry::new("us", Affix::new("", "", "").unwrap()).unwrap();
    Settings {
        ownership: Ownership::Txt(Box::new(registry)),
        rules: Rules {
            policy: Policy::Sync,
            owner: Some("us".into()),
            old_owner: None,
            managed: ManagedTypes::new([RecordType::A, RecordType::Cname], &[]),
            domain_filters: vec![DomainFilter::default()],
        },
        guard: Guard::default(),
    }
}

/// Waits without a server: nothing here takes time.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

struct Bench {
    memory: Arc<Memory>,
    engine: Engine,
}

impl Bench {
    fn new() -> Self {
        Self::with(settings())
    }

    fn with(settings: Settings) -> Self {
        let memory = Arc::new(Memory::new([name(ZONE), name("other.test")]));
        let engine = Engine::new(Arc::clone(&memory) as Arc<dyn Provider>, settings);
        Self { memory, engine }
    }

    fn prospect(&self, demand: Demand) -> Prospect {
        block_on(self.engine.prospect(demand)).unwrap()
    }

    fn pass(&self, demand: Demand) -> PassResult {
        let prospect = self.prospect(demand);
        block_on(self.engine.apply(prospect))
    }

    /// The addresses and aliases of the zone, as `name data`.
    fn records(&self) -> Vec<String> {
        let records = self.memory.records(&ZoneId(ZONE.into())).into_iter();
        let records = records.filter(|record| record.record_type != RecordType::Txt);
        let records = records.map(|record| format!("{} {}", record.dns_name, record.targets.join(" ")));
        records.collect()
    }
}

fn endpoint(name: &str, record_type: RecordType, target: &str) -> Endpoint {
    Endpoint {
        dns_name: name.into(),
        record_type,
        targets: [target.into()].into(),
        labels: [(RESOURCE_LABEL.into(), "crd/default/it".into())].into(),
        ..Endpoint::default()
    }
}

pub fn a(name: &str, address: &str) -> Endpoint {
    endpoint(name, RecordType::A, address)
}

pub fn demand(endpoints: &[Endpoint]) -> Demand {
    Demand {
        wanted: Wanted {
            endpoints: endpoints.to_vec(),
            rejected: Vec::new(),
        },
        unread: Vec::new(),
    }
}

/// The verdicts, as `name reason`.
pub fn told(verdicts: &[Verdict]) -> Vec<String> {
    let told = verdicts.iter();
    told.map(|verdict| format!("{} {}", verdict.key.name, verdict.state.reason()))
        .collect()
}

#[test]
fn what_is_wanted_comes_to_be_and_goes_again() {
    let bench = Bench::new();
    let first = [
        a("www.example.com", "192.0.2.1"),
        a("old.example.com", "192.0.2.9"),
    ];
    assert!(bench.pass(demand(&first)).is_complete());
    assert_eq!(
        bench.records(),
        ["old.example.com 192.0.2.9", "www.example.com 192.0.2.1"]
    );
    let second = [
        endpoint("www.example.com", RecordType::Cname, "old.example.com"),
        a("new.example.com", "192.0.2.3"),
    ];
    assert!(bench.pass(demand(&second)).is_complete());
    assert_eq!(
        bench.records(),
        ["new.example.com 192.0.2.3", "www.example.com old.example.com"]
    );
    let again = bench.prospect(demand(&second));
    assert!(again.is_empty() && again.verdicts.is_empty(), "{again:?}");
}

#[test]
fn nothing_is_deleted_while_a_source_cannot_be_read() {
    let bench = Bench::new();
    bench.pass(demand(&[
        a("a.example.com", "192.0.2.1"),
        a("b.example.com", "192.0.2.2"),
    ]));
    let wanted = [
        endpoint("a.example.com", RecordType::Cname, "c.example.com"),
        a("c.example.com", "192.0.2.3"),
    ];
    let mut partial = demand(&wanted);
    partial.unread.push("records.yaml: no such file".into());
    let prospect = bench.prospect(partial.clone());
    assert_eq!(prospect.zones[0].held, 2);
    let result = bench.pass(partial);
    // The alias would have to take the place of an address.
    assert_eq!(told(&result.verdicts), ["a.example.com Pending"]);
    assert_eq!(
        bench.records(),
        [
            "a.example.com 192.0.2.1",
            "b.example.com 192.0.2.2",
            "c.example.com 192.0.2.3"
        ]
    );
    assert!(bench.pass(demand(&wanted)).is_complete());
    assert_eq!(
        bench.records(),
        ["a.example.com c.example.com", "c.example.com 192.0.2.3"]
    );
}

#[test]
fn a_malformed_endpoint_keeps_what_its_name_has() {
    let bench = Bench::new();
    bench.pass(demand(&[
        a("a.example.com", "192.0.2.1"),
        a("b.example.com", "192.0.2.2"),
    ]));
    let mut demand = demand(&[]);
    demand.wanted.rejected.push(Rejection {
        origin: Origin {
            resource: "crd/default/it".into(),
            file: None,
        },
        index: 0,
        dns_name: "A.example.com.".into(),
        record_type: "A".into(),
        set_identifier: "".into(),
        reason: "targets[0]: no address".into(),
    });
    bench.pass(demand);
    assert_eq!(bench.records(), ["a.example.com 192.0.2.1"]);
}

#[test]
fn a_zone_that_cannot_be_read_keeps_nobody_waiting() {
    let bench = Bench::new();
    bench.memory.fail(Fault {
        operation: Operation::Read,
        after: 0,
        kind: FaultKind::Unavailable,
    });
    let wanted = [
        a("www.example.com", "192.0.2.1"),
        a("www.other.test", "192.0.2.2"),
        a("www.elsewhere.test", "192.0.2.3"),
    ];
    let result = bench.pass(demand(&wanted));
    assert_eq!(
        told(&result.verdicts),
        ["www.elsewhere.test OutsideZones", "www.example.com Pending"]
    );
    assert!(result.zones[0].trouble.is_some());
    let other = bench.memory.records(&ZoneId("other.test".into()));
    assert_eq!(other.len(), 2, "{other:?}");
    let result = bench.pass(demand(&wanted[..2]));
    assert!(result.is_complete(), "{result:?}");
}

#[test]
fn a_record_that_is_refused_keeps_no_other_back() {
    let bench = Bench::new();
    bench
        .memory
        .refuse(name("bad.example.com"), Some("content is not valid"));
    let wanted = [
        a("bad.example.com", "192.0.2.1"),
        a("good.example.com", "192.0.2.2"),
    ];
    let result = bench.pass(demand(&wanted));
    assert_eq!(told(&result.verdicts), ["bad.example.com RejectedByProvider"]);
    assert_eq!(bench.records(), ["good.example.com 192.0.2.2"]);
}

#[test]
fn a_reply_that_is_lost_is_made_up_for_by_the_next_pass() {
    let bench = Bench::new();
    bench.memory.fail(Fault {
        operation: Operation::Apply,
        after: 0,
        kind: FaultKind::LostReply { written: 1 },
    });
    let wanted = [a("a.example.com", "192.0.2.1"), a("b.example.com", "192.0.2.2")];
    let result = bench.pass(demand(&wanted));
    assert_eq!(
        told(&result.verdicts),
        ["a.example.com Pending", "b.example.com Pending"]
    );
    assert!(bench.pass(demand(&wanted)).is_complete());
    assert!(bench.prospect(demand(&wanted)).is_empty());
}

#[test]
fn much_is_deleted_only_when_somebody_says_so() {
    let bench = Bench::new();
    let many: Vec<Endpoint> = (0..20)
        .map(|i| a(&format!("n{i}.example.com"), "192.0.2.1"))
        .collect();
    bench.pass(demand(&many));
    let fewer = demand(&many[..10]);
    let result = bench.pass(fewer.clone());
    let refused = result.zones[0].refused.as_ref().unwrap().to_string();
    assert!(
        refused.contains("10 of 20") && refused.contains("example.com=10"),
        "{refused}"
    );
    assert_eq!(bench.records().len(), 20);
    let mut settings = settings();
    settings.guard.acknowledged = vec!["example.com=10".parse::<Acknowledgement>().unwrap()];
    let engine = Engine::new(Arc::clone(&bench.memory) as Arc<dyn Provider>, settings);
    let prospect = block_on(engine.prospect(fewer)).unwrap();
    assert!(block_on(engine.apply(prospect)).is_complete());
    assert_eq!(bench.records().len(), 10);
}

fn endpoints() -> impl Strategy<Value = Vec<Endpoint>> {
    let data = (any::<bool>(), 1..4u8);
    btree_map(0..6u8, data, 0..6).prop_map(|records| {
        let records = records.into_iter();
        records
            .map(|(name, (is_alias, data))| {
                let name = format!("n{name}.example.com");
                if is_alias {
                    endpoint(&name, RecordType::Cname, &format!("t{data}.example.net"))
                } else {
                    a(&name, &format!("192.0.2.{data}"))
                }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// After a pass the next one has nothing to do, and what nobody has told us to own is
    /// as it was.
    #[test]
    fn a_pass_is_a_fixed_point(wanted in vec(endpoints(), 1..5), foreign in endpoints()) {
        let bench = Bench::new();
        for record in &foreign {
            bench.memory.put(Endpoint { labels: Labels::default(), ..record.clone() });
        }
        let before = bench.records();
        for wanted in wanted {
            let result = bench.pass(demand(&wanted));
            let next = bench.prospect(demand(&wanted));
            prop_assert!(next.is_empty(), "{result:?}\n{next:?}");
            let records = bench.records();
            prop_assert!(before.iter().all(|record| records.contains(record)), "{records:?}");
        }
    }
}
