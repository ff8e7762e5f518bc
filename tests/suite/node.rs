//! The whole way on a real node: somebody edits the DNS, and CoreDNS pods answer
//! accordingly. Knot, the node's upstream resolver, is the witness of what was
//! asked upstream.
//!
//! One node a machine, so this is one test of several steps.

mod cache;
mod monitoring;
mod refusals;
mod rollouts;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use devcluster::install::{self, Images};
use devcluster::{Cluster, Distribution, Image, Options, Progress, Query, Zone, images, programs};
use endurance::end::Release;
use endurance::load;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use serde_json::{Value, json};
use tests::program;
use tokio::time::sleep;

use crate::control_plane::whole_machine;
use crate::dns_client::{Answer, DnsClient};

/// How long an edit may take to be in force in a pod: the kubelet brings the
/// file, and CoreDNS looks at it twice a minute.
const IN_FORCE: Duration = Duration::from_secs(120);

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
        let mut zones = vec![zone("default.test"), zone("stub.test")];
        zones.extend(load::zones());
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
            dns: DnsClient(load::SERVICE),
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
        succeeded(&output);
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

    /// Merges fields into the specification.
    fn patched(&self, spec: &Value) {
        let patch = json!({ "spec": spec }).to_string();
        let output = self.kubectl(&["patch", "dns.operator/default", "--type=merge", "--patch", &patch]);
        succeeded(&output);
    }

    /// Creates an object or brings it up to date.
    fn applied(&self, object: &Value) {
        let file = self.cluster.state().join("applied.json");
        fs::write(&file, object.to_string()).unwrap();
        succeeded(&self.kubectl(&["apply", "--server-side", "--filename", file.to_str().unwrap()]));
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
            json!([pod["metadata"]["name"], pod["status"]["startTime"], restarts])
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

fn succeeded(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Puts a release of the operator onto the cluster and waits until DNS is there.
async fn install_release(cluster: &Cluster, version: &str, progress: &Progress) {
    let images = release(version).images;
    install::on_node(cluster.launcher(), cluster.kubeconfig(), &images, progress)
        .await
        .unwrap();
}

fn release(version: &str) -> Release {
    Release {
        program: program::path().unwrap().to_owned(),
        images: Images {
            release: version.into(),
            operator: format!("localhost/dns-operator:{version}"),
            coredns: format!("localhost/coredns:{version}"),
            cli: images::CLI.into(),
            kube_rbac_proxy: images::WAITING.into(),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_pods_obeys_its_dns() {
    let _room = whole_machine().await;
    let mut node = Node::start().await;
    cluster_names_resolve(&node).await;
    cache::without_a_cache_spec_the_defaults_hold(&node).await;
    let pods = node.pods();
    cache::a_short_limit_holds_in_every_block(&mut node).await;
    cache::a_long_limit_lets_upstream_ttls_pass(&mut node).await;
    monitoring::every_query_has_data(&node).await;
    refusals::change_nothing(&node).await;
    assert_eq!(node.pods(), pods, "edits restart no pod");
    rollouts::fail_no_query(&node).await;
    rollouts::a_minute_of_changes(&node).await;
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
