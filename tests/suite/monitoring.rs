//! Alerts and the dashboard: made from one source, tried with promtool, and asked of a
//! real Prometheus that scrapes the operator and CoreDNS.

pub mod queries;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use devcluster::prometheus::Target;
use devcluster::{
    Distribution, Knot, Progress, Prometheus, Zone, children, control_plane, manifests, programs,
};
use endurance::coredns::{Outcome, Room, Serving};
use monitoring::{Source, rules};
use serde_json::{Value, json};
use tests::program;
use tokio::time::sleep;

use crate::control_plane::{Operator, Plane};
use crate::dns_client::DnsClient;
use crate::serving::{ANYWHERE, address};
use queries::answered;

pub fn source() -> Source {
    Source::read(&manifests::folder()).unwrap()
}

#[test]
fn files_are_made_from_the_source() {
    for (file, text) in monitoring::files(&source()).unwrap() {
        let written = fs::read_to_string(manifests::folder().join(file)).unwrap();
        assert!(written == text, "{file} is stale: run hack/generate");
    }
}

/// promtool finds nothing to mend, and every alert fires when it should and only then.
#[test]
fn alerts_fire_when_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.json");
    fs::write(&rules, rules::groups(&source()).to_string()).unwrap();
    let cases = fs::read_to_string(program::workspace().join("tests/cases/alerts.yaml")).unwrap();
    let read = operator::render::from_yaml(&cases).unwrap();
    let read = read["tests"].as_array().unwrap().iter();
    let looks: Vec<&Value> = read
        .flat_map(|case| case["alert_rule_test"].as_array().unwrap())
        .collect();
    for alert in &source().alerts {
        let looks = looks.iter().filter(|look| look["alertname"] == alert.alert);
        let fires: Vec<bool> = looks.map(|look| look["exp_alerts"] != json!([])).collect();
        assert!(fires.contains(&true), "{} never fires", alert.alert);
        assert!(fires.contains(&false), "{} always fires", alert.alert);
    }
    fs::write(folder.path().join("alerts.yaml"), cases).unwrap();
    let promtool = programs::PROMTOOL.path(&Progress::hidden()).unwrap();
    for arguments in [
        ["check", "rules", "--lint-fatal", "rules.json"].as_slice(),
        &["test", "rules", "alerts.yaml"],
    ] {
        let mut command = Command::new(&promtool);
        children::run(command.args(arguments).current_dir(folder.path())).unwrap();
    }
}

/// Silences and routes go by these.
#[test]
fn every_alert_tells_how_bad_it_is_and_what_to_read() {
    let groups = rules::groups(&source());
    let rules = groups["groups"][0]["rules"].as_array().unwrap().iter();
    let alerts: Vec<&Value> = rules.filter(|rule| rule["alert"].is_string()).collect();
    assert!(alerts.len() >= 8);
    for alert in alerts {
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(["info", "warning", "critical"].contains(&severity), "{alert}");
        for annotation in ["summary", "description", "runbook_url"] {
            assert!(
                !alert["annotations"][annotation].as_str().unwrap().is_empty(),
                "{alert}"
            );
        }
        assert!(alert["for"].is_string(), "{alert}");
    }
}

/// What Grafana needs of a dashboard, and people of a panel.
#[test]
fn every_panel_can_be_drawn_and_read() {
    let model = monitoring::dashboard::model(&source().dashboard);
    assert!(model["schemaVersion"].as_u64().unwrap() >= 36);
    assert!(!model["uid"].as_str().unwrap().is_empty());
    assert_eq!(model["templating"]["list"][0]["type"], "datasource");
    let mut ids = Vec::new();
    let mut places = Vec::new();
    for panel in model["panels"].as_array().unwrap() {
        ids.push(panel["id"].as_u64().unwrap());
        let place = &panel["gridPos"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| place[side].as_u64().unwrap());
        assert!(x + w <= 24, "{place}");
        let apart = |other: &[u64; 4]| {
            x + w <= other[0] || other[0] + other[2] <= x || y + h <= other[1] || other[1] + other[3] <= y
        };
        assert!(places.iter().all(apart), "panels overlap at {place}");
        places.push([x, y, w, h]);
        if panel["type"] == "row" {
            continue;
        }
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap();
        assert!(
            ["s", "reqps", "cps", "percentunit", "short"].contains(&unit),
            "{unit}"
        );
        for field in ["title", "description"] {
            assert!(!panel[field].as_str().unwrap().is_empty(), "{panel}");
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            for field in ["expr", "legendFormat", "refId"] {
                assert!(!target[field].as_str().unwrap().is_empty(), "{panel}");
            }
        }
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<u64>>());
}

