//! The namespace `openshift-dns`.

use k8s_openapi::api::core::v1::Namespace;

use super::{BuildError, Desired, Template, decode, encode};

const WHAT: &str = "the namespace";

static TEMPLATE: Template<Namespace> =
    Template::new(|| decode(include_str!("../../../../templates/objects/namespace.yaml")));

pub(super) fn desired() -> Result<Desired, BuildError> {
    let namespace = TEMPLATE.get(WHAT)?;
    encode(WHAT, &namespace)
}
