//! The administrator's kubeconfig, for kubectl and for Rust clients.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

/// Writes a kubeconfig that trusts one authority and holds one token.
pub fn write(path: &Path, server: &str, authority: &Path, token: &str) -> Result<()> {
    let text = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "devcluster",
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": "admin"}}],
        "clusters": [{"name": "devcluster", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "admin", "user": {"token": token}}],
    });
    fs::write(path, format!("{text:#}\n")).with_context(|| format!("writing {}", path.display()))
}

/// A client for the cluster that a kubeconfig names.
pub async fn client(path: &Path) -> Result<kube::Client> {
    let read = || format!("reading {}", path.display());
    let file = Kubeconfig::read_from(path).with_context(read)?;
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .with_context(read)?;
    kube::Client::try_from(config).context("making a client")
}
