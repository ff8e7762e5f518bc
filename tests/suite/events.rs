//! What people are told: Events on the DNS, and conditions that say the same.

use devcluster::Distribution;
use kube::api::{Patch, PatchParams};
use operator::dns::objects::ObjectKey;
use operator::resources::{api_server_key, daemon_set_key, dns_key, feature_gate_key};
use serde_json::{Value, json};

use crate::control_plane::{Plane, corefile_key, eventually, quiet};
use crate::scenario::settled;

/// Changes an object under the name of a program.
async fn change_as(plane: &Plane, manager: &str, key: &ObjectKey, patch: Value) {
    let parameters = PatchParams {
        field_manager: Some(manager.into()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(patch);
    let patched = plane.api_of(key).patch(&key.name, &parameters, &patch).await;
    patched.unwrap();
}

#[tokio::test]
async fn decisions_are_told_with_what_they_were_made_from() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    plane
        .told("Normal CorefilePublished: Corefile ca1b5b5a: answers are cached for up to 900 s")
        .await;
    plane
        .edit(json!({ "cache": { "positiveTTL": "10s", "negativeTTL": "9999999999h" } }))
        .await;
    plane
        .told("replaces ca1b5b5a: answers are cached for up to 10 s instead of 900 s")
        .await;
    plane
        .told("Warning TTLCapped: spec.cache.negativeTTL: 9999999999h is cut to 4294967295 seconds")
        .await;
    plane
        .edit(json!({ "servers": [{ "name": "a", "zones": ["a b"], "forwardPlugin": { "upstreams": ["192.0.2.1"] } }] }))
        .await;
    plane
        .told("Warning InvalidSpec: The last good configuration stays in force:\nspec.servers[0].zones[0]")
        .await;
    plane.edit(json!({ "servers": null })).await;
    plane.told("Normal ValidSpec").await;
    plane.create(&dns_key("other"), json!({ "spec": {} })).await;
    plane.told("Warning DNSIgnored: DNS [\"other\"] is ignored").await;
    // The same again is no news.
    let before = plane.events().await.len();
    plane.edit(json!({ "cache": { "positiveTTL": "10s" } })).await;
    quiet().await;
    assert_eq!(plane.events().await.len(), before);
}

#[tokio::test]
async fn what_a_configuration_does_to_its_cluster_is_told() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    let server = |zone: &str, upstream: &str| json!({ "servers": [{ "name": "a", "zones": [zone], "forwardPlugin": { "upstreams": [upstream] } }] });
    plane.edit(server("svc.cluster.local", "192.0.2.1")).await;
    plane
        .told(
            "Warning ClusterDomainShadowed: spec.servers[0].zones[0]: \"svc.cluster.local\" shadows the cluster domain \
             cluster.local.: svc.cluster.local. and the names below it",
        )
        .await;
    plane.corefile_has("svc.cluster.local:5353 {").await;
    let corefile = plane.get(&corefile_key()).await.unwrap()["data"].clone();
    let address = plane.get(&dns_key("default")).await.unwrap()["status"]["clusterIP"].clone();
    let address = address.as_str().unwrap();
    plane.edit(server("a.test", &format!("{address}:53"))).await;
    plane
        .told(&format!(
            "Warning InvalidSpec: The last good configuration stays in force:\nspec.servers[0].forwardPlugin.upstreams[0]: \
             Invalid value: \"{address}:53\": {address} is the address of the DNS service itself"
        ))
        .await;
    // A pass for another reason keeps what was in force, too.
    plane.delete(&corefile_key()).await;
    eventually("the Corefile is back", async || {
        plane.get(&corefile_key()).await.is_some()
    })
    .await;
    assert_eq!(plane.get(&corefile_key()).await.unwrap()["data"], corefile);
}

#[tokio::test]
async fn who_changed_what_is_told_and_deletions_too() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    let set = daemon_set_key("dns-default");
    change_as(
        &plane,
        "kubectl-edit",
        &set,
        json!({ "spec": { "minReadySeconds": 1 } }),
    )
    .await;
    plane
        .told("Normal DriftRepaired: Repaired DaemonSet openshift-dns/dns-default: spec.minReadySeconds, changed by kubectl-edit")
        .await;
    plane.delete(&corefile_key()).await;
    plane
        .told("Made ConfigMap openshift-dns/dns-default again, which was deleted")
        .await;
}

