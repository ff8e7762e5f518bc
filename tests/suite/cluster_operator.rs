//! ClusterOperator `dns`, as OpenShift's version operator, console and alerts read
//! it.

use devcluster::Distribution;
use operator::resources::{cluster_operator_key, daemon_set_key, default_dns_key, service_monitor_key};
use serde_json::{Value, json};
use tests::program::IMAGES;

use crate::control_plane::{Operator, Plane, RELEASE, eventually, quiet};
use crate::scenario::settled;

async fn condition(plane: &Plane, kind: &str) -> Value {
    let operator = plane.get(&cluster_operator_key()).await.unwrap_or_default();
    let conditions = operator["status"]["conditions"].as_array().cloned();
    let mut conditions = conditions.unwrap_or_default().into_iter();
    conditions
        .find(|condition| condition["type"] == kind)
        .unwrap_or_default()
}

async fn reads(plane: &Plane, kind: &str, status: &str, reason: &str) {
    eventually(&format!("{kind}={status} {reason}"), async || {
        let condition = condition(plane, kind).await;
        condition["status"] == status && condition["reason"] == reason
    })
    .await;
}

/// The versions by name.
async fn versions(plane: &Plane) -> Value {
    let operator = plane.get(&cluster_operator_key()).await.unwrap_or_default();
    let versions = operator["status"]["versions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let pairs = versions.iter().map(|version| {
        let name = version["name"].as_str().unwrap().to_owned();
        (name, version["version"].clone())
    });
    pairs.collect::<serde_json::Map<String, Value>>().into()
}

fn all_unknown() -> Value {
    json!({ "coredns": "unknown", "kube-rbac-proxy": "unknown", "openshift-cli": "unknown", "operator": "unknown" })
}

fn image(variable: &str) -> &'static str {
    IMAGES.iter().find(|(name, _)| *name == variable).unwrap().1
}

#[tokio::test]
async fn versions_move_when_every_pod_runs_them() {
    let plane = Plane::without_controllers(Distribution::OpenShift).await;
    let operator = plane.operator();
    settled(&plane).await;
    reads(
        &plane,
        "Progressing",
        "True",
        "DNSReportsProgressingIsTrueAndUpgrading",
    )
    .await;
    assert_eq!(versions(&plane).await, all_unknown());
    plane.rolled_out("dns-default", [5, 4, 4]).await;
    plane.rolled_out("node-resolver", [5, 5, 5]).await;
    let cli = image("OPENSHIFT_CLI_IMAGE");
    let mut wanted = all_unknown();
    wanted["openshift-cli"] = cli.into();
    eventually("the node resolver is there", async || {
        versions(&plane).await == wanted
    })
    .await;
    plane.rolled_out("dns-default", [5, 5, 5]).await;
    wanted = json!({
        "coredns": image("IMAGE"), "kube-rbac-proxy": image("KUBE_RBAC_PROXY_IMAGE"),
        "openshift-cli": cli, "operator": RELEASE,
    });
    eventually("everything is there", async || versions(&plane).await == wanted).await;
    for (kind, status, reason) in [
        ("Available", "True", "AsExpected"),
        ("Progressing", "False", "AsExpected"),
        ("Degraded", "False", "DNSNotDegraded"),
        ("Upgradeable", "True", "DNSUpgradeable"),
    ] {
        reads(&plane, kind, status, reason).await;
    }
    plane
        .told("All 5 pods of DaemonSet openshift-dns/dns-default are up to date")
        .await;
    operator.stop();
    // An upgrade: the next release has another image.
    let _newer = Operator::upgraded(&plane, "registry.test/coredns:next");
    eventually("the upgrade is told", async || {
        let text = condition(&plane, "Progressing").await["message"].to_string();
        text.contains("Upgrading coredns to ") && text.contains("Upgrading operator to ")
    })
    .await;
    assert_eq!(versions(&plane).await, wanted, "no pod is replaced yet");
    plane.rolled_out("dns-default", [5, 4, 5]).await;
    quiet().await;
    assert_eq!(versions(&plane).await, wanted, "one pod is not replaced yet");
    plane.rolled_out("dns-default", [5, 5, 5]).await;
    wanted["coredns"] = "registry.test/coredns:next".into();
    wanted["operator"] = "0.0.2-test".into();
    eventually("the upgrade is done", async || versions(&plane).await == wanted).await;
    reads(&plane, "Progressing", "False", "AsExpected").await;
}

