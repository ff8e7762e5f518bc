//! What lets Prometheus read the metrics of the DNS pods.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde_json::{Value, json};

use super::{BuildError, Desired, ObjectKey, Template, decode, encode};
use crate::dns::inputs::Inputs;
use crate::dns::names::DNS_DEFAULT;

const WHAT: &str = "what monitoring needs";

static CLUSTER_ROLE: Template<ClusterRole> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/monitoring-cluster-role.yaml"
    ))
});
static CLUSTER_ROLE_BINDING: Template<ClusterRoleBinding> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/monitoring-cluster-role-binding.yaml"
    ))
});
static ROLE: Template<Role> =
    Template::new(|| decode(include_str!("../../../../templates/objects/monitoring-role.yaml")));
static ROLE_BINDING: Template<RoleBinding> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/monitoring-role-binding.yaml"
    ))
});
static SERVICE_MONITOR: Template<Value> =
    Template::new(|| decode(include_str!("../../../../templates/objects/service-monitor.yaml")));

/// Nothing where Prometheus's operator is not at home.
pub(super) fn desired(inputs: &Inputs) -> Result<Vec<Desired>, BuildError> {
    if !inputs.monitored {
        return Ok(Vec::new());
    }
    let mut objects = vec![
        encode(WHAT, &CLUSTER_ROLE.get(WHAT)?)?,
        encode(WHAT, &CLUSTER_ROLE_BINDING.get(WHAT)?)?,
        encode(WHAT, &ROLE.get(WHAT)?)?,
        encode(WHAT, &ROLE_BINDING.get(WHAT)?)?,
    ];
    if let Some(uid) = &inputs.daemon_set_uid {
        objects.push(service_monitor(uid)?);
    }
    Ok(objects)
}

/// It goes with the DaemonSet whose pods it is about.
fn service_monitor(daemon_set_uid: &str) -> Result<Desired, BuildError> {
    let mut value = SERVICE_MONITOR.get(WHAT)?;
    value["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "name": DNS_DEFAULT,
        "uid": daemon_set_uid,
        "controller": true,
    }]);
    let key = ObjectKey::from_value(&value).ok_or_else(|| BuildError::new(WHAT, "it has no name"))?;
    Ok(Desired { key, value })
}