#[tokio::test]
async fn whoever_undoes_repairs_is_named_and_not_fought_for_ever() {
    let plane = Plane::start().await;
    let _operator = plane.operator();
    settled(&plane).await;
    let set = daemon_set_key("dns-default");
    let mended = async || plane.get(&set).await.unwrap()["spec"]["minReadySeconds"] == 9;
    for round in 0..40 {
        change_as(
            &plane,
            "stubborn",
            &set,
            json!({ "spec": { "minReadySeconds": 1 } }),
        )
        .await;
        eventually(&format!("repair {round}"), mended).await;
    }
    plane.told("Warning RepairsUndone: DaemonSet openshift-dns/dns-default is changed again and again by stubborn").await;
    // From now on repairs keep to a pace, and still the last change is repaired.
    let before = plane.requests().len();
    for _ in 0..20 {
        change_as(
            &plane,
            "stubborn",
            &set,
            json!({ "spec": { "minReadySeconds": 1 } }),
        )
        .await;
    }
    eventually("the last repair", mended).await;
    let repairs = plane.requests().split_off(before);
    let repairs = repairs
        .iter()
        .filter(|request| *request == "patch daemonsets")
        .count();
    assert!(repairs < 5, "{repairs} repairs of 20 changes");
}

/// Feature gates for two releases, with the DNSNameResolver on.
fn gates(versions: [&str; 2]) -> Value {
    let enabled = json!([{ "name": "DNSNameResolver" }]);
    let entries = versions.map(|version| json!({ "version": version, "enabled": enabled, "disabled": [] }));
    json!({ "featureGates": entries })
}

#[tokio::test]
async fn what_cannot_be_followed_is_told_until_it_can() {
    let plane = Plane::start_as(Distribution::OpenShift).await;
    let _operator = plane.operator();
    settled(&plane).await;
    // The feature gates of this cluster are of one release, which is taken.
    assert!(plane.condition("ClusterConfigReady").await.is_null());
    let profile = json!({ "type": "Custom", "custom": {
        "ciphers": ["ECDHE-RSA-AES128-GCM-SHA256", "NO-SUCH-CIPHER"], "minTLSVersion": "VersionTLS12",
    } });
    plane
        .patch(
            &api_server_key(),
            json!({ "spec": { "tlsSecurityProfile": profile } }),
        )
        .await;
    plane.told("Warning UnknownCiphers: APIServer cluster: spec.tlsSecurityProfile.custom.ciphers: not known: NO-SUCH-CIPHER; the others are used").await;
    eventually("the others are used", async || {
        let set = plane.get(&daemon_set_key("dns-default")).await.unwrap();
        let ciphers = "--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"";
        set.to_string().contains(ciphers)
    })
    .await;
    plane
        .patch_status(&feature_gate_key(), gates(["1.0.0", "2.0.0"]))
        .await;
    plane
        .told("must have the version \"0.0.1-test\" (it has: 1.0.0, 2.0.0)")
        .await;
    assert!(!plane.corefile().await.contains("ocp_dnsnameresolver"));
    eventually("both are told", async || {
        let message = plane.condition("ClusterConfigReady").await["message"].to_string();
        message.contains("NO-SUCH-CIPHER") && message.contains("2.0.0")
    })
    .await;
    plane
        .patch_status(&feature_gate_key(), gates(["1.0.0", "0.0.1-test"]))
        .await;
    plane
        .patch(
            &api_server_key(),
            json!({ "spec": { "tlsSecurityProfile": null } }),
        )
        .await;
    plane.corefile_has("ocp_dnsnameresolver {").await;
    eventually("all is well again", async || {
        plane.condition("ClusterConfigReady").await.is_null()
    })
    .await;
    plane
        .patch_status(&feature_gate_key(), json!({ "featureGates": [] }))
        .await;
    eventually("the plugin goes with the gate", async || {
        !plane.corefile().await.contains("ocp_dnsnameresolver")
    })
    .await;
}
