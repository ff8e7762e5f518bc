//! Specifications of the DNS at random, plain, odd and hostile: about half of them
//! are accepted, and most of the others have one fault.
//!
//! [`case`] is the strategy for property tests; [`draw`] gives the case of a number.

mod servers;
mod transports;
mod upstreams;
mod zones;

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

pub use servers::server;
pub use upstreams::upstream;
pub use zones::zone;

/// Durations at the edges of what can be counted.
const TTLS: &[&str] = &[
    "0",
    "0s",
    "1ns",
    "499ms",
    "500ms",
    "0.5s",
    "1.5s",
    "00",
    "1h0s",
    "4294967295s",
    "4294967296s",
    "1193046h28m15s",
    "2562047h47m16.854775807s",
    "9999999999h",
    "99999999999999999999h",
    "1us",
    "100µs",
    "100μs",
    "0.0001h",
    "1h30m",
    "0.5h10m",
    "5m5m",
];

/// A specification, and the ConfigMaps of `openshift-config` that it may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// `spec` of the DNS as it is stored.
    pub spec: Value,
    /// What stands under `ca-bundle.crt`, by the ConfigMap's name.
    pub bundles: BTreeMap<String, String>,
}

/// The case of a number, the same each time.
pub fn draw(seed: u64) -> Result<Case> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let tree = case()
        .new_tree(&mut runner)
        .map_err(|reason| anyhow!("failed to draw a specification: {reason}"))?;
    Ok(tree.current())
}

/// Any case: without a fault, with one, or with as many as chance has it.
pub fn case() -> BoxedStrategy<Case> {
    let spec = prop_oneof![
        11 => sound(),
        8 => (sound(), fault(), any::<prop::sample::Index>()).prop_map(|(mut spec, fault, place)| {
            fault.put(&mut spec, place);
            spec
        }),
        1 => wild(),
    ];
    (spec, transports::bundles())
        .prop_map(|(spec, bundles)| Case { spec, bundles })
        .boxed()
}

/// A specification with which nothing should be wrong, though two zones may be the
/// same by chance.
pub fn sound() -> BoxedStrategy<Value> {
    (
        prop::collection::vec(server(), 0..4),
        prop::option::of(upstreams::resolvers()),
        prop::option::of(cache()),
        prop::option::of(prop::sample::select(vec!["Normal", "Debug", "Trace"])),
    )
        .prop_map(|(servers, resolvers, cache, log_level)| {
            let mut spec = Map::new();
            let mut set = |key: &str, value: Option<Value>| {
                spec.extend(value.map(|value| (key.to_owned(), value)));
            };
            set("servers", (!servers.is_empty()).then(|| servers.into()));
            set("upstreamResolvers", resolvers);
            set("cache", cache);
            set("logLevel", log_level.map(Value::from));
            Value::Object(spec)
        })
        .boxed()
}

/// Limits from nothing to more than anything can count.
fn cache() -> BoxedStrategy<Value> {
    let ttl = || {
        prop::option::of(prop_oneof![
            4 => (0u32..100_000).prop_map(|seconds| format!("{seconds}s")),
            2 => prop::sample::select(TTLS)
            .prop_map(str::to_owned),
            1 => "[0-9]{1,12}(\\.[0-9]{1,30})?(ns|us|ms|s|m|h)",
        ])
    };
    (ttl(), ttl())
        .prop_map(|(positive, negative)| {
            let mut cache = json!({});
            for (field, ttl) in [("positiveTTL", positive), ("negativeTTL", negative)] {
                if let Some(ttl) = ttl {
                    cache[field] = ttl.into();
                }
            }
            cache
        })
        .boxed()
}

