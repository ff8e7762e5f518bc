//! When names are looked up, and when their addresses go: rules that need no
//! cluster.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hickory_proto::rr::RecordType;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use operator::name_resolver::agenda::{Agenda, FIRST_DELAY, LONGEST_DELAY, Lookup};
use operator::name_resolver::freshness::{GRACE, Known, Resolved, without_stale};
use operator::name_resolver::{pods, query};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::dns_server::{ASTRAY, DnsServer};

/// Any time will do.
const START: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

fn address(ip: &str, looked_up: i64, ttl: i64) -> Value {
    json!({ "ip": ip, "lastLookupTime": at(looked_up).to_string(), "ttlSeconds": ttl })
}

fn resolver(name: &str, names: &Value) -> Value {
    json!({ "spec": { "name": name }, "status": { "resolvedNames": names } })
}

fn known(addresses: usize, expiry: Option<i64>) -> Known {
    Known {
        addresses,
        expiry: expiry.map(at),
    }
}

#[test]
fn an_address_goes_when_its_grace_is_over_and_nothing_else_does() {
    let degraded = json!([{ "type": "Degraded", "status": "True" }]);
    let object = resolver(
        "*.example.com.",
        &json!([
            {
                "dnsName": "a.example.com.",
                "conditions": degraded,
                "resolutionFailures": 2,
                "unknown": "kept",
                "resolvedAddresses": [address("192.0.2.1", 0, 30), address("192.0.2.2", 0, 31)],
            },
            { "dnsName": "b.example.com.", "resolvedAddresses": [address("2001:db8::1", 0, 30)] },
        ]),
    );
    let found = Resolved::of(&object);
    assert_eq!(
        found.names,
        [
            ("*.example.com.".to_owned(), known(0, None)),
            ("a.example.com.".to_owned(), known(2, Some(30))),
            ("b.example.com.".to_owned(), known(1, Some(30))),
        ]
    );
    assert_eq!(found.stale_at, Some(at(35)));
    assert_eq!(without_stale(&object, at(34)), None);
    let left = without_stale(&object, at(35)).unwrap();
    assert_eq!(
        left,
        json!([
            {
                "dnsName": "a.example.com.",
                "conditions": degraded,
                "resolutionFailures": 2,
                "unknown": "kept",
                "resolvedAddresses": [address("192.0.2.2", 0, 31)],
            },
            { "dnsName": "b.example.com.", "resolvedAddresses": [] },
        ])
    );
}

#[test]
fn an_object_without_a_status_is_a_name_to_look_up() {
    let found = Resolved::of(&json!({ "spec": { "name": "www.example.com." } }));
    assert_eq!(found.names, [("www.example.com.".to_owned(), Known::default())]);
    assert_eq!(found.stale_at, None);
    assert_eq!(without_stale(&json!({}), Timestamp::MAX), None);
}

#[test]
fn several_addresses_take_several_pods() {
    let mut agenda = Agenda::default();
    let names = [
        ("none.", known(0, None)),
        ("one.", known(1, Some(-3))),
        ("two.", known(2, Some(-4))),
        ("later.", known(9, Some(1))),
    ];
    agenda.follow(names, at(0));
    let lookup = |name: &str, pods| Lookup {
        name: name.into(),
        pods,
    };
    // The order is that of the times.
    assert_eq!(agenda.take_due(at(0), 2), [lookup("two.", 5), lookup("one.", 1)]);
    assert_eq!(agenda.take_due(at(0), 2), [lookup("none.", 1)]);
    assert_eq!(agenda.take_due(at(0), 2), []);
    assert_eq!(agenda.next_due(), Some(at(1)));
    assert_eq!(agenda.take_due(at(1), 2), [lookup("later.", 5)]);
    assert_eq!(agenda.next_due(), None, "all are under way");
}

