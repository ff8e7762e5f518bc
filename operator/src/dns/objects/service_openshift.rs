//! The name `openshift.default.svc`, another one for the API server.

use k8s_openapi::api::core::v1::Service;

use super::{BuildError, Desired, Template, decode, encode};
use crate::dns::inputs::Inputs;

const WHAT: &str = "the service for the name openshift";

static TEMPLATE: Template<Service> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/service-openshift.yaml"
    ))
});

pub(super) fn desired(inputs: &Inputs) -> Result<Desired, BuildError> {
    let mut service = TEMPLATE.get(WHAT)?;
    service.spec.get_or_insert_default().external_name =
        Some(format!("kubernetes.default.svc.{}", inputs.cluster_domain));
    encode(WHAT, &service)
}