/// One thing wrong, or at the edge of it.
#[derive(Clone, Debug)]
enum Fault {
    /// A zone more.
    Zone(String),
    /// A zone that a server has already, written in another way.
    SameZone(zones::Disguise),
    /// Upstreams of a server.
    Upstreams(Vec<String>),
    /// The name of a server.
    Name(String),
    /// How a server's upstreams are reached, and they.
    Transport(Value, Vec<String>),
    /// The servers for everything else.
    Resolvers(Value),
}

fn fault() -> BoxedStrategy<Fault> {
    let upstreams = (
        prop::collection::vec(upstream(), 0..3),
        upstreams::faulty(),
        any::<bool>(),
    )
        .prop_map(|(mut others, faulty, first)| {
            let place = if first { 0 } else { others.len() };
            others.insert(place, faulty);
            others
        });
    prop_oneof![
        8 => zones::faulty().prop_map(Fault::Zone),
        3 => zones::disguise().prop_map(Fault::SameZone),
        8 => upstreams.prop_map(Fault::Upstreams),
        1 => prop::collection::vec(upstream(), 14..18).prop_map(Fault::Upstreams),
        1 => prop::collection::vec(Just(String::new()), 0..3).prop_map(Fault::Upstreams),
        2 => servers::faulty_name().prop_map(Fault::Name),
        4 => transports::faulty().prop_map(|(config, upstreams)| Fault::Transport(config, upstreams)),
        3 => upstreams::faulty_resolvers().prop_map(Fault::Resolvers),
    ]
    .boxed()
}

impl Fault {
    /// Puts the fault into one of the servers, after making one where there is none.
    fn put(self, spec: &mut Value, place: prop::sample::Index) {
        if let Self::Resolvers(resolvers) = self {
            spec["upstreamResolvers"] = resolvers;
            return;
        }
        if !spec["servers"].is_array() {
            spec["servers"] = json!([{
                "name": "s", "zones": ["fault.test"], "forwardPlugin": { "upstreams": ["192.0.2.1"] },
            }]);
        }
        let count = spec["servers"].as_array().map_or(0, Vec::len);
        let server = &mut spec["servers"][place.index(count)];
        match self {
            Self::Zone(zone) => push(&mut server["zones"], zone),
            Self::SameZone(disguise) => {
                let known = server["zones"][0].as_str().unwrap_or("fault.test");
                let same = disguise.of(known);
                push(&mut server["zones"], same);
            }
            Self::Upstreams(upstreams) => server["forwardPlugin"]["upstreams"] = upstreams.into(),
            Self::Name(name) => server["name"] = name.into(),
            Self::Transport(config, upstreams) => {
                server["forwardPlugin"]["transportConfig"] = config;
                server["forwardPlugin"]["upstreams"] = upstreams.into();
            }
            Self::Resolvers(_) => {}
        }
    }
}

fn push(list: &mut Value, text: String) {
    match list.as_array_mut() {
        Some(list) => list.push(text.into()),
        None => *list = json!([text]),
    }
}

/// A specification whose texts all come from the faulty ones.
fn wild() -> BoxedStrategy<Value> {
    let zone = || prop_oneof![zone(), zones::faulty()];
    let upstream = || prop_oneof![upstream(), upstreams::faulty()];
    let server = (
        servers::faulty_name(),
        prop::collection::vec(zone(), 0..4),
        prop::collection::vec(upstream(), 0..4),
        prop::option::of(transports::faulty()),
    )
        .prop_map(|(name, zones, upstreams, transport)| {
            let mut forward = json!({ "upstreams": upstreams });
            if let Some((config, _)) = transport {
                forward["transportConfig"] = config;
            }
            json!({ "name": name, "zones": zones, "forwardPlugin": forward })
        });
    (
        prop::collection::vec(server, 1..4),
        prop::option::of(upstreams::faulty_resolvers()),
    )
        .prop_map(|(servers, resolvers)| {
            let mut spec = json!({ "servers": servers });
            if let Some(resolvers) = resolvers {
                spec["upstreamResolvers"] = resolvers;
            }
            spec
        })
        .boxed()
}
