//! DNSEndpoints on a real API server: what is wanted follows edits and deletions, and each
//! object is told once.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use operator::dns::objects::ObjectKey;
use operator::records::dns_endpoint::StatusWriter;
use operator::records::selector;
use operator::records::source::{DnsEndpoints, ObjectArgs, follow, wanted};
use operator::resources::dns_endpoint_key;
use operator::run::client_config;
use records::verdict::{State, Verdict, Verdicts};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::definitions::{GROUP, define, lenient, ours};
use crate::control_plane::{Plane, eventually, quiet};

/// The source, and the writer of statuses, as the operator has them.
struct Watcher {
    endpoints: Arc<DnsEndpoints>,
    writer: StatusWriter,
    task: JoinHandle<()>,
}

impl Watcher {
    async fn start(plane: &Plane, args: ObjectArgs) -> Self {
        let config = client_config(Some(plane.cluster.kubeconfig())).await.unwrap();
        let client = Client::try_from(config).unwrap();
        let endpoints = Arc::new(DnsEndpoints::default());
        assert_eq!(endpoints.snapshot(), None, "nothing is known yet");
        let task = tokio::spawn(follow(client.clone(), args, Arc::clone(&endpoints)));
        Self {
            writer: StatusWriter::new(client),
            endpoints,
            task,
        }
    }

    /// `name target… < resource` of all that is wanted, and what was rejected.
    fn wanted(&self) -> (Vec<String>, Vec<String>) {
        let wanted = wanted(&self.endpoints.snapshot().unwrap_or_default());
        let endpoints = wanted.endpoints.iter().map(|endpoint| {
            let targets = endpoint.targets.join(" ");
            format!(
                "{} {targets} < {}",
                endpoint.dns_name,
                endpoint.labels.get("resource").unwrap()
            )
        });
        let rejected = wanted.rejected.iter().map(ToString::to_string);
        (endpoints.collect(), rejected.collect())
    }

    /// Waits until such record sets are wanted.
    async fn wants(&self, expected: &[&str]) {
        eventually(&format!("{expected:?} is wanted"), async || {
            self.wanted().0 == expected
        })
        .await;
    }

    /// Writes the statuses of zones that hold all that is wanted.
    async fn write(&mut self) -> usize {
        let objects = self.endpoints.snapshot().unwrap();
        let endpoints = wanted(&objects).endpoints;
        let verdicts: Verdicts = endpoints
            .iter()
            .map(|endpoint| Verdict {
                key: endpoint.key().unwrap(),
                resource: endpoint.labels.get("resource").unwrap().into(),
                state: State::InPlace,
            })
            .collect();
        self.writer
            .write(&objects, &verdicts, Timestamp::now())
            .await
            .unwrap()
    }

