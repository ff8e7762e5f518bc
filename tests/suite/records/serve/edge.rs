//! A cluster whose records are kept by DNSProviders, one of them of the type `remote`: a client
//! of `records serve` in front of a Knot. It runs as `manifests/records/dns-providers` deploys it,
//! with the rights that it has there and no others.

use std::fs;
use std::path::Path;
use std::time::Duration;

use devcluster::Distribution;
use devcluster::certificates::{Authority, Pair};
use devcluster::manifests;
use operator::resources::{dns_endpoint_key, dns_provider_key};
use serde_json::{Value, json};

use super::super::daemon::{Daemon, command};
use super::super::definitions::{define, our_dns_provider, ours};
use super::super::pod::Pod;
use super::super::run::stage::endpoint;
use super::stage::{Stage, ZONE, address, provider};
use crate::control_plane::{Plane, eventually, quiet};
use crate::permissions::grants;

/// The namespace at the central server.
const BLUE: &str = "blue";
/// The namespace, the service account and the Deployment of the manifests.
const EDGE: &str = "external-records";
/// One record of ours that nobody wants, and one more in a domain that is excluded.
const LINES: &str = "gone 300 A 192.0.2.80\n\
    a-gone 300 TXT \"heritage=external-dns,external-dns/owner=edge,external-dns/resource=crd/default/x\"\n\
    old.private 300 A 192.0.2.81\n\
    a-old.private 300 TXT \"heritage=external-dns,external-dns/owner=edge,external-dns/resource=crd/default/x\"\n";

/// A central server of a stage, and where it is.
async fn central(stage: &Stage) -> (Daemon, String) {
    let address = address();
    let providers = stage.write("providers.yaml", &[provider(BLUE), stage.secret(BLUE)]);
    let server = stage.serve(address, std::slice::from_ref(&providers)).await;
    (server, address.to_string())
}

/// The Secret of a client of the central server.
fn secret(server: &str, pair: &Pair, authority: &Authority) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "namespace": "default", "name": "central" },
        "stringData": {
            "REMOTE_ENDPOINT": server, "NAMESPACE": BLUE,
            "CLIENT_CERT": pair.certificate, "CLIENT_KEY": pair.key,
            "SERVER_CA_CERT": authority.certificate(),
        },
    })
}

