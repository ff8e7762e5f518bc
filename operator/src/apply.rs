//! The only place that writes to the API server.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::cache::Cache;
use crate::difference::{Repair, without_nulls};
use crate::dns::objects::{Desired, ObjectKey};
use crate::resources::Resource;
use crate::watch::strip;

/// The name under which the operator writes, in `metadata.managedFields`.
pub const FIELD_MANAGER: &str = "dns-operator";

/// How long the API server may take for an answer, with the repetitions of the
/// client: one call that hangs must not keep the others waiting.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Writes objects, and puts what the API server made of them into the cache.
#[derive(Clone)]
pub struct Applier {
    client: Client,
    cache: Arc<Cache>,
}

/// A write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The API server has not answered; whether it has done it, the watch will
    /// tell.
    #[error("failed to {action} {object}: no answer within {CALL_TIMEOUT:?}")]
    Timeout {
        /// What was tried.
        action: &'static str,
        /// With what.
        object: ObjectKey,
    },
    /// The object is not as the cache has it; the watch will tell how it is.
    #[error("failed to {action} {object}: it has changed meanwhile")]
    Outdated {
        /// What was tried.
        action: &'static str,
        /// With what.
        object: ObjectKey,
    },
    /// The API server refused, or could not be reached.
    #[error("failed to {action} {object}: {}", told(reason))]
    Refused {
        /// What was tried.
        action: &'static str,
        /// With what.
        object: ObjectKey,
        /// Why.
        reason: Box<kube::Error>,
    },
    /// The kind is none that the operator writes: a defect of the program.
    #[error("failed to write {0}: the operator does not know where it is served")]
    UnknownKind(ObjectKey),
}

impl ApplyError {
    /// Whether the place of the object is not there, such as its namespace.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { reason, .. }
            if matches!(&**reason, kube::Error::Api(status) if status.is_not_found()))
    }
}

impl Applier {
    /// Writes through `client`.
    #[must_use]
    pub fn new(client: Client, cache: Arc<Cache>) -> Self {
        Self { client, cache }
    }

    /// Creates an object that is not there.
    pub async fn create(&self, desired: &Desired) -> Result<(), ApplyError> {
        let key = &desired.key;
        let api = self.api(key)?;
        let object: DynamicObject = serde_json::from_value(without_nulls(&desired.value))
            .map_err(|error| refused("create", key, kube::Error::SerdeError(error)))?;
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PostParams::default()
        };
        let created = answered("create", key, api.create(&parameters, &object)).await?;
        tracing::info!(object = %key, "created");
        self.remember(key, created);
        Ok(())
    }

    /// Makes an object again what it should be.
    pub async fn mend(&self, key: &ObjectKey, live: &Value, repair: Repair) -> Result<(), ApplyError> {
        let fields = repair.fields.join(", ");
        self.patch("update", key, live, repair.patch).await?;
        tracing::info!(object = %key, fields, "updated");
        Ok(())
    }

    /// Changes an object provided that it is still as it was seen.
    pub async fn swap(&self, key: &ObjectKey, seen: &Value, patch: Value) -> Result<(), ApplyError> {
        self.patch("update", key, seen, patch).await
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

    /// Changes labels of an object that nobody else sets, whatever else of it has changed
    /// meanwhile.
    pub async fn set_labels(&self, key: &ObjectKey, labels: &Value) -> Result<(), ApplyError> {
        let patch = json!({ "metadata": { "labels": labels } });
        self.merge("set the labels of", key, &patch).await?;
        tracing::info!(object = %key, %labels, "labels set");
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
        self.merge(action, key, &patch).await
    }

    async fn merge(&self, action: &'static str, key: &ObjectKey, patch: &Value) -> Result<(), ApplyError> {
        let api = self.api(key)?;
        let patch = Patch::Merge(patch);
        let patched = answered(action, key, api.patch(&key.name, &patch_parameters(), &patch)).await?;
        self.remember(key, patched);
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
        let patched = write_status(&self.client, key, version, status).await?;
        self.remember(key, patched);
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
        let api = self.api(key)?;
        match answered("delete", key, api.delete(&key.name, &parameters)).await {
            Ok(_) => tracing::info!(object = %key, "deleted"),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn api(&self, key: &ObjectKey) -> Result<Api<DynamicObject>, ApplyError> {
        api(&self.client, key)
    }

    fn remember(&self, key: &ObjectKey, mut object: DynamicObject) {
        strip(&mut object);
        // What the API server answered was decoded from JSON, so it encodes.
        if let Ok(value) = serde_json::to_value(object) {
            self.cache.put_written(key.clone(), value);
        }
    }
}

/// Writes fields of the status of an object that no [`Cache`] holds, provided that it is
/// still of a version. Tells what the API server has made of it.
pub async fn write_status(
    client: &Client,
    key: &ObjectKey,
    version: &Value,
    status: Value,
) -> Result<DynamicObject, ApplyError> {
    let patch = json!({ "metadata": { "resourceVersion": version }, "status": status });
    let api = api(client, key)?;
    let patch = Patch::Merge(&patch);
    let parameters = patch_parameters();
    let call = api.patch_status(&key.name, &parameters, &patch);
    answered("update the status of", key, call).await
}

fn api(client: &Client, key: &ObjectKey) -> Result<Api<DynamicObject>, ApplyError> {
    let resource = Resource::of(key).ok_or_else(|| ApplyError::UnknownKind(key.clone()))?;
    Ok(resource.objects(client, key.namespace.as_deref()))
}

fn patch_parameters() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PatchParams::default()
    }
}

/// The API server's own words; what surrounds them is for programs.
fn told(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        error => error.to_string(),
    }
}

async fn answered<T>(
    action: &'static str,
    object: &ObjectKey,
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ApplyError> {
    match timeout(CALL_TIMEOUT, call).await {
        Ok(answer) => answer.map_err(|error| refused(action, object, error)),
        Err(_) => Err(ApplyError::Timeout {
            action,
            object: object.clone(),
        }),
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
            reason: Box::new(error),
        },
    }
}
