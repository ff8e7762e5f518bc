//! A server of the DNSProviders of a cluster, as `manifests/records/central` deploys it, with
//! the rights that it has there and no others.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use devcluster::{Distribution, manifests};
use operator::resources::dns_provider_key;
use serde_json::{Value, json};
use tonic::Code;

use super::super::daemon::{Daemon, command};
use super::super::definitions::{define, our_dns_provider};
use super::pods;
use super::stage::{Client, REMOTE, Stage, ZONE, address, leads, provider};
use crate::control_plane::{Plane, eventually};
use crate::permissions::{grants, kubeconfig_of};

/// The namespace and the service account of the manifests.
pub const CENTRAL: &str = "external-records-central";
/// The namespace of a client.
pub const BLUE: &str = "blue";

#[tokio::test]
async fn dns_providers_of_a_cluster_are_served_as_their_annotations_and_secrets_say() {
    let stage = Stage::start("www 300 A 192.0.2.80").await;
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    define(&plane, our_dns_provider()).await;
    plane.make_namespace(BLUE).await;
    let objects = apply_manifests(&plane);
    let mut closed = provider(BLUE);
    closed["metadata"]["annotations"] = json!({});
    apply(&plane, &stage, &stage.secret(BLUE));
    apply(&plane, &stage, &closed);
    let address = address();
    let kubeconfig = kubeconfig_of(&plane, CENTRAL, CENTRAL);
    let deployment = find(&objects, "Deployment");
    pods::make(&plane, CENTRAL, "central-1", &deployment["spec"]["template"]).await;
    pods::make(&plane, CENTRAL, "central-2", &deployment["spec"]["template"]).await;
    let command = central(&objects, &stage, (address, "central-1"), &kubeconfig);
    let mut daemon = Daemon::launch(plane.cluster.launcher(), "central", &command).await;
    leads(&daemon).await;
    let mut blue = stage.client(address, BLUE);

    assert_eq!(blue.refusal().await, Some(Code::NotFound));
    let log = daemon.log();
    assert!(log.contains("no DNSProvider has the annotation"), "{log}");
    annotations_are_followed(&plane, &mut blue).await;
    assert_eq!(blue.create(&["api".into()]).await.unwrap(), ["applied"]);
    assert_eq!(stage.names().await, ["api", "www"]);
    secrets_are_followed(&plane, &stage, &mut blue).await;
    the_label_is_repaired_as_soon_as_may_be(&plane, &objects, &mut blue, &daemon).await;
    // The Lease is let go, which is a patch.
    daemon.terminate();
    assert_eq!(daemon.exit_code().await, Some(0), "{}", daemon.log());
    assert_eq!(selected(&plane, &objects), "");
    grants::account(plane.cluster.audit_log(), &objects, CENTRAL, CENTRAL).is_exact();
    plane.cluster.stop().unwrap();
}

async fn annotations_are_followed(plane: &Plane, blue: &mut Client) {
    let key = dns_provider_key(BLUE, "knot");
    let annotate = |value: Value| json!({ "metadata": { "annotations": { REMOTE: value } } });
    plane.patch(&key, annotate("true".into())).await;
    eventually("the zone is there", async || {
        blue.zones().await.is_ok_and(|zones| zones == [ZONE])
    })
    .await;
    plane.patch(&key, annotate(Value::Null)).await;
    eventually("the zone is gone", async || {
        blue.refusal().await == Some(Code::NotFound)
    })
    .await;
    // The other spelling.
    let other = json!({ "metadata": { "annotations": { "dns.gardener.cloud/remoteAccess": "1" } } });
    plane.patch(&key, other).await;
    eventually("the zone is back", async || blue.zones().await.is_ok()).await;
}

async fn secrets_are_followed(plane: &Plane, stage: &Stage, blue: &mut Client) {
    let mut wrong = stage.secret(BLUE);
    wrong["stringData"]["TSIGSecret"] = json!("not base64");
    apply(plane, stage, &wrong);
    let mut told = Value::Null;
    let mut is_told = async |state: &str| {
        eventually(&format!("the DNSProvider is {state}"), async || {
            told = plane.get(&dns_provider_key(BLUE, "knot")).await.unwrap()["status"].clone();
            told["state"] == state
        })
        .await;
        told["message"].to_string()
    };
    let message = is_told("Error").await;
    assert!(
        message.contains("the settings before are still in use"),
        "{message}"
    );
    assert_eq!(blue.zones().await.unwrap(), [ZONE]);
    assert_eq!(blue.create(&["still".into()]).await.unwrap(), ["applied"]);
    apply(plane, stage, &stage.secret(BLUE));
    is_told("Ready").await;
    // Who takes the Secret away lets nobody in any more.
    plane.kubectl(&["delete", "secret", "knot", "--namespace", BLUE]);
    eventually("the zone is gone", async || {
        blue.refusal().await == Some(Code::NotFound)
    })
    .await;
    apply(plane, stage, &stage.secret(BLUE));
    eventually("the zone is back", async || blue.zones().await.is_ok()).await;
}