fn specification() -> Value {
    json!({
        "type": "remote", "secretRef": { "name": "central" },
        "domains": { "include": [ZONE], "exclude": [format!("private.{ZONE}")] },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_has_its_records_by_a_dns_provider_from_a_central_server() {
    let stage = Stage::start(LINES).await;
    let (server, address) = central(&stage).await;
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    define(&plane, ours()).await;
    define(&plane, our_dns_provider()).await;
    let pair = stage.clients.client(BLUE, "clients").unwrap();
    apply(
        &plane,
        &stage,
        &secret(&address, &pair, &Authority::new().unwrap()),
    );
    let account = dns_provider_key("default", "central");
    plane.create(&account, json!({ "spec": specification() })).await;
    let wanted = [endpoint("api", "192.0.2.1"), endpoint("api.private", "192.0.2.2")];
    let wanted = json!({ "spec": { "endpoints": wanted } });
    plane.create(&dns_endpoint_key("default", "api"), wanted).await;
    let cache = stage.folder.path().join("edge-cache");
    let objects = deploy(&plane, &stage);
    let pod = Pod {
        plane: &plane,
        namespace: EDGE,
        name: EDGE,
        flags: &[("--record-cache-dir", cache.display().to_string())],
    };
    let mut edge = pod.start().await;

    let refused = state(&plane, "Error").await;
    assert!(
        refused["message"].as_str().unwrap().contains(&address),
        "{refused}"
    );
    assert_eq!(stage.names().await, ["gone", "old.private"]);
    // The Secret is mended.
    apply(&plane, &stage, &secret(&address, &pair, &stage.servers));
    let ready = state(&plane, "Ready").await;
    assert_eq!(ready["zones"], json!({ "included": [ZONE] }), "{ready}");
    assert_eq!(
        ready["domains"],
        json!({ "included": [ZONE], "excluded": [format!("private.{ZONE}")] })
    );
    eventually("the zone is as wanted", async || {
        stage.names().await == ["api", "old.private"]
    })
    .await;
    what_is_excluded_is_told(&plane).await;
    a_renewed_certificate_costs_no_reading(&plane, &stage, &mut edge, (&address, &cache)).await;
    the_server_goes_away_and_comes_back(&plane, &stage, server, &address).await;
    grants::account(plane.cluster.audit_log(), &objects, EDGE, EDGE).is_exact();
    plane.cluster.stop().unwrap();
}

/// Applies the manifests with the owner and the policy of this test, and lets the service
/// account read the Secrets of a namespace, as the comment there says; all that was applied.
fn deploy(plane: &Plane, stage: &Stage) -> Vec<Value> {
    let overlay = stage.folder.path().join("overlay");
    fs::create_dir_all(&overlay).unwrap();
    let root = "../".repeat(overlay.components().count() - 1);
    let folder = manifests::folder().join("records");
    let folder = format!("{root}{}", folder.strip_prefix("/").unwrap().display());
    let replace = |place: u8, value: &str| {
        let path = format!("/spec/template/spec/containers/0/args/{place}");
        json!({ "op": "replace", "path": path, "value": value })
    };
    let patch = json!([replace(3, "--policy=sync"), replace(4, "--txt-owner-id=edge")]);
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": [folder], "components": [format!("{folder}/dns-providers")],
        "patches": [{ "target": { "kind": "Deployment", "name": EDGE }, "patch": patch.to_string() }],
    });
    let file = overlay.join("kustomization.yaml");
    fs::write(file, kustomization.to_string()).unwrap();
    let overlay = overlay.to_str().unwrap();
    let rendered = plane.kubectl(&["kustomize", overlay]);
    let documents = rendered.split("\n---\n");
    let mut objects: Vec<Value> = documents
        .map(|document| operator::output::from_yaml(document).unwrap())
        .collect();
    plane.kubectl(&["apply", "--server-side", "--validate=strict", "-k", overlay]);
    let bound = plane.kubectl(&[
        "create",
        "rolebinding",
        "external-records-secrets",
        "--namespace=default",
        "--clusterrole=external-records-secrets",
        "--serviceaccount=external-records:external-records",
        "--output=json",
    ]);
    objects.push(serde_json::from_str(&bound).unwrap());
    objects
}

/// Waits until the DNSProvider has a state; what it is told.
async fn state(plane: &Plane, state: &str) -> Value {
    let key = dns_provider_key("default", "central");
    let mut status = Value::Null;
    eventually(&format!("the DNSProvider is {state}"), async || {
        status = plane.get(&key).await.unwrap()["status"].clone();
        status["state"] == state
    })
    .await;
    status
}

async fn what_is_excluded_is_told(plane: &Plane) {
    let key = dns_endpoint_key("default", "api");
    let mut told = Value::Null;
    eventually("the DNSEndpoint is told", async || {
        told = plane.get(&key).await.unwrap()["status"]["notInPlace"].clone();
        told.as_array().is_some_and(|told| told.len() == 1)
    })
    .await;
    assert_eq!(told[0]["dnsName"], format!("api.private.{ZONE}"), "{told}");
    assert!(told.to_string().contains("outside the domain filter"), "{told}");
}

/// The account stays, and with it all that is known of its zones.
async fn a_renewed_certificate_costs_no_reading(
    plane: &Plane,
    stage: &Stage,
    edge: &mut Daemon,
    (address, cache): (&str, &Path),
) {
    let accounts = || -> Vec<_> {
        let folders = fs::read_dir(cache).unwrap();
        folders.map(|folder| folder.unwrap().file_name()).collect()
    };
    let before = accounts();
    let account = before[0].to_str().unwrap().to_owned();
    let reads =
        format!("external_dns_records_provider_calls_total{{account=\"{account}\",operation=\"read\"}}");
    assert_eq!(edge.metric(&reads).await, Some(1.0));
    let renewed = stage.clients.client(BLUE, "clients").unwrap();
    apply(plane, stage, &secret(address, &renewed, &stage.servers));
    eventually("the Secret is taken over", async || {
        edge.log().matches("the Secret has changed").count() == 2
    })
    .await;
    let wanted = json!({ "spec": { "endpoints": [endpoint("web", "192.0.2.3")] } });
    plane.patch(&dns_endpoint_key("default", "api"), wanted).await;
    eventually("the zone is as wanted", async || {
        stage.names().await == ["old.private", "web"]
    })
    .await;
    assert_eq!(edge.metric(&reads).await, Some(1.0));
    assert_eq!(accounts(), before);
    edge.is_alive();
}

/// The DNSProvider is told of it, once; what was known stays in use.
async fn the_server_goes_away_and_comes_back(plane: &Plane, stage: &Stage, server: Daemon, address: &str) {
    let ready = state(plane, "Ready").await;
    server.kill();
    let away = state(plane, "Error").await;
    let message = away["message"].as_str().unwrap();
    assert!(message.contains(address), "{away}");
    assert!(
        message.contains("what was known at 20") && message.ends_with("stays in use"),
        "{away}"
    );
    for field in ["zones", "domains"] {
        assert_eq!(away[field], ready[field], "{away}");
    }
    quiet().await;
    let key = dns_provider_key("default", "central");
    let told = plane.get(&key).await.unwrap();
    // It is asked again meanwhile.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(plane.get(&key).await.unwrap(), told, "nothing is written at rest");

    let providers = [stage.folder.path().join("providers.yaml")];
    let _server = stage.serve(address.parse().unwrap(), &providers).await;
    let back = state(plane, "Ready").await;
    assert_eq!(back["lastError"], Value::Null, "{back}");
    let wanted = json!({ "spec": { "endpoints": [endpoint("late", "192.0.2.4")] } });
    plane.patch(&dns_endpoint_key("default", "api"), wanted).await;
    eventually("the zone is as wanted", async || {
        stage.names().await == ["late", "old.private"]
    })
    .await;
}

/// Applies an object, whatever its kind.
fn apply(plane: &Plane, stage: &Stage, object: &Value) {
    let file = stage.write("applied.json", std::slice::from_ref(object));
    plane.kubectl(&["apply", "-f", file.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_files_are_used_together_and_a_zone_of_two_once() {
    let stage = Stage::start("").await;
    let (_server, address) = central(&stage).await;
    let pair = stage.clients.client(BLUE, "clients").unwrap();
    let mut remote = provider("default");
    remote["metadata"]["name"] = json!("central");
    remote["spec"] = specification();
    let accounts = [
        remote,
        secret(&address, &pair, &stage.servers),
        provider("other"),
        stage.secret("other"),
    ];
    let accounts = stage.write("accounts.yaml", &accounts);
    let wanted = [endpoint("api", "192.0.2.1"), endpoint("api.private", "192.0.2.2")];
    let wanted = stage.write("wanted.yaml", &[json!({ "endpoints": wanted })]);
    let arguments = [
        "apply",
        "--policy=sync",
        "--provider=dns-providers",
        &format!("--dns-provider-file={}", accounts.display()),
        &format!("--file={}", wanted.display()),
    ];
    let output = tokio::process::Command::from(command(&arguments.map(str::to_owned)))
        .output()
        .await
        .unwrap();
    let [said, logged] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    // The first has the zone, and does not include one of the names.
    assert_eq!(stage.names().await, ["api"], "{said}\n{logged}");
    assert_eq!(output.status.code(), Some(1), "{said}\n{logged}");
    assert!(
        logged
            .contains("the zone example.com of the DNSProvider other/knot is not used: default/central has"),
        "{logged}"
    );
}
