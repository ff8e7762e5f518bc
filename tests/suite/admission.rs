//! The resource definitions on a real API server give OpenShift's verdicts.

use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use operator::dns::objects::ObjectKey;
use operator::resources;
use serde_json::{Value, json};
use tests::cases;

use crate::control_plane::Plane;

#[tokio::test]
async fn the_api_server_judges_and_defaults_as_on_openshift() {
    let plane = Plane::start().await;
    let dnses = plane.dnses();
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    for case in cases::render().unwrap() {
        let mut raw = case.dns_raw.clone();
        // The server sets these itself.
        for field in ["uid", "deletionTimestamp", "finalizers"] {
            raw["metadata"].as_object_mut().unwrap().remove(field);
        }
        let dns: DynamicObject = serde_json::from_value(raw).unwrap();
        let answer = dnses.create(&dry_run, &dns).await;
        match answer {
            Ok(stored) => {
                assert!(case.valid, "{} was accepted", case.name);
                let stored = serde_json::to_value(stored).unwrap();
                assert_eq!(stored["spec"], spec(&case.dns), "{}", case.name);
            }
            Err(kube::Error::Api(status)) => {
                assert!(!case.valid, "{}: {}", case.name, status.message);
                assert_eq!(status.code, 422, "{}: {}", case.name, status.message);
            }
            Err(error) => panic!("{}: {error}", case.name),
        }
    }
    plane.cluster.stop().unwrap();
}

/// Whole numbers have no fraction once they are stored.
fn spec(dns: &Value) -> Value {
    let mut spec = dns["spec"].clone();
    for toleration in spec
        .pointer_mut("/nodePlacement/tolerations")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(seconds) = toleration.get_mut("tolerationSeconds")
            && let Some(whole) = seconds.to_string().strip_suffix(".0")
        {
            *seconds = whole.parse().unwrap();
        }
    }
    spec
}

/// A name is absolute, in lower case, of two labels or more after the asterisk, and
/// stays what it is.
#[tokio::test]
async fn a_name_to_resolve_is_checked_and_kept() {
    let plane = Plane::start().await;
    let key = resources::name_resolver_key("www");
    plane.make_namespace(key.namespace.as_deref().unwrap()).await;
    let too_long = format!("{}.example.com.", ["a"; 122].join("."));
    for name in [
        "example.com",
        "com.",
        "*.com.",
        "Example.com.",
        "a.*.example.com.",
        "*",
        &too_long,
    ] {
        let answer = create(&plane, &key, json!({ "name": name })).await;
        assert!(refusal(answer).contains("spec.name"), "{name}");
    }
    let wildcard = resources::name_resolver_key("wildcard");
    for (key, name) in [(&wildcard, "*.example.com."), (&key, "a-b.example.com.")] {
        create(&plane, key, json!({ "name": name })).await.unwrap();
    }
    let resolvers = plane.api_of(&key);
    let parameters = PatchParams::default();
    let other = Patch::Merge(json!({ "spec": { "name": "ftp.example.com." } }));
    let answer = resolvers.patch("www", &parameters, &other).await;
    assert!(refusal(answer).contains("spec.name is immutable"));
    let address = json!({ "ip": "192.0.2.1", "lastLookupTime": "2026-01-01T00:00:00Z", "ttlSeconds": 1 });
    let names = json!([{ "dnsName": "a-b.example.com.", "resolvedAddresses": [address, address] }]);
    let status = Patch::Merge(json!({ "status": { "resolvedNames": names } }));
    let answer = resolvers.patch_status("www", &parameters, &status).await;
    assert!(refusal(answer).contains("Duplicate value"));
    plane.cluster.stop().unwrap();
}

async fn create(plane: &Plane, key: &ObjectKey, spec: Value) -> kube::Result<DynamicObject> {
    let object = serde_json::from_value(json!({
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": { "name": key.name },
        "spec": spec,
    }))
    .unwrap();
    plane.api_of(key).create(&PostParams::default(), &object).await
}

/// What the API server has against an object.
fn refusal(answer: kube::Result<DynamicObject>) -> String {
    match answer {
        Err(kube::Error::Api(status)) if status.code == 422 => status.message,
        other => panic!("not refused as invalid: {other:?}"),
    }
}
