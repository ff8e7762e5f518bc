//! The operator as a process beside a real API server.

use std::time::{Duration, Instant};

use kube::api::{DeleteParams, DynamicObject, PostParams};
use operator::dns::objects::ObjectKey;
use operator::resources::{self, daemon_set_key, service_key};
use serde_json::{Value, json};

use crate::control_plane::{Plane, corefile_key, eventually, kept_keys, quiet};

/// Ready: every object is there, and the status speaks of this specification.
pub async fn settled(plane: &Plane) {
    for key in kept_keys() {
        eventually(&key.to_string(), async || plane.get(&key).await.is_some()).await;
    }
    eventually("the status is written", async || {
        let dns = plane.get(&resources::default_dns_key()).await.unwrap_or_default();
        dns["status"]["observedGeneration"].is_i64()
            && dns["status"]["observedGeneration"] == dns["metadata"]["generation"]
    })
    .await;
}

#[tokio::test]
async fn a_fresh_cluster_gets_everything_and_then_no_request() {
    let plane = Plane::start().await;
    let operator = plane.operator();
    settled(&plane).await;
    let dns = plane.get(&resources::default_dns_key()).await.unwrap();
    assert_eq!(
        dns["metadata"]["finalizers"],
        json!(["dns.operator.openshift.io/dns-controller"])
    );
    assert_eq!(dns["status"]["clusterDomain"], "cluster.local");
    assert_eq!(dns["status"]["clusterIP"], "172.30.0.10");
    for kind in ["Available", "Degraded", "Progressing", "Upgradeable"] {
        assert!(plane.condition(kind).await.is_object(), "{kind}");
    }
    quiet().await;
    let before = plane.requests();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(plane.requests(), before, "an unchanged cluster gets no request");
    drop(operator);
    let _again = plane.operator();
    quiet().await;
    let new = plane.requests().split_off(before.len());
    assert!(
        new.iter().all(|request| ["list", "get", "watch"]
            .iter()
            .any(|verb| request.starts_with(verb))),
        "a restart writes nothing: {new:?}"
    );
}

#[tokio::test]
async fn an_edit_of_a_ttl_costs_one_config_map_and_at_most_one_status() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    quiet().await;
    let before = plane.requests().len();
    plane
        .edit(json!({ "cache": { "positiveTTL": "6s", "negativeTTL": "0.5h10m" } }))
        .await;
    plane.corefile_has("cache 6 {").await;
    plane.corefile_has("denial 9984 2400").await;
    quiet().await;
    let mut requests = plane.requests().split_off(before);
    requests.retain(|request| request != "patch dnses/status");
    assert_eq!(requests, ["patch configmaps"]);
    assert!(plane.requests().len() - before <= 2);
}

#[tokio::test]
async fn drift_is_repaired_without_a_loop() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    for (key, edit) in edits_by_hand() {
        let whole = without_versions(&plane.get(&key).await.unwrap());
        plane.patch(&key, edit.clone()).await;
        repaired(&format!("{key} after {edit}"), async || {
            let live = plane.get(&key).await.unwrap();
            operator::difference::repair(&whole, &live).is_none()
        })
        .await;
    }
    for key in kept_keys() {
        let uid = plane.get(&key).await.unwrap()["metadata"]["uid"].clone();
        plane
            .api_of(&key)
            .delete(&key.name, &DeleteParams::default())
            .await
            .unwrap();
        repaired(&format!("{key} is back"), async || {
            plane
                .get(&key)
                .await
                .is_some_and(|live| live["metadata"]["uid"] != uid)
        })
        .await;
    }
    let service = plane
        .get(&service_key("openshift-dns", "dns-default"))
        .await
        .unwrap();
    assert_eq!(service["spec"]["clusterIP"], "172.30.0.10");
    quiet().await;
    let before = plane.requests().len();
    quiet().await;
    assert_eq!(plane.requests().len(), before, "no loop");
}

/// What somebody might do to the operator's objects.
fn edits_by_hand() -> [(ObjectKey, Value); 8] {
    let dns = daemon_set_key("dns-default");
    let service = service_key("openshift-dns", "dns-default");
    let pod = |pod: Value| json!({ "spec": { "template": { "spec": pod } } });
    [
        (
            corefile_key(),
            json!({ "data": { "Corefile": "broken", "more": "x" } }),
        ),
        (
            corefile_key(),
            json!({ "metadata": { "labels": null, "ownerReferences": null } }),
        ),
        (dns.clone(), pod(json!({ "nodeSelector": { "a": "b" } }))),
        (dns.clone(), pod(json!({ "tolerations": [] }))),
        (
            dns,
            json!({ "spec": { "minReadySeconds": 1, "template": { "metadata": { "annotations": null } } } }),
        ),
        (
            service.clone(),
            json!({ "spec": { "ports": [{ "name": "x", "port": 1 }] } }),
        ),
        (
            service,
            json!({ "metadata": { "annotations": null, "labels": null } }),
        ),
        (
            daemon_set_key("node-resolver"),
            json!({ "spec": { "updateStrategy": { "rollingUpdate": { "maxUnavailable": 1 } } } }),
        ),
    ]
}

