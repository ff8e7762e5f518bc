//! Putting the operator onto a cluster, and waiting until DNS works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::children::{Launcher, Process, run, wait_until};
use crate::progress::Progress;
use crate::{kubeconfig, programs};

/// The release version of an operator that was built here.
pub const RELEASE: &str = "0.0.1-local";
const NAMESPACE: &str = "openshift-dns";

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
    let state = launcher.state();
    apply(state, kubeconfig, progress, |object| {
        if object["kind"] == "Deployment" {
            substitute(object, images);
        }
        true
    })?;
    let outcome = wait_for_dns(kubeconfig, progress).await;
    outcome.with_context(|| state_of_pods(kubeconfig, progress))
}

/// Defines the resources, runs the operator as a process beside the cluster, and waits for the Corefile.
pub async fn beside(
    launcher: &Launcher,
    kubeconfig: &Path,
    program: &Path,
    progress: &Progress,
) -> Result<()> {
    apply(launcher.state(), kubeconfig, progress, |object| {
        matches!(
            object["kind"].as_str(),
            Some("CustomResourceDefinition" | "Namespace")
        )
    })?;
    let mut command = Command::new(program);
    command.arg("--kubeconfig").arg(kubeconfig);
    let images = Images::local("");
    command.envs(images.environment());
    let mut operator = launcher.start("dns-operator", &command)?;
    progress.say("the operator runs as a process; waiting for its Corefile");
    wait_for_corefile(kubeconfig, &mut [&mut operator]).await?;
    operator.keep();
    Ok(())
}

/// The manifests in the order of their names, each document through `keep`, which may change it.
fn apply(
    state: &Path,
    kubeconfig: &Path,
    progress: &Progress,
    keep: impl Fn(&mut Value) -> bool,
) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests");
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    progress.say(format!("applying {} manifests", paths.len()));
    let mut items = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let objects: Vec<Value> =
            serde_saphyr::from_multiple(&text).with_context(|| format!("reading {}", path.display()))?;
        items.extend(objects);
    }
    items.retain_mut(|object| object.is_object() && keep(object));
    // What others stand in or on comes first, whatever the file names say.
    items.sort_by_key(|object| match object["kind"].as_str() {
        Some("Namespace") => 0,
        Some("CustomResourceDefinition") => 1,
        Some("Deployment") => 3,
        _ => 2,
    });
    let path = state.join("manifests.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    fs::write(&path, list.to_string()).with_context(|| format!("writing {}", path.display()))?;
    let mut command = kubectl(kubeconfig, progress)?;
    command.args([
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=devcluster",
        "--filename",
    ]);
    run(command.arg(path)).map(drop)
}

/// Puts local images into the operator's Deployment.
fn substitute(deployment: &mut Value, images: &Images) {
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

/// On OpenShift another operator makes this Secret, and the DNS pods wait for it.
async fn make_metrics_secret(client: &kube::Client) -> Result<()> {
    let pair = Authority::new()?.server(&["dns-default.openshift-dns.svc"])?;
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "dns-default-metrics-tls"},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": pair.certificate, "tls.key": pair.key},
    });
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    secrets
        .patch(
            "dns-default-metrics-tls",
            &PatchParams::apply("devcluster").force(),
            &Patch::Apply(secret),
        )
        .await
        .map(drop)
        .context("making the Secret dns-default-metrics-tls")
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
