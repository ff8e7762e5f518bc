//! The least that could be done: watch DNS resources, write a ConfigMap at once.

use std::pin::pin;

use anyhow::{Context as _, Result};
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use serde_json::json;

use crate::audit;
use crate::cli::BareArgs;
use crate::edits::{Target, dns_resource, marker};
use crate::subject::{NAMESPACE, connect};

/// The DNS that it follows and the ConfigMap that it writes.
pub const TARGET: Target = Target {
    dns: "bench-bare",
    config_map: "bench-bare",
};

/// Follows the DNS until it is ended.
pub async fn run(args: &BareArgs) -> Result<()> {
    let client = connect(&args.kubeconfig, audit::BARE).await?;
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let resources: Api<DynamicObject> = Api::all_with(client, &dns_resource());
    let mut events = pin!(watch(resources, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        let (Event::Apply(dns) | Event::InitApply(dns)) = event.context("failed to watch DNS resources")?
        else {
            continue;
        };
        let ttl = dns.data["spec"]["cache"]["positiveTTL"].as_str();
        let seconds = ttl.and_then(|ttl| ttl.strip_suffix('s')?.parse().ok());
        let (Some(TARGET_DNS), Some(seconds)) = (dns.metadata.name.as_deref(), seconds) else {
            continue;
        };
        let patch = json!({ "data": { "Corefile": marker(seconds) } });
        config_maps
            .patch(TARGET.config_map, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .context("failed to write the ConfigMap")?;
    }
    Ok(())
}

const TARGET_DNS: &str = TARGET.dns;
