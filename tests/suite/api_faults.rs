//! Every call of the operator failing once, in every way, and watches that
//! misbehave: the outcome is the same, and nothing is lost on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::api_server::ApiServer;
use crate::api_server::faults::{Failure, Fault, Order};
use crate::in_memory::{Setting, certificate, definitions, operate, run_pods};

/// How long the operator has, by the paused clock, to get over a fault: a silent
/// connection alone takes three minutes.
const RUN: Duration = Duration::from_secs(450);
/// When something happens in a cluster in which all was well.
const CHANGE: Duration = Duration::from_secs(200);

/// How a read may fail: each is answered in a way of its own.
const READ_FAILURES: [Failure; 3] = [Failure::Hang, Failure::Reset, Failure::Refused(500)];
/// How a write may fail. The client repeats by itself what is refused with 429 or
/// 503.
const WRITE_FAILURES: [Failure; 8] = [
    Failure::Hang,
    Failure::HangAfter,
    Failure::Reset,
    Failure::ResetAfter,
    Failure::Refused(403),
    Failure::Refused(409),
    Failure::Refused(429),
    Failure::Refused(500),
];

/// An OpenShift cluster without a DNS, and with a CA bundle.
fn cluster() -> ApiServer {
    let server = ApiServer::with_generations();
    definitions().for_each(|definition| server.load(definition));
    let config = "config.openshift.io/v1";
    for object in [
        json!({
            "apiVersion": config, "kind": "Network", "metadata": { "name": "cluster" },
            "status": { "serviceNetwork": ["172.30.0.0/16"] },
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "corporate", "namespace": "openshift-config" },
            "data": { "ca-bundle.crt": certificate() },
        }),
    ] {
        server.load(object);
    }
    server
}

/// Runs the operator until nothing more is to come.
async fn run(server: &ApiServer, meanwhile: impl Future<Output = ()>) {
    let operator = Box::pin(operate(server.client(), Setting::default()));
    let ended = timeout(RUN, join(operator, run_pods(server.clone())));
    let (ended, ()) = join(ended, meanwhile).await;
    assert!(ended.is_err(), "the operator has ended");
}

fn edit(server: &ApiServer, spec: Value) {
    let mut dns = server.get("DNS", "default").unwrap();
    dns["metadata"]["generation"] = json!(dns["metadata"]["generation"].as_i64().unwrap() + 1);
    dns["spec"] = spec;
    server.load(dns);
}

/// A specification that changes most of what is kept.
fn much() -> Value {
    let tls = json!({ "serverName": "dns.corp.test", "caBundle": { "name": "corporate" } });
    json!({
        "cache": { "positiveTTL": "1h" },
        "nodePlacement": { "nodeSelector": { "dns": "here" } },
        "servers": [{
            "name": "corp", "zones": ["corp.test"],
            "forwardPlugin": {
                "upstreams": ["192.0.2.1"], "transportConfig": { "transport": "TLS", "tls": tls },
            },
        }],
    })
}

/// An object without what differs from run to run; its status apart.
fn parts(mut object: Value) -> (Value, Value) {
    let mut status = object["status"].take();
    object.as_object_mut().unwrap().remove("status");
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        // The time of the creation.
        annotations.remove("deprecated.daemonset.template.generation");
    }
    let metadata = object["metadata"].as_object_mut().unwrap();
    for chance in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
    ] {
        metadata.remove(chance);
    }
    for owner in metadata
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        owner["uid"].take();
    }
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        condition["lastTransitionTime"].take();
    }
    if let Some(status) = status.as_object_mut() {
        // Leases are renewed as time goes.
        status.remove("observedGeneration");
        if let Some(corefile) = status.get_mut("corefile") {
            corefile["generation"].take();
            corefile["publishedTime"].take();
        }
    }
    (object, status)
}

/// The objects at the end.
fn outcome(server: &ApiServer) -> BTreeMap<String, (Value, Value)> {
    let objects = server.objects().into_iter().filter(is_kept);
    objects
        .map(|object| {
            let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
            (name, parts(object))
        })
        .collect()
}