    /// Waits until the watch has told of the versions that are there.
    async fn is_up_to_date(&self, plane: &Plane, name: &str) {
        let key = dns_endpoint_key("default", name);
        let version = plane.get(&key).await.unwrap()["metadata"]["resourceVersion"].clone();
        eventually("the watch has told of it", async || {
            let snapshot = self.endpoints.snapshot().unwrap();
            snapshot
                .iter()
                .any(|object| object.key == key && version == object.version)
        })
        .await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn spec(endpoints: &[(&str, &str)]) -> Value {
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|(name, target)| json!({ "dnsName": name, "recordType": "A", "targets": [target] }))
        .collect();
    json!({ "spec": { "endpoints": endpoints } })
}

async fn make(plane: &Plane, namespace: &str, name: &str, fields: Value) {
    plane.create(&dns_endpoint_key(namespace, name), fields).await;
}

/// How often a status was written.
fn writes(plane: &Plane) -> usize {
    let requests = plane.requests();
    requests
        .iter()
        .filter(|request| *request == "patch dnsendpoints/status")
        .count()
}

#[tokio::test]
async fn edits_and_deletions_are_followed() {
    let plane = Plane::start().await;
    define(&plane, ours()).await;
    plane.make_namespace("team").await;
    // More than a page has.
    for index in 0..120 {
        make(&plane, "team", &format!("n{index:03}"), spec(&[])).await;
    }
    let web = spec(&[("a.example.com", "192.0.2.1"), ("b.example.com", "192.0.2.1.")]);
    make(&plane, "default", "web", web).await;
    let all = Watcher::start(&plane, ObjectArgs::default()).await;
    all.wants(&[WEB]).await;
    assert_eq!(all.endpoints.snapshot().unwrap().len(), 121);
    let rejected = all.wanted().1;
    let expected = "crd/default/web: endpoints[1] (\"b.example.com\"): targets[0]:";
    assert!(rejected[0].starts_with(expected), "{rejected:?}");

    let key = dns_endpoint_key("team", "n000");
    plane.patch(&key, spec(&[("n.example.com", "192.0.2.2")])).await;
    all.wants(&[WEB, N000]).await;
    only_some_count(&plane, &key).await;
    plane.delete(&key).await;
    all.wants(&[WEB]).await;
    assert_eq!(all.endpoints.snapshot().unwrap().len(), 120);
    drop(all);
    plane.cluster.stop().unwrap();
}

const WEB: &str = "a.example.com 192.0.2.1 < crd/default/web";
const N000: &str = "n.example.com 192.0.2.2 < crd/team/n000";

/// The namespace, the labels and the annotations decide.
async fn only_some_count(plane: &Plane, key: &ObjectKey) {
    let filtered = ObjectArgs {
        namespace: Some("team".into()),
        label_filter: selector::parse("tier in (front, back)").unwrap(),
        annotation_filter: selector::parse("external!=no").unwrap(),
    };
    let some = Watcher::start(plane, filtered).await;
    eventually("the objects are listed", async || {
        some.endpoints.snapshot().is_some()
    })
    .await;
    assert_eq!(some.wanted().0, [] as [&str; 0]);
    for (metadata, expected) in [
        (json!({ "labels": { "tier": "back" } }), &[N000][..]),
        (json!({ "annotations": { "external": "no" } }), &[]),
        (json!({ "annotations": { "external": null } }), &[N000]),
        (json!({ "labels": { "tier": "none" } }), &[]),
    ] {
        plane.patch(key, json!({ "metadata": metadata })).await;
        some.wants(expected).await;
    }
}

#[tokio::test]
async fn a_status_is_written_when_it_has_something_new_to_say() {
    let plane = Plane::start().await;
    define(&plane, ours()).await;
    make(&plane, "default", "web", spec(&[("a.example.com", "192.0.2.1")])).await;
    let mut watcher = Watcher::start(&plane, ObjectArgs::default()).await;
    watcher.wants(&[WEB]).await;
    let mut changes = watcher.endpoints.changes();
    changes.mark_unchanged();
    assert_eq!(watcher.write().await, 1);
    assert_eq!(
        watcher.write().await,
        0,
        "whether the watch has told of it or not"
    );
    watcher.is_up_to_date(&plane, "web").await;
    assert_eq!(watcher.write().await, 0);
    assert!(!changes.has_changed().unwrap(), "a status is not what is wanted");
    let status = status(&plane).await;
    assert_eq!(status["observedGeneration"], 1);
    for condition in status["conditions"].as_array().unwrap() {
        assert_eq!(condition["status"], "True", "{condition}");
    }

    // Another process finds all as it should be, and has nothing to say.
    let mut other = Watcher::start(&plane, ObjectArgs::default()).await;
    other.wants(&[WEB]).await;
    assert_eq!(other.write().await, 0);
    drop(other);

    edits_are_told(&plane, &mut watcher).await;
    eventually("every write is in the log", async || writes(&plane) == 4).await;
    let before = plane.requests();
    quiet().await;
    assert_eq!(watcher.write().await, 0);
    assert_eq!(plane.requests(), before, "nothing happens at rest");
    drop(watcher);
    plane.cluster.stop().unwrap();
}

async fn status(plane: &Plane) -> Value {
    let object = plane.get(&dns_endpoint_key("default", "web")).await;
    object.unwrap()["status"].clone()
}

/// Three more writes, each told once: after two edits, and after somebody else's words.
async fn edits_are_told(plane: &Plane, watcher: &mut Watcher) {
    let key = dns_endpoint_key("default", "web");
    let edit = spec(&[("a.example.com", "192.0.2.1"), ("b.example.com", "x.")]);
    plane.patch(&key, edit).await;
    watcher.is_up_to_date(plane, "web").await;
    assert_eq!((watcher.write().await, watcher.write().await), (1, 0));
    let told = status(plane).await;
    assert_eq!(told["notInPlace"][0]["reason"], "InvalidEndpoint");
    assert_eq!(told["observedGeneration"], 2);
    assert_eq!(told["notInPlaceCount"], 1);

    plane.patch(&key, spec(&[("a.example.com", "192.0.2.1")])).await;
    watcher.is_up_to_date(plane, "web").await;
    assert_eq!((watcher.write().await, watcher.write().await), (1, 0));
    let told = status(plane).await;
    assert_eq!(told["notInPlace"], Value::Null);
    assert_eq!(told["notInPlaceCount"], Value::Null);

    let foreign = json!({ "conditions": [], "observedGeneration": 1 });
    watcher.is_up_to_date(plane, "web").await;
    plane.patch_status(&key, foreign).await;
    watcher.is_up_to_date(plane, "web").await;
    assert_eq!((watcher.write().await, watcher.write().await), (1, 0));
    assert_eq!(status(plane).await["observedGeneration"], 3);
    watcher.is_up_to_date(plane, "web").await;
}

#[tokio::test]
async fn a_definition_that_drops_the_status_costs_no_repeated_writes() {
    let plane = Plane::start().await;
    define(&plane, lenient(GROUP)).await;
    let key = dns_endpoint_key("default", "web");
    make(&plane, "default", "web", spec(&[("a.example.com", "192.0.2.1")])).await;
    let mut watcher = Watcher::start(&plane, ObjectArgs::default()).await;
    watcher
        .wants(&["a.example.com 192.0.2.1 < crd/default/web"])
        .await;
    assert_eq!(watcher.write().await, 1);
    assert_eq!(
        plane.get(&key).await.unwrap()["status"],
        json!({ "observedGeneration": 1 })
    );
    watcher.is_up_to_date(&plane, "web").await;
    for _ in 0..3 {
        assert_eq!(watcher.write().await, 0);
    }
    plane.patch(&key, spec(&[("b.example.com", "192.0.2.1")])).await;
    watcher
        .wants(&["b.example.com 192.0.2.1 < crd/default/web"])
        .await;
    assert_eq!((watcher.write().await, watcher.write().await), (1, 0));
    watcher.is_up_to_date(&plane, "web").await;
    assert_eq!(watcher.write().await, 0);
    assert_eq!(writes(&plane), 2);
    drop(watcher);
    plane.cluster.stop().unwrap();
}
