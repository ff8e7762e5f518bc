//! `dns-operator diff`: what a DNS would change, beside a file and in a cluster.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::program::{self, Output};

use crate::control_plane::{Plane, corefile_key, quiet};
use crate::scenario::settled;

fn dns(spec: &Value) -> String {
    json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "DNS", "metadata": { "name": "default" }, "spec": spec,
    })
    .to_string()
}

fn beside(old: &Value, new: &Value, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.yaml");
    fs::write(&file, dns(old)).unwrap();
    let old = ["diff", "-f", "-", "--old", file.to_str().unwrap()];
    program::run(&[&old, arguments].concat(), &dns(new)).unwrap()
}

#[test]
fn the_same_specification_makes_no_difference() {
    let output = beside(&json!({}), &json!({ "cache": { "positiveTTL": "900s" } }), &[]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(0), "no difference\n")
    );
}

#[test]
fn a_ttl_changes_the_corefile_and_restarts_nothing() {
    let output = beside(&json!({}), &json!({ "cache": { "positiveTTL": "60s" } }), &[]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    for line in [
        "-    cache 900 {\n",
        "+    cache 60 {\n",
        "changed: ConfigMap openshift-dns/dns-default\n",
        "without a restart",
    ] {
        assert!(output.stdout.contains(line), "{line}: {}", output.stdout);
    }
}

#[test]
fn a_placement_replaces_the_pods() {
    let placement =
        json!({ "nodePlacement": { "nodeSelector": { "kubernetes.io/os": "linux", "a.b/c": "d" } } });
    let output = beside(&json!({}), &placement, &["-o", "json"]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    let changes: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(changes["restarts"], json!([{ "daemonSet": "dns-default" }]));
    assert!(changes["corefile"].is_null());
    let field = &changes["objects"][0]["fields"][0];
    assert_eq!(field["field"], "spec.template.spec.nodeSelector", "{changes:#}");
    assert_eq!(field["old"], json!({ "kubernetes.io/os": "linux" }));
    assert_eq!(field["new"]["a.b/c"], "d");
}

#[test]
fn a_refused_dns_is_trouble() {
    let refused = json!({ "servers": [{ "name": "a", "zones": ["a b"], "forwardPlugin": { "upstreams": ["192.0.2.1"] } }] });
    let output = beside(&json!({}), &refused, &[]);
    assert_eq!(output.code, Some(2));
    assert!(
        output.stderr.contains("spec.servers[0].zones[0]"),
        "{}",
        output.stderr
    );
    let output = beside(&refused, &json!({}), &[]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("the old DNS: "), "{}", output.stderr);
    let output = program::run(
        &["diff", "-f", "-", "--kubeconfig", "/no/such/file"],
        &dns(&json!({})),
    );
    let output = output.unwrap();
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("/no/such/file"), "{}", output.stderr);
}

/// Compares with a cluster, with no more in the environment than people have.
fn against(kubeconfig: &Path, spec: &Value) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.yaml");
    fs::write(&file, dns(spec)).unwrap();
    let output = Command::new(program::path().unwrap())
        .env_clear()
        .args(["diff", "-f", file.to_str().unwrap(), "--kubeconfig"])
        .arg(kubeconfig)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_cluster_is_read_and_not_written_to() {
    let plane = Plane::start().await;
    let operator = plane.operator();
    settled(&plane).await;
    operator.stop();
    // The API server takes note of its watches once they have ended.
    quiet().await;
    let before = plane.requests().len();
    let kubeconfig = plane.cluster.kubeconfig();
    let (code, text) = against(kubeconfig, &json!({}));
    assert_eq!((code, text.as_str()), (Some(0), "no difference\n"));
    let (code, text) = against(kubeconfig, &json!({ "cache": { "positiveTTL": "60s" } }));
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("+    cache 60 {\n") && text.contains("without a restart"),
        "{text}"
    );
    let stay = json!({ "nodePlacement": { "nodeSelector": { "kubernetes.io/os": "linux", "a": "b" } } });
    let (code, text) = against(kubeconfig, &stay);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("the pods of DaemonSet openshift-dns/dns-default are replaced"),
        "{text}"
    );
    let (code, text) = against(kubeconfig, &json!({ "managementState": "Unmanaged" }));
    assert_eq!(code, Some(0), "{text}");
    let reads = plane.requests().split_off(before);
    assert!(!reads.is_empty());
    assert!(
        reads
            .iter()
            .all(|request| request.starts_with("list ") || request.starts_with("get ")),
        "{reads:?}"
    );
    // What somebody else has changed goes back whatever the DNS says.
    let map = json!({ "metadata": { "labels": { "dns.operator.openshift.io/owning-dns": "other" } } });
    plane.patch(&corefile_key(), map).await;
    let (code, text) = against(kubeconfig, &json!({}));
    assert_eq!(code, Some(1), "{text}");
    let drift = "metadata.labels.dns.operator.openshift.io/owning-dns: \"other\" -> \"default\" (the present DNS asks for it too)";
    assert!(text.contains(drift), "{text}");
}

#[test]
fn a_cluster_that_is_not_there_is_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let cluster = json!({ "name": "a", "cluster": { "server": "http://127.0.0.1:1" } });
    let context = json!({ "name": "a", "context": { "cluster": "a", "user": "a" } });
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context],
        "users": [{ "name": "a", "user": {} }], "current-context": "a",
    });
    fs::write(&file, kubeconfig.to_string()).unwrap();
    let (code, text) = against(&file, &json!({}));
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("failed to list customresourcedefinitions"),
        "{text}"
    );
}
