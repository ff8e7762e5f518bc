//! Who may talk to the DNS pods, and to whom they may talk.

use k8s_openapi::api::networking::v1::NetworkPolicy;

use super::{BuildError, Desired, Template, decode, encode, owner};
use crate::dns::inputs::Inputs;

const WHAT: &str = "the network policy of the DNS pods";

static TEMPLATE: Template<NetworkPolicy> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/network-policy-dns.yaml"
    ))
});
static DENY_ALL: Template<NetworkPolicy> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/network-policy-deny-all.yaml"
    ))
});

/// The policy of the DNS pods, then the one that denies all else in their
/// namespace: it belongs to the namespace rather than to the DNS.
pub(super) fn desired(inputs: &Inputs) -> Result<[Desired; 2], BuildError> {
    let mut dns = TEMPLATE.get(WHAT)?;
    dns.metadata.owner_references = Some(owner(inputs));
    let deny_all = DENY_ALL.get(WHAT)?;
    Ok([encode(WHAT, &dns)?, encode(WHAT, &deny_all)?])
}
