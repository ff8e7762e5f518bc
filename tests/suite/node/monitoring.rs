//! Alerts and dashboard on a node: Prometheus scrapes the operator's pod and a DNS pod.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use devcluster::Prometheus;
use devcluster::children::run;
use devcluster::prometheus::{Target, Tls};
use hickory_proto::op::ResponseCode;
use monitoring::rules;
use serde_json::{Value, json};

use super::{Node, succeeded};
use crate::monitoring::queries::{self, answered};
use crate::monitoring::{labels, source};

/// The service account that the manifests let scrape.
const SCRAPER: &str = "prometheus-k8s";
const OF_SCRAPER: &str = "openshift-monitoring";
const OF_OPERATOR: &str = "openshift-dns-operator";
/// An upstream at which nobody listens.
const DEAD: &str = "10.128.0.1:5399";

/// Prometheus runs in the network of the DNS pod: CoreDNS serves its metrics to the pod
/// alone, and what stands for kube-rbac-proxy on this node passes nothing on. The operator
/// is scraped over TLS with the token of OpenShift's Prometheus.
pub async fn every_query_has_data(node: &Node) {
    node.step("Prometheus has data for every query of alerts and dashboard");
    let before = node.get(&["dns.operator/default"])["spec"]["servers"].clone();
    let mut servers = before.as_array().unwrap().clone();
    let upstreams = json!({ "upstreams": [DEAD] });
    servers.push(json!({ "name": "dead", "zones": ["dead.test"], "forwardPlugin": upstreams }));
    node.patched(&json!({ "servers": servers }));
    node.in_force("dead.test.", "an upstream that is down", |answer| {
        answer.code == ResponseCode::ServFail
    })
    .await;
    let launcher = node.cluster.launcher().in_network_of(coredns(node));
    let targets = [operator(node), dns_pod(node)];
    let rules = rules::groups(&source());
    let prometheus = Prometheus::start(&launcher, &rules, &targets).await.unwrap();
    answered(&prometheus, queries::all(&source()), async |round| {
        for number in 0..3 {
            for name in ["often.ttl60.default.test.", "missing.default.test."] {
                node.dns.a(name).await;
            }
            let fresh = format!("new{round}-{number}");
            node.dns.a(&format!("{fresh}.ttl60.stub.test.")).await;
            node.dns.a(&format!("{fresh}.dead.test.")).await;
        }
    })
    .await;
    node.patched(&json!({ "servers": before }));
}

/// The process of CoreDNS, by its id on the node.
fn coredns(node: &Node) -> u32 {
    const FIND: &str = "for process in /proc/[0-9]*; do \
        if [ \"$(tr '\\0' ' ' < $process/cmdline)\" = 'coredns -conf /etc/coredns/Corefile ' ]; then \
        echo ${process#/proc/}; fi; done";
    let found = run(node.cluster.launcher().command("sh").args(["-c", FIND])).unwrap();
    let [process] = found.split_whitespace().collect::<Vec<&str>>()[..] else {
        panic!("not one CoreDNS: {found:?}");
    };
    process.parse().unwrap()
}

/// The only pod with a label.
fn pod(node: &Node, namespace: &str, label: &str) -> Value {
    let list = node.get(&["-n", namespace, "pods", "-l", label]);
    let [pod] = &list["items"].as_array().unwrap()[..] else {
        panic!("not one pod: {list}");
    };
    pod.clone()
}

fn labels_of(pod: &Value, service: &str, container: &str) -> BTreeMap<String, String> {
    let metadata = &pod["metadata"];
    let [namespace, name] = ["namespace", "name"].map(|field| metadata[field].as_str().unwrap());
    labels(namespace, service, name, container)
}

fn dns_pod(node: &Node) -> Target {
    let pod = pod(
        node,
        "openshift-dns",
        "dns.operator.openshift.io/daemonset-dns=default",
    );
    Target {
        address: "127.0.0.1:9153".into(),
        labels: labels_of(&pod, "dns-default", "kube-rbac-proxy"),
        tls: None,
    }
}

fn operator(node: &Node) -> Target {
    let pod = pod(node, OF_OPERATOR, "name=dns-operator");
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": SCRAPER, "namespace": OF_SCRAPER },
    });
    node.applied(&account);
    let token = node.kubectl(&["create", "token", SCRAPER, "-n", OF_SCRAPER]);
    succeeded(&token);
    // The certificate is trusted by itself: its authority is thrown away.
    let certificate = node.kubectl(&[
        "get",
        "secret",
        "metrics-tls",
        "-n",
        OF_OPERATOR,
        "-o",
        "go-template={{index .data \"tls.crt\" | base64decode}}",
    ]);
    succeeded(&certificate);
    let address = pod["status"]["podIP"].as_str().unwrap();
    Target {
        address: format!("{address}:9393"),
        labels: labels_of(&pod, "metrics", "dns-operator"),
        tls: Some(Tls {
            authorities: written(node, "metrics.crt", &certificate.stdout),
            server_name: format!("metrics.{OF_OPERATOR}.svc"),
            token: written(node, "token", token.stdout.trim_ascii()),
        }),
    }
}

fn written(node: &Node, name: &str, content: &[u8]) -> PathBuf {
    let path = node.cluster.state().join(name);
    fs::write(&path, content).unwrap();
    path
}
