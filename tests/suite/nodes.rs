//! What the operator makes of the cluster's nodes: routing by zone, and placements
//! that no node would take.

use devcluster::Distribution;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use operator::dns::cluster::Worker;
use operator::dns::node::Node as DecodedNode;
use operator::resources::{daemon_set_key, service_key};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::control_plane::{Operator, Plane, eventually, quiet};
use crate::scenario::settled;

const HINTS: &str = "service.kubernetes.io/topology-aware-hints";

/// A ready node with processors.
async fn join(plane: &Plane, name: &str, labels: Value) {
    let node = json!({ "metadata": { "name": name, "labels": labels } });
    let node: Node = serde_json::from_value(node).unwrap();
    nodes(plane).create(&PostParams::default(), &node).await.unwrap();
    change_status(plane, name, ready("True")).await;
    // The API server gives new nodes a taint that a controller takes away.
    change(plane, name, json!({ "spec": { "taints": null } })).await;
}

fn nodes(plane: &Plane) -> Api<Node> {
    Api::all(plane.client.clone())
}

async fn change(plane: &Plane, name: &str, patch: Value) {
    let patch = Patch::Merge(patch);
    nodes(plane)
        .patch(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

async fn change_status(plane: &Plane, name: &str, status: Value) {
    let patch = Patch::Merge(json!({ "status": status }));
    let patched = nodes(plane)
        .patch_status(name, &PatchParams::default(), &patch)
        .await;
    patched.unwrap();
}

fn ready(status: &str) -> Value {
    json!({
        "allocatable": { "cpu": "3500m" }, "capacity": { "cpu": "4" },
        "conditions": [{ "type": "Ready", "status": status, "reason": "Test", "message": "" }],
    })
}

async fn has_hints(plane: &Plane) -> bool {
    let service = plane
        .get(&service_key("openshift-dns", "dns-default"))
        .await
        .unwrap();
    service["metadata"]["annotations"][HINTS] == "auto"
}

/// What a node of these fields counts as, as the API server tells it and as it is written.
fn worker(metadata: &Value, status: &Value) -> Option<Worker<String>> {
    let node = json!({ "metadata": metadata, "status": status });
    let told: DecodedNode = serde_json::from_str(&node.to_string()).unwrap();
    let written = DecodedNode::deserialize(&node).unwrap();
    assert_eq!(told.worker(), written.worker());
    told.worker().map(|worker| Worker {
        zone: worker.zone.map(str::to_owned),
    })
}

fn worker_in(zone: Option<&str>) -> Worker<String> {
    Worker {
        zone: zone.map(str::to_owned),
    }
}

#[test]
fn nodes_are_read_however_they_are_written() {
    let metadata = json!({
        "name": "n", "resourceVersion": "7", "annotations": { "a": "b" },
        "labels": { "other": "", "topology.kubernetes.io/zone": "a", "kubernetes.io/os": "linux" },
        "managedFields": [{ "manager": "kubelet", "fieldsV1": { "f:metadata": {} } }],
    });
    assert_eq!(worker(&metadata, &ready("True")), Some(worker_in(Some("a"))));
    assert_eq!(worker(&metadata, &ready("Unknown")), None);
    assert_eq!(worker(&metadata, &json!({})), None);
    for (cpu, is_some) in [
        (json!("0.5"), true),
        (json!(4), true),
        (json!(0.1), true),
        (json!("0"), false),
        (json!(""), false),
        (json!(0), false),
        (json!(null), false),
        (json!({ "value": 4 }), false),
    ] {
        let mut status = ready("True");
        status["allocatable"]["cpu"] = cpu.clone();
        let zone = is_some.then_some("a");
        assert_eq!(worker(&metadata, &status), Some(worker_in(zone)), "{cpu}");
    }
    for labels in [
        json!(null),
        json!({}),
        json!({ "topology.kubernetes.io/zone": "" }),
    ] {
        let metadata = json!({ "name": "n", "labels": labels });
        assert_eq!(worker(&metadata, &ready("True")), Some(worker_in(None)));
    }
    let control_plane = json!({ "labels": { "node-role.kubernetes.io/control-plane": "" } });
    assert_eq!(worker(&control_plane, &ready("True")), None);
    let labels = json!({ "a": "b", "c": "", "d": "e f" });
    let node: DecodedNode = serde_json::from_value(json!({ "metadata": { "labels": labels } })).unwrap();
    assert_eq!(node.labels().collect::<Vec<_>>(), ["a=b", "c=", "d=e f"]);
    let error = DecodedNode::deserialize(&json!({ "metadata": { "labels": { "a": "b\nc" } } })).unwrap_err();
    assert!(error.to_string().contains("without line breaks"), "{error}");
}

#[tokio::test]
async fn hints_come_and_go_with_the_zones() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    let _operator = plane.operator();
    settled(&plane).await;
    let zone = |zone: &str| json!({ "topology.kubernetes.io/zone": zone });
    join(&plane, "a", zone("a")).await;
    join(&plane, "b", zone("a")).await;
    quiet().await;
    assert!(!has_hints(&plane).await, "one zone");
    join(&plane, "c", zone("c")).await;
    eventually("two zones", async || has_hints(&plane).await).await;
    join(&plane, "d", json!({})).await;
    eventually("a worker without a zone", async || !has_hints(&plane).await).await;
    let control_plane = json!({ "node-role.kubernetes.io/master": "" });
    change(&plane, "d", json!({ "metadata": { "labels": control_plane } })).await;
    eventually("it runs no workers' pods", async || has_hints(&plane).await).await;
    change_status(&plane, "c", ready("Unknown")).await;
    eventually("the second zone is down", async || !has_hints(&plane).await).await;
    change_status(&plane, "c", ready("True")).await;
    eventually("and up again", async || has_hints(&plane).await).await;
    nodes(&plane).delete("c", &DeleteParams::default()).await.unwrap();
    eventually("and gone", async || !has_hints(&plane).await).await;
}

async fn selector(plane: &Plane) -> Value {
    let set = plane.get(&daemon_set_key("dns-default")).await.unwrap();
    set["spec"]["template"]["spec"]["nodeSelector"].clone()
}

/// A placement of nodes that do not exist, with a toleration named twice.
fn far_away() -> Value {
    let toleration =
        json!({ "key": "dns", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60 });
    json!({ "nodeSelector": { "dns": "here" }, "tolerations": [toleration, toleration] })
}

#[tokio::test]
async fn a_placement_that_no_node_would_take_is_refused_until_one_does() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    join(&plane, "a", json!({ "kubernetes.io/os": "linux" })).await;
    let _operator = plane.operator();
    settled(&plane).await;
    // The node resolver's rollout goes on: a condition that has just turned good stays so
    // for a while.
    plane.rolled_out("dns-default", [1, 1, 1]).await;
    plane
        .edit(json!({ "nodePlacement": far_away(), "cache": { "positiveTTL": "6s" } }))
        .await;
    plane.corefile_has("cache 6 {").await;
    plane
        .told("Warning UnsafeNodePlacement: spec.nodePlacement")
        .await;
    eventually("it is told", async || {
        plane.condition("Progressing").await["message"]
            .as_str()
            .is_some_and(|message| {
                message.contains("want map[dns:here]") && message.contains("TolerationSeconds:60")
            })
    })
    .await;
    assert_eq!(selector(&plane).await, json!({ "kubernetes.io/os": "linux" }));
    quiet().await;
    let before = plane.requests().len();
    quiet().await;
    assert_eq!(plane.requests().len(), before, "a refused placement is no loop");
    // A cordoned node, one under pressure and one that is only not preferred will do.
    let taints = json!([
        { "key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule" },
        { "key": "soft", "effect": "PreferNoSchedule" },
        { "key": "dns", "value": "only", "effect": "NoExecute" },
        { "key": "other", "effect": "NoSchedule" },
    ]);
    change(
        &plane,
        "a",
        json!({ "metadata": { "labels": { "dns": "here" } }, "spec": { "taints": taints } }),
    )
    .await;
    quiet().await;
    assert_eq!(
        selector(&plane).await,
        json!({ "kubernetes.io/os": "linux" }),
        "one taint is not tolerated"
    );
    let tolerated = json!(taints.as_array().unwrap()[..3]);
    change(
        &plane,
        "a",
        json!({ "spec": { "taints": tolerated, "unschedulable": true } }),
    )
    .await;
    eventually("a node takes them", async || {
        selector(&plane).await == json!({ "dns": "here" })
    })
    .await;
}

