//! Who may talk to the DNS pods, and to whom they may talk.

use k8s_openapi::api::networking::v1::NetworkPolicy;

use super::{BuildError, Desired, decode, encode, owner};
use crate::dns::inputs::Inputs;

const WHAT: &str = "the network policy of the DNS pods";

/// The policy of the DNS pods, then the one that denies all else in their
/// namespace: it belongs to the namespace rather than to the DNS.
pub(super) fn desired(inputs: &Inputs) -> Result<[Desired; 2], BuildError> {
    let mut dns: NetworkPolicy = decode(
        WHAT,
        include_str!("../../../../templates/objects/network-policy-dns.yaml"),
    )?;
    dns.metadata.owner_references = Some(owner(inputs));
    let deny_all: NetworkPolicy = decode(
        WHAT,
        include_str!("../../../../templates/objects/network-policy-deny-all.yaml"),
    )?;
    Ok([encode(WHAT, &dns)?, encode(WHAT, &deny_all)?])
}