#[test]
fn a_lookup_that_led_to_nothing_is_repeated_less_and_less_often() {
    let mut agenda = Agenda::default();
    agenda.follow([("a.", known(1, Some(20)))], at(0));
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..11 {
        let due = agenda.next_due().unwrap();
        waits.push(due.duration_since(now).as_secs());
        now = due;
        assert_eq!(agenda.take_due(now, 9).len(), 1);
        agenda.done("a.");
    }
    assert_eq!(waits, [20, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]);
    // News: from now on its own time counts, and the waits are short again.
    let expiry = now + SignedDuration::from_secs(100);
    let fresh = Known {
        addresses: 1,
        expiry: Some(expiry),
    };
    agenda.follow([("a.", fresh)], now);
    assert_eq!(agenda.next_due(), Some(expiry));
    agenda.take_due(expiry, 1);
    agenda.done("a.");
    assert_eq!(agenda.next_due(), Some(expiry + FIRST_DELAY));
}

#[test]
fn a_name_of_two_objects_follows_the_address_that_expires_first() {
    let mut agenda = Agenda::default();
    let seen = [
        ("a.", known(0, None)),
        ("a.", known(2, Some(9))),
        ("a.", known(1, Some(7))),
    ];
    agenda.follow(seen, at(0));
    assert_eq!(agenda.next_due(), Some(at(7)));
    assert_eq!(agenda.take_due(at(7), 1)[0].pods, 5);
    agenda.follow([], at(7));
    agenda.done("a.");
    assert_eq!(agenda.next_due(), None, "no object has the name any more");
}

#[test]
fn only_ready_pods_of_the_dns_service_are_asked() {
    let slice = |service: &str, endpoints: &Value| {
        json!({
            "metadata": { "labels": { "kubernetes.io/service-name": service } },
            "endpoints": pods::ready_addresses(endpoints),
        })
    };
    let slices = [
        slice(
            "dns-default",
            &json!([
                { "addresses": ["192.0.2.1"], "conditions": { "ready": true } },
                { "addresses": ["192.0.2.2"], "conditions": { "ready": false } },
                { "addresses": ["192.0.2.3"] },
            ]),
        ),
        slice(
            "dns-default",
            &json!([{ "addresses": ["2001:db8::1"], "conditions": {} }]),
        ),
        slice("dns-default", &Value::Null),
        slice("other", &json!([{ "addresses": ["192.0.2.4"] }])),
    ];
    let expected: [IpAddr; 3] = ["192.0.2.1", "192.0.2.3", "2001:db8::1"].map(|ip| ip.parse().unwrap());
    assert_eq!(pods::dns_pods(&slices), expected);
    let mut all = pods::some_of(&expected, 5);
    all.sort_unstable();
    assert_eq!(all, expected);
    assert_eq!(pods::some_of(&[], 5), [] as [IpAddr; 0]);
}

#[test]
fn any_pod_may_be_the_one() {
    let pods: Vec<IpAddr> = (1..4).map(|host| [192, 0, 2, host].into()).collect();
    let mut seen: Vec<IpAddr> = (0..1000).flat_map(|_| pods::some_of(&pods, 1)).collect();
    assert_eq!(seen.len(), 1000);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, pods);
}

/// What arrives at pods: both types of address, at each of them.
#[tokio::test]
async fn every_chosen_pod_is_asked_for_both_types() {
    let first = DnsServer::start("127.0.0.1:0".parse().unwrap()).await;
    let port = first.address.port();
    let mut servers = vec![first];
    for host in 2..=6 {
        servers.push(DnsServer::start(([127, 0, 0, host], port).into()).await);
    }
    let all: Vec<IpAddr> = servers.iter().map(|server| server.address.ip()).collect();
    let chosen = pods::some_of(&all, 5);
    let answers = query::look_up("*.Example.com.", &chosen, port).await;
    assert_eq!(answers, 10);
    for server in &servers {
        let mut queries = server.queries();
        queries.sort();
        let both = [RecordType::A, RecordType::AAAA].map(|kind| ("*.Example.com.".to_owned(), kind));
        let expected = if chosen.contains(&server.address.ip()) {
            &both[..]
        } else {
            &[]
        };
        assert_eq!(queries, expected, "{}", server.address);
    }
}

#[tokio::test]
async fn only_an_answer_to_the_question_is_an_answer() {
    let server = DnsServer::start("127.0.0.1:0".parse().unwrap()).await;
    let (pods, port) = ([server.address.ip()], server.address.port());
    assert_eq!(query::look_up(ASTRAY, &pods, port).await, 0);
    assert_eq!(server.queries().len(), 2);
    assert_eq!(query::look_up("not..a.name.", &pods, port).await, 0);
    assert_eq!(server.queries().len(), 2, "not even asked");
}

