//! Putting the operator onto a cluster, and waiting until DNS works.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::children::{Launcher, Process, run, wait_until};
use crate::cluster::Distribution;
use crate::progress::Progress;
use crate::{kubeconfig, manifests, openshift, programs};

/// The release version of an operator that was built here.
pub const RELEASE: &str = "0.0.1-local";
const NAMESPACE: &str = "openshift-dns";
const OPERATOR_NAMESPACE: &str = "openshift-dns-operator";

/// The images that stand in for those of OpenShift.
#[derive(Debug, Clone)]
pub struct Images {
    /// The release that they belong to.
    pub release: String,
    /// The operator.
    pub operator: String,
    /// CoreDNS.
    pub coredns: String,
    /// openshift-cli, for the node resolver.
    pub cli: String,
    /// kube-rbac-proxy.
    pub kube_rbac_proxy: String,
}

impl Images {
    /// The environment in which the operator uses them.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, &str); 4] {
        [
            ("IMAGE", &self.coredns),
            ("OPENSHIFT_CLI_IMAGE", &self.cli),
            ("KUBE_RBAC_PROXY_IMAGE", &self.kube_rbac_proxy),
            ("RELEASE_VERSION", &self.release),
        ]
    }
}

/// Installs the operator as a Deployment and waits until the DNS pods are available.
pub async fn on_node(
    launcher: &Launcher,
    kubeconfig: &Path,
    images: &Images,
    progress: &Progress,
) -> Result<()> {
    let distribution = openshift::distribution(&kubeconfig::client(kubeconfig).await?).await?;
    let mut objects = manifests::of(distribution, progress)?;
    for deployment in objects.iter_mut().filter(|object| object["kind"] == "Deployment") {
        substitute(deployment, images);
    }
    if distribution == Distribution::OpenShift {
        // After the namespace, and before the pod that waits for it.
        let secret = serving_certificate(OPERATOR_NAMESPACE, "metrics-tls", "metrics")?;
        let at = objects.iter().position(|object| object["kind"] != "Namespace");
        objects.insert(at.unwrap_or(0), secret);
    }
    progress.say(format!("applying the {} objects of the manifests", objects.len()));
    manifests::apply(&objects, launcher.state(), kubeconfig, progress)?;
    let outcome = wait_for_dns(kubeconfig, progress).await;
    outcome.with_context(|| state_of_pods(kubeconfig, progress))
}

/// Defines the resources, runs the operator as a process beside the cluster with the rights of the
/// kubeconfig, and waits for the Corefile. The other manifests are for an operator that is a pod.
pub async fn beside(
    launcher: &Launcher,
    kubeconfig: &Path,
    program: &Path,
    progress: &Progress,
) -> Result<()> {
    let distribution = openshift::distribution(&kubeconfig::client(kubeconfig).await?).await?;
    let mut objects = manifests::of(distribution, progress)?;
    objects.retain(|object| {
        matches!(
            object["kind"].as_str(),
            Some("CustomResourceDefinition" | "Namespace")
        )
    });
    manifests::apply(&objects, launcher.state(), kubeconfig, progress)?;
    let mut command = Command::new(program);
    command.arg("--kubeconfig").arg(kubeconfig);
    // Its usual ports may be those of another cluster's operator. It logs which it takes.
    command.args([
        "--metrics-bind-addr=127.0.0.1:0",
        "--health-bind-addr=127.0.0.1:0",
    ]);
    let images = Images::local("");
    command.envs(images.environment());
    let mut operator = launcher.start("dns-operator", &command)?;
    progress.say("the operator runs as a process; waiting for its Corefile");
    wait_for_corefile(kubeconfig, &mut [&mut operator]).await?;
    operator.keep();
    Ok(())
}

/// Puts local images into the operator's Deployment, and takes out what this machine cannot do.
fn substitute(deployment: &mut Value, images: &Images) {
    // The node's runc has no user namespaces for pods.
    if let Some(pod) = deployment
        .pointer_mut("/spec/template/spec")
        .and_then(Value::as_object_mut)
    {
        pod.remove("hostUsers");
    }
    let containers = deployment
        .pointer_mut("/spec/template/spec/containers")
        .and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        container["image"] = if container["name"] == "dns-operator" {
            json!(images.operator)
        } else {
            json!(images.kube_rbac_proxy)
        };
        container["imagePullPolicy"] = json!("IfNotPresent");
        let Some(variables) = container["env"].as_array_mut() else {
            continue;
        };
        for (name, value) in images.environment() {
            for variable in variables.iter_mut().filter(|variable| variable["name"] == name) {
                variable["value"] = json!(value);
            }
        }
    }
}

