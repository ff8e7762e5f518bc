//! The service accounts of the pods.

use k8s_openapi::api::core::v1::ServiceAccount;
use serde_json::json;

use super::{Desired, ObjectKey};
use crate::dns::names::{NAMESPACE, NODE_RESOLVER, SERVICE_ACCOUNT};

pub(super) fn desired() -> [Desired; 2] {
    [SERVICE_ACCOUNT, NODE_RESOLVER].map(|name| Desired {
        key: ObjectKey::of::<ServiceAccount>(Some(NAMESPACE), name),
        value: json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": name, "namespace": NAMESPACE },
        }),
    })
}