/// The pods that the Service leads to, if they are ready.
fn selected(plane: &Plane, objects: &[Value]) -> String {
    let selector = find(objects, "Service")["spec"]["selector"].as_object().unwrap();
    let labels = selector
        .iter()
        .map(|(label, value)| format!("{label}={}", value.as_str().unwrap()));
    let labels: Vec<String> = labels.collect();
    let selector = format!("--selector={}", labels.join(","));
    plane.kubectl(&["get", "pods", "--namespace", CENTRAL, "--output=name", &selector])
}

/// An API server that does not take the label now keeps nobody from being served.
async fn the_label_is_repaired_as_soon_as_may_be(
    plane: &Plane,
    objects: &[Value],
    blue: &mut Client,
    daemon: &Daemon,
) {
    eventually("the pod is found", async || {
        selected(plane, objects) == "pod/central-1\n"
    })
    .await;
    let patch = |rules: &Value| {
        let patch = json!({ "rules": rules }).to_string();
        let arguments = ["patch", "role", CENTRAL, "--namespace", CENTRAL];
        plane.kubectl(&[&arguments[..], &["--type=merge", "--patch", &patch]].concat());
    };
    let role = find(objects, "Role");
    let mut rules = role["rules"].clone();
    rules
        .as_array_mut()
        .unwrap()
        .retain(|rule| rule["resources"] != json!(["pods"]));
    patch(&rules);
    eventually("the right is gone", async || {
        let account = format!("--as=system:serviceaccount:{CENTRAL}:{CENTRAL}");
        let may = ["auth", "can-i", "patch", "pods", "--namespace", CENTRAL, &account];
        // It fails when the answer is no.
        !plane.kubectl_succeeds(&may)
    })
    .await;
    pods::label(plane, CENTRAL, "central-1", Value::Null).await;
    eventually("it is tried", async || {
        daemon.log().contains("failed to set the labels of Pod")
    })
    .await;
    assert_eq!(blue.zones().await.unwrap(), [ZONE]);
    assert_eq!(selected(plane, objects), "");
    patch(&role["rules"]);
    eventually("the pod is found again", async || {
        selected(plane, objects) == "pod/central-1\n"
    })
    .await;
}

/// The only object of a kind.
pub fn find<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let object = found.next().unwrap();
    assert!(found.next().is_none(), "there are several {kind}s");
    object
}

/// Applies the manifests, and lets the service account read the Secrets of a namespace; all
/// that was applied.
pub fn apply_manifests(plane: &Plane) -> Vec<Value> {
    let folder = manifests::folder().join("records/central");
    let folder = folder.to_str().unwrap();
    let rendered = plane.kubectl(&["kustomize", folder]);
    let documents = rendered.split("\n---\n");
    let mut objects: Vec<Value> = documents
        .map(|document| operator::output::from_yaml(document).unwrap())
        .collect();
    plane.kubectl(&["apply", "--server-side", "--validate=strict", "-k", folder]);
    // As the comment there says.
    let bound = plane.kubectl(&[
        "create",
        "rolebinding",
        CENTRAL,
        "--namespace",
        BLUE,
        "--clusterrole=external-records-central-secrets",
        "--serviceaccount=external-records-central:external-records-central",
        "--output=json",
    ]);
    objects.push(serde_json::from_str(&bound).unwrap());
    objects
}

/// Applies an object, whatever its kind.
pub fn apply(plane: &Plane, stage: &Stage, object: &Value) {
    let file = stage.write("applied.json", std::slice::from_ref(object));
    plane.kubectl(&["apply", "-f", file.to_str().unwrap()]);
}

/// The Deployment's command in a pod of a name, with an address and the files of this test.
pub fn central(
    objects: &[Value],
    stage: &Stage,
    (address, pod): (SocketAddr, &str),
    kubeconfig: &Path,
) -> Command {
    let container = &find(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["dns-operator"]));
    let given = container["args"].as_array().unwrap();
    let given: Vec<&str> = given.iter().map(|argument| argument.as_str().unwrap()).collect();
    assert_eq!(given[..2], ["records", "serve"]);
    let mut arguments = stage.arguments(address, pod);
    let ours: BTreeSet<String> = arguments
        .iter()
        .map(|argument| argument.split('=').next().unwrap().to_owned())
        .chain(["--metrics-address".to_owned()])
        .collect();
    let rest = given[2..].iter();
    let rest: Vec<&&str> = rest
        .filter(|argument| !ours.contains(argument.split('=').next().unwrap()))
        .collect();
    // All flags of the test are the Deployment's too, but for the name of the command.
    assert_eq!(given.len() - 2 - rest.len(), ours.len() - 1, "{given:?}");
    arguments.extend(rest.into_iter().map(ToString::to_string));
    let mut command = command(&arguments);
    command.env("KUBECONFIG", kubeconfig).env("POD_NAME", pod);
    command
}
