//! Servers: names, policies, and how zones and upstreams come together.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{transports, upstream, zone};

/// Names that stay on their line.
const ODD: &[&str] = &[
    "\n",
    "a\n",
    "\na",
    "a\n# b",
    "a\nb",
    "a\r\nb",
    "a\n\n",
    "a\n}",
    "a\n{",
    "a\n{\n}",
    "a\nimport x",
    "a\n(x) {\n}",
];
/// Names that do not.
const BREAKS: &[&str] = &[
    "evil.test:5353 {\n    whoami\n}",
    "evil.test:5353 {",
    "import /etc/hostname",
    ".:5353 {\n    whoami\n}",
    "\"",
    "{$HOME}",
];

/// An entry of `spec.servers` with which nothing is wrong.
pub fn server() -> BoxedStrategy<Value> {
    let plain = prop::collection::vec(upstream(), 1..4).prop_map(|upstreams| (json!(null), upstreams));
    let forward = prop_oneof![3 => plain, 1 => transports::sound()];
    (
        name(),
        prop::collection::vec(zone(), 0..4),
        forward,
        forward_options(),
    )
        .prop_map(|(name, zones, (transport, upstreams), mut forward)| {
            forward["upstreams"] = upstreams.into();
            if !transport.is_null() {
                forward["transportConfig"] = transport;
            }
            json!({ "name": name, "zones": zones, "forwardPlugin": forward })
        })
        .boxed()
}

/// `policy` and `protocolStrategy`, or neither.
pub fn forward_options() -> BoxedStrategy<Value> {
    let policy = prop::option::of(select(vec!["Random", "RoundRobin", "Sequential"]));
    let strategy = prop::option::of(select(vec!["TCP", ""]));
    (policy, strategy)
        .prop_map(|(policy, strategy)| {
            let mut options = json!({});
            if let Some(policy) = policy {
                options["policy"] = policy.into();
            }
            if let Some(strategy) = strategy {
                options["protocolStrategy"] = strategy.into();
            }
            options
        })
        .boxed()
}

fn name() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-z][a-z0-9-]{0,8}",
        1 => select(vec!["", " ", "#", "{", "}", "a } # {{.}}", "{$HOME}", "\"", "\\", "\r", "\u{2028}", "é", "import x"])
            .prop_map(str::to_owned),
    ]
    .boxed()
}

/// A name, most of which would end the comment that they stand in.
pub fn faulty_name() -> BoxedStrategy<String> {
    prop_oneof![
        2 => select(ODD)
            .prop_map(str::to_owned),
        1 => select(BREAKS)
            .prop_map(|text| format!("a\n{text}\n#")),
        1 => any::<String>(),
    ]
    .boxed()
}