/// The images of CoreDNS in the DNS pods.
async fn images(plane: &Plane) -> Vec<String> {
    let pods: Api<Pod> = Api::namespaced(plane.client.clone(), "openshift-dns");
    let of_dns = ListParams::default().labels("dns.operator.openshift.io/daemonset-dns=default");
    let pods = pods.list(&of_dns).await.unwrap();
    pods.into_iter()
        .filter_map(|pod| pod.spec?.containers.into_iter().next()?.image)
        .collect()
}

/// A DaemonSet that is made anew adopts them, and its controller would take them for its
/// own: both are of a first template.
#[tokio::test]
async fn pods_left_by_a_deleted_daemon_set_are_replaced() {
    let plane = Plane::start().await;
    let operator = plane.operator();
    settled(&plane).await;
    join(&plane, "a", json!({ "kubernetes.io/os": "linux" })).await;
    eventually("a pod", async || images(&plane).await.len() == 1).await;
    let before = images(&plane).await;
    operator.stop();
    plane.kubectl(&[
        "delete",
        "--namespace=openshift-dns",
        "daemonset/dns-default",
        "--cascade=orphan",
    ]);
    assert_eq!(images(&plane).await, before, "the pod is left");
    let _operator = Operator::upgraded(&plane, "coredns:next");
    eventually("a pod of the new template", async || {
        images(&plane).await.iter().any(|image| image == "coredns:next")
    })
    .await;
}