/// What happens to one name, second by second.
#[derive(Clone, Debug)]
enum Happening {
    /// An answer was written down, good for so long.
    Refreshed(i64),
    /// The addresses were taken away.
    Removed,
    Nothing,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        1 => (0i64..4000).prop_map(Happening::Refreshed),
        1 => Just(Happening::Removed),
        6 => Just(Happening::Nothing),
    ]
}

fn names() -> impl Strategy<Value = Value> {
    let address = (0u8..9, -50i64..50, 0i64..50)
        .prop_map(|(host, looked_up, ttl)| address(&format!("192.0.2.{host}"), looked_up, ttl));
    let name = ("[a-c]", prop::collection::vec(address, 0..4))
        .prop_map(|(name, addresses)| json!({ "dnsName": name, "resolvedAddresses": addresses }));
    prop::collection::vec(name, 0..4).prop_map(Value::from)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A removal is wanted from the time that was told on, and once.
    #[test]
    fn a_removal_is_a_fixed_point(names in names(), now in -60i64..120) {
        let object = resolver("a.", &names);
        let stale_at = Resolved::of(&object).stale_at;
        let left = without_stale(&object, at(now));
        prop_assert_eq!(left.is_some(), stale_at.is_some_and(|time| time <= at(now)));
        if let Some(left) = left {
            let object = resolver("a.", &left);
            prop_assert_eq!(without_stale(&object, at(now)), None);
            let found = Resolved::of(&object);
            prop_assert!(found.stale_at.is_none_or(|time| at(now) < time));
            let expiries = found.names.iter().filter_map(|(_, known)| known.expiry);
            prop_assert!(expiries.into_iter().all(|expiry| at(now) < expiry + GRACE));
        }
    }

    /// Whatever is written down meanwhile: no name is asked twice within ten seconds
    /// without news, none goes without a lookup for half an hour, and no lookup
    /// starts while the last one is under way.
    #[test]
    fn lookups_keep_their_distance(
        steps in prop::collection::vec((1i64..2000, 0usize..3, happening(), any::<bool>()), 1..60),
    ) {
        let names = ["a.", "b.", "c."];
        let mut agenda = Agenda::default();
        let mut known: BTreeMap<&str, Known> = names.map(|name| (name, Known::default())).into();
        let mut asked: BTreeMap<String, Timestamp> = BTreeMap::new();
        let mut running: Vec<String> = Vec::new();
        let mut now = at(0);
        agenda.follow(known.clone(), now);
        for (pause, name, happening, ends) in steps {
            let end = now + SignedDuration::from_secs(pause);
            loop {
                if ends {
                    running.drain(..).for_each(|name| agenda.done(&name));
                }
                for Lookup { name, pods } in agenda.take_due(now, 2) {
                    let facts = known[name.as_str()];
                    prop_assert_eq!(pods, if facts.addresses < 2 { 1 } else { 5 });
                    prop_assert!(!running.contains(&name));
                    if let Some(last) = asked.insert(name.clone(), now) {
                        let news = facts.expiry.is_some_and(|expiry| last < expiry && expiry <= now);
                        prop_assert!(news || last + FIRST_DELAY <= now);
                    }
                    running.push(name);
                }
                match agenda.next_due().map(|due| due.max(now)) {
                    Some(due) if due <= end => now = due,
                    _ => break,
                }
            }
            now = end;
            for name in names.iter().filter(|name| !running.iter().any(|other| other == *name)) {
                prop_assert!(asked.get(*name).is_some_and(|last| now <= *last + LONGEST_DELAY));
            }
            let facts = known.get_mut(names[name]).unwrap();
            match happening {
                Happening::Refreshed(ttl) => {
                    facts.addresses = 2;
                    facts.expiry = Some(now + SignedDuration::from_secs(ttl));
                }
                Happening::Removed => *facts = Known::default(),
                Happening::Nothing => {}
            }
            agenda.follow(known.clone(), now);
        }
    }
}
