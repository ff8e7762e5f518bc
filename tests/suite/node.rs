//! The whole way on a real node: somebody edits the DNS, and CoreDNS pods answer
//! accordingly. Knot, the node's upstream resolver, is the witness of what was
//! asked upstream.
//!
//! One node a machine, so this is one test of several steps.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use devcluster::install::{self, Images};
use devcluster::{Cluster, Distribution, Image, Options, Progress, Query, Zone, images, programs};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use serde_json::Value;
use tests::program;
use tokio::time::{sleep, sleep_until};

use crate::control_plane::whole_machine;
use crate::dns_client::{Answer, DnsClient};

/// How long an edit may take to be in force in a pod: the kubelet brings the
/// file, and CoreDNS looks at it twice a minute.
const IN_FORCE: Duration = Duration::from_secs(120);
/// How long a rollout may take.
const ROLLED_OUT: Duration = Duration::from_secs(240);
/// Queries a second during an upgrade.
const RATE: u64 = 50;

/// A zone with records of every TTL the steps need, below `zone`.
fn zone(name: &str) -> Zone {
    Zone {
        name: name.into(),
        negative_ttl: 3600,
        records: [20, 60, 1200]
            .map(|ttl| format!("*.ttl{ttl} {ttl} A 192.0.2.1"))
            .to_vec(),
    }
}

struct Node {
    cluster: Cluster,
    dns: DnsClient,
    begun: Instant,
}

impl Node {
    async fn start() -> Self {
        let progress = Progress::shown();
        let operator = Image::program(
            "localhost/dns-operator:v1",
            program::path().unwrap(),
            "/usr/bin/dns-operator",
        );
        let coredns = Image::coredns(&progress).unwrap().renamed("localhost/coredns:v1");
        let images = vec![
            operator.renamed("localhost/dns-operator:v2"),
            coredns.renamed("localhost/coredns:v2"),
            operator,
            coredns,
        ];
        // `default.test` is asked through the default server block, `stub.test`
        // through one of its own.
        let zones = vec![zone("default.test"), zone("stub.test")];
        let options = Options {
            node: true,
            distribution: Distribution::OpenShift,
            images,
            zones,
            ..Options::default()
        };
        let cluster = Cluster::start(options, &progress).await.unwrap();
        install_release(&cluster, "v1", &progress).await;
        Self {
            cluster,
            dns: DnsClient(([172, 30, 0, 10], 53).into()),
            begun: Instant::now(),
        }
    }

    fn step(&self, what: &str) {
        eprintln!("node: {what} (after {:.0} s)", self.begun.elapsed().as_secs_f64());
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_command(arguments).output().unwrap()
    }

