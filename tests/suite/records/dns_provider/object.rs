//! Which DNSProviders count, and which Secret each names.

use std::collections::BTreeMap;

use operator::records::dns_provider::object::{DEFAULT_CLASS, DnsProviderObject, is_remote};
use operator::records::dns_provider::problem::Problem;
use serde_json::{Value, json};

fn object(metadata: &Value, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "dns.gardener.cloud/v1alpha1", "kind": "DNSProvider",
        "metadata": { "namespace": "team", "name": "web" }, "spec": spec,
    });
    for (field, value) in metadata.as_object().unwrap() {
        object["metadata"][field] = value.clone();
    }
    object
}

fn read(metadata: &Value, spec: &Value, class: &str) -> Option<DnsProviderObject> {
    DnsProviderObject::of(serde_json::from_value(object(metadata, spec)).unwrap(), class)
}

#[test]
fn the_class_decides_whose_an_object_is() {
    let of = |class: Value| json!({ "annotations": { "dns.gardener.cloud/class": class } });
    for (metadata, class, counts) in [
        (json!({}), DEFAULT_CLASS, true),
        (of(json!("gardendns")), DEFAULT_CLASS, true),
        (of(json!("garden")), DEFAULT_CLASS, false),
        (json!({}), "central", false),
        (of(json!("central")), "central", true),
    ] {
        let is_read = read(&metadata, &json!({}), class).is_some();
        assert_eq!(is_read, counts, "{metadata} {class}");
    }
    let leaving = json!({ "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"] });
    assert_eq!(read(&leaving, &json!({}), DEFAULT_CLASS), None);
}

#[test]
fn annotations_let_other_clusters_in_as_go_reads_them() {
    let remote = |name: &str, value: &str| {
        let annotations = BTreeMap::from([(format!("dns.gardener.cloud/{name}"), value.into())]);
        is_remote(&annotations)
    };
    for name in ["remoteAccess", "remote-access"] {
        for value in ["1", "t", "T", "true", "TRUE", "True"] {
            assert!(remote(name, value), "{name}: {value}");
        }
        for value in ["", "0", "false", "tRUE", "yes", " true", "2"] {
            assert!(!remote(name, value), "{name}: {value}");
        }
    }
    assert!(!remote("remoteaccess", "true"));
    assert!(!is_remote(&BTreeMap::new()));
}

#[test]
fn a_secret_is_named_by_its_namespace_or_the_objects() {
    let named = |reference: Value| {
        let spec = json!({ "type": "rfc2136", "secretRef": reference });
        let object = read(&json!({}), &spec, DEFAULT_CLASS).unwrap();
        object.secret().map(|name| name.to_string())
    };
    assert_eq!(named(json!({ "name": "key" })), Ok("team/key".into()));
    assert_eq!(
        named(json!({ "name": "key", "namespace": "accounts" })),
        Ok("accounts/key".into())
    );
    let missing = "spec.secretRef.name is missing: it names the Secret that lets us into the account";
    for reference in [json!(null), json!({}), json!({ "name": "" })] {
        assert_eq!(named(reference), Err(Problem::Invalid(missing.into())));
    }
    // They go into selectors and paths.
    for name in ["a,metadata.name=b", "../x", "A", "-a", "a.", &"a".repeat(254)] {
        let refused = named(json!({ "name": name })).unwrap_err().to_string();
        assert!(refused.starts_with("spec.secretRef.name is "), "{refused}");
        let refused = named(json!({ "name": "a", "namespace": name }))
            .unwrap_err()
            .to_string();
        assert!(refused.starts_with("spec.secretRef.namespace is "), "{refused}");
    }
}

#[test]
fn a_specification_of_other_types_is_told() {
    let object = read(&json!({}), &json!({ "type": 7 }), DEFAULT_CLASS).unwrap();
    let problem = object.spec.unwrap_err();
    assert!(
        matches!(&problem, Problem::Invalid(words) if words.starts_with("spec: ")),
        "{problem}"
    );
}
