//! Passes over zones in memory: what is wanted comes to be, whatever else goes wrong.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use records::engine::{Demand, Engine, Figures, PassResult, Prospect, Settings};
use records::ownership::{Affix, Ownership, Registry};
use records::plan::{Acknowledgement, Guard, Policy, Rules};
use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind, Memory};
use records::source::{Origin, Rejection, Wanted};
use records::verdict::Verdict;
use records::{DomainFilter, Endpoint, Labels, ManagedTypes, Provider, RESOURCE_LABEL, RecordType, ZoneId};

use crate::fixtures::{name, record};

const ZONE: &str = "example.com";

pub fn settings() -> Settings {
    let registry = Registry::new("us", Affix::new("", "", "").unwrap()).unwrap();
    Settings {
        ownership: Ownership::from(registry),
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

fn endpoint(name: &str, record_type: &str, target: &str) -> Endpoint {
    Endpoint {
        labels: [(RESOURCE_LABEL.into(), "crd/default/it".into())].into(),
        ..record(name, record_type, target)
    }
}

pub fn a(name: &str, address: &str) -> Endpoint {
    endpoint(name, "A", address)
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

/// By name and type, however they are written and whatever the records say; those that only
/// tell who owns others do not count.
#[test]
fn what_is_wanted_and_what_is_there_is_counted() {
    let bench = Bench::new();
    let first = [
        a("www.example.com", "192.0.2.1"),
        a("old.example.com", "192.0.2.9"),
    ];
    bench.pass(demand(&first));
    let wanted = [
        a("WWW.example.com", "192.0.2.7"),
        a("new.example.com", "192.0.2.2"),
        endpoint("alias.example.com", "CNAME", "www.example.com"),
        a("www.example.org", "192.0.2.1"),
    ];
    let figures = bench.prospect(demand(&wanted)).figures;
    let expected = Figures {
        wanted: [(RecordType::A, 3), (RecordType::Cname, 1)].into(),
        held: [(RecordType::A, 2)].into(),
        verified: [(RecordType::A, 1)].into(),
    };
    assert_eq!(figures, expected);
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
        endpoint("www.example.com", "CNAME", "old.example.com"),
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
        endpoint("a.example.com", "CNAME", "c.example.com"),
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

/// Records of ours whose ownership records have names of former days.
#[test]
fn ownership_is_put_right_only_of_what_is_looked_at() {
    let mut settings = settings();
    let inside = DomainFilter::domains(&["in.example.com"], &["not.in.example.com"]).unwrap();
    settings.rules.domain_filters = vec![inside];
    let bench = Bench::with(settings);
    let owner = "\"heritage=external-dns,external-dns/owner=us\"";
    let names = [
        "www.in.example.com",
        "www.not.in.example.com",
        "www.out.example.com",
    ];
    for name in names {
        bench.memory.put(record(name, "A", "192.0.2.1"));
        bench.memory.put(record(name, "MX", "10 mail.example.com"));
        bench.memory.put(record(name, "TXT", owner));
    }
    let wanted = demand(&[a(names[0], "192.0.2.1")]);
    assert!(bench.pass(wanted.clone()).is_complete());
    let records = bench.memory.records(&ZoneId(ZONE.into())).into_iter();
    let written = records.filter(|record| !names.contains(&&*record.dns_name));
    let written: Vec<_> = written.map(|record| record.dns_name).collect();
    assert_eq!(written, [Box::<str>::from("a-www.in.example.com")]);
    assert!(bench.prospect(wanted).is_empty());
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
                    endpoint(&name, "CNAME", &format!("t{data}.example.net"))
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
