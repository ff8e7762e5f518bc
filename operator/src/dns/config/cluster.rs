//! What a configuration does to the cluster that it is for: the one thing that it
//! must not, and what people should know of.

use std::net::IpAddr;

use super::{Config, Finding, Findings, Forward, InvalidSpec, address};
use crate::dns::inputs::Inputs;

impl Config {
    /// The configuration, unless an upstream is the DNS service's own address. Its
    /// queries would come back to it, and on other ports than that of DNS nothing
    /// there answers any.
    pub fn for_cluster(self, inputs: &Inputs) -> Result<Self, InvalidSpec> {
        let Some(service) = inputs.service_address else {
            return Ok(self);
        };
        let mut findings = Findings::default();
        for (index, server) in self.servers.iter().enumerate() {
            let field = format!("spec.servers[{index}].forwardPlugin.upstreams");
            for (at, upstream) in own(&server.forward, service) {
                findings.add(format!("{field}[{at}]"), Some(upstream), is_own(service));
            }
        }
        for (_, upstream) in own(&self.upstreams, service) {
            // Repeated ones are left out, so the place says nothing.
            findings.add(
                "spec.upstreamResolvers.upstreams",
                Some(upstream),
                is_own(service),
            );
        }
        if findings.0.is_empty() {
            Ok(self)
        } else {
            Err(InvalidSpec { findings: findings.0 })
        }
    }

    /// What is put into force and may still not be what was wanted.
    #[must_use]
    pub fn warnings(&self, inputs: &Inputs) -> Vec<Finding> {
        self.shadows(&inputs.cluster_domain)
    }

    /// Zones of servers that take names away from the cluster: CoreDNS serves a name
    /// by the longest zone, and the cluster's are below the default one.
    fn shadows(&self, cluster_domain: &str) -> Vec<Finding> {
        let domain = format!("{}.", cluster_domain.trim_end_matches('.').to_lowercase());
        let mut findings = Findings::default();
        for (index, server) in self.servers.iter().enumerate() {
            for (at, zone) in server.zones.iter().enumerate() {
                let names = zone.names();
                let lost = names.iter().find_map(|name| {
                    if is_below(&domain, name) {
                        Some(&domain)
                    } else {
                        is_below(name, &domain).then_some(name)
                    }
                });
                if let Some(lost) = lost {
                    findings.add(
                        format!("spec.servers[{index}].zones[{at}]"),
                        Some(&zone.to_string()),
                        format!(
                            "shadows the cluster domain {domain}: {lost} and the names below it go to the upstreams \
                             of this server and come no longer from the cluster"
                        ),
                    );
                }
            }
        }
        findings.0
    }
}

/// The upstreams of a forwarder that are at an address, with their places.
fn own(forward: &Forward, service: IpAddr) -> impl Iterator<Item = (usize, &str)> {
    let upstreams = forward.upstreams.iter().map(String::as_str).enumerate();
    upstreams.filter(move |(_, text)| {
        address::of_upstream(text).is_some_and(|address| address.to_canonical() == service.to_canonical())
    })
}

fn is_own(service: IpAddr) -> String {
    format!("{service} is the address of the DNS service itself, whose queries would come back to it")
}

/// Whether a name is another one or below it, both fully qualified and in lower case.
fn is_below(name: &str, other: &str) -> bool {
    name == other || name.strip_suffix(other).is_some_and(|head| head.ends_with('.'))
}
