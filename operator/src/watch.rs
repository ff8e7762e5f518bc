//! Keeps the [`Cache`] up to date.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::ListParams;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{oneshot, watch as channel};
use tokio::time::timeout;

use crate::apply::{CALL_TIMEOUT, FIELD_MANAGER};
use crate::cache::Cache;
use crate::dns::node::Node;
use crate::dns::objects::ObjectKey;
use crate::name_resolver::pods::ready_addresses;
use crate::resources::{Resource, Scope};
use crate::served::Served;

/// How many objects a page of a list has.
pub const PAGE: u32 = 100;
/// How long the API server keeps a watch open, in seconds. Renewing one costs a
/// request, so as long as it offers by itself.
pub const WATCH_SECONDS: u32 = 3600;

/// Tells, once, that the cache holds all there is.
pub struct Listed(Option<oneshot::Sender<()>>);

impl Listed {
    /// Tells `waiting`.
    #[must_use]
    pub fn new(waiting: oneshot::Sender<()>) -> Self {
        Self(Some(waiting))
    }

    fn tell(&mut self) {
        if let Some(waiting) = self.0.take() {
            // Nobody waits any more once the program is stopping.
            let _ = waiting.send(());
        }
    }
}

/// Follows a part of the cluster whenever it is served.
pub async fn follow_where_defined(
    client: Client,
    scope: Scope<'_>,
    cache: Arc<Cache>,
    mut served: channel::Receiver<Option<Served>>,
    mut listed: Listed,
) {
    let is_served = |served: &Option<Served>| {
        served
            .as_ref()
            .is_some_and(|served| served.serves(&scope.resource))
    };
    // It ends with whoever tells of definitions, as every watch does.
    while served.wait_for(Option::is_some).await.is_ok() {
        if is_served(&served.borrow()) {
            tokio::select! {
                () = follow(client.clone(), scope, Arc::clone(&cache), &mut listed) => {}
                _ = served.wait_for(|served| !is_served(served)) => cache.retain(&scope, &[]),
            }
        } else {
            listed.tell();
            if served.wait_for(is_served).await.is_err() {
                return;
            }
        }
    }
}

/// Follows a part of the cluster that every cluster has.
pub async fn follow_always(client: Client, scope: Scope<'_>, cache: Arc<Cache>, mut listed: Listed) {
    follow(client, scope, cache, &mut listed).await;
}

/// Follows a part of the cluster for as long as it is polled. `listed` is told
/// when the cache holds all of it.
async fn follow(client: Client, scope: Scope<'_>, cache: Arc<Cache>, listed: &mut Listed) {
    let resource = scope.resource.api();
    let api = scope.resource.objects(&client, scope.namespace);
    let mut config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    if let Some(name) = scope.name {
        config = config.fields(&format!("metadata.name={name}"));
    }
    let mut events = pin!(watch(api, config).modify(strip).default_backoff());
    let mut names = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => names.clear(),
            Ok(Event::InitApply(object)) => {
                if let Some((key, value)) = keyed(&scope, &object) {
                    names.push(key.clone());
                    cache.put(key, value);
                }
            }
            Ok(Event::InitDone) => {
                cache.retain(&scope, &names);
                listed.tell();
            }
            Ok(Event::Apply(object)) => {
                if let Some((key, value)) = keyed(&scope, &object) {
                    cache.put(key, value);
                }
            }
            Ok(Event::Delete(object)) => {
                if let Some((key, value)) = keyed(&scope, &object) {
                    cache.remove(&key, &value);
                }
            }
            Err(error) => {
                tracing::warn!(kind = %resource.kind, namespace = scope.namespace, %error, "failed to watch, trying again");
            }
        }
    }
}

