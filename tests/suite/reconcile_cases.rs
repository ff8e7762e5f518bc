//! Whole passes, against what OpenShift's operator makes of the same objects.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use operator::images::Images;
use serde_json::{Map, Value, json};
use tests::cases::{self, ReconcileCase};
use tests::differences::Differences;

use crate::api_server::ApiServer;
use crate::in_memory::{Setting, certificate, definitions, operate};

/// How long the operator works, by the paused clock: long enough for retries.
const SETTLED: Duration = Duration::from_secs(270);

/// For how long nothing happens after it where nothing fails.
const REST: Duration = Duration::from_secs(30);

/// Our own script, which stands where a case has it masked.
const SCRIPT: &str = include_str!("../../templates/node-resolver.sh");
const RBAC: &str = "rbac.authorization.k8s.io";

/// The cluster of a case. What an API server would have set is set: the operator
/// is to find its own work there, and repair nothing but what the case is about.
fn cluster(case: &ReconcileCase, started: Timestamp) -> ApiServer {
    let server = ApiServer::default();
    // What keeps the ClusterOperator is another part of the reference.
    let reported = |definition: &Value| {
        let name = definition["metadata"]["name"].as_str().unwrap_or_default();
        case.request.status_controller || !name.starts_with("clusteroperators.")
    };
    definitions()
        .filter(reported)
        .for_each(|definition| server.load(definition));
    for object in &case.request.objects {
        let mut object = object.clone();
        walk(&mut object, &mut |value| {
            let Some(text) = value.as_str() else { return };
            if let Some(age) = ago(text) {
                *value = json!(second(started - age));
            } else if text == "MASKED" {
                *value = SCRIPT.into();
            }
        });
        if let Some(role) = object.get_mut("roleRef") {
            role["apiGroup"] = RBAC.into();
        }
        // The cases have a word for each bundle.
        if let Some(bundle) = object.pointer_mut("/data/ca-bundle.crt") {
            *bundle = format!("{}\n{}", bundle.as_str().unwrap(), certificate()).into();
        }
        server.load(object);
    }
    // OpenShift always has the gates of its release.
    server.load(json!({
        "apiVersion": "config.openshift.io/v1", "kind": "FeatureGate", "metadata": { "name": "cluster" },
        "status": { "featureGates": [{ "version": "0.0.1-snapshot", "enabled": [], "disabled": [] }] },
    }));
    fill_in_owners(&server);
    server.refuse(&case.request.fail_on);
    server
}

/// An owner without a uid is the object of that name.
fn fill_in_owners(server: &ApiServer) {
    for mut object in server.objects() {
        let Some(owner) = object.pointer_mut("/metadata/ownerReferences/0") else {
            continue;
        };
        if owner["uid"] != "" {
            continue;
        }
        let text = |field: &str| owner[field].as_str().unwrap().to_owned();
        if let Some(of) = server.get(&text("kind"), &text("name")) {
            owner["uid"] = of["metadata"]["uid"].clone();
            server.load(object);
        }
    }
}

/// `@ago:10s` is ten seconds ago.
fn ago(text: &str) -> Option<SignedDuration> {
    text.strip_prefix("@ago:")?.parse().ok()
}

fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn walk(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| walk(value, change)),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        value => change(value),
    }
}

/// Objects by kind and name, without what differs from run to run or means the
/// same either way.
fn canonical(objects: &[Value], started: Timestamp) -> Value {
    let mut found = Map::new();
    for object in objects.iter().filter(|object| !is_beside(&object["kind"])) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let kind = object["kind"].as_str().unwrap();
        let mut object = object.clone();
        let metadata = object["metadata"].as_object_mut().unwrap();
        for volatile in ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"] {
            metadata.remove(volatile);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            // The time of the creation; a real API server writes its own number there.
            annotations.remove("deprecated.daemonset.template.generation");
        }
        if let Some(owner) = object.pointer_mut("/metadata/ownerReferences/0") {
            let of = objects
                .iter()
                .find(|of| of["kind"] == owner["kind"] && of["metadata"]["name"] == owner["name"]);
            // Objects of the reference that were there before have none.
            let uid = of.map_or(&Value::Null, |of| &of["metadata"]["uid"]);
            if owner["uid"] == "" || owner["uid"] == *uid {
                owner["uid"] = "of the owner".into();
            }
        }
        if let Some(role) = object.get_mut("roleRef") {
            role["apiGroup"] = RBAC.into();
        }
        if let Some(conditions) = object.pointer_mut("/status/conditions") {
            *conditions = by_type(conditions, started);
        }
        walk(&mut object, &mut |value| {
            if value == SCRIPT {
                *value = "MASKED".into();
            } else if let Some(text) = value.as_str() {
                let text = text.strip_suffix(&format!("\n{}", certificate())).unwrap_or(text);
                *value = without_ca_versions(text).into();
            }
        });
        // They only add to OpenShift's fields; the test `in_force` has them.
        if kind == "DNS"
            && let Some(status) = object["status"].as_object_mut()
        {
            status.retain(|field, _| !["corefile", "effectiveCache", "nodes"].contains(&field.as_str()));
        }
        // What was not written by anyone is zero there.
        if let Some(fields) = object.get_mut("status") {
            without_zeros(fields);
        }
        if kind == "DNS" {
            without_zeros(&mut object["spec"]);
        }
        let mut object = without_empty(object);
        if kind == "DNS" && object["status"].is_null() {
            object["status"] = json!({});
        }
        let same = found.insert(format!("{kind} {name}"), object);
        assert!(same.is_none(), "two objects are called {kind} {name}");
    }
    Value::Object(found)
}

