//! A control plane comes up, takes objects, and goes without a trace, however its owner ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy knows only #[test] functions as tests"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use devcluster::{
    Cluster, Distribution, Knot, Options, Progress, Zone, children, control_plane, install, openshift,
    programs, state,
};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, ListParams};

/// Tells a copy of this test program to bring up a cluster and wait to be killed.
const VICTIM: &str = "DEVCLUSTER_TEST_VICTIM";

fn gone_soon(what: &str, gone: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !gone() {
        assert!(Instant::now() < deadline, "{what} is still there after 10 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn answers_and_leaves_nothing() {
    let progress = Progress::hidden();
    let mut cluster = Cluster::start(Options::default(), &progress).await.unwrap();
    let path = cluster.state().to_owned();
    let kubectl = programs::KUBECTL.path(&progress).unwrap();
    let mut command = Command::new(kubectl);
    command
        .env("KUBECONFIG", cluster.kubeconfig())
        .args(["get", "namespace", "default", "--output=name"]);
    assert_eq!(children::run(&mut command).unwrap(), "namespace/default\n");
    let audit = fs::read_to_string(cluster.audit_log()).unwrap();
    assert!(
        audit
            .lines()
            .any(|line| line.contains("\"userAgent\":\"kubectl/v1.36.3")),
        "no request of kubectl"
    );

    cluster.restart_api_server().await.unwrap();
    let client = cluster.client().await.unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    assert!(namespaces.list(&ListParams::default()).await.unwrap().items.len() >= 4);

    let map = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"put","namespace":"default"},"data":{"a":"b"}}"#;
    cluster.etcd_put("/registry/configmaps/default/put", map).unwrap();
    assert_eq!(
        cluster
            .etcd_get("/registry/configmaps/default/put")
            .unwrap()
            .as_deref(),
        Some(map)
    );
    assert_eq!(cluster.etcd_get("/registry/nothing").unwrap(), None);
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    assert_eq!(maps.get("put").await.unwrap().data.unwrap()["a"], "b");

    cluster.check().unwrap();
    cluster.stop().unwrap();
    assert!(!path.exists());
    assert_eq!(processes_of(&path), Vec::<String>::new());
}

#[tokio::test]
async fn two_at_once() {
    let progress = Progress::hidden();
    let first = Cluster::start(Options::default(), &progress).await.unwrap();
    let second = Cluster::start(Options::default(), &progress).await.unwrap();
    assert_ne!(first.state(), second.state());
    let namespaces: Api<Namespace> = Api::all(second.client().await.unwrap());
    namespaces.get("default").await.unwrap();
}

#[tokio::test]
async fn nothing_runs_on_after_its_owner_is_killed() {
    let mut owner = Victim::start();
    let path = owner.state();
    assert!(!processes_of(&path).is_empty());
    owner.0.kill().unwrap();
    owner.0.wait().unwrap();
    gone_soon("a process of the cluster", || processes_of(&path).is_empty());
    state::clear_abandoned().unwrap();
    assert!(!path.exists());
}

/// Not a test of its own: what `nothing_runs_on_after_its_owner_is_killed` kills.
#[tokio::test]
async fn victim() {
    if std::env::var_os(VICTIM).is_some() {
        let cluster = Cluster::start(Options::default(), &Progress::hidden())
            .await
            .unwrap();
        println!("STATE {}", cluster.state().display());
        tokio::time::sleep(Duration::from_secs(120)).await;
    }
}

struct Victim(Child);

impl Victim {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "victim", "--nocapture"])
            .env(VICTIM, "1")
            .stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn state(&mut self) -> PathBuf {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines();
        let line = lines
            .map(Result::unwrap)
            .find(|line| line.contains("STATE "))
            .expect("the cluster did not come up");
        PathBuf::from(line.split_once("STATE ").unwrap().1)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command lines of processes that name a folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = format!("{}/", folder.display());
    let lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(&folder)).collect()
}

#[tokio::test]
async fn knot_tells_what_it_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let port = control_plane::free_port().unwrap();
    let mut zone = Zone::example();
    let address = ([127, 0, 0, 1], port).into();
    let mut knot = Knot::start(folder.path(), address, std::slice::from_ref(&zone))
        .await
        .unwrap();
    let ask = |name: &str, kind: &str| {
        let question = [
            "@127.0.0.1",
            "-p",
            &port.to_string(),
            name,
            kind,
            "+noall",
            "+answer",
            "+time=2",
        ];
        children::run(Command::new("dig").args(question)).unwrap()
    };
    assert!(ask("WWW.example.test", "A").contains("192.0.2.1"));
    assert_eq!(ask("missing.example.test", "AAAA"), "");
    zone.records = vec!["www 5 A 192.0.2.2".into()];
    knot.set_zone(&zone).unwrap();
    assert!(ask("www.example.test", "A").contains("192.0.2.2"));
    knot.set_zone(&Zone {
        name: "other.test".into(),
        ..zone
    })
    .unwrap();
    assert!(ask("www.other.test", "A").contains("192.0.2.2"));
    let names: Vec<_> = knot
        .settled_queries()
        .await
        .unwrap()
        .into_iter()
        .map(|query| (query.name, query.qtype))
        .collect();
    let expected = [
        ("www.example.test.", 1),
        ("missing.example.test.", 28),
        ("www.example.test.", 1),
        ("www.other.test.", 1),
    ];
    assert_eq!(names, expected.map(|(name, qtype)| (name.to_owned(), qtype)));
    assert_eq!(knot.query_count("www.example.test", 1), 2);
}

#[tokio::test]
async fn an_openshift_has_its_apis_and_their_objects() {
    let options = Options {
        distribution: Distribution::OpenShift,
        ..Options::default()
    };
    let cluster = Cluster::start(options, &Progress::hidden()).await.unwrap();
    let kubectl = programs::KUBECTL.path(&Progress::hidden()).unwrap();
    let ask = |what: &str, path: &str| {
        let mut command = Command::new(&kubectl);
        command.env("KUBECONFIG", cluster.kubeconfig());
        command.args(["get", what, &format!("--output=jsonpath={{{path}}}")]);
        children::run(&mut command).unwrap()
    };
    assert_eq!(
        ask("network.config.openshift.io/cluster", ".status.serviceNetwork[0]"),
        control_plane::SERVICE_RANGE
    );
    assert_eq!(
        ask("clusterversion/version", ".status.desired.version"),
        install::RELEASE
    );
    assert_eq!(
        ask("featuregate/cluster", ".status.featureGates[0].disabled[0].name"),
        "DNSNameResolver"
    );
    assert_eq!(ask("apiserver/cluster", ".metadata.name"), "cluster");
    assert_eq!(ask("namespace/openshift-config", ".status.phase"), "Active");
    // Nothing is there that the operator is to make.
    assert_eq!(ask("clusteroperators,servicemonitors", ".items"), "[]");
    // A second time finds everything and changes nothing.
    openshift::furnish(&cluster.client().await.unwrap())
        .await
        .unwrap();
}
