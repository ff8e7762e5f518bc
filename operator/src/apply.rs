//! The only place that writes to the API server.

use std::sync::Arc;

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::cache::Cache;
use crate::difference::{Repair, repair, without_nulls};
use crate::dns::objects::{Desired, ObjectKey};
use crate::resources::Resource;

/// The name under which the operator writes, in `metadata.managedFields`.
pub const FIELD_MANAGER: &str = "dns-operator";

/// Writes objects, and puts what the API server made of them into the cache.
pub struct Applier {
    client: Client,
    cache: Arc<Cache>,
}

/// A write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The object is not as the cache has it; the watch will tell how it is.
    #[error("failed to {action} {object}: it has changed meanwhile")]
    Outdated {
        /// What was tried.
        action: &'static str,
        /// With what.
        object: ObjectKey,
    },
    /// The API server refused, or could not be reached.
    #[error("failed to {action} {object}: {source}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// With what.
        object: ObjectKey,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The kind is none that the operator writes: a defect of the program.
    #[error("failed to write {0}: the operator does not know where it is served")]
    UnknownKind(ObjectKey),
}

impl Applier {
    /// Writes through `client`.
    #[must_use]
    pub fn new(client: Client, cache: Arc<Cache>) -> Self {
        Self { client, cache }
    }

    /// Creates or repairs an object; no request when it already is as it should
    /// be.
    pub async fn apply(&self, desired: &Desired) -> Result<(), ApplyError> {
        match self.cache.get(&desired.key) {
            None => self.create(desired).await,
            Some(live) => match repair(&desired.value, &live) {
                None => Ok(()),
                Some(repair) => self.mend(&desired.key, &live, repair).await,
            },
        }
    }

    async fn create(&self, desired: &Desired) -> Result<(), ApplyError> {
        let key = &desired.key;
        let api = self.api(key)?;
        let object: DynamicObject = serde_json::from_value(without_nulls(&desired.value))
            .map_err(|error| refused("create", key, kube::Error::SerdeError(error)))?;
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PostParams::default()
        };
        let created = api
            .create(&parameters, &object)
            .await
            .map_err(|error| refused("create", key, error))?;
        tracing::info!(object = %key, "created");
        self.remember(key, &created);
        Ok(())
    }

    async fn mend(&self, key: &ObjectKey, live: &Value, repair: Repair) -> Result<(), ApplyError> {
        let fields = repair.fields.join(", ");
        self.patch("update", key, live, repair.patch).await?;
        tracing::info!(object = %key, fields, "updated");
        Ok(())
    }

    /// Changes the finalizers of an object.
    pub async fn set_finalizers(
        &self,
        key: &ObjectKey,
        live: &Value,
        finalizers: &[&str],
    ) -> Result<(), ApplyError> {
        let patch = json!({ "metadata": { "finalizers": finalizers } });
        self.patch("set the finalizers of", key, live, patch).await?;
        tracing::info!(object = %key, ?finalizers, "finalizers set");
        Ok(())
    }

    /// Patches a live object, provided that it is still as the cache has it.
    async fn patch(
        &self,
        action: &'static str,
        key: &ObjectKey,
        live: &Value,
        mut patch: Value,
    ) -> Result<(), ApplyError> {
        patch["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        let patched = self
            .api(key)?
            .patch(&key.name, &patch_parameters(), &Patch::Merge(&patch))
            .await
            .map_err(|error| refused(action, key, error))?;
        self.remember(key, &patched);
        Ok(())
    }

    /// Writes fields of an object's status, provided that the object is still as
    /// the cache has it: the answer then holds nothing that the watch has not told.
    pub async fn patch_status(&self, key: &ObjectKey, status: Value) -> Result<(), ApplyError> {
        let live = self.cache.get(key);
        self.patch_status_of(key, live.as_deref().unwrap_or(&Value::Null), status)
            .await
    }

    /// Writes fields of the status, provided that the object is still as `live`.
    pub async fn patch_status_of(
        &self,
        key: &ObjectKey,
        live: &Value,
        status: Value,
    ) -> Result<(), ApplyError> {
        let version = &live["metadata"]["resourceVersion"];
        let patch = json!({ "metadata": { "resourceVersion": version }, "status": status });
        let patched = self
            .api(key)?
            .patch_status(&key.name, &patch_parameters(), &Patch::Merge(&patch))
            .await
            .map_err(|error| refused("update the status of", key, error))?;
        self.remember(key, &patched);
        Ok(())
    }

    /// Deletes an object, if the cache has it. The watch tells when it is gone.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), ApplyError> {
        let Some(live) = self.cache.get(key) else {
            return Ok(());
        };
        if live["metadata"]["deletionTimestamp"].is_string() {
            return Ok(());
        }
        let only_this = Preconditions {
            uid: live["metadata"]["uid"].as_str().map(Into::into),
            resource_version: None,
        };
        let parameters = DeleteParams::background().preconditions(only_this);
        match self.api(key)?.delete(&key.name, &parameters).await {
            Ok(_) => tracing::info!(object = %key, "deleted"),
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => return Err(refused("delete", key, error)),
        }
        Ok(())
    }

    fn api(&self, key: &ObjectKey) -> Result<Api<DynamicObject>, ApplyError> {
        let resource = Resource::of(key)
            .ok_or_else(|| ApplyError::UnknownKind(key.clone()))?
            .api();
        Ok(match &key.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        })
    }

    fn remember(&self, key: &ObjectKey, object: &DynamicObject) {
        // What the API server answered was decoded from JSON, so it encodes.
        if let Ok(mut value) = serde_json::to_value(object) {
            if let Some(metadata) = value["metadata"].as_object_mut() {
                metadata.remove("managedFields");
            }
            self.cache.put_written(key.clone(), value);
        }
    }
}

fn patch_parameters() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PatchParams::default()
    }
}

fn refused(action: &'static str, object: &ObjectKey, error: kube::Error) -> ApplyError {
    let object = object.clone();
    match error {
        kube::Error::Api(status) if status.is_conflict() || status.is_already_exists() => {
            ApplyError::Outdated { action, object }
        }
        error => ApplyError::Refused {
            action,
            object,
            source: Box::new(error),
        },
    }
}
