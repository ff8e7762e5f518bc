//! Taking over from OpenShift's operator, and giving back: nothing changes but
//! what differs on purpose.

use devcluster::Distribution;
use kube::api::{DynamicObject, PostParams};
use operator::difference::repair;
use operator::dns::objects::ObjectKey;
use operator::resources::{config_map_key, daemon_set_key, default_dns_key};
use serde_json::{Value, json};
use tests::cases;
use tests::program::IMAGES;

use crate::control_plane::{Plane, eventually, quiet};

/// The name under which OpenShift's operator writes.
const THEIR_MANAGER: &str = "dns-operator";
const SCRIPT: &str = include_str!("../../templates/node-resolver.sh");

/// What OpenShift's operator keeps on a cluster where all is well.
fn kept_by_openshift() -> Vec<Value> {
    let cases = cases::reconcile().unwrap();
    let case = cases
        .into_iter()
        .find(|case| case.name == "reconcile/drift-service/annotation-user");
    let mut objects = case.unwrap().expected.objects;
    objects.retain(|object| object["kind"] != "Network");
    // The namespace first, then the DNS that owns the rest.
    objects.sort_by_key(|object| match object["kind"].as_str().unwrap() {
        "Namespace" => 0,
        "DNS" => 1,
        "DaemonSet" => 2,
        _ => 3,
    });
    objects
}

/// The object as this cluster would have it: its images, its owners.
fn here(object: &Value, dns: &Value, set: &Value) -> Value {
    let images = [
        ("coredns:test", "IMAGE"),
        ("cli:test", "OPENSHIFT_CLI_IMAGE"),
        ("kube-rbac-proxy:test", "KUBE_RBAC_PROXY_IMAGE"),
    ];
    let mut text = object.to_string();
    for (theirs, variable) in images {
        let (_, ours) = IMAGES.iter().find(|(name, _)| *name == variable).unwrap();
        text = text.replace(&format!("\"{theirs}\""), &format!("\"{ours}\""));
    }
    text = text.replace("\"MASKED\"", &Value::from(SCRIPT).to_string());
    text = text.replace("    cache 900 {\\n", "    cache 3600 {\\n");
    let mut object: Value = serde_json::from_str(&text).unwrap();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("resourceVersion");
    metadata.remove("uid");
    for owner in metadata
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let of = if owner["kind"] == "DNS" { dns } else { set };
        owner["uid"] = of["metadata"]["uid"].clone();
    }
    if object["kind"] == "DNS" {
        object["spec"] = json!({ "cache": { "positiveTTL": "1h" } });
    }
    object
}

async fn write_as_openshift(plane: &Plane, object: &Value) -> Value {
    let key = ObjectKey::from_value(object).unwrap_or_else(|| panic!("{object}"));
    let parameters = PostParams {
        field_manager: Some(THEIR_MANAGER.into()),
        ..PostParams::default()
    };
    let decoded: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let created = plane.api_of(&key).create(&parameters, &decoded).await;
    let created = created.unwrap_or_else(|error| panic!("{key}: {error}"));
    if key.kind == "DNS" {
        plane.patch_status(&key, object["status"].clone()).await;
        return plane.get(&key).await.unwrap();
    }
    serde_json::to_value(created).unwrap()
}

fn with_kind(mut object: Value) -> Value {
    // Objects that were built in code have none there.
    if object["kind"] == "ConfigMap" {
        object["apiVersion"] = "v1".into();
    }
    if object["kind"] == "DaemonSet" {
        object["apiVersion"] = "apps/v1".into();
    }
    object
}

/// Makes everything that OpenShift's operator keeps.
async fn write_all_as_openshift(plane: &Plane) -> Vec<Value> {
    let (mut dns, mut set) = (Value::Null, Value::Null);
    let mut theirs = Vec::new();
    for object in kept_by_openshift() {
        let object = with_kind(here(&object, &dns, &set));
        let written = write_as_openshift(plane, &object).await;
        match object["kind"].as_str() {
            Some("DNS") => dns.clone_from(&written),
            Some("DaemonSet") if object["metadata"]["name"] == "dns-default" => set.clone_from(&written),
            _ => {}
        }
        theirs.push(object);
    }
    theirs
}

#[tokio::test]
async fn nothing_changes_when_the_operator_is_swapped() {
    let plane = Plane::without_controllers(Distribution::OpenShift).await;
    let theirs = write_all_as_openshift(&plane).await;
    for name in ["dns-default", "node-resolver"] {
        plane.rolled_out(name, [3, 3, 3]).await;
    }
    let before = plane.requests().len();
    let operator = plane.operator();
    eventually("the status is of this operator", async || {
        plane.get(&default_dns_key()).await.unwrap()["status"]["observedGeneration"].is_i64()
    })
    .await;
    quiet().await;
    quiet().await;
    let mut writes = plane.requests().split_off(before);
    writes.retain(|request| {
        !["list", "watch", "get"]
            .iter()
            .any(|verb| request.starts_with(verb))
    });
    writes.sort();
    writes.dedup();
    assert_eq!(
        writes,
        [
            "create clusteroperators",
            "patch clusteroperators/status",
            "patch dnses/status"
        ],
        "{}",
        operator.log()
    );
    for name in ["dns-default", "node-resolver"] {
        let live = plane.get(&daemon_set_key(name)).await.unwrap();
        assert_eq!(live["metadata"]["generation"], 1, "{name}: no pod is restarted");
    }
    assert!(
        plane.corefile().await.contains("cache 3600 {"),
        "spec.cache is in force"
    );
    operator.stop();
    // Given back, they would find what they left.
    for object in theirs {
        let key = ObjectKey::from_value(&object).unwrap();
        let live = plane.get(&key).await.unwrap();
        let mut object = object;
        object.as_object_mut().unwrap().remove("status");
        // The API server fills in what they leave empty.
        if let Some(role) = object.get_mut("roleRef") {
            role["apiGroup"] = live["roleRef"]["apiGroup"].clone();
        }
        assert_eq!(repair(&object, &live).map(|repair| repair.fields), None, "{key}");
    }
    assert_eq!(
        plane.get(&default_dns_key()).await.unwrap()["spec"]["cache"],
        json!({ "positiveTTL": "1h" })
    );
    assert!(
        plane
            .get(&config_map_key("openshift-dns", "dns-default"))
            .await
            .is_some()
    );
}
