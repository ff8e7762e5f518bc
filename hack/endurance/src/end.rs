//! The end: is everything as `dns-operator render` says?

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use devcluster::install::Images;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::api::ListParams;
use kube::{Api, Client};
use operator::difference::repair;
use operator::dns::names::{
    CA_BUNDLE_LABEL, CONFIG_NAMESPACE, COREFILE_KEY, DNS_DEFAULT, NAMESPACE, NODE_RESOLVER,
};
use operator::dns::objects::ObjectKey;
use operator::resources::{
    Resource, api_server_key, daemon_set_key, default_dns_key, feature_gate_key, network_key,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::hand::{api_of, is_not_found, read};

/// The operator that is installed.
#[derive(Clone, Debug)]
pub struct Release {
    /// The program in its image.
    pub program: PathBuf,
    /// The images that it was given.
    pub images: Images,
}

impl Release {
    /// Every object as the operator would keep it for what is stored now, with its
    /// key.
    pub async fn wanted(&self, client: &Client) -> Result<Vec<(ObjectKey, Value)>> {
        let key = default_dns_key();
        let dns = read(client, &key)
            .await?
            .with_context(|| format!("there is no {key}"))?;
        let address = dns["status"]["clusterIP"].as_str().map(ToOwned::to_owned);
        let mut documents = vec![dns];
        for key in [network_key(), api_server_key(), feature_gate_key()] {
            documents.extend(read(client, &key).await?);
        }
        let bundles: Api<ConfigMap> = Api::namespaced(client.clone(), CONFIG_NAMESPACE);
        for bundle in bundles.list(&ListParams::default()).await? {
            documents.push(document("v1", "ConfigMap", &bundle)?);
        }
        let nodes: Api<Node> = Api::all(client.clone());
        for node in nodes.list(&ListParams::default()).await? {
            documents.push(document("v1", "Node", &node)?);
        }
        let input = json!({ "apiVersion": "v1", "kind": "List", "items": documents });
        let list = self.render(address.as_deref(), &input)?;
        let set = read(client, &daemon_set_key(DNS_DEFAULT))
            .await?
            .unwrap_or_default();
        let items = list["items"].as_array().context("render printed no list")?;
        let objects = items.iter().map(|item| {
            let key = ObjectKey::from_value(item).context("render printed an object without a name")?;
            let mut item = item.clone();
            name_owner(&mut item, &set["metadata"]["uid"]);
            Ok((key, item))
        });
        objects.collect()
    }

    fn render(&self, address: Option<&str>, input: &Value) -> Result<Value> {
        let mut command = Command::new(&self.program);
        command.args(["render", "--file", "-", "--output", "json"]);
        if let Some(address) = address {
            command.args(["--cluster-ip", address]);
        }
        let mut child = command
            .envs(self.images.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {}", self.program.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // The program may end without reading all of it.
            let _ = stdin.write_all(input.to_string().as_bytes());
        }
        let output = child.wait_with_output().context("failed to wait for render")?;
        if !output.status.success() {
            bail!(
                "render ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        serde_json::from_slice(&output.stdout).context("failed to decode what render printed")
    }
}

/// Some objects belong to the DNS DaemonSet, whose uid render cannot know.
fn name_owner(object: &mut Value, daemon_set: &Value) {
    let owners = object["metadata"]
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut);
    for owner in owners.into_iter().flatten() {
        if owner["kind"] == "DaemonSet" {
            owner["uid"] = daemon_set.clone();
        }
    }
}

/// What in the cluster is not as it should be: nothing, once it has settled.
pub async fn differences(client: &Client, release: &Release) -> Result<Vec<String>> {
    let mut found = unsettled(client).await?;
    let wanted = release.wanted(client).await?;
    for (key, object) in &wanted {
        // What this API server does not serve, nobody keeps there.
        if Resource::of(key).is_none() || !is_served(client, key).await? {
            continue;
        }
        let Some(live) = read(client, key).await? else {
            found.push(format!("{key} is not there"));
            continue;
        };
        if let Some(repair) = repair(object, &live) {
            found.push(format!("{key} differs in {}", repair.fields.join(", ")));
        }
        let corefile = |object: &Value| object["data"][COREFILE_KEY].as_str().map(ToOwned::to_owned);
        let is_corefile = key.kind == "ConfigMap" && key.name == DNS_DEFAULT;
        if is_corefile && corefile(object) != corefile(&live) {
            found.push("the Corefile is another one".into());
        }
    }
    found.extend(left_over(client, &wanted).await?);
    Ok(found)
}

/// The keys of the objects that the operator keeps here.
pub async fn kept(client: &Client, release: &Release) -> Result<Vec<ObjectKey>> {
    let mut kept = Vec::new();
    for (key, _) in release.wanted(client).await? {
        if Resource::of(&key).is_some() && is_served(client, &key).await? {
            kept.push(key);
        }
    }
    Ok(kept)
}

/// What the status says is not done yet.
async fn unsettled(client: &Client) -> Result<Vec<String>> {
    let dns = read(client, &default_dns_key()).await?.unwrap_or_default();
    let mut found = Vec::new();
    let (seen, generation) = (
        &dns["status"]["observedGeneration"],
        &dns["metadata"]["generation"],
    );
    if seen != generation {
        found.push(format!(
            "the status speaks of generation {seen}, the specification is {generation}"
        ));
    }
    for name in [DNS_DEFAULT, NODE_RESOLVER] {
        let set = read(client, &daemon_set_key(name)).await?.unwrap_or_default();
        if !is_rolled_out(&set) {
            found.push(format!("DaemonSet {name} is not rolled out: {}", set["status"]));
        }
    }
    let conditions = dns["status"]["conditions"].as_array();
    for condition in conditions.into_iter().flatten() {
        let wanted = match condition["type"].as_str() {
            Some("Available" | "Upgradeable") => "True",
            Some("Degraded" | "Progressing") => "False",
            _ => continue,
        };
        if condition["status"] != wanted {
            found.push(format!(
                "the condition {} is {}: {}",
                condition["type"], condition["status"], condition["message"]
            ));
        }
    }
    Ok(found)
}

/// Whether every pod of a DaemonSet is of its present template, and available.
#[must_use]
pub fn is_rolled_out(set: &Value) -> bool {
    let status = &set["status"];
    let count = |field: &str| status[field].as_i64().unwrap_or_default();
    status["observedGeneration"] == set["metadata"]["generation"]
        && count("desiredNumberScheduled") > 0
        && count("updatedNumberScheduled") == count("desiredNumberScheduled")
        && count("numberAvailable") == count("desiredNumberScheduled")
}

/// Copies of CA bundles that nothing uses.
async fn left_over(client: &Client, wanted: &[(ObjectKey, Value)]) -> Result<Vec<String>> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let copies = maps
        .list(&ListParams::default().labels(CA_BUNDLE_LABEL))
        .await
        .context("failed to list the copies of CA bundles")?;
    let keys = copies
        .into_iter()
        .filter_map(|copy| copy.metadata.name)
        .map(|name| ObjectKey::of::<ConfigMap>(Some(NAMESPACE), &name));
    Ok(keys
        .filter(|key| !wanted.iter().any(|(other, _)| other == key))
        .map(|key| format!("{key} is left over"))
        .collect())
}

async fn is_served(client: &Client, key: &ObjectKey) -> Result<bool> {
    match api_of(client, key)?.list(&ListParams::default().limit(1)).await {
        Ok(_) => Ok(true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("failed to find out whether {key} can be")),
    }
}

/// An object of a list, which does not say what it is.
fn document(api_version: &str, kind: &str, object: &impl Serialize) -> Result<Value> {
    let mut value = serde_json::to_value(object).with_context(|| format!("failed to encode a {kind}"))?;
    value["apiVersion"] = json!(api_version);
    value["kind"] = json!(kind);
    Ok(value)
}
