//! The namespace `openshift-dns`.

use k8s_openapi::api::core::v1::Namespace;

use super::{BuildError, Desired, decode, encode};

const WHAT: &str = "the namespace";

pub(super) fn desired() -> Result<Desired, BuildError> {
    let namespace: Namespace = decode(WHAT, include_str!("../../../../templates/objects/namespace.yaml"))?;
    encode(WHAT, &namespace)
}
