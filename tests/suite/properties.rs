//! Rules that hold for any input.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use operator::difference::repair;
use operator::dns::config::Config;
use operator::dns::corefile::Templates;
use operator::dns::inputs::Inputs;
use operator::dns::objects;
use operator::dns::tls_profile::TlsProfile;
use operator::images::Images;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn inputs() -> Inputs {
    Inputs {
        images: Images {
            coredns: "coredns".into(),
            openshift_cli: "cli".into(),
            kube_rbac_proxy: "proxy".into(),
        },
        service_address: Some(Ipv4Addr::new(172, 30, 0, 10).into()),
        cluster_domain: "cluster.local".into(),
        ca_bundles: BTreeMap::new(),
        tls_profile: TlsProfile::default(),
        name_resolver_namespaces: Vec::new(),
        topology_hints: Some(false),
        owner_uid: "uid".into(),
        monitored: true,
        daemon_set_uid: Some("uid".into()),
    }
}

fn corefile(config: &Config) -> String {
    Templates::new().unwrap().render(config, &inputs()).unwrap()
}

/// Text with a liking for what could break out of a Corefile.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,6}\\.(com|test)",
        1 => "[a-z0-9.:\\[\\]%/{}#\"\\\\ \n\t$_*-]{0,12}",
        1 => any::<String>(),
    ]
}

fn upstream() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<Ipv4Addr>().prop_map(|address| address.to_string()),
        1 => any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
        1 => (any::<std::net::Ipv6Addr>(), any::<u16>()).prop_map(|(a, port)| format!("[{a}]:{port}")),
        1 => hostile(),
    ]
}

fn spec() -> impl Strategy<Value = Value> {
    let server = (hostile(), prop::collection::vec(hostile(), 0..3), prop::collection::vec(upstream(), 0..4))
        .prop_map(|(name, zones, upstreams)| {
            json!({ "name": name, "zones": zones, "forwardPlugin": { "upstreams": upstreams } })
        });
    let ttl = (0u32..5000).prop_map(|seconds| format!("{seconds}s"));
    (prop::collection::vec(server, 0..3), ttl.clone(), ttl).prop_map(|(servers, positive, negative)| {
        json!({ "servers": servers, "cache": { "positiveTTL": positive, "negativeTTL": negative } })
    })
}

/// A JSON value as objects have them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("name".to_owned()),
        Just("labels".into()),
        Just("data".into()),
        Just("volumes".into()),
        Just("tolerations".into()),
        Just("containers".into()),
        Just("readinessProbe".into()),
        "[a-c]",
    ];
    leaf.prop_recursive(4, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// What the API server makes of a merge patch (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn object() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-c]|labels|data|containers|volumes|tolerations", value(), 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_repair_is_a_fixed_point(desired in object(), mut live in object()) {
        if let Some(found) = repair(&desired, &live) {
            prop_assert!(!found.fields.is_empty());
            merge(&mut live, &found.patch);
            prop_assert_eq!(repair(&desired, &live), None);
        }
    }

    #[test]
    fn what_is_created_needs_no_repair(desired in object()) {
        prop_assert_eq!(repair(&desired, &operator::difference::without_nulls(&desired)), None);
    }

    /// Equal Corefiles mean equal configurations: nothing of a specification is
    /// lost, and no value can imitate another one's place.
    #[test]
    fn rendering_is_injective(one in spec(), other in spec()) {
        let (Ok(one), Ok(other)) = (Config::decode(&one), Config::decode(&other)) else {
            return Ok(());
        };
        prop_assert_eq!(corefile(&one) == corefile(&other), one == other);
    }

    /// A line for a line: no value adds one, or a brace.
    #[test]
    fn a_corefile_has_the_lines_of_its_template(spec in spec()) {
        let Ok(config) = Config::decode(&spec) else {
            return Ok(());
        };
        let lines: Vec<String> = corefile(&config).split('\n').map(str::to_owned).collect();
        // A server block has 15 lines, the two others 26; then what follows the last.
        prop_assert_eq!(lines.len(), 15 * config.servers.len() + 27);
        let opened = lines.iter().filter(|line| line.ends_with('{') && !line.starts_with('#')).count();
        prop_assert_eq!(opened, 4 * config.servers.len() + 7);
    }

    #[test]
    fn every_accepted_specification_builds_its_objects(spec in spec()) {
        let Ok(config) = Config::decode(&spec) else {
            return Ok(());
        };
        let objects = objects::desired(&config, Some(corefile(&config)), &inputs(), &[]).unwrap();
        for object in objects {
            prop_assert_eq!(repair(&object.value, &operator::difference::without_nulls(&object.value)), None);
        }
    }
}
