//! How bundles come to the pods, change and go. The test says how far the pods are,
//! as the DaemonSet's controller would.

use devcluster::Distribution;
use operator::resources::daemon_set_key;
use serde_json::{Value, json};

use super::{certificate, copy, folders, make_source, named, source, tls_server, with_bundle};
use crate::control_plane::{Operator, Plane, corefile_key, eventually, quiet};
use crate::scenario::settled;

/// A cluster whose pods the test stands for (nodes, pods that are up to date, pods
/// that are available), and an operator on it that gives them a bundle.
async fn with_pods(state: [i64; 3]) -> (Plane, Operator) {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    plane.make_namespace("openshift-config").await;
    let operator = plane.operator();
    settled(&plane).await;
    plane.rolled_out("dns-default", state).await;
    make_source(
        &plane,
        "bundle",
        json!({ "data": { "ca-bundle.crt": certificate() } }),
    )
    .await;
    plane
        .edit(json!({ "servers": [tls_server("a.example", "dns.example", "bundle")] }))
        .await;
    eventually("the pods are given the bundle", async || {
        folders(&plane).await.len() == 1
    })
    .await;
    (plane, operator)
}

async fn names_what_is_mounted(plane: &Plane) -> bool {
    let named = named(plane).await;
    !named.is_empty() && named == folders(plane).await
}

#[tokio::test]
async fn the_corefile_names_no_bundle_before_every_pod_has_it() {
    let (plane, _operator) = with_pods([3, 3, 3]).await;
    quiet().await;
    assert!(
        !plane.corefile().await.contains("a.example"),
        "no pod has the file yet"
    );
    plane.rolled_out("dns-default", [3, 2, 3]).await;
    quiet().await;
    assert!(
        !plane.corefile().await.contains("a.example"),
        "one pod has no file yet"
    );
    plane.rolled_out("dns-default", [3, 3, 3]).await;
    eventually("the Corefile names it", async || {
        names_what_is_mounted(&plane).await
    })
    .await;
    // Not used any more: the copy stays for as long as a pod mounts it.
    plane.edit(json!({ "servers": null })).await;
    eventually("nothing names it", async || named(&plane).await.is_empty()).await;
    quiet().await;
    assert!(plane.get(&copy("ca-bundle")).await.is_some(), "old pods mount it");
    plane.rolled_out("dns-default", [3, 3, 3]).await;
    eventually("the copy goes", async || {
        plane.get(&copy("ca-bundle")).await.is_none()
    })
    .await;
}

/// Pods that a deleted DaemonSet has left behind are adopted by the next one, and
/// have the old template.
#[tokio::test]
async fn pods_that_are_left_behind_are_not_forgotten() {
    let (plane, _operator) = with_pods([3, 3, 3]).await;
    let set = daemon_set_key("dns-default");
    let uid = plane.get(&set).await.unwrap()["metadata"]["uid"].clone();
    plane.delete(&set).await;
    eventually("another DaemonSet", async || {
        plane
            .get(&set)
            .await
            .is_some_and(|live| live["metadata"]["uid"] != uid)
    })
    .await;
    quiet().await;
    assert!(
        !plane.corefile().await.contains("a.example"),
        "no pod has the file yet"
    );
    // Before the pods are adopted, and then; and whatever is done to the Corefile.
    for available in [0, 3] {
        plane.rolled_out("dns-default", [3, 0, available]).await;
        plane.delete(&corefile_key()).await;
        quiet().await;
        let corefile = plane.corefile().await;
        assert!(corefile.contains("cache 900 {"), "the one in force is back");
        assert!(!corefile.contains("a.example"), "no pod has the file yet");
    }
    plane.rolled_out("dns-default", [3, 3, 3]).await;
    eventually("the Corefile names it", async || {
        names_what_is_mounted(&plane).await
    })
    .await;
}

#[tokio::test]
async fn a_rotation_never_leaves_a_pod_without_a_file_it_needs() {
    let (plane, _operator) = with_pods([3, 3, 3]).await;
    plane.rolled_out("dns-default", [3, 3, 3]).await;
    eventually("the Corefile names it", async || {
        names_what_is_mounted(&plane).await
    })
    .await;
    let old = named(&plane).await;
    plane
        .patch(
            &source("bundle"),
            json!({ "data": { "ca-bundle.crt": certificate() } }),
        )
        .await;
    eventually("the pods get the new beside the old", async || {
        folders(&plane).await.len() == 2
    })
    .await;
    assert!(folders(&plane).await.contains(&old[0]));
    quiet().await;
    assert_eq!(named(&plane).await, old);
    // What has nothing to do with the bundle does not wait for it.
    plane.edit(json!({ "cache": { "positiveTTL": "7s" } })).await;
    plane.corefile_has("cache 7 {").await;
    assert_eq!(named(&plane).await, old);
    plane.rolled_out("dns-default", [3, 3, 3]).await;
    eventually("the Corefile names the new", async || named(&plane).await != old).await;
    eventually("the old one goes", async || names_what_is_mounted(&plane).await).await;
}

#[tokio::test]
async fn a_node_that_is_down_holds_nothing_up() {
    let (plane, _operator) = with_pods([3, 3, 2]).await;
    plane.rolled_out("dns-default", [3, 2, 2]).await;
    eventually("the Corefile names it", async || {
        names_what_is_mounted(&plane).await
    })
    .await;
}

/// OpenShift's operator names the folder after the version of the copy.
#[tokio::test]
async fn pods_of_openshifts_operator_keep_the_name_of_their_bundle() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    let operator = with_bundle(&plane).await;
    operator.stop();
    let ours = named(&plane).await.remove(0);
    let version = plane.get(&copy("ca-bundle")).await.unwrap()["metadata"]["resourceVersion"].clone();
    let theirs = format!("/etc/pki/dns.example-ca-bundle-{}", version.as_str().unwrap());
    let set = daemon_set_key("dns-default");
    for key in [corefile_key(), set.clone()] {
        let live = plane.get(&key).await.unwrap().to_string();
        let mut theirs: Value = serde_json::from_str(&live.replace(&ours, &theirs)).unwrap();
        theirs["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        plane.patch(&key, theirs).await;
    }
    plane.rolled_out("dns-default", [3, 3, 3]).await;
    let before = plane.get(&set).await.unwrap()["metadata"]["generation"].clone();
    let _operator = plane.operator();
    quiet().await;
    quiet().await;
    assert_eq!(named(&plane).await[0], theirs);
    let after = plane.get(&set).await.unwrap();
    assert_eq!(after["metadata"]["generation"], before, "no pod is restarted");
    plane
        .patch(
            &source("bundle"),
            json!({ "data": { "ca-bundle.crt": certificate() } }),
        )
        .await;
    eventually("a rotation goes over to ours", async || {
        folders(&plane).await.len() == 2
    })
    .await;
}
