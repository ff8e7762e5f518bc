//! Which CoreDNS pods there are to ask.

use std::borrow::Borrow;
use std::net::IpAddr;

use rand::seq::IteratorRandom;
use serde_json::Value;

use crate::dns::names::DNS_DEFAULT;

/// Tells which Service an EndpointSlice belongs to.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// The addresses of the ready endpoints of an EndpointSlice, all that is kept of
/// `endpoints`. One that does not say whether it is ready counts as ready.
#[must_use]
pub fn ready_addresses(endpoints: &Value) -> Value {
    endpoints
        .as_array()
        .into_iter()
        .flatten()
        .filter(|endpoint| endpoint["conditions"]["ready"] != false)
        .flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten())
        .cloned()
        .collect()
}

/// The addresses of the ready DNS pods, from EndpointSlices of which
/// [`ready_addresses`] were kept.
pub fn dns_pods(slices: &[impl Borrow<Value>]) -> Vec<IpAddr> {
    slices
        .iter()
        .map(Borrow::borrow)
        .filter(|slice| slice["metadata"]["labels"][SERVICE_LABEL] == DNS_DEFAULT)
        .flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten())
        .filter_map(|address| address.as_str()?.parse().ok())
        .collect()
}

/// Up to `most` of the pods, by chance.
#[must_use]
pub fn some_of(pods: &[IpAddr], most: usize) -> Vec<IpAddr> {
    pods.iter().copied().sample(&mut rand::rng(), most)
}

/// The port on which the pods of the DNS DaemonSet answer: the first of the first
/// container.
#[must_use]
pub fn port(daemon_set: &Value) -> Option<u16> {
    let container = &daemon_set["spec"]["template"]["spec"]["containers"][0];
    let port = container["ports"][0]["containerPort"].as_u64()?;
    u16::try_from(port).ok()
}