/// What each object was, one after the other; `None` while it was not there.
type Way = BTreeMap<String, Vec<Option<String>>>;

/// What the objects were at a point in their history and since.
fn way(server: &ApiServer, from: usize) -> Way {
    let mut way = Way::new();
    for (number, (name, object)) in server.history().into_iter().enumerate() {
        if !object.as_ref().is_none_or(is_kept) {
            continue;
        }
        let state = object.map(|object| parts(object).0.to_string());
        let states = way.entry(name).or_default();
        if number < from {
            states.clear();
        }
        if states.last() != Some(&state) {
            states.push(state);
        }
    }
    way
}

/// Whether an object is told of: a lease is renewed by the clock, and events are
/// for people.
fn is_kept(object: &Value) -> bool {
    object["kind"] != "Lease" && object["kind"] != "Event"
}

/// What happens to a cluster, with a fault or without.
struct Trial {
    server: ApiServer,
    /// The calls and the history before it began.
    calls: usize,
    history: usize,
}

impl Trial {
    /// A cluster in which the operator has been at work, or a fresh one.
    async fn on(settled: bool) -> Self {
        let server = cluster();
        if settled {
            run(&server, async {}).await;
        }
        Self::at(&server)
    }

    /// The same cluster, apart.
    fn at(server: &ApiServer) -> Self {
        Self {
            calls: server.calls().len(),
            history: server.changes(),
            server: server.copy(),
        }
    }

    /// Lets the operator run on, on a cluster in which `change` happens.
    async fn run(&self, change: impl Fn(&ApiServer), fault: Option<(usize, Failure)>) {
        if let Some((call, failure)) = fault {
            let call = self.calls + call;
            self.server.fail(Fault { call, failure });
        }
        run(&self.server, async {
            // Once it has found everything as it should be.
            sleep(CHANGE).await;
            change(&self.server);
        })
        .await;
    }
}

fn assert_same<T: PartialEq + std::fmt::Debug>(
    found: &BTreeMap<String, T>,
    wanted: &BTreeMap<String, T>,
    what: &str,
) {
    for (name, wanted) in wanted {
        assert_eq!(found.get(name), Some(wanted), "{what}: {name}");
    }
    assert_eq!(found.len(), wanted.len(), "{what}");
}

/// Whether a call is one of those that come of themselves, time and again.
fn is_routine(call: &str) -> bool {
    call.contains(" Lease ") || call.contains(" Event ")
}

/// Runs a change with every call failing that `which` picks by the failures it
/// gives.
async fn every_call_may_fail(
    settled: bool,
    which: impl Fn(&str) -> &'static [Failure],
    change: impl Fn(&ApiServer),
) {
    let before = Trial::on(settled).await.server;
    let clean = Trial::at(&before);
    clean.run(&change, None).await;
    let (wanted, wanted_way) = (outcome(&clean.server), way(&clean.server, clean.history));
    let calls = clean.server.calls().split_off(clean.calls);
    let mut routine = 0;
    let mut tried = 0;
    for (number, call) in calls.iter().enumerate() {
        routine += usize::from(is_routine(call));
        if is_routine(call) && routine > 2 {
            continue;
        }
        for failure in which(call) {
            let what = format!("{failure:?} at {number}, {call}");
            let trial = Trial::at(&before);
            trial.run(&change, Some((number, *failure))).await;
            assert!(trial.server.has_failed(), "{what}: it was not called");
            assert_same(&outcome(&trial.server), &wanted, &what);
            assert_same(&way(&trial.server, trial.history), &wanted_way, &what);
            tried += 1;
        }
    }
    assert!(tried > 20, "{calls:?}");
}

fn is_read(call: &str) -> bool {
    ["get ", "list ", "watch "]
        .iter()
        .any(|verb| call.starts_with(verb))
}

fn all(call: &str) -> &'static [Failure] {
    if is_read(call) {
        &READ_FAILURES
    } else {
        &WRITE_FAILURES
    }
}

fn all_writes(call: &str) -> &'static [Failure] {
    if is_read(call) { &[] } else { &WRITE_FAILURES }
}