async fn repaired(what: &str, holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    eventually(what, holds).await;
    // Shown with --nocapture: times are told, not tested.
    eprintln!("{what}: {:?}", begun.elapsed());
}

fn without_versions(object: &Value) -> Value {
    let mut object = object.clone();
    for field in [
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "uid",
    ] {
        object["metadata"].as_object_mut().unwrap().remove(field);
    }
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        // Counted up by the API server.
        annotations.remove("deprecated.daemonset.template.generation");
    }
    object.as_object_mut().unwrap().remove("status");
    object
}

#[tokio::test]
async fn fields_of_others_stay() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    let foreign = json!({ "metadata": { "annotations": { "example.com/a": "1" }, "labels": { "example.com/b": "2" } } });
    for key in kept_keys() {
        plane.patch(&key, foreign.clone()).await;
    }
    quiet().await;
    plane
        .patch(
            &daemon_set_key("dns-default"),
            json!({ "spec": { "minReadySeconds": 3 } }),
        )
        .await;
    quiet().await;
    for key in kept_keys() {
        let live = plane.get(&key).await.unwrap();
        assert_eq!(live["metadata"]["annotations"]["example.com/a"], "1", "{key}");
        assert_eq!(live["metadata"]["labels"]["example.com/b"], "2", "{key}");
    }
}

#[tokio::test]
async fn an_invalid_spec_changes_nothing_and_is_told_in_status() {
    let plane = Plane::start().await;
    let operator = plane.operator();
    settled(&plane).await;
    plane.edit(json!({ "cache": { "positiveTTL": "77s" } })).await;
    plane.corefile_has("cache 77 {").await;
    let good = plane.corefile().await;
    let server = json!([{ "name": "a", "zones": ["ok.example", "not a zone"], "forwardPlugin": { "upstreams": ["192.0.2.1"] } }]);
    plane
        .edit(json!({ "servers": server, "cache": { "positiveTTL": "88s" } }))
        .await;
    eventually("Degraded", async || {
        plane.condition("Degraded").await["reason"] == "InvalidSpec"
    })
    .await;
    let degraded = plane.condition("Degraded").await;
    assert_eq!(degraded["status"], "True");
    let message = degraded["message"].as_str().unwrap();
    assert!(
        message.contains("spec.servers[0].zones[1]: Invalid value: \"not a zone\""),
        "{message}"
    );
    assert_eq!(plane.corefile().await, good);
    // What was good last is still looked after.
    plane
        .patch(&corefile_key(), json!({ "data": { "Corefile": "x" } }))
        .await;
    eventually("the last good Corefile", async || plane.corefile().await == good).await;
    // A restart does not know it any more, and leaves it alone.
    drop(operator);
    let _operator = plane.operator();
    quiet().await;
    assert_eq!(plane.corefile().await, good);
    plane.edit(json!({ "servers": null })).await;
    plane.corefile_has("cache 88 {").await;
    eventually("not refused", async || {
        plane.condition("Degraded").await["reason"] != "InvalidSpec"
    })
    .await;
}

#[tokio::test]
async fn a_duration_stored_past_the_api_server_does_not_stop_the_operator() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    for (text, outcome) in [
        ("00", None),
        ("1h0", None),
        ("9999999999h", Some("cache 4294967295 {")),
    ] {
        let key = "/registry/operator.openshift.io/dnses/default";
        let mut dns: Value = serde_json::from_str(&plane.cluster.etcd_get(key).unwrap().unwrap()).unwrap();
        dns["spec"]["cache"] = json!({ "positiveTTL": text });
        dns["metadata"]["generation"] = (dns["metadata"]["generation"].as_i64().unwrap() + 1).into();
        plane.cluster.etcd_put(key, &dns.to_string()).unwrap();
        match outcome {
            None => {
                eventually(text, async || {
                    let message = plane.condition("Degraded").await["message"].clone();
                    let wanted = format!("spec.cache.positiveTTL: Invalid value: {text:?}");
                    message.as_str().is_some_and(|message| message.contains(&wanted))
                })
                .await;
            }
            Some(line) => plane.corefile_has(line).await,
        }
    }
}

