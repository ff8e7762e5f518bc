//! Keeps the [`Cache`] up to date.

use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::cache::Cache;
use crate::dns::objects::ObjectKey;
use crate::name_resolver::pods::ready_addresses;
use crate::resources::Scope;

/// How many objects a page of a list has.
const PAGE: u32 = 100;
/// How long the API server keeps a watch open, in seconds. Renewing one costs a
/// request, so as long as it offers by itself.
const WATCH_SECONDS: u32 = 3600;

/// Follows a part of the cluster for as long as the program runs. `listed` is
/// told when the cache holds all of it.
pub async fn follow(client: Client, scope: Scope, cache: Arc<Cache>, listed: oneshot::Sender<()>) {
    let resource = scope.resource.api();
    let api: Api<DynamicObject> = match scope.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let mut config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    if let Some(name) = scope.name {
        config = config.fields(&format!("metadata.name={name}"));
    }
    let mut events = pin!(watch(api, config).modify(strip).default_backoff());
    let mut listed = Some(listed);
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
                if let Some(listed) = listed.take() {
                    // Nobody waits any more once the program is stopping.
                    let _ = listed.send(());
                }
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

/// Drops what nothing here reads.
fn strip(object: &mut DynamicObject) {
    object.metadata.managed_fields = None;
    // Only EndpointSlices have them; with thousands of nodes they are long.
    if let Some(endpoints) = object.data.get_mut("endpoints") {
        *endpoints = ready_addresses(endpoints);
    }
}

/// An object with its key. Items of a list do not carry their kind.
fn keyed(scope: &Scope, object: &DynamicObject) -> Option<(ObjectKey, Value)> {
    let resource = scope.resource.api();
    let mut value = serde_json::to_value(object).ok()?;
    value["apiVersion"] = resource.api_version.into();
    value["kind"] = resource.kind.into();
    Some((ObjectKey::from_value(&value)?, value))
}