    fn kubectl_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::KUBECTL.path(&Progress::hidden()).unwrap());
        command
            .arg("--kubeconfig")
            .arg(self.cluster.kubeconfig())
            .args(arguments);
        command
    }

    /// What `kubectl get` says, as JSON.
    fn get(&self, arguments: &[&str]) -> Value {
        let output = self.kubectl(&[&["get", "-o", "json"], arguments].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// `kubectl edit dns.operator/default`, with an editor that runs a `sed`
    /// script.
    fn edit(&self, script: &str) -> Output {
        let editor = self.cluster.state().join("editor");
        fs::write(&editor, format!("#!/bin/sh\nexec sed -i '{script}' \"$1\"\n")).unwrap();
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
        self.kubectl_command(&["edit", "dns.operator/default"])
            .env("KUBE_EDITOR", &editor)
            .output()
            .unwrap()
    }

    fn edited(&self, script: &str) {
        let output = self.edit(script);
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("edited"), "{text}");
    }

    fn corefile(&self) -> String {
        let map = self.get(&["-n", "openshift-dns", "configmap", "dns-default"]);
        map["data"]["Corefile"].as_str().unwrap().to_owned()
    }

    /// Names, start times and restarts of the DNS pods.
    fn pods(&self) -> Vec<Value> {
        let list = self.get(&[
            "-n",
            "openshift-dns",
            "pods",
            "-l",
            "dns.operator.openshift.io/daemonset-dns=default",
        ]);
        let facts = |pod: &Value| {
            let restarts = pod["status"]["containerStatuses"][0]["restartCount"].clone();
            serde_json::json!([pod["metadata"]["name"], pod["status"]["startTime"], restarts])
        };
        list["items"].as_array().unwrap().iter().map(facts).collect()
    }

    fn condition(&self, kind: &str) -> Value {
        let dns = self.get(&["dns.operator/default"]);
        let conditions = dns["status"]["conditions"].as_array().unwrap().clone();
        conditions
            .into_iter()
            .find(|condition| condition["type"] == kind)
            .unwrap()
    }

    /// How often a name was asked for upstream, so far.
    async fn asked_upstream(&mut self, name: &str, record_type: RecordType) -> usize {
        let queries = self.cluster.knot().unwrap().settled_queries().await.unwrap();
        let same = |query: &&Query| query.name == name && query.qtype == u16::from(record_type);
        queries.iter().filter(same).count()
    }

    /// Asks for ever new names below `parent` until an answer is as wanted: then
    /// an edit is in force.
    async fn in_force(&self, parent: &str, what: &str, wanted: impl Fn(&Answer) -> bool) {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let begun = Instant::now();
        loop {
            let number = NUMBER.fetch_add(1, Ordering::SeqCst);
            let answer = self.dns.a(&format!("poll{number}.{parent}")).await;
            if wanted(&answer) {
                return;
            }
            assert!(begun.elapsed() < IN_FORCE, "not in force: {what}; {answer:?}");
            sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Puts a release of the operator onto the cluster and waits until DNS is there.
async fn install_release(cluster: &Cluster, version: &str, progress: &Progress) {
    let images = Images {
        release: version.into(),
        operator: format!("localhost/dns-operator:{version}"),
        coredns: format!("localhost/coredns:{version}"),
        cli: images::CLI.into(),
        kube_rbac_proxy: images::WAITING.into(),
    };
    install::on_node(cluster.launcher(), cluster.kubeconfig(), &images, progress)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_pods_obeys_its_dns() {
    let _room = whole_machine().await;
    let mut node = Node::start().await;
    cluster_names_resolve(&node).await;
    without_a_cache_spec_the_defaults_hold(&node).await;
    let pods = node.pods();
    a_short_limit_holds_in_every_block(&mut node).await;
    a_long_limit_lets_upstream_ttls_pass(&mut node).await;
    refused_edits_change_nothing(&node).await;
    assert_eq!(node.pods(), pods, "edits restart no pod");
    an_upgrade_and_a_downgrade_fail_no_query(&node).await;
    node.step("done");
    node.cluster.stop().unwrap();
}

async fn cluster_names_resolve(node: &Node) {
    node.step("names of the cluster resolve");
    let answer = node.dns.a("kubernetes.default.svc.cluster.local.").await;
    assert_eq!(answer.code, ResponseCode::NoError, "{answer:?}");
    let answer = node.dns.a("openshift.default.svc.cluster.local.").await;
    assert_eq!(answer.code, ResponseCode::NoError, "{answer:?}");
}

async fn without_a_cache_spec_the_defaults_hold(node: &Node) {
    node.step("defaults: 900 and 30 seconds");
    assert_eq!(node.dns.a("first.ttl1200.default.test.").await.ttl(), 900);
    assert_eq!(node.dns.a("first.ttl60.default.test.").await.ttl(), 60);
    assert_eq!(node.dns.a("missing.default.test.").await.negative_ttl(), 30);
}

async fn a_short_limit_holds_in_every_block(node: &mut Node) {
    node.step("one edit: positiveTTL 6s, negativeTTL 7s, and a server for stub.test");
    node.edited(
        "s/^spec:$/spec:\\n  cache: {positiveTTL: 6s, negativeTTL: 7s}\\n  servers:\\n  - name: stub\\n    \
         zones: [stub.test]\\n    forwardPlugin: {upstreams: [10.128.0.1]}/",
    );
    for zone in ["default.test.", "stub.test."] {
        node.in_force(&format!("ttl60.{zone}"), "positiveTTL 6s", |answer| {
            answer.ttl() <= 6
        })
        .await;
    }
    assert_eq!(
        node.corefile().matches("cache 6 {").count(),
        2,
        "every block has the limit"
    );
    for zone in ["default.test.", "stub.test."] {
        node.step(&format!("an answer lives 6 seconds in the cache: {zone}"));
        obeys_the_positive_limit(node, &format!("short.ttl60.{zone}")).await;
        node.step(&format!("a denial lives 7 seconds in the cache: {zone}"));
        obeys_the_negative_limit(
            node,
            &format!("short.{zone}"),
            ResponseCode::NXDomain,
            RecordType::A,
        )
        .await;
        obeys_the_negative_limit(
            node,
            &format!("nodata.ttl60.{zone}"),
            ResponseCode::NoError,
            RecordType::AAAA,
        )
        .await;
    }
}

async fn obeys_the_positive_limit(node: &mut Node, name: &str) {
    let begun = tokio::time::Instant::now();
    for second in [0, 1, 2, 3, 4] {
        sleep_until(begun + Duration::from_secs(second)).await;
        let ttl = node.dns.a(name).await.ttl();
        assert!(ttl <= 6, "{name}: a TTL of {ttl} s after {second} s");
    }
    assert_eq!(
        node.asked_upstream(name, RecordType::A).await,
        1,
        "{name} was asked for once while it was in the cache"
    );
    sleep_until(begun + Duration::from_millis(7500)).await;
    assert!(node.dns.a(name).await.ttl() <= 6);
    assert_eq!(
        node.asked_upstream(name, RecordType::A).await,
        2,
        "{name} was asked for again after its limit"
    );
}

async fn obeys_the_negative_limit(node: &mut Node, name: &str, code: ResponseCode, record_type: RecordType) {
    let ask = async |node: &Node| {
        let answer = node.dns.ask(name, record_type).await.unwrap();
        assert_eq!(answer.code, code, "{name}");
        assert!(answer.negative_ttl() <= 7, "{name}: {answer:?}");
    };
    let begun = tokio::time::Instant::now();
    for second in [0, 2, 4] {
        sleep_until(begun + Duration::from_secs(second)).await;
        ask(node).await;
    }
    assert_eq!(
        node.asked_upstream(name, record_type).await,
        1,
        "{name} was asked for once while its denial was in the cache"
    );
    sleep_until(begun + Duration::from_millis(8500)).await;
    ask(node).await;
    assert_eq!(
        node.asked_upstream(name, record_type).await,
        2,
        "{name} was asked for again after the limit"
    );
}

async fn a_long_limit_lets_upstream_ttls_pass(node: &mut Node) {
    node.step("positiveTTL 1h: upstream TTLs pass");
    node.edited("s/positiveTTL: .*/positiveTTL: 1h/");
    for zone in ["default.test.", "stub.test."] {
        node.in_force(&format!("ttl1200.{zone}"), "positiveTTL 1h", |answer| {
            answer.ttl() == 1200
        })
        .await;
    }
    let (short, long) = ("long.ttl20.default.test.", "long.ttl1200.default.test.");
    let begun = tokio::time::Instant::now();
    assert_eq!(node.dns.a(short).await.ttl(), 20);
    assert_eq!(node.dns.a(long).await.ttl(), 1200);
    sleep_until(begun + Duration::from_secs(10)).await;
    for (name, most) in [(short, 10), (long, 1190)] {
        let ttl = node.dns.a(name).await.ttl();
        assert!((most - 2..=most).contains(&ttl), "{name} counts down: {ttl}");
    }
    sleep_until(begun + Duration::from_secs(17)).await;
    node.dns.a(short).await;
    assert_eq!(
        node.asked_upstream(short, RecordType::A).await,
        1,
        "{short} lives as long as the upstream said"
    );
    sleep_until(begun + Duration::from_secs(22)).await;
    assert!(node.dns.a(short).await.ttl() >= 19);
    assert_eq!(
        node.asked_upstream(short, RecordType::A).await,
        2,
        "{short} lives no longer than the upstream said"
    );
    assert_eq!(node.asked_upstream(long, RecordType::A).await, 1);
}

async fn refused_edits_change_nothing(node: &Node) {
    node.step("a bad duration is refused by the API server");
    let corefile = node.corefile();
    let output = node.edit("s/positiveTTL: .*/positiveTTL: 10/");
    assert!(!output.status.success());
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("cancelled") || text.contains("spec.cache.positiveTTL"),
        "{text}"
    );
    node.step("what only the operator can refuse is told in the status");
    node.edited("s/- stub.test/- not a zone/");
    let begun = Instant::now();
    while node.condition("Degraded")["reason"] != "InvalidSpec" {
        assert!(begun.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(100)).await;
    }
    let message = node.condition("Degraded")["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("spec.servers[0].zones[0]: Invalid value: \"not a zone\""),
        "{message}"
    );
    assert_eq!(node.corefile(), corefile);
    assert_eq!(node.dns.a("refused.ttl60.stub.test.").await.ttl(), 60);
    node.edited("s/- not a zone/- stub.test/");
}

async fn an_upgrade_and_a_downgrade_fail_no_query(node: &Node) {
    let stop = Arc::new(AtomicBool::new(false));
    let client = tokio::spawn(keep_asking(node.dns, Arc::clone(&stop)));
    for version in ["v2", "v1"] {
        node.step(&format!("to release {version}, under {RATE} queries a second"));
        let before = node.corefile();
        install_release(&node.cluster, version, &Progress::hidden()).await;
        rolled_out(node, version).await;
        assert_eq!(node.corefile(), before, "the cache configuration is still there");
        assert!(before.contains("cache 3600 {"), "{before}");
    }
    stop.store(true, Ordering::SeqCst);
    let (asked, failures) = client.await.unwrap();
    node.step(&format!("{asked} queries, {} failed", failures.len()));
    assert!(failures.is_empty(), "{failures:?}");
    assert!(asked > 1000, "only {asked} queries");
}

async fn rolled_out(node: &Node, version: &str) {
    let begun = Instant::now();
    loop {
        let set = node.get(&["-n", "openshift-dns", "daemonset", "dns-default"]);
        let image = &set["spec"]["template"]["spec"]["containers"][0]["image"];
        let status = &set["status"];
        let count = |field: &str| status[field].as_i64().unwrap_or_default();
        let done = *image == format!("localhost/coredns:{version}")
            && status["observedGeneration"] == set["metadata"]["generation"]
            && count("updatedNumberScheduled") == count("desiredNumberScheduled")
            && count("numberAvailable") == count("desiredNumberScheduled")
            && node.pods().len() == 1;
        if done {
            return;
        }
        assert!(
            begun.elapsed() < ROLLED_OUT,
            "not rolled out: {version}; {status}"
        );
        sleep(Duration::from_millis(500)).await;
    }
}

/// Asks at a steady rate, names that are in the cache and names that are not,
/// until it is told to stop.
async fn keep_asking(dns: DnsClient, stop: Arc<AtomicBool>) -> (usize, Vec<String>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(1000 / RATE));
    let mut queries = tokio::task::JoinSet::new();
    let mut asked = 0;
    while !stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        asked += 1;
        let name = match asked % 3 {
            0 => format!("n{asked}.ttl60.default.test."),
            1 => "steady.ttl1200.stub.test.".to_owned(),
            _ => "kubernetes.default.svc.cluster.local.".to_owned(),
        };
        queries.spawn(async move {
            match dns.ask(&name, RecordType::A).await {
                Ok(answer) if answer.code == ResponseCode::NoError => None,
                Ok(answer) => Some(format!("{name}: {:?}", answer.code)),
                Err(error) => Some(format!("{name}: {error:#}")),
            }
        });
    }
    let failures = queries.join_all().await.into_iter().flatten().collect();
    (asked, failures)
}