/// The path of a CA bundle ends with the version of its copy there, and with a
/// digest of its content here.
fn without_ca_versions(text: &str) -> String {
    let mut parts = text.split("/etc/pki/");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)))
            .unwrap_or(part.len());
        let key = part[..end].rfind('-').map_or(end, |dash| dash + 1);
        result.extend(["/etc/pki/", &part[..key], "KEY", &part[end..]]);
    }
    result
}

fn without_zeros(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(without_zeros);
            fields.retain(|_, value| *value != 0 && *value != "0s");
        }
        Value::Array(items) => items.iter_mut().for_each(without_zeros),
        _ => {}
    }
}

/// The conditions by type, with `NOW` for the time of the run.
fn by_type(conditions: &Value, started: Timestamp) -> Value {
    let mut found = Map::new();
    for condition in conditions.as_array().into_iter().flatten() {
        let mut condition = condition.clone();
        let since = condition["lastTransitionTime"].as_str().unwrap_or_default();
        if let Ok(since) = since.parse::<Timestamp>()
            && since >= started - SignedDuration::from_secs(1)
        {
            condition["lastTransitionTime"] = "NOW".into();
        } else if let Some(age) = ago(since) {
            condition["lastTransitionTime"] = second(started - age).into();
        }
        let kind = condition.as_object_mut().unwrap().remove("type").unwrap();
        found.insert(kind.as_str().unwrap().to_owned(), condition);
    }
    Value::Object(found)
}

/// Go's zero values say nothing: what is empty may as well be missing.
fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key, without_empty(value)))
            .filter(|(_, value)| !is_empty(value))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        value => value,
    }
}

/// What the reference has not, or the cases do not show: which replica acts, what
/// people are told, and which kinds and features there are.
fn is_beside(kind: &Value) -> bool {
    ["CustomResourceDefinition", "Event", "FeatureGate", "Lease"]
        .iter()
        .any(|beside| kind == beside)
}

/// The writes, however often each; a patch is the reference's update.
fn distinct(writes: &[String]) -> Value {
    let mut set = Map::new();
    for write in writes {
        let write = match write.strip_prefix("patch ") {
            Some(rest) => format!("update {rest}"),
            None => write.clone(),
        };
        let kind = write.split(' ').nth(1).unwrap_or_default();
        if !is_beside(&kind.into()) {
            set.insert(write, true.into());
        }
    }
    Value::Object(set)
}

async fn ours(case: &ReconcileCase, started: Timestamp) -> Value {
    let server = cluster(case, started);
    let before = canonical(&server.objects(), started);
    let images = &case.request.images;
    let mut setting = Setting {
        images: Images {
            coredns: images.coredns.clone(),
            openshift_cli: images.openshift_cli.clone(),
            kube_rbac_proxy: images.kube_rbac_proxy.clone(),
        },
        ..Setting::default()
    };
    if let Some(version) = &case.request.release_version {
        setting.release_version.clone_from(version);
    }
    let run = tokio::time::timeout(SETTLED + REST, operate(server.client(), setting));
    let settled = async {
        tokio::time::sleep(SETTLED).await;
        server.calls().len()
    };
    let (run, settled) = join(run, settled).await;
    assert!(run.is_err(), "{}: the operator has ended", case.name);
    let mut late = server.calls().split_off(settled);
    late.retain(|call| !call.starts_with("watch ") && !call.contains(" Lease "));
    assert!(
        late.is_empty() || !case.request.fail_on.is_empty(),
        "{}: no rest: {late:?}",
        case.name
    );
    let objects = canonical(&server.objects(), started);
    let mut writes = distinct(&server.writes());
    // A status that gains only the fields that OpenShift's has not is written once.
    let gained = server
        .objects()
        .iter()
        .any(|object| object["kind"] == "DNS" && object["status"]["corefile"].is_object());
    if gained && objects["DNS default"]["status"] == before["DNS default"]["status"] {
        writes
            .as_object_mut()
            .unwrap()
            .remove("update DNS/status default");
    }
    json!({ "objects": objects, "writes": writes })
}

fn reference(case: &ReconcileCase, started: Timestamp) -> Value {
    json!({
        "objects": canonical(&case.expected.objects, started),
        "writes": distinct(&case.writes),
    })
}

#[tokio::test(start_paused = true)]
async fn objects_and_writes_are_the_reference_s_but_for_what_is_listed() {
    let differences = Differences::load("reconcile-differences.yaml").unwrap();
    let cases = cases::reconcile().unwrap();
    let started = Timestamp::now();
    let references: BTreeMap<&str, Value> = cases
        .iter()
        .map(|case| (case.name.as_str(), reference(case, started)))
        .collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let ours = ours(case, started).await;
        let other = |name: &str| references[name].clone();
        wrong.extend(differences.mismatch(&case.name, &other(&case.name), &ours, other));
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ otherwise than listed:\n{}",
        wrong.len(),
        wrong.join("")
    );
    for listed in differences.cases() {
        assert!(references.contains_key(listed), "{listed} is no case");
    }
    assert!(cases.len() >= 65);
}