#[tokio::test]
async fn what_somebody_does_to_it_is_mended_and_the_rest_is_kept() {
    let plane = Plane::without_controllers(Distribution::OpenShift).await;
    let _operator = plane.operator();
    settled(&plane).await;
    for name in ["dns-default", "node-resolver"] {
        plane.rolled_out(name, [5, 5, 5]).await;
    }
    reads(&plane, "Progressing", "False", "AsExpected").await;
    let key = cluster_operator_key();
    let whole = plane.get(&key).await.unwrap()["status"].clone();
    let theirs = json!({
        "type": "Theirs", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Why", "message": "",
    });
    let edits = [
        json!({ "versions": [{ "name": "operator", "version": "garbage" }] }),
        json!({ "versions": null, "conditions": [theirs] }),
        json!({ "relatedObjects": [{ "group": "", "resource": "namespaces", "name": "x" }] }),
        json!({ "conditions": null, "relatedObjects": null }),
    ];
    for edit in edits {
        plane.patch_status(&key, edit.clone()).await;
        eventually(&format!("mended after {edit}"), async || {
            let status = plane.get(&key).await.unwrap()["status"].clone();
            let same = |field: &str| status[field] == whole[field];
            same("versions")
                && same("relatedObjects")
                && status["conditions"].as_array().is_some_and(|all| all.len() >= 4)
        })
        .await;
    }
    plane
        .patch_status(
            &key,
            json!({ "extension": { "of": "others" }, "conditions": [theirs] }),
        )
        .await;
    eventually("the condition of others stays", async || {
        condition(&plane, "Theirs").await["reason"] == "Why"
            && condition(&plane, "Available").await["status"] == "True"
    })
    .await;
    assert_eq!(
        plane.get(&key).await.unwrap()["status"]["extension"],
        json!({ "of": "others" })
    );
    plane.delete(&key).await;
    eventually("a deleted one is made again", async || {
        let live = plane.get(&key).await.unwrap_or_default();
        live["status"]["versions"]
            .as_array()
            .is_some_and(|versions| versions.len() == 4)
    })
    .await;
    quiet().await;
    let before = plane.requests().len();
    quiet().await;
    assert_eq!(plane.requests().len(), before, "nothing flaps");
}

#[tokio::test]
async fn an_outage_shows_everywhere() {
    let plane = Plane::without_controllers(Distribution::OpenShift).await;
    let _operator = plane.operator();
    settled(&plane).await;
    for name in ["dns-default", "node-resolver"] {
        plane.rolled_out(name, [5, 5, 5]).await;
    }
    reads(&plane, "Available", "True", "AsExpected").await;
    // As if everything had been well for an hour.
    let dns = default_dns_key();
    let mut conditions = plane.get(&dns).await.unwrap()["status"]["conditions"].clone();
    for condition in conditions.as_array_mut().unwrap() {
        condition["lastTransitionTime"] = "2026-01-01T00:00:00Z".into();
    }
    plane
        .patch_status(&dns, json!({ "conditions": conditions }))
        .await;
    plane.rolled_out("dns-default", [5, 5, 0]).await;
    reads(&plane, "Available", "False", "DNSUnavailable").await;
    reads(&plane, "Degraded", "True", "DNSDegraded").await;
    assert_eq!(plane.condition("Available").await["reason"], "NoDaemonSetPods");
    plane.rolled_out("dns-default", [5, 5, 5]).await;
    reads(&plane, "Available", "True", "AsExpected").await;
    reads(&plane, "Degraded", "False", "DNSNotDegraded").await;
    plane.edit(json!({ "managementState": "Unmanaged" })).await;
    reads(&plane, "Upgradeable", "False", "DNSNotUpgradeable").await;
}

#[tokio::test]
async fn monitoring_comes_with_its_api() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    plane.make_namespace("openshift-monitoring").await;
    let _operator = plane.operator();
    settled(&plane).await;
    devcluster::openshift::define(&plane.client).await.unwrap();
    let monitor = service_monitor_key();
    eventually("a ServiceMonitor", async || plane.get(&monitor).await.is_some()).await;
    let live = plane.get(&monitor).await.unwrap();
    let set = plane.get(&daemon_set_key("dns-default")).await.unwrap();
    assert_eq!(
        live["metadata"]["ownerReferences"][0]["uid"],
        set["metadata"]["uid"]
    );
    plane
        .patch(&monitor, json!({ "spec": { "endpoints": [] } }))
        .await;
    eventually("its drift is repaired", async || {
        plane.get(&monitor).await.unwrap()["spec"] == live["spec"]
    })
    .await;
    eventually("a ClusterOperator", async || {
        plane.get(&cluster_operator_key()).await.is_some()
    })
    .await;
}
