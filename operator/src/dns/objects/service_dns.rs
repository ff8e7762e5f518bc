//! The Service at whose address pods find the DNS.

use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};

use super::{BuildError, Desired, Template, decode, encode, must_be_missing, owner};
use crate::dns::inputs::Inputs;

const WHAT: &str = "the DNS service";

static TEMPLATE: Template<Service> =
    Template::new(|| decode(include_str!("../../../../templates/objects/service-dns.yaml")));
/// Fields that nobody may set: they change who is answered, and from where.
const UNSET: [&str; 7] = [
    "externalIPs",
    "externalName",
    "internalTrafficPolicy",
    "publishNotReadyAddresses",
    "sessionAffinity",
    "sessionAffinityConfig",
    "type",
];
const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";

/// The Service, once it is known at which address: the API server would choose
/// another one for good.
pub(super) fn desired(inputs: &Inputs) -> Result<Option<Desired>, BuildError> {
    let Some(address) = inputs.service_address else {
        return Ok(None);
    };
    let mut service = TEMPLATE.get(WHAT)?;
    service.metadata.owner_references = Some(owner(inputs));
    service.spec.get_or_insert_default().cluster_ip = Some(address.to_string());
    let mut desired = encode(WHAT, &service)?;
    if let Some(hints) = inputs.topology_hints {
        let hints = if hints { json!("auto") } else { Value::Null };
        desired.value["metadata"]["annotations"][TOPOLOGY_HINTS] = hints;
    }
    must_be_missing(&mut desired.value["spec"], &UNSET);
    Ok(Some(desired))
}