#[tokio::test]
async fn another_dns_is_ignored_and_told_once() {
    let plane = Plane::start().await;
    let operator = plane.operator();
    settled(&plane).await;
    let corefile = plane.corefile().await;
    let other: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "DNS", "metadata": { "name": "other" },
        "spec": { "cache": { "positiveTTL": "1s" } },
    }))
    .unwrap();
    plane
        .dnses()
        .create(&PostParams::default(), &other)
        .await
        .unwrap();
    plane.edit(json!({ "logLevel": "Debug" })).await;
    plane.corefile_has("class denial error").await;
    plane.edit(json!({ "logLevel": "Normal" })).await;
    eventually("the Corefile is as before", async || {
        plane.corefile().await == corefile
    })
    .await;
    assert!(plane.get(&resources::dns_key("other")).await.unwrap()["status"].is_null());
    assert_eq!(operator.log().matches("ignored").count(), 1, "{}", operator.log());
}

#[tokio::test]
async fn the_api_server_may_go_away_and_come_back() {
    let mut plane = Plane::start().await;
    let mut operator = plane.operator();
    settled(&plane).await;
    plane.cluster.stop_api_server();
    tokio::time::sleep(Duration::from_secs(3)).await;
    plane.cluster.start_api_server().await.unwrap();
    plane.edit(json!({ "cache": { "positiveTTL": "123s" } })).await;
    plane.corefile_has("cache 123 {").await;
    assert!(operator.is_running(), "{}", operator.log());
}

#[tokio::test]
async fn an_unmanaged_dns_is_left_alone() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    plane.edit(json!({ "managementState": "Unmanaged" })).await;
    eventually("not upgradeable", async || {
        plane.condition("Upgradeable").await["reason"] == "OperatorUnmanaged"
    })
    .await;
    let before = plane.corefile().await;
    plane.edit(json!({ "cache": { "positiveTTL": "9s" } })).await;
    quiet().await;
    assert_eq!(plane.corefile().await, before);
    plane.edit(json!({ "managementState": "Managed" })).await;
    plane.corefile_has("cache 9 {").await;
}

#[tokio::test]
async fn a_deleted_dns_is_cleaned_up_and_made_anew() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    for state in ["Managed", "Unmanaged", "Removed", "Force"] {
        plane.edit(json!({ "cache": { "positiveTTL": "9s" } })).await;
        plane.corefile_has("cache 9 {").await;
        plane.edit(json!({ "managementState": state })).await;
        let dns = resources::default_dns_key();
        let uid = plane.get(&dns).await.unwrap()["metadata"]["uid"].clone();
        plane.delete(&dns).await;
        eventually(&format!("another DNS after one that was {state}"), async || {
            plane
                .get(&dns)
                .await
                .is_some_and(|dns| dns["metadata"]["uid"] != uid)
        })
        .await;
        settled(&plane).await;
        plane.corefile_has("cache 900 {").await;
    }
}

#[tokio::test]
async fn the_service_address_comes_from_the_network_or_the_command_line() {
    let plane = Plane::start().await;
    let _operator = crate::control_plane::Operator::start(&plane, &["--cluster-ip", "172.30.7.7"]);
    settled(&plane).await;
    let dns = plane.get(&resources::default_dns_key()).await.unwrap();
    assert_eq!(dns["status"]["clusterIP"], "172.30.7.7");
}

/// While the address is somebody else's, everything else is done, and it is said
/// why the Service is not there.
#[tokio::test]
async fn an_address_that_is_taken_is_told_and_had_when_it_is_free() {
    let plane = Plane::start().await;
    let thief = service_key("default", "thief");
    let ports = json!([{ "port": 53, "protocol": "UDP" }]);
    plane
        .create(
            &thief,
            json!({
                "metadata": { "namespace": "default" },
                "spec": { "clusterIP": "172.30.0.10", "ports": ports },
            }),
        )
        .await;
    let _operator = plane.operator();
    let service = service_key("openshift-dns", "dns-default");
    eventually("the rest is there", async || {
        plane.get(&daemon_set_key("node-resolver")).await.is_some()
            && plane.get(&service_key("default", "openshift")).await.is_some()
    })
    .await;
    eventually("it is told", async || {
        let degraded = plane.condition("Degraded").await;
        degraded["reason"] == "ReconcileFailed"
            && degraded.to_string().contains("provided IP is already allocated")
    })
    .await;
    assert_eq!(plane.condition("Available").await["status"], "False");
    plane.delete(&thief).await;
    eventually("the Service is there", async || {
        plane.get(&service).await.is_some()
    })
    .await;
    eventually("nothing fails any more", async || {
        plane.condition("Degraded").await["reason"] != "ReconcileFailed"
    })
    .await;
}