async fn wait_for_dns(kubeconfig: &Path, progress: &Progress) -> Result<()> {
    let client = kubeconfig::client(kubeconfig).await?;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    progress.say("waiting for the operator to make the namespace openshift-dns");
    wait_until(
        "the namespace openshift-dns",
        Duration::from_secs(90),
        &mut [],
        async || {
            namespaces
                .get(NAMESPACE)
                .await
                .map(drop)
                .context("reading the namespace openshift-dns")
        },
    )
    .await?;
    make_metrics_secret(&client).await?;
    wait_for_corefile(kubeconfig, &mut []).await?;
    progress.say("waiting for the DNS pods");
    let sets: Api<DaemonSet> = Api::namespaced(client, NAMESPACE);
    let mut told = String::new();
    for name in ["dns-default", "node-resolver"] {
        wait_until(
            &format!("the DaemonSet {name}"),
            Duration::from_secs(120),
            &mut [],
            async || {
                let set = sets
                    .get(name)
                    .await
                    .with_context(|| format!("reading the DaemonSet {name}"))?;
                let generation = set.metadata.generation;
                let status = set.status.unwrap_or_default();
                let (wanted, updated) = (
                    status.desired_number_scheduled,
                    status.updated_number_scheduled.unwrap_or(0),
                );
                let available = status.number_available.unwrap_or(0);
                let now = format!("{name}: {available} of {wanted} pods available");
                if now != told {
                    progress.say(&now);
                    told.clone_from(&now);
                }
                let current = status.observed_generation == generation && updated == wanted;
                if wanted > 0 && available == wanted && current {
                    Ok(())
                } else {
                    Err(anyhow!(now))
                }
            },
        )
        .await?;
    }
    Ok(())
}

/// The Secret that OpenShift's service-ca operator makes for a Service with an annotation, and that
/// pods wait for.
fn serving_certificate(namespace: &str, name: &str, service: &str) -> Result<Value> {
    let pair = Authority::new()?.server(&[&format!("{service}.{namespace}.svc")])?;
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": pair.certificate, "tls.key": pair.key},
    }))
}

async fn make_metrics_secret(client: &kube::Client) -> Result<()> {
    let name = "dns-default-metrics-tls";
    let secret = serving_certificate(NAMESPACE, name, "dns-default")?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    secrets
        .patch(
            name,
            &PatchParams::apply("devcluster").force(),
            &Patch::Apply(secret),
        )
        .await
        .map(drop)
        .with_context(|| format!("making the Secret {name}"))
}

async fn wait_for_corefile(kubeconfig: &Path, processes: &mut [&mut Process]) -> Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(kubeconfig::client(kubeconfig).await?, NAMESPACE);
    wait_until(
        "the ConfigMap dns-default",
        Duration::from_secs(60),
        processes,
        async || {
            maps.get("dns-default")
                .await
                .map(drop)
                .context("reading the ConfigMap dns-default")
        },
    )
    .await
}

fn kubectl(kubeconfig: &Path, progress: &Progress) -> Result<Command> {
    let mut command = Command::new(programs::KUBECTL.path(progress)?);
    command.env("KUBECONFIG", kubeconfig);
    Ok(command)
}

/// What a person would look at first when DNS does not come up.
fn state_of_pods(kubeconfig: &Path, progress: &Progress) -> String {
    let ask = |arguments: &[&str]| {
        kubectl(kubeconfig, progress)
            .and_then(|mut command| run(command.args(arguments)))
            .unwrap_or_else(|error| format!("{error:#}\n"))
    };
    let pods = ask(&["get", "pods", "--all-namespaces", "--output=wide"]);
    let events = ask(&[
        "get",
        "events",
        "--all-namespaces",
        "--field-selector=type=Warning",
    ]);
    let log = ask(&[
        "logs",
        "--namespace=openshift-dns-operator",
        "--tail=20",
        "deployment/dns-operator",
    ]);
    format!("DNS did not come up\n{pods}\nWarnings:\n{events}\nThe operator's log ends with:\n{log}")
}
