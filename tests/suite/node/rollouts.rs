//! Pods are replaced while a client asks 50 questions a second, and none of them
//! fails.

use std::time::{Duration, Instant};

use devcluster::certificates::Authority;
use devcluster::{Cluster, Progress};
use endurance::end;
use endurance::load::{self, Load, Tally};
use endurance::soak::{self, Plan};
use endurance::vitals::Watch;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Node, install_release, release};

/// How long a rollout may take, and what the operator does in several.
const ROLLED_OUT: Duration = Duration::from_secs(240);
/// The ConfigMap with the certificates of authorities.
const BUNDLE: &str = "upstream.ca";

pub async fn fail_no_query(node: &Node) {
    let client = node.cluster.client().await.unwrap();
    let load = Load::start(load::SERVICE);
    let watch = Watch::start(&client, node.cluster.state(), Instant::now());
    an_upgrade_and_a_downgrade(node).await;
    another_placement(node).await;
    a_ca_bundle_and_another(node).await;
    let tally = load.finish().await.unwrap();
    let seen = watch.seen();
    node.step(&format!(
        "{} queries answered, {} failed",
        tally.answered.len(),
        tally.failures.len()
    ));
    assert!(
        tally.failures.is_empty(),
        "{:?}",
        Tally::failures_by_reason(&tally.failures)
    );
    assert!(
        tally.answered.len() > 1000,
        "only {} queries",
        tally.answered.len()
    );
    assert!(seen.restarts.is_empty(), "{:?}", seen.restarts);
    assert!(seen.refusals.is_empty(), "{:?}", seen.refusals);
}

async fn an_upgrade_and_a_downgrade(node: &Node) {
    for version in ["v2", "v1"] {
        node.step(&format!("to release {version}, under load"));
        let before = node.corefile();
        install_release(&node.cluster, version, &Progress::hidden()).await;
        rolled_out(node, version, |set| {
            set["spec"]["template"]["spec"]["containers"][0]["image"]
                == format!("localhost/coredns:{version}")
        })
        .await;
        assert_eq!(node.corefile(), before, "the cache configuration is still there");
        assert!(before.contains("cache 3600 {"), "{before}");
    }
}

async fn another_placement(node: &Node) {
    node.step("placed by another label, under load");
    node.patched(&json!({ "nodePlacement": { "nodeSelector": { "node-role.kubernetes.io/worker": "" } } }));
    rolled_out(node, "another placement", |set| {
        set["spec"]["template"]["spec"]["nodeSelector"] == json!({ "node-role.kubernetes.io/worker": "" })
    })
    .await;
}

/// What a pod's Corefile names must be in the pod, at every moment: CoreDNS would
/// not start, or not take the Corefile over.
async fn a_ca_bundle_and_another(node: &Node) {
    node.applied(
        &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "openshift-config" } }),
    );
    for round in ["a CA bundle", "other certificates in it"] {
        node.step(&format!("{round}, under load"));
        let before = node.corefile();
        node.applied(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": BUNDLE, "namespace": "openshift-config" },
            "data": { "ca-bundle.crt": Authority::new().unwrap().certificate() },
        }));
        let tls = json!({ "serverName": "dns.test", "caBundle": { "name": BUNDLE } });
        let forward = json!({
            "upstreams": ["10.128.0.1"], "transportConfig": { "transport": "TLS", "tls": tls },
        });
        node.patched(
            &json!({ "servers": [{ "name": "tls", "zones": ["tls.test"], "forwardPlugin": forward }] }),
        );
        settled(&node.cluster, round).await;
        assert_ne!(node.corefile(), before, "the Corefile names the certificates");
    }
}

async fn rolled_out(node: &Node, what: &str, is_it: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    loop {
        let set = node.get(&["-n", "openshift-dns", "daemonset", "dns-default"]);
        if is_it(&set) && end::is_rolled_out(&set) && node.pods().len() == 1 {
            return;
        }
        assert!(
            begun.elapsed() < ROLLED_OUT,
            "not rolled out: {what}; {}",
            set["status"]
        );
        sleep(Duration::from_millis(500)).await;
    }
}

/// Waits until all is as the operator would render it, and rolled out.
async fn settled(cluster: &Cluster, what: &str) {
    let client = cluster.client().await.unwrap();
    let begun = Instant::now();
    loop {
        let differences = end::differences(&client, &release("v1")).await.unwrap();
        if differences.is_empty() {
            return;
        }
        assert!(begun.elapsed() < ROLLED_OUT, "{what}: {differences:?}");
        sleep(Duration::from_millis(500)).await;
    }
}

/// What `hack/soak` does for longer.
pub async fn a_minute_of_changes(node: &Node) {
    node.step("changes without a pause, for a minute");
    let plan = Plan {
        seed: 1,
        duration: Duration::from_secs(60),
        changes_a_second: 20,
    };
    let report = soak::run(&node.cluster, &release("v1"), &plan, &Progress::shown())
        .await
        .unwrap();
    eprintln!("{report}");
    assert!(report.wrong().is_empty());
}
