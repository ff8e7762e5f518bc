//! The operator has the rights that it uses and no others.
//!
//! It runs as its service account, with the manifests' roles, through everything that makes it
//! read or write. What the API server refused, and what it was never asked, stands in the audit log.

pub mod grants;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use devcluster::certificates::Authority;
use devcluster::control_plane::free_port;
use devcluster::{Distribution, Progress, kubeconfig, manifests};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use kube::api::DeleteParams;
use kube::config::Kubeconfig;
use operator::dns::objects::ObjectKey;
use operator::resources;
use serde_json::{Value, json};

use crate::control_plane::{Operator, Plane, eventually, kept_keys};

const NAMESPACE: &str = "openshift-dns-operator";
const ACCOUNT: &str = "dns-operator";

/// Rights that no request of the operator's own needs, each with its reason.
const HELD: [(&str, &str); 11] = [
    ("list pods", POD),
    ("watch pods", POD),
    ("list endpoints", POD),
    ("watch endpoints", POD),
    ("get dnsnameresolvers.network.openshift.io", POD),
    ("get dnsnameresolvers.network.openshift.io/status", POD),
    ("update dnsnameresolvers.network.openshift.io/status", POD),
    ("get endpoints", PROMETHEUS),
    ("get pods", PROMETHEUS),
    ("get services", PROMETHEUS),
    ("get dnses.operator.openshift.io", PROMETHEUS),
];
const POD: &str = "granted to the DNS pods by the ClusterRole openshift-dns";
const PROMETHEUS: &str = "granted to Prometheus";

/// Long enough for anything the operator does about a change.
const LONG: Duration = Duration::from_secs(8);