/// A series that is asked for by its recorded name is recorded, before it is used.
#[test]
fn recorded_series_are_recorded() {
    let source = source();
    let mut recorded: Vec<&str> = Vec::new();
    let all_are_recorded = |expr: &str, recorded: &[&str]| {
        let separates = |letter: char| !(letter.is_alphanumeric() || ":_".contains(letter));
        for word in expr
            .split(separates)
            .filter(|word| word.matches(':').count() == 2)
        {
            assert!(recorded.contains(&word), "{word} in {expr}");
        }
    };
    for series in &source.series {
        all_are_recorded(&series.expr, &recorded);
        recorded.push(&series.record);
    }
    for expr in queries::of_alerts(&source).chain(queries::of_panels(&source)) {
        all_are_recorded(&expr, &recorded);
    }
}

/// A component of kustomize adds everything to the operator's Deployment.
#[tokio::test]
async fn another_cluster_takes_the_component() {
    // One that has the Prometheus operator's APIs.
    let plane = Plane::start_as(Distribution::OpenShift).await;
    let folder = plane.cluster.state().join("kustomization");
    fs::create_dir_all(&folder).unwrap();
    let base = manifests::folder().canonicalize().unwrap().join("kubernetes");
    // Paths in a kustomization are relative.
    let up = "../".repeat(folder.canonicalize().unwrap().components().count() - 1);
    let base = format!("{up}{}", base.strip_prefix("/").unwrap().display());
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": [base], "components": [format!("{base}/monitoring")],
    });
    fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).unwrap();
    let folder = folder.to_str().unwrap();
    let output = plane.kubectl(&[
        "apply",
        "--server-side",
        "--force-conflicts",
        "--validate=strict",
        "-k",
        folder,
    ]);
    for object in [
        "prometheusrule",
        "servicemonitor",
        "configmap/cluster-dns-dashboard",
        "service/metrics",
    ] {
        assert!(output.contains(object), "{object} in {output}");
    }
    let deployment = plane.kubectl(&[
        "get",
        "deployment",
        "dns-operator",
        "-n",
        "openshift-dns-operator",
        "-o",
        "json",
    ]);
    let deployment: Value = serde_json::from_str(&deployment).unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert!(
        container["args"].as_array().unwrap().contains(&json!(":9393")),
        "{container}"
    );
    assert!(
        container["args"]
            .as_array()
            .unwrap()
            .contains(&json!("--metrics-cert-dir")),
        "{container}"
    );
}

/// CoreDNS as in a pod, with the Corefile that is in force.
struct Pod {
    room: Room,
    serving: Serving,
}

impl Pod {
    fn start(plane: &Plane, corefile: &str) -> Self {
        let program = programs::COREDNS_SERVER.path(&Progress::hidden()).unwrap();
        let room = Room::new(&program, plane.cluster.launcher(), "coredns").unwrap();
        // Not twice a minute only.
        let corefile = corefile.replace("    reload\n", "    reload 2s 1s\n");
        match room.start(&corefile, &BTreeMap::new()).unwrap() {
            Outcome::Serves(serving) => Self { room, serving },
            Outcome::Refuses(log) => panic!("{log}"),
        }
    }

    /// Asks for names that are there and that are not, again and again, and for one
    /// whose upstream is down.
    async fn ask(&self, round: usize) {
        let client = DnsClient(self.serving.address);
        for number in 0..3 {
            for name in ["www.default.test.", "missing.default.test."] {
                client.a(name).await;
            }
            client.a(&format!("new{round}-{number}.stub.test.")).await;
            client.a(&format!("new{round}-{number}.dead.test.")).await;
        }
    }
}

