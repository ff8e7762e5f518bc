//! Facts of the cluster, taken from the objects that hold them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde_json::Value;

use crate::dns::inputs::NAME_RESOLVER_NAMESPACE;

/// The name of OpenShift's cluster-wide configuration objects.
pub const SINGLETON: &str = "cluster";

/// The DNS service's place in the service network.
const DNS_HOST: u32 = 10;
/// The feature gate of the `ocp_dnsnameresolver` plugin.
const NAME_RESOLVER_GATE: &str = "DNSNameResolver";

/// The service network does not tell the DNS service's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// `status.serviceNetwork` is empty.
    #[error("no service networks found in cluster network config")]
    NoServiceNetwork,
    /// It is not an address block, or one that is too small.
    #[error("invalid service cidr {0}: it must be an address block of at least 16 addresses")]
    InvalidServiceNetwork(String),
}

/// The address of the DNS service, from the Network `cluster`: the tenth of the
/// first service network.
pub fn dns_address(network: &Value) -> Result<IpAddr, AddressError> {
    let block = network["status"]["serviceNetwork"][0]
        .as_str()
        .ok_or(AddressError::NoServiceNetwork)?;
    block
        .parse::<IpNet>()
        .ok()
        .and_then(|network| {
            let address = add(network.trunc().network(), DNS_HOST)?;
            network.contains(&address).then_some(address)
        })
        .ok_or_else(|| AddressError::InvalidServiceNetwork(block.to_owned()))
}

/// The address of the DNS service, from the Service `default/kubernetes`, which
/// every API server gives the first address of its service range.
#[must_use]
pub fn dns_address_beside(kubernetes: &Value) -> Option<IpAddr> {
    let first = kubernetes["spec"]["clusterIP"].as_str()?.parse().ok()?;
    add(first, DNS_HOST - 1)
}

fn add(address: IpAddr, offset: u32) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address).checked_add(offset)?).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address).checked_add(offset.into())?).into(),
    })
}

/// The namespaces that the `ocp_dnsnameresolver` plugin watches, from the
/// FeatureGate `cluster`: those of the release, or of the only one listed.
#[must_use]
pub fn name_resolver_namespaces(gate: Option<&Value>, release: &str) -> Vec<String> {
    let versions: Vec<&Value> = gate
        .and_then(|gate| gate["status"]["featureGates"].as_array())
        .into_iter()
        .flatten()
        .collect();
    let details = versions
        .iter()
        .find(|details| details["version"] == release)
        .or(match versions.len() {
            1 => versions.first(),
            _ => None,
        });
    let enabled = details
        .and_then(|details| details["enabled"].as_array())
        .into_iter()
        .flatten()
        .any(|gate| gate["name"] == NAME_RESOLVER_GATE);
    if enabled {
        vec![NAME_RESOLVER_NAMESPACE.to_owned()]
    } else {
        Vec::new()
    }
}

/// A ready node that runs people's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker<Z> {
    /// Where it is; none unless it also says how much it can carry.
    pub zone: Option<Z>,
}

/// Whether clients should be routed to DNS pods of their own zone: every ready
/// worker says how much it can carry and where it is, in at least two zones.
/// With less to go by, the API server would warn about every Service sync.
pub fn topology_hints<'a, Z: PartialEq + 'a>(workers: impl Iterator<Item = &'a Worker<Z>>) -> bool {
    let mut first = None;
    let mut several = false;
    for worker in workers {
        let Some(zone) = &worker.zone else {
            return false;
        };
        several |= first.get_or_insert(zone) != &zone;
    }
    several
}
