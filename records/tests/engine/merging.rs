//! Several record sets of one key become one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use records::source::{Merged, Remark, RemarkKind, merge};
use records::{Endpoint, RecordType};
use serde_json::json;

fn endpoint(resource: &str, name: &str, record_type: &str, targets: &[&str], ttl: Option<u32>) -> Endpoint {
    let mut value = json!({
        "dnsName": name, "recordType": record_type, "targets": targets, "labels": { "resource": resource },
    });
    if let Some(ttl) = ttl {
        value["recordTTL"] = json!(ttl);
    }
    serde_json::from_value(value).unwrap()
}

/// `name type ttl targets < resource` of each, and the remarks.
fn told(merged: &Merged) -> (Vec<String>, Vec<String>) {
    let endpoints = merged.endpoints.iter().map(|endpoint| {
        let ttl = endpoint.ttl.map_or(0, u32::from);
        let (name, targets, resource) = (
            &endpoint.dns_name,
            endpoint.targets.join(" "),
            endpoint.labels.get("resource").unwrap(),
        );
        format!("{name} {} {ttl} {targets} < {resource}", endpoint.record_type)
    });
    (
        endpoints.collect(),
        merged.remarks.iter().map(Remark::to_string).collect(),
    )
}

#[test]
fn targets_of_one_key_are_united() {
    let merged = merge(vec![
        endpoint(
            "crd/b/b",
            "WWW.example.com.",
            "A",
            &["192.0.2.2", "192.0.2.1"],
            None,
        ),
        endpoint(
            "crd/a/a",
            "www.example.com",
            "A",
            &["192.0.2.3", "192.0.2.1"],
            None,
        ),
        endpoint("crd/a/a", "www.example.com", "AAAA", &["2001:db8::1"], Some(60)),
        endpoint(
            "crd/b/b",
            "www.example.com",
            "AAAA",
            &["2001:DB8:0::1", "2001:db8::2"],
            Some(60),
        ),
        endpoint("crd/a/a", "www.example.com", "TXT", &["b"], None),
        endpoint("crd/a/b", "www.example.com", "TXT", &["a", "B"], None),
    ]);
    let expected = [
        "www.example.com A 0 192.0.2.1 192.0.2.2 192.0.2.3 < crd/a/a",
        "www.example.com AAAA 60 2001:DB8:0::1 2001:db8::2 < crd/a/a",
        "www.example.com TXT 0 B a b < crd/a/a",
    ];
    assert_eq!(told(&merged), (expected.map(String::from).into(), vec![]));
}

#[test]
fn the_shortest_ttl_is_taken() {
    let merged = merge(vec![
        endpoint("crd/a/a", "a.example.com", "A", &["192.0.2.1"], None),
        endpoint("crd/a/b", "a.example.com", "A", &["192.0.2.2"], Some(60)),
        endpoint("crd/a/c", "a.example.com", "A", &["192.0.2.3"], Some(30)),
    ]);
    let (endpoints, remarks) = told(&merged);
    assert_eq!(
        endpoints,
        ["a.example.com A 30 192.0.2.1 192.0.2.2 192.0.2.3 < crd/a/a"]
    );
    assert_eq!(
        remarks,
        ["a.example.com A of crd/a/a, crd/a/b, crd/a/c: have different TTLs; the shortest is taken"]
    );
}

#[test]
fn aliases_stay_apart_unless_they_say_the_same() {
    for record_type in ["CNAME", "DNAME"] {
        let merged = merge(vec![
            endpoint(
                "crd/a/b",
                "a.example.com",
                record_type,
                &["one.example.net."],
                None,
            ),
            endpoint(
                "crd/a/a",
                "a.example.com",
                record_type,
                &["One.example.net"],
                None,
            ),
            endpoint(
                "crd/a/c",
                "a.example.com",
                record_type,
                &["two.example.net"],
                None,
            ),
        ]);
        let (endpoints, remarks) = told(&merged);
        assert_eq!(
            endpoints,
            [
                format!("a.example.com {record_type} 0 One.example.net < crd/a/a"),
                format!("a.example.com {record_type} 0 two.example.net < crd/a/c"),
            ]
        );
        assert_eq!(
            remarks,
            [format!(
                "a.example.com {record_type} of crd/a/a, crd/a/b, crd/a/c: have different targets, and only one can be there"
            )]
        );
    }
}

#[test]
fn sets_and_types_are_not_mixed_up() {
    let mut eu = endpoint("crd/a/a", "a.example.com", "A", &["192.0.2.1"], None);
    let mut us = endpoint("crd/a/a", "a.example.com", "A", &["192.0.2.2"], None);
    eu.set_identifier = "eu".into();
    us.set_identifier = "us".into();
    let merged = merge(vec![
        us,
        eu,
        endpoint("crd/a/a", "a.example.com", "TXT", &["192.0.2.1"], None),
    ]);
    assert_eq!(merged.endpoints.len(), 3);
    assert_eq!(merged.remarks, []);
}

#[test]
fn properties_are_those_of_the_first() {
    let with = |resource: &str, weight: &str| {
        let mut endpoint = endpoint(resource, "a.example.com", "A", &["192.0.2.1"], None);
        let property = json!([{ "name": "aws/weight", "value": weight }]);
        endpoint.provider_specific = serde_json::from_value(property).unwrap();
        endpoint
    };
    let merged = merge(vec![with("crd/b/a", "1"), with("crd/a/a", "2")]);
    assert_eq!(&*merged.endpoints[0].provider_specific[0].value, "2");
    let kinds: Vec<_> = merged.remarks.iter().map(|remark| remark.kind).collect();
    assert_eq!(kinds, [RemarkKind::PropertiesDiffer]);
}

fn some_endpoint() -> impl Strategy<Value = Endpoint> {
    let ttl = prop_oneof![Just(None), Just(Some(30)), Just(Some(60))];
    let targets = prop::collection::btree_set("[ab]|192\\.0\\.2\\.[1-3]", 1..3);
    ("crd/[ab]/[ab]", "[aA]|[bB]\\.", "A|CNAME|TXT", targets, ttl).prop_map(
        |(resource, name, record_type, targets, ttl)| {
            let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
            endpoint(&resource, &name, &record_type, &targets, ttl)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes in whichever order: the outcome is one, merging it again changes
    /// nothing, and no target is lost or made up.
    #[test]
    fn the_order_does_not_matter(
        (endpoints, shuffled) in prop::collection::vec(some_endpoint(), 0..9)
            .prop_flat_map(|endpoints| (Just(endpoints.clone()), Just(endpoints).prop_shuffle())),
    ) {
        let merged = merge(endpoints.clone());
        prop_assert_eq!(&merged, &merge(shuffled));
        prop_assert_eq!(&merge(merged.endpoints.clone()).endpoints, &merged.endpoints);
        let targets = |endpoints: &[Endpoint]| {
            let mut all: BTreeMap<_, BTreeSet<Box<str>>> = BTreeMap::new();
            for endpoint in endpoints {
                all.entry(endpoint.key().unwrap()).or_default().extend(endpoint.targets.iter().cloned());
            }
            all
        };
        prop_assert_eq!(targets(&merged.endpoints), targets(&endpoints));
        let keys: Vec<_> = merged.endpoints.iter().map(|endpoint| endpoint.key().unwrap()).collect();
        prop_assert!(keys.is_sorted());
        let doubles = keys.windows(2).filter(|pair| pair[0] == pair[1]);
        prop_assert!(doubles.into_iter().all(|pair| pair[0].record_type == RecordType::Cname));
    }
}
