//! What is applied to a cluster: `manifests/` on OpenShift, as its cluster-version operator would,
//! and `manifests/kubernetes/` elsewhere, as `kubectl kustomize` makes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::children::run;
use crate::cluster::Distribution;
use crate::programs;
use crate::progress::Progress;

/// Manifests carry an annotation for each kind of installation that they belong to.
const PROFILE: &str = "include.release.openshift.io/self-managed-high-availability";
/// Manifests for some sets of features only; none of those is on.
const FEATURE_SET: &str = "release.openshift.io/feature-set";

/// The folder of the manifests.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests")
}

/// The objects for a distribution, in an order in which they can be applied.
pub fn of(distribution: Distribution, progress: &Progress) -> Result<Vec<Value>> {
    let mut objects = match distribution {
        Distribution::OpenShift => {
            let mut objects = files()?;
            objects.retain(in_release);
            objects
        }
        Distribution::Kubernetes => {
            let mut command = Command::new(programs::KUBECTL.path(progress)?);
            let text = run(command.arg("kustomize").arg(folder().join("kubernetes")))?;
            documents(&text).context("reading what kustomize made")?
        }
    };
    // What others stand in or on comes first, whatever the file names say.
    objects.sort_by_key(|object| match object["kind"].as_str() {
        Some("Namespace") => 0,
        Some("CustomResourceDefinition") => 1,
        Some("Deployment") => 3,
        _ => 2,
    });
    Ok(objects)
}

/// Every object of every file for OpenShift, in the order of the file names.
pub fn files() -> Result<Vec<Value>> {
    let folder = folder();
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    let mut objects = Vec::new();
    for path in paths {
        let read = || format!("reading {}", path.display());
        let text = fs::read_to_string(&path).with_context(read)?;
        objects.extend(documents(&text).with_context(read)?);
    }
    Ok(objects)
}

fn documents(text: &str) -> Result<Vec<Value>> {
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(text)?;
    objects.retain(Value::is_object);
    Ok(objects)
}

fn in_release(object: &Value) -> bool {
    let annotations = &object["metadata"]["annotations"];
    annotations[PROFILE] == "true" && annotations[FEATURE_SET].is_null()
}

/// Applies objects, whoever else has set their fields.
pub fn apply(objects: &[Value], state: &Path, kubeconfig: &Path, progress: &Progress) -> Result<()> {
    let path = state.join("manifests.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    fs::write(&path, list.to_string()).with_context(|| format!("writing {}", path.display()))?;
    let mut command = Command::new(programs::KUBECTL.path(progress)?);
    command.env("KUBECONFIG", kubeconfig).args([
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=devcluster",
        "--filename",
    ]);
    run(command.arg(path)).map(drop)
}
