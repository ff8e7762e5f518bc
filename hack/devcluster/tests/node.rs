//! A node runs pods, and goes without a trace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy knows only #[test] functions as tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use devcluster::{Cluster, Image, Options, Progress, Zone, children};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{Api, PostParams};
use serde_json::json;

/// What a node could leave on the machine.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    mounts: String,
    interfaces: BTreeSet<String>,
    settings: Vec<String>,
    namespaces: bool,
    groups: bool,
}

impl Traces {
    fn read() -> Self {
        let interfaces = fs::read_dir("/sys/class/net").unwrap().flatten();
        let settings = ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"];
        Self {
            mounts: fs::read_to_string("/proc/self/mounts").unwrap(),
            interfaces: interfaces
                .map(|entry| entry.file_name().into_string().unwrap())
                .collect(),
            settings: settings
                .map(|name| fs::read_to_string(format!("/proc/sys/{name}")).unwrap())
                .to_vec(),
            namespaces: fs::read_dir("/run/netns").is_ok_and(|entries| entries.count() > 0),
            groups: ["/sys/fs/cgroup/kubepods", "/sys/fs/cgroup/memory/kubepods"]
                .iter()
                .any(|path| fs::exists(path).unwrap()),
        }
    }
}

#[tokio::test]
async fn a_pod_answers_and_nothing_is_left() {
    let before = Traces::read();
    let progress = Progress::shown();
    let images = vec![Image::coredns(&progress).unwrap()];
    let options = Options {
        node: true,
        images,
        zones: vec![Zone::example()],
        ..Options::default()
    };
    let mut cluster = Cluster::start(options, &progress).await.unwrap();
    let path = cluster.state().to_owned();

    // An image that comes while the node runs, as in an upgrade.
    cluster
        .import_image(
            &Image::coredns(&progress)
                .unwrap()
                .renamed("localhost/coredns:later"),
        )
        .unwrap();
    let address = pod_address(&cluster, "localhost/coredns:later").await;
    let question = [
        &format!("@{address}"),
        "www.example.test",
        "+short",
        "+time=2",
        "+tries=5",
    ];
    assert_eq!(
        children::run(Command::new("dig").args(question)).unwrap(),
        "192.0.2.1\n"
    );
    let queries = cluster.knot().unwrap().settled_queries().await.unwrap();
    assert!(
        queries
            .iter()
            .any(|query| query.name == "www.example.test." && query.qtype == 1),
        "{queries:?}"
    );

    cluster.restart_api_server().await.unwrap();
    cluster.check().unwrap();
    cluster.stop().unwrap();
    assert!(!path.exists());
    assert_eq!(Traces::read(), before);
}

/// The address of a pod that passes every query on, as soon as it is ready.
async fn pod_address(cluster: &Cluster, image: &str) -> String {
    let client = cluster.client().await.unwrap();
    let accounts: Api<ServiceAccount> = Api::default_namespaced(client.clone());
    let deadline = Instant::now() + Duration::from_secs(60);
    while accounts.get_opt("default").await.unwrap().is_none() {
        assert!(
            Instant::now() < deadline,
            "the controller manager makes no service account"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let pods: Api<Pod> = Api::default_namespaced(client);
    let corefile = r"printf '.:53 {\n ready\n forward . /etc/resolv.conf\n}\n' >/config/Corefile";
    let pod = json!({
        "metadata": {"name": "dns"},
        "spec": {
            "dnsPolicy": "Default",
            "initContainers": [{
                "name": "config", "image": devcluster::images::CLI, "command": ["/bin/bash", "-c", corefile],
                "volumeMounts": [{"name": "config", "mountPath": "/config"}],
            }],
            "containers": [{
                "name": "dns", "image": image, "args": ["-conf", "/config/Corefile"],
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
                "volumeMounts": [{"name": "config", "mountPath": "/config"}],
            }],
            "volumes": [{"name": "config", "emptyDir": {}}],
        },
    });
    pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap())
        .await
        .unwrap();
    loop {
        let status = pods.get("dns").await.unwrap().status.unwrap_or_default();
        let conditions = status.conditions.clone().unwrap_or_default();
        if conditions
            .iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        {
            return status.pod_ip.unwrap();
        }
        assert!(Instant::now() < deadline, "the pod is not ready: {status:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
