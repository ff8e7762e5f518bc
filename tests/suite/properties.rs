//! Rules that hold for any input.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use endurance::corefile;
use endurance::specs::{self, Case};
use endurance::verdicts::{inputs, intended};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use operator::difference::repair;
use operator::dns::config::Config;
use operator::dns::corefile::Templates;
use operator::dns::drift::Repairs;
use operator::dns::inputs::Inputs;
use operator::dns::objects::{self, Desired};
use operator::resources::config_map_key;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| Templates::new().unwrap());

/// A case that is accepted: the configuration, the facts for it, and the Corefile.
fn rendered(case: &Case) -> Option<(Config, Inputs, String)> {
    let inputs = inputs(&case.bundles);
    let config = Config::decode(&case.spec).ok()?;
    let corefile = TEMPLATES.render(&config, &inputs).unwrap();
    Some((config, inputs, corefile))
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

    /// No value adds, removes or changes a directive: read by CoreDNS's rules, the
    /// Corefile holds each where it belongs, and every other byte is the template's.
    #[test]
    fn a_corefile_says_what_was_meant(case in specs::case()) {
        let Some((_, inputs, corefile)) = rendered(&case) else {
            return Ok(());
        };
        let meant = intended(&case, &inputs);
        prop_assert_eq!(corefile::parse(&corefile).unwrap(), meant.tree());
        prop_assert_eq!(corefile, meant.to_string());
    }

    /// Equal Corefiles mean equal configurations: nothing of a specification is lost.
    #[test]
    fn rendering_is_injective(one in specs::case(), other in specs::case()) {
        let (Some((one, inputs, text)), Some((other, _, other_text))) = (rendered(&one), rendered(&other)) else {
            return Ok(());
        };
        // A bundle that is not there is not rendered.
        if one.ca_bundles().chain(other.ca_bundles()).all(|name| inputs.ca_bundles.contains_key(name)) {
            let said = |config: &Config| {
                (config.cache, config.log_level, config.servers.clone(), config.upstreams.clone())
            };
            prop_assert_eq!(text == other_text, said(&one) == said(&other));
        }
    }

    /// At once while there are few, once a second for ever: an object is never left as
    /// somebody else has made it.
    #[test]
    fn repairs_keep_a_pace_and_never_end(gaps in prop::collection::vec(0i64..2000, 1..300)) {
        let key = config_map_key("openshift-dns", "dns-default");
        let desired = Arc::new(Desired::with_spec(key.clone(), &json!({})));
        let mut repairs = Repairs::default();
        repairs.remember(vec![Arc::clone(&desired)]);
        let begin = Timestamp::UNIX_EPOCH;
        let mut now = begin;
        let mut made = 0;
        for gap in gaps {
            now += SignedDuration::from_millis(gap);
            if let Some(pause) = repairs.pause(&key, now) {
                prop_assert!(pause <= Duration::from_secs(1));
            } else {
                repairs.note(&desired, now);
                made += 1;
            }
            prop_assert!(made <= 21 + now.duration_since(begin).as_secs());
        }
    }

    #[test]
    fn every_accepted_specification_builds_its_objects(case in specs::case()) {
        let Some((config, inputs, corefile)) = rendered(&case) else {
            return Ok(());
        };
        let objects = objects::desired(&config, Some(corefile), &inputs, &[]).unwrap();
        for object in objects {
            prop_assert_eq!(repair(&object.value, &operator::difference::without_nulls(&object.value)), None);
        }
    }
}