/// The labels that OpenShift's Prometheus gives to what a ServiceMonitor finds.
pub fn labels(namespace: &str, service: &str, pod: &str, container: &str) -> BTreeMap<String, String> {
    let labels = [
        ("job", service),
        ("service", service),
        ("namespace", namespace),
        ("pod", pod),
        ("container", container),
        ("endpoint", "metrics"),
    ];
    labels.map(|(name, value)| (name.into(), value.into())).into()
}

fn target(address: String, labels: BTreeMap<String, String>) -> Target {
    let tls = None;
    Target { address, labels, tls }
}

/// A specification with two upstreams that answer and one that does not.
fn spec(upstream: SocketAddr, dead: u16) -> Value {
    let server = |zone: &str, upstream: String| {
        let plugin = json!({ "upstreams": [upstream] });
        json!({ "name": zone, "zones": [format!("{zone}.test")], "forwardPlugin": plugin })
    };
    json!({
        "upstreamResolvers": { "upstreams": [
            { "type": "Network", "address": upstream.ip().to_string(), "port": upstream.port() },
        ] },
        "servers": [
            server("stub", upstream.to_string()),
            server("dead", format!("127.0.0.1:{dead}")),
        ],
    })
}

fn zone(name: &str) -> Zone {
    let records = vec!["www 300 A 192.0.2.1".to_owned()];
    Zone {
        name: name.into(),
        negative_ttl: 300,
        records,
    }
}

#[tokio::test]
async fn prometheus_has_data_for_every_query() {
    let plane = Plane::start().await;
    let upstream = SocketAddr::from(([127, 0, 0, 1], control_plane::free_port().unwrap()));
    let folder = plane.cluster.state().join("upstream");
    let zones = ["default.test", "stub.test"].map(zone);
    let _knot = Knot::start(&folder, upstream, &zones).await.unwrap();
    let operator = Operator::start(&plane, &ANYWHERE);
    plane.corefile_has("cache 900 {").await;
    plane
        .edit(spec(upstream, control_plane::free_port().unwrap()))
        .await;
    plane.corefile_has(&format!("forward . {upstream} {{")).await;
    let pod = Pod::start(&plane, &plane.corefile().await);
    let targets = [
        target(
            address(&operator, "metrics on http").await,
            labels(
                "openshift-dns-operator",
                "metrics",
                "dns-operator-a",
                "dns-operator",
            ),
        ),
        target(
            pod.room.metrics().to_string(),
            labels("openshift-dns", "dns-default", "dns-default-a", "kube-rbac-proxy"),
        ),
    ];
    let launcher = plane.cluster.launcher();
    let prometheus = Prometheus::start(launcher, &rules::groups(&source()), &targets)
        .await
        .unwrap();
    let queries = queries::all(&source());
    assert!(queries.len() > 50);
    answered(&prometheus, queries, async |round| pod.ask(round).await).await;

    // One in four questions has no upstream that answers.
    alerts(&prometheus, "CoreDNSErrorsHigh", "pending").await;
    // What CoreDNS does not load, and what the operator does not take.
    let broken = fs::read_to_string(pod.room.corefile())
        .unwrap()
        .replace("errors", "no-such-plugin");
    fs::write(pod.room.corefile(), broken).unwrap();
    let plugin = json!({ "upstreams": ["192.0.2.1"] });
    let refused = json!({ "name": "a", "zones": ["a b"], "forwardPlugin": plugin });
    plane.edit(json!({ "servers": [refused] })).await;
    alerts(&prometheus, "CoreDNSReloadFailed", "firing").await;
    alerts(&prometheus, "DNSSpecRefused", "pending").await;
}

/// Waits until an alert of the rules is so.
async fn alerts(prometheus: &Prometheus, name: &str, state: &str) {
    let query = format!("ALERTS{{alertname=\"{name}\", alertstate=\"{state}\"}}");
    answered(prometheus, vec![query], async |_| {
        sleep(Duration::from_millis(500)).await;
    })
    .await;
}
