//! Two replicas: one acts, the other waits.

use operator::resources::lease_key;
use serde_json::{Value, json};

use crate::control_plane::{Operator, Plane, eventually, quiet};
use crate::scenario::settled;

async fn holder(plane: &Plane) -> Value {
    let lease = plane.get(&lease_key()).await.unwrap_or_default();
    lease["spec"]["holderIdentity"].clone()
}

#[tokio::test]
async fn the_second_replica_acts_when_the_first_has_stopped() {
    let plane = Plane::start().await;
    let first = Operator::replica(&plane, "first", &[]);
    settled(&plane).await;
    assert_eq!(holder(&plane).await, "first");
    let _second = Operator::replica(&plane, "second", &[]);
    quiet().await;
    let before = plane.requests().len();
    plane.edit(json!({ "cache": { "positiveTTL": "6s" } })).await;
    plane.corefile_has("cache 6 {").await;
    quiet().await;
    let mut requests = plane.requests().split_off(before);
    requests.retain(|request| request.starts_with("patch"));
    requests.sort();
    assert_eq!(
        requests,
        ["patch configmaps", "patch dnses/status"],
        "one replica writes"
    );
    assert_eq!(holder(&plane).await, "first");
    first.stop();
    eventually("the second replica leads", async || {
        holder(&plane).await == "second"
    })
    .await;
    plane.edit(json!({ "cache": { "positiveTTL": "7s" } })).await;
    plane.corefile_has("cache 7 {").await;
    let lease = plane.get(&lease_key()).await.unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 2);
}

#[tokio::test]
async fn a_replica_whose_lease_is_taken_stops_writing() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    plane
        .patch(&lease_key(), json!({ "spec": { "holderIdentity": "another" } }))
        .await;
    quiet().await;
    let before = plane.requests().len();
    plane.edit(json!({ "cache": { "positiveTTL": "6s" } })).await;
    quiet().await;
    assert_eq!(plane.requests().len(), before);
    assert!(!plane.corefile().await.contains("cache 6 {"));
    plane
        .patch(&lease_key(), json!({ "spec": { "holderIdentity": null } }))
        .await;
    plane.corefile_has("cache 6 {").await;
}

#[tokio::test]
async fn the_lease_of_a_holder_that_has_gone_is_taken_when_it_is_over() {
    let plane = Plane::start().await;
    let lease = json!({ "metadata": { "namespace": "openshift-dns-operator" }, "spec": {
        "holderIdentity": "gone", "leaseDurationSeconds": 5,
        // By a clock that is years ahead: only what is seen here counts.
        "acquireTime": "2099-01-01T00:00:00.000000Z", "renewTime": "2099-01-01T00:00:00.000000Z",
    } });
    plane.create(&lease_key(), lease).await;
    let _operator = plane.operator();
    quiet().await;
    assert_eq!(holder(&plane).await, "gone");
    let written = plane
        .requests()
        .into_iter()
        .any(|request| request.starts_with("create"));
    assert!(!written, "the lease is not over yet");
    settled(&plane).await;
    assert_eq!(holder(&plane).await, "operator");
    let lease = plane.get(&lease_key()).await.unwrap();
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 60);
}

#[tokio::test]
async fn a_lease_that_somebody_deletes_is_taken_again() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    plane.delete(&lease_key()).await;
    eventually("the Lease is back", async || holder(&plane).await == "operator").await;
    plane.edit(json!({ "cache": { "positiveTTL": "6s" } })).await;
    plane.corefile_has("cache 6 {").await;
}
