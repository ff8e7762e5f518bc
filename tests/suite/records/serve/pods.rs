//! Pods of servers, as far as an API server knows them: what runs are processes of the test.

use operator::resources::pod_key;
use serde_json::{Value, json};

use crate::control_plane::Plane;

/// The label of a pod that tells its server's role.
pub const ROLE: &str = "dns.gardener.cloud/central-role";

/// Makes a pod from a template.
pub async fn make(plane: &Plane, namespace: &str, name: &str, template: &Value) {
    plane.create(&pod_key(namespace, name), template.clone()).await;
}

/// The role that a pod's label tells.
pub async fn role(plane: &Plane, namespace: &str, name: &str) -> Value {
    let pod = plane.get(&pod_key(namespace, name)).await.unwrap();
    pod["metadata"]["labels"][ROLE].clone()
}

/// Sets the label, or takes it off.
pub async fn label(plane: &Plane, namespace: &str, name: &str, role: Value) {
    let patch = json!({ "metadata": { "labels": { ROLE: role } } });
    plane.patch(&pod_key(namespace, name), patch).await;
}
