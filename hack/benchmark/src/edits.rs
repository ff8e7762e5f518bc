//! Edits of a DNS, and how long it takes until they are in a ConfigMap.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, ObjectMeta};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::sight::Sight;
use crate::subject::NAMESPACE;

/// The longest an edit may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The first TTL, in seconds: none that anybody would set.
const FIRST_TTL: u32 = 100_000;

/// A DNS, and the ConfigMap in which its edits show.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the DNS.
    pub dns: &'static str,
    /// The name of the ConfigMap.
    pub config_map: &'static str,
}

/// The DNS that an operator follows and the ConfigMap that it writes.
pub const OPERATOR: Target = Target {
    dns: "default",
    config_map: "dns-default",
};

/// Where DNS resources are served.
pub fn dns_resource() -> ApiResource {
    ApiResource {
        group: "operator.openshift.io".into(),
        version: "v1".into(),
        api_version: "operator.openshift.io/v1".into(),
        kind: "DNS".into(),
        plural: "dnses".into(),
    }
}

/// What stands in a Corefile that keeps answers for so many seconds.
pub fn marker(seconds: u32) -> String {
    format!("cache {seconds} {{")
}

/// Edits DNS resources and watches for the outcome.
#[derive(Debug)]
pub struct Editor {
    resources: Api<DynamicObject>,
    config_maps: Api<ConfigMap>,
    sight: Sight,
    ttl: u32,
}

impl Editor {
    /// An editor with a watch of its own.
    pub fn new(client: &Client) -> Self {
        Self {
            resources: Api::all_with(client.clone(), &dns_resource()),
            config_maps: Api::namespaced(client.clone(), NAMESPACE),
            sight: Sight::open(client.clone()),
            ttl: FIRST_TTL,
        }
    }

    /// Sets another positiveTTL again and again without waiting for the outcome, but
    /// for the last one's.
    pub async fn edit_often(&mut self, target: Target, count: u32) -> Result<()> {
        for _ in 1..count {
            self.set_another_ttl(target).await?;
        }
        self.edit(target).await.map(drop)
    }

    /// Replaces the servers of a DNS and waits until the Corefile has a line.
    pub async fn set_servers(&mut self, target: Target, servers: &Value, line: &str) -> Result<()> {
        self.merge(target, &json!({ "spec": { "servers": servers } }))
            .await?;
        let there = |corefile: Option<&str>| corefile.is_some_and(|corefile| corefile.contains(line));
        self.sight.wait(target.config_map, LIMIT, there).await.map(drop)
    }

    /// Sets another positiveTTL; from just before that is sent until the watch
    /// delivers the Corefile with it.
    pub async fn edit(&mut self, target: Target) -> Result<Duration> {
        let sent = Instant::now();
        let marker = self.set_another_ttl(target).await?;
        let seen = self
            .sight
            .wait(target.config_map, LIMIT, |corefile| {
                corefile.is_some_and(|corefile| corefile.contains(&marker))
            })
            .await?;
        Ok(seen.saturating_duration_since(sent))
    }

    /// Sets another positiveTTL; what then stands in the Corefile.
    async fn set_another_ttl(&mut self, target: Target) -> Result<String> {
        self.ttl += 1;
        let patch = json!({ "spec": { "cache": { "positiveTTL": format!("{}s", self.ttl) } } });
        self.merge(target, &patch).await?;
        Ok(marker(self.ttl))
    }

    async fn merge(&self, target: Target, patch: &Value) -> Result<()> {
        let patched = self
            .resources
            .patch(target.dns, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        patched
            .map(drop)
            .with_context(|| format!("failed to edit DNS {}", target.dns))
    }

    /// Gives a DNS the status of another one: the API server takes longer to change a
    /// resource that says more.
    pub async fn copy_status(&self, from: Target, to: Target) -> Result<()> {
        let dns = self.resources.get(from.dns).await;
        let dns = dns.with_context(|| format!("failed to read DNS {}", from.dns))?;
        let status = json!({ "status": dns.data["status"] });
        self.resources
            .patch_status(to.dns, &PatchParams::default(), &Patch::Merge(&status))
            .await
            .with_context(|| format!("failed to write the status of DNS {}", to.dns))?;
        Ok(())
    }

    /// Makes a DNS and an empty ConfigMap.
    pub async fn create(&self, target: Target) -> Result<()> {
        let mut dns = DynamicObject::new(target.dns, &dns_resource());
        dns.data = json!({ "spec": {} });
        self.resources
            .create(&PostParams::default(), &dns)
            .await
            .with_context(|| format!("failed to create DNS {}", target.dns))?;
        let config_map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(target.config_map.into()),
                ..ObjectMeta::default()
            },
            ..ConfigMap::default()
        };
        self.config_maps
            .create(&PostParams::default(), &config_map)
            .await
            .with_context(|| format!("failed to create ConfigMap {}", target.config_map))?;
        Ok(())
    }

    /// Deletes a ConfigMap and waits until the watch has told so.
    pub async fn delete_config_map(&mut self, target: Target) -> Result<()> {
        self.sight.forget();
        self.config_maps
            .delete(target.config_map, &DeleteParams::default())
            .await
            .with_context(|| format!("failed to delete ConfigMap {}", target.config_map))?;
        self.sight
            .wait(target.config_map, LIMIT, |corefile| corefile.is_none())
            .await?;
        Ok(())
    }

    /// When a ConfigMap with a Corefile is there.
    pub async fn corefile(&mut self, target: Target) -> Result<Instant> {
        self.sight
            .wait(target.config_map, LIMIT, |corefile| {
                corefile.is_some_and(|text| !text.is_empty())
            })
            .await
    }
}
