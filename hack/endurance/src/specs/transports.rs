//! How upstreams are reached, and the CA bundles for it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use devcluster::certificates::Authority;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::upstream;

/// Server names that are none.
const ODD: &[&str] = &[
    "", "a_b", "a b", "-a", "a-", "a..b", ".", "a.", "*.a", "é.test", "{$HOME}", "{", "}", "\"a", "a\"b",
    "a#b", "a\nb", "/x", "a/b", "..", "a\u{a0}b",
];

/// ConfigMaps by what is in them; `none` does not exist.
const BUNDLES: [&str; 6] = ["good", "good.2", "two", "text", "broken", "none"];

/// The certificate of an authority; none would be a defect of the library.
static CERTIFICATE: LazyLock<String> = LazyLock::new(|| {
    Authority::new()
        .map(|authority| authority.certificate().to_owned())
        .unwrap_or_default()
});

/// The ConfigMaps of `openshift-config`.
pub fn bundles() -> BoxedStrategy<BTreeMap<String, String>> {
    let certificate = &*CERTIFICATE;
    let broken = certificate.replace("MII", "AAA");
    let contents = [
        ("good", certificate.clone()),
        ("good.2", format!("# another\n{certificate}")),
        ("two", format!("{certificate}{certificate}")),
        ("text", "not a certificate\n".to_owned()),
        ("broken", broken),
    ];
    Just(
        contents
            .map(|(name, content)| (name.to_owned(), content))
            .into_iter()
            .collect(),
    )
    .boxed()
}

/// A `transportConfig` for TLS with which nothing is wrong.
pub fn tls() -> BoxedStrategy<Value> {
    let name = prop_oneof![
        4 => "[a-z]{1,8}(\\.[a-z]{2,6}){0,2}",
        1 => select(vec!["192.0.2.1", "DNS.Example", "a-b.c", "1"]).prop_map(str::to_owned),
    ];
    with_bundle(name.boxed())
}

fn with_bundle(name: BoxedStrategy<String>) -> BoxedStrategy<Value> {
    let bundle = prop_oneof![
        2 => Just(None),
        4 => select(vec!["good", "good.2", "two"]).prop_map(Some),
        1 => select(BUNDLES.to_vec()).prop_map(Some),
        1 => Just(Some("")),
    ];
    (name, bundle)
        .prop_map(|(name, bundle)| {
            let mut tls = json!({ "serverName": name });
            if let Some(bundle) = bundle {
                tls["caBundle"] = json!({ "name": bundle });
            }
            json!({ "transport": "TLS", "tls": tls })
        })
        .boxed()
}

/// A `transportConfig` and upstreams that go with it.
pub fn sound() -> BoxedStrategy<(Value, Vec<String>)> {
    let clear = (
        select(vec![
            json!({}),
            json!({ "transport": "" }),
            json!({ "transport": "Cleartext" }),
        ]),
        any::<bool>(),
        prop::collection::vec(upstream(), 1..3),
    )
        .prop_map(|(mut config, tls, upstreams)| {
            // Not used, and not in the way.
            if tls {
                config["tls"] = json!({ "serverName": "unused.test" });
            }
            (config, upstreams)
        });
    let secure = (tls(), prop::collection::vec(tls_upstream(), 1..4));
    prop_oneof![1 => clear, 3 => secure].boxed()
}

fn tls_upstream() -> BoxedStrategy<String> {
    prop_oneof![
        any::<Ipv4Addr>().prop_map(|address| address.to_string()),
        (any::<Ipv4Addr>(), any::<u16>()).prop_map(|(address, port)| format!("{address}:{port}")),
        any::<Ipv6Addr>().prop_map(|address| address.to_string()),
        (any::<Ipv6Addr>(), any::<u16>()).prop_map(|(address, port)| format!("[{address}]:{port}")),
    ]
    .boxed()
}

/// A `transportConfig` and upstreams of which one is at fault.
pub fn faulty() -> BoxedStrategy<(Value, Vec<String>)> {
    let odd_name = prop_oneof![
        3 => select(ODD).prop_map(str::to_owned),
        1 => (250usize..256).prop_map(|length| "a.".repeat(128)[..length].to_owned()),
        1 => (60usize..66).prop_map(|length| "a".repeat(length)),
    ];
    let upstreams = || prop::collection::vec(tls_upstream(), 1..3);
    let missing = select(vec![
        json!({ "transport": "TLS" }),
        json!({ "transport": "TLS", "tls": { "serverName": "" } }),
    ]);
    prop_oneof![
        2 => (with_bundle(odd_name.boxed()), upstreams()),
        1 => (missing, upstreams()),
        2 => (tls(), prop::collection::vec(prop_oneof![upstream(), super::upstreams::faulty()], 0..3)),
    ]
    .boxed()
}