/// An object could not be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {object}: {source}")]
pub struct LookUpError {
    object: ObjectKey,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Asks the API server for an object that no watch has told of yet, and tells
/// whether it is there.
pub async fn look_up(client: &Client, cache: &Cache, key: &ObjectKey) -> Result<bool, LookUpError> {
    let failed = |source| LookUpError {
        object: key.clone(),
        source,
    };
    let resource = Resource::of(key).ok_or_else(|| failed("its kind is not known".into()))?;
    let api = resource.objects(client, key.namespace.as_deref());
    let found = timeout(CALL_TIMEOUT, api.get_opt(&key.name)).await;
    let found = found.map_err(|_| failed("no answer in time".into()))?;
    let Some(mut object) = found.map_err(|error| failed(error.into()))? else {
        return Ok(false);
    };
    strip(&mut object);
    let value = serde_json::to_value(object).map_err(|error| failed(error.into()))?;
    cache.put(key.clone(), value);
    Ok(true)
}

/// Something could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("failed to list {what}: {source}")]
pub struct ListError {
    what: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Fills the cache with a part of the cluster, once.
pub async fn list(client: &Client, scope: &Scope<'_>, cache: &Cache) -> Result<(), ListError> {
    let api = scope.resource.objects(client, scope.namespace);
    let mut params = ListParams::default();
    if let Some(name) = scope.name {
        params = params.fields(&format!("metadata.name={name}"));
    }
    let what = || match scope.namespace {
        Some(namespace) => format!("{} of {namespace}", scope.resource.plural()),
        None => scope.resource.plural().to_owned(),
    };
    list_all(&api, params, what, |mut object| {
        strip(&mut object);
        if let Some((key, value)) = keyed(scope, &object) {
            cache.put(key, value);
        }
    })
    .await
}

/// Fills the cache with the nodes, once.
pub async fn list_nodes(client: &Client, cache: &Cache) -> Result<(), ListError> {
    let api: Api<Node> = Api::all(client.clone());
    let put = |node| {
        cache.nodes().put(&node);
    };
    list_all(&api, ListParams::default(), || "nodes".into(), put).await?;
    cache.change_nodes(|_| true);
    Ok(())
}

/// Lists page by page.
pub async fn list_all<K: Clone + DeserializeOwned + Debug>(
    api: &Api<K>,
    params: ListParams,
    what: impl Fn() -> String,
    mut take: impl FnMut(K),
) -> Result<(), ListError> {
    let mut params = params.limit(PAGE);
    loop {
        let failed = |source| ListError { what: what(), source };
        let page = timeout(CALL_TIMEOUT, api.list(&params)).await;
        let page = page.map_err(|_| failed("no answer in time".into()))?;
        let page = page.map_err(|error| failed(error.into()))?;
        page.items.into_iter().for_each(&mut take);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(()),
        }
    }
}

/// Follows the nodes for as long as the program runs. Nothing waits for them: there
/// may be thousands, and the DNS needs none of them to start.
pub async fn follow_nodes(client: Client, cache: Arc<Cache>) {
    let api: Api<Node> = Api::all(client);
    let config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    let mut events = pin!(watch(api, config).default_backoff());
    let mut names = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => names.clear(),
            Ok(Event::InitApply(node)) => {
                cache.nodes().put(&node);
                names.extend(node.metadata.name);
            }
            Ok(Event::InitDone) => {
                cache.change_nodes(|nodes| {
                    nodes.retain(&std::mem::take(&mut names));
                    true
                });
            }
            Ok(Event::Apply(node)) => cache.change_nodes(|nodes| nodes.put(&node)),
            Ok(Event::Delete(node)) => {
                cache.change_nodes(|nodes| nodes.remove(node.metadata.name.as_deref().unwrap_or_default()));
            }
            Err(error) => tracing::warn!(kind = "Node", %error, "failed to watch, trying again"),
        }
    }
}

/// Drops what nothing here reads. Of the managed fields stays who wrote the
/// object last.
pub fn strip(object: &mut DynamicObject) {
    let writers = object.metadata.managed_fields.take().into_iter().flatten();
    let last = writers
        .filter(|entry| entry.subresource.is_none())
        // Times are whole seconds: between two, it was not the operator.
        .max_by_key(|entry| {
            let ours = entry.manager.as_deref() == Some(FIELD_MANAGER);
            (entry.time.as_ref().map(|time| time.0), !ours)
        });
    object.metadata.managed_fields = last.map(|entry| {
        vec![ManagedFieldsEntry {
            manager: entry.manager,
            time: entry.time,
            ..ManagedFieldsEntry::default()
        }]
    });
    // Only EndpointSlices have them; with thousands of nodes they are long.
    if let Some(endpoints) = object.data.get_mut("endpoints") {
        *endpoints = ready_addresses(endpoints);
    }
}

/// An object with its key. Items of a list do not carry their kind.
fn keyed(scope: &Scope<'_>, object: &DynamicObject) -> Option<(ObjectKey, Value)> {
    let resource = scope.resource.api();
    let mut value = serde_json::to_value(object).ok()?;
    value["apiVersion"] = resource.api_version.into();
    value["kind"] = resource.kind.into();
    Some((ObjectKey::from_value(&value)?, value))
}