/// Enough to tell a deletion that is done from one that is not.
fn some_writes(call: &str) -> &'static [Failure] {
    if is_read(call) { &[] } else { &WRITE_FAILURES[1..3] }
}

#[tokio::test(start_paused = true)]
async fn any_call_of_a_first_start_may_fail() {
    every_call_may_fail(false, all, |_| {}).await;
}

#[tokio::test(start_paused = true)]
async fn any_call_of_a_restart_and_of_an_edit_may_fail() {
    every_call_may_fail(true, all, |server| edit(server, much())).await;
}

#[tokio::test(start_paused = true)]
async fn any_call_of_a_repair_may_fail() {
    let repair = |server: &ApiServer| {
        for (kind, name) in [
            ("ConfigMap", "dns-default"),
            ("DaemonSet", "node-resolver"),
            ("Service", "openshift"),
        ] {
            server.remove(kind, name);
        }
        let mut map = server.get("NetworkPolicy", "dns-default").unwrap();
        map["spec"]["ingress"] = json!([]);
        server.load(map);
    };
    every_call_may_fail(true, all_writes, repair).await;
}

#[tokio::test(start_paused = true)]
async fn any_call_of_a_deletion_may_fail() {
    every_call_may_fail(true, some_writes, |server| server.remove("DNS", "default")).await;
}

/// A cluster in which the operator runs and finds everything as it should be,
/// then `change`, then nothing for a while.
async fn with_watches(change: impl AsyncFn(&ApiServer)) -> (ApiServer, usize) {
    let trial = Trial::on(true).await;
    run(&trial.server, async {
        sleep(Duration::from_secs(60)).await;
        change(&trial.server).await;
    })
    .await;
    (trial.server, trial.history)
}

/// What an edit leads to when nothing goes wrong.
async fn after_the_edit() -> (BTreeMap<String, (Value, Value)>, Way) {
    let (server, history) = with_watches(async |server| edit(server, much())).await;
    (outcome(&server), way(&server, history))
}

#[tokio::test(start_paused = true)]
async fn watches_that_are_cut_are_taken_up_again() {
    let (wanted, wanted_way) = after_the_edit().await;
    let (server, history) = with_watches(async |server| {
        server.cut_watches();
        edit(server, much());
        sleep(Duration::from_millis(1)).await;
        server.cut_watches();
    })
    .await;
    assert_same(&outcome(&server), &wanted, "cut");
    assert_same(&way(&server, history), &wanted_way, "cut");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_behind_undoes_nothing() {
    let (wanted, wanted_way) = after_the_edit().await;
    for lag in (0..40).step_by(3) {
        let (server, history) = with_watches(async |server| {
            edit(server, much());
            sleep(Duration::from_secs(60)).await;
            server.expire_watches(lag);
        })
        .await;
        let what = format!("{lag} versions behind");
        assert_same(&outcome(&server), &wanted, &what);
        assert_same(&way(&server, history), &wanted_way, &what);
    }
}

#[tokio::test(start_paused = true)]
async fn events_twice_or_out_of_order_undo_nothing() {
    let (wanted, _) = after_the_edit().await;
    for order in [Order::Twice, Order::Swapped] {
        let (server, history) = with_watches(async |server| {
            server.deliver(order);
            edit(server, json!({ "cache": { "positiveTTL": "5m" } }));
            edit(server, much());
            sleep(Duration::from_secs(60)).await;
            server.deliver(Order::AsTheyCome);
            server.cut_watches();
        })
        .await;
        let what = format!("{order:?}");
        assert_same(&outcome(&server), &wanted, &what);
        let way = way(&server, history);
        // Once the later edit is in force, the earlier one does not come back.
        let corefiles = &way["ConfigMap dns-default"];
        let is_later = |state: &Option<String>| state.as_ref().is_some_and(|map| map.contains("corp.test"));
        let later = corefiles.iter().position(is_later);
        assert_eq!(later, Some(corefiles.len() - 1), "{what}: {corefiles:?}");
        let gone = way.values().flatten().filter(|state| state.is_none()).count();
        assert_eq!(gone, 0, "{what}: {way:?}");
    }
}