/// Waits until something is so, or for as long as it would take. Whatever did not happen shows as a
/// permission that was not used.
async fn given_time(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        if begun.elapsed() > LONG {
            eprintln!("not within {LONG:?}: {what}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A kubeconfig with a token of a service account.
pub fn kubeconfig_of(plane: &Plane, namespace: &str, account: &str) -> PathBuf {
    // kubectl makes a TokenRequest.
    let token = plane.kubectl(&["create", "token", account, "--namespace", namespace]);
    let ours = Kubeconfig::read_from(plane.cluster.kubeconfig()).unwrap();
    let cluster = ours.clusters[0].cluster.as_ref().unwrap();
    let server = cluster.server.as_ref().unwrap();
    let authority = cluster.certificate_authority.as_ref().unwrap();
    let path = plane.cluster.state().join(format!("kubeconfig-of-{account}"));
    kubeconfig::write(&path, server, authority.as_ref(), token.trim()).unwrap();
    path
}

#[tokio::test]
async fn the_operator_may_do_what_it_does_and_nothing_else() {
    let plane = Plane::start_as(Distribution::OpenShift).await;
    // All of them, also those that belong to a set of features.
    let mut objects = manifests::files().unwrap();
    objects.retain(|object| object["kind"] != "Deployment");
    objects.sort_by_key(|object| object["kind"] != "Namespace");
    let (state, admin) = (plane.cluster.state(), plane.cluster.kubeconfig());
    manifests::apply(&objects, state, admin, &Progress::hidden()).unwrap();
    let granted = grants::granted(&objects, NAMESPACE, ACCOUNT);
    assert!(granted.len() > 50, "{}", granted.len());

    let own = kubeconfig_of(&plane, NAMESPACE, ACCOUNT);
    let certificates = plane.cluster.state().join("metrics-tls");
    fs::create_dir(&certificates).unwrap();
    let authority = Authority::new().unwrap();
    let pair = authority.server(&["127.0.0.1"]).unwrap();
    pair.write(&certificates, "tls").unwrap();
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let arguments = [
        format!("--metrics-bind-addr={address}"),
        format!("--metrics-cert-dir={}", certificates.display()),
    ];
    let operator = Operator::start_as(&plane, &own, &arguments.each_ref().map(String::as_str));
    everything_the_operator_does(&plane).await;
    scraped(&plane, &address, &authority).await;
    operator.stop();
    // A second start finds its Lease.
    let _operator = Operator::start_as(&plane, &own, &[]);
    edit_until_in_force(&plane, "5s").await;

    let grants::Account { refused, unused } =
        grants::account(plane.cluster.audit_log(), &objects, NAMESPACE, ACCOUNT);
    let held = BTreeSet::from(HELD.map(|(permission, _)| permission.to_owned()));
    let too_much: Vec<&String> = unused.difference(&held).collect();
    let needless: Vec<&String> = held.difference(&unused).collect();
    assert!(
        refused.is_empty() && too_much.is_empty() && needless.is_empty(),
        "refused: {refused:#?}\ngranted, but not used: {too_much:#?}\n\
         in the list of what is held for others, but used or not granted: {needless:#?}"
    );
}

/// Prometheus reads the metrics, which the manifests allow it.
async fn scraped(plane: &Plane, address: &str, authority: &Authority) {
    let account = ["prometheus-k8s", "--namespace=openshift-monitoring"];
    plane.kubectl(&[&["create", "serviceaccount"], &account[..]].concat());
    let token = plane.kubectl(&[&["create", "token"], &account[..]].concat());
    let state = plane.cluster.state();
    let (trusted, path) = (
        state.join("metrics-ca.crt"),
        state.join("kubeconfig-of-prometheus"),
    );
    fs::write(&trusted, authority.certificate()).unwrap();
    kubeconfig::write(&path, &format!("https://{address}"), &trusted, token.trim()).unwrap();
    let client = kubeconfig::client(&path).await.unwrap();
    eventually("metrics", async || {
        let request = http::Request::get("/metrics").body(Vec::new()).unwrap();
        client.request_text(request).await.is_ok()
    })
    .await;
}

async fn everything_the_operator_does(plane: &Plane) {
    for key in managed_keys() {
        eventually(&key.to_string(), async || plane.get(&key).await.is_some()).await;
    }
    edit_until_in_force(plane, "6s").await;
    drift(plane).await;
    ca_bundle(plane).await;
    feature_gate(plane).await;
    unsafe_placement(plane).await;
    refused_specification(plane).await;
    cluster_operator(plane).await;
    deleted_dns(plane).await;
}

async fn edit_until_in_force(plane: &Plane, ttl: &str) {
    plane.edit(json!({ "cache": { "positiveTTL": ttl } })).await;
    plane
        .corefile_has(&format!("cache {} {{", ttl.trim_end_matches('s')))
        .await;
}

/// What the operator keeps on OpenShift.
fn managed_keys() -> Vec<ObjectKey> {
    let mut keys = kept_keys();
    keys.extend([
        ObjectKey::of::<ClusterRole>(None, "dns-monitoring"),
        ObjectKey::of::<ClusterRoleBinding>(None, "dns-monitoring"),
        ObjectKey::of::<Role>(Some("openshift-dns"), "prometheus-k8s"),
        ObjectKey::of::<RoleBinding>(Some("openshift-dns"), "prometheus-k8s"),
        resources::service_monitor_key(),
    ]);
    keys
}

/// Every object is changed, then deleted.
async fn drift(plane: &Plane) {
    let mut keys = managed_keys();
    keys.push(ObjectKey::of::<Namespace>(None, "openshift-dns"));
    for key in &keys {
        let Some(edit) = damage(key) else { continue };
        let whole = plane.get(key).await.unwrap();
        plane.patch(key, edit).await;
        given_time(&format!("{key} is repaired"), async || {
            let live = plane.get(key).await.unwrap_or_default();
            ["spec", "rules", "subjects", "data"]
                .iter()
                .all(|part| live[part] == whole[part])
                && live["metadata"]["labels"] == whole["metadata"]["labels"]
        })
        .await;
    }
    for key in keys.iter().filter(|key| key.kind != "Namespace") {
        // Owned objects go with their owner, and may just not be there.
        let uid = plane.get(key).await.unwrap_or_default()["metadata"]["uid"].clone();
        let _ = plane
            .api_of(key)
            .delete(&key.name, &DeleteParams::default())
            .await;
        given_time(&format!("{key} is back"), async || {
            let live = plane.get(key).await;
            live.is_some_and(|live| live["metadata"]["uid"] != uid)
        })
        .await;
    }
}

/// A change that the operator undoes; none where it sets nothing but the name.
fn damage(key: &ObjectKey) -> Option<Value> {
    Some(match key.kind.as_str() {
        "ServiceAccount" => return None,
        "ConfigMap" => json!({ "data": { "Corefile": "broken" } }),
        "ClusterRole" | "Role" => json!({ "rules": [] }),
        "ClusterRoleBinding" | "RoleBinding" => json!({ "subjects": [] }),
        "Namespace" => json!({ "metadata": { "labels": { "openshift.io/run-level": null } } }),
        "DaemonSet" => json!({ "spec": { "template": { "spec": { "nodeSelector": { "a": "b" } } } } }),
        "NetworkPolicy" => json!({ "spec": { "podSelector": { "matchLabels": { "a": "b" } } } }),
        "Service" if key.name == "openshift" => json!({ "spec": { "externalName": "example.com" } }),
        "Service" => json!({ "spec": { "selector": { "a": "b" } } }),
        "ServiceMonitor" => json!({ "spec": { "endpoints": [] } }),
        other => panic!("no damage known to a {other}"),
    })
}

async fn ca_bundle(plane: &Plane) {
    let file = plane.cluster.state().join("ca-bundle.crt");
    fs::write(&file, Authority::new().unwrap().certificate()).unwrap();
    let file = format!("--from-file={}", file.display());
    plane.kubectl(&["create", "configmap", "my-ca", "-n", "openshift-config", &file]);
    let servers = |bundle: &str| {
        let tls = json!({ "serverName": "dns.example", "caBundle": { "name": bundle } });
        let transport = json!({ "transport": "TLS", "tls": tls });
        let forward = json!({ "upstreams": ["192.0.2.1"], "transportConfig": transport });
        json!([{ "name": "a", "zones": ["a.example"], "forwardPlugin": forward }])
    };
    // One that is not there is looked for.
    plane.edit(json!({ "servers": servers("none") })).await;
    plane.corefile_has("a.example:5353 {").await;
    plane.edit(json!({ "servers": servers("my-ca") })).await;
    let copy = resources::config_map_key("openshift-dns", "ca-my-ca");
    eventually("the copy", async || plane.get(&copy).await.is_some()).await;
    plane.edit(json!({ "servers": null })).await;
    eventually("no copy", async || plane.get(&copy).await.is_none()).await;
}

/// With the gate on, DNSNameResolvers are looked after: here one whose only address expired long ago.
async fn feature_gate(plane: &Plane) {
    let version = plane.kubectl(&[
        "get",
        "clusterversion/version",
        "-o",
        "jsonpath={.status.desired.version}",
    ]);
    let gates = |enabled: &Value, disabled: &Value| {
        let release = json!({ "version": version, "enabled": enabled, "disabled": disabled });
        let patch = json!({ "status": { "featureGates": [release] } }).to_string();
        plane.kubectl(&[
            "patch",
            "featuregate/cluster",
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ]);
    };
    let gate = json!([{ "name": "DNSNameResolver" }]);
    gates(&gate, &json!([]));
    let role = ObjectKey::of::<ClusterRole>(None, "openshift-dns");
    given_time("the DNS pods may read DNSNameResolvers", async || {
        let rules = plane.get(&role).await.unwrap_or_default()["rules"].to_string();
        rules.contains("dnsnameresolvers")
    })
    .await;
    if api::crds()
        .iter()
        .any(|d| d.crd["spec"]["names"]["kind"] == "DNSNameResolver")
    {
        expired_name(plane).await;
    }
    gates(&json!([]), &gate);
    given_time("the DNS pods need not read DNSNameResolvers", async || {
        let rules = plane.get(&role).await.unwrap_or_default()["rules"].to_string();
        !rules.contains("dnsnameresolvers")
    })
    .await;
}

async fn expired_name(plane: &Plane) {
    let object = json!({
        "apiVersion": "network.openshift.io/v1alpha1", "kind": "DNSNameResolver",
        "metadata": { "name": "a", "namespace": "openshift-ovn-kubernetes" },
        "spec": { "name": "www.example.com." },
    });
    let file = plane.cluster.state().join("name.json");
    fs::write(&file, object.to_string()).unwrap();
    plane.kubectl(&["create", "-f", file.to_str().unwrap()]);
    let address = json!({ "ip": "192.0.2.1", "ttlSeconds": 5, "lastLookupTime": "2020-01-01T00:00:00Z" });
    let name = json!({ "dnsName": "www.example.com.", "resolvedAddresses": [address] });
    let patch = json!({ "status": { "resolvedNames": [name] } }).to_string();
    let object = ["dnsnameresolver/a", "-n", "openshift-ovn-kubernetes"];
    plane.kubectl(
        &[
            &["patch", "--subresource=status", "--type=merge", "-p", &patch],
            &object[..],
        ]
        .concat(),
    );
    given_time("the expired address is gone", async || {
        !plane
            .kubectl(&[&["get", "-o", "json"], &object[..]].concat())
            .contains("192.0.2.1")
    })
    .await;
}

/// A node gets pods, and then the DNS is to run on nodes that are not there.
async fn unsafe_placement(plane: &Plane) {
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": "n", "labels": { "kubernetes.io/os": "linux" } },
    });
    let file = plane.cluster.state().join("node.json");
    fs::write(&file, node.to_string()).unwrap();
    plane.kubectl(&["create", "-f", file.to_str().unwrap()]);
    eventually("a DNS pod", async || {
        !plane
            .kubectl(&["get", "pods", "-n", "openshift-dns", "-o", "name"])
            .is_empty()
    })
    .await;
    let nowhere = json!({ "nodePlacement": { "nodeSelector": { "example.com/nowhere": "" } } });
    plane.edit(nowhere).await;
    tokio::time::sleep(LONG).await;
    plane.edit(json!({ "nodePlacement": null })).await;
}

/// Told by a condition and an Event, and a second time by a changed Event.
async fn refused_specification(plane: &Plane) {
    for _ in 0..2 {
        let server = json!([{ "name": "a", "zones": ["not a zone"], "forwardPlugin": { "upstreams": ["192.0.2.1"] } }]);
        plane.edit(json!({ "servers": server })).await;
        eventually("Degraded", async || {
            plane.condition("Degraded").await["reason"] == "InvalidSpec"
        })
        .await;
        plane.edit(json!({ "servers": null })).await;
        eventually("not refused", async || {
            plane.condition("Degraded").await["reason"] != "InvalidSpec"
        })
        .await;
    }
}

async fn cluster_operator(plane: &Plane) {
    plane.kubectl(&["delete", "clusteroperator/dns"]);
    given_time("the ClusterOperator is back", async || {
        !plane
            .kubectl(&["get", "clusteroperators", "-o", "name"])
            .is_empty()
    })
    .await;
}

async fn deleted_dns(plane: &Plane) {
    let key = resources::default_dns_key();
    let uid = plane.get(&key).await.unwrap()["metadata"]["uid"].clone();
    plane.delete(&key).await;
    eventually("another DNS", async || {
        let dns = plane.get(&key).await;
        dns.is_some_and(|dns| dns["metadata"]["uid"] != uid)
    })
    .await;
    for key in managed_keys() {
        eventually(&key.to_string(), async || plane.get(&key).await.is_some()).await;
    }
}
