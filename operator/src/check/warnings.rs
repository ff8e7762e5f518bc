//! What is put into force but may not do what is meant.

use api::{DnsSpec, GoDuration};
use serde_json::Value;

use crate::dns::config::{Config, Finding, Protocol, Transport, Zone};
use crate::dns::domain_name::DomainName;
use crate::dns::inputs::Inputs;
use crate::dns::node::{Node, is_label};
use crate::dns::status::COREDNS_FLOOR;
use crate::documents::Documents;

/// A valid specification that is asked what it comes to.
pub(super) struct Asked<'a> {
    /// As it would be stored.
    pub spec: &'a Value,
    /// The same, checked.
    pub config: &'a Config,
    /// The cluster's facts.
    pub inputs: &'a Inputs,
    /// Where the facts are from.
    pub documents: &'a Documents,
    /// What was found so far.
    pub findings: Vec<Finding>,
}

impl Asked<'_> {
    /// Looks at everything.
    pub fn look(&mut self) {
        self.findings.append(&mut self.config.warnings(self.inputs));
        self.look_at_ttls();
        for (index, server) in self.config.servers.iter().enumerate() {
            let field = format!("spec.servers[{index}]");
            if server.zones.is_empty() {
                self.warn(
                    format!("{field}.zones"),
                    None,
                    "is empty: CoreDNS never uses this server",
                );
            }
            for (at, zone) in server.zones.iter().enumerate() {
                self.look_at_zone(&format!("{field}.zones[{at}]"), zone);
            }
            self.look_at_scopes(&format!("{field}.forwardPlugin"), index);
        }
        self.look_at_unused_tls();
        self.look_at_placement();
        if self.spec["managementState"] == "Unmanaged" {
            self.warn(
                "spec.managementState".into(),
                Some("Unmanaged"),
                "the operator changes nothing in the cluster",
            );
        }
        if self.documents.tells_of_bundles() {
            self.findings
                .append(&mut self.documents.missing_bundles(self.config));
        }
    }

    /// What the files do not tell.
    pub fn not_checked(&self) -> Vec<String> {
        let unknown = self.config.ca_bundles().next().is_some() && !self.documents.tells_of_bundles();
        let why = "CA bundles: the files have no ConfigMap of the namespace openshift-config";
        unknown.then(|| why.to_owned()).into_iter().collect()
    }

    fn warn(&mut self, field: String, value: Option<&str>, message: impl Into<String>) {
        self.findings.push(Finding {
            field,
            value: value.map(|value| Value::from(value).to_string()),
            message: message.into(),
        });
    }

    fn look_at_ttls(&mut self) {
        let spec: DnsSpec = serde_json::from_value(self.spec.clone()).unwrap_or_default();
        let Some(cache) = spec.cache else {
            return;
        };
        let limits = self.config.cache;
        self.look_at_ttl("spec.cache.positiveTTL", cache.positive_ttl, limits.positive);
        self.look_at_ttl("spec.cache.negativeTTL", cache.negative_ttl, limits.negative);
    }

    fn look_at_ttl(&mut self, field: &str, typed: Option<GoDuration>, limit: u32) {
        let Some(typed) = typed else {
            return;
        };
        let seconds = typed.round_to_seconds().unwrap_or_default();
        let message = if seconds > u64::from(limit) {
            format!("is cut to {limit} seconds, the longest TTL")
        } else if seconds == 0 {
            format!("comes to zero, which stands for the default: {limit} seconds")
        } else if seconds < u64::from(COREDNS_FLOOR) {
            format!(
                "CoreDNS keeps answers for at least {COREDNS_FLOOR} seconds where the limit allows it: with this \
                 one each is kept for exactly {seconds}, and shorter TTLs are lengthened to that"
            )
        } else {
            return;
        };
        self.warn(field.into(), Some(&typed.0), message);
    }

    fn look_at_zone(&mut self, field: &str, zone: &Zone) {
        let typed = zone.to_string();
        for name in zone.names() {
            let asked = DomainName::parse(&name).map(|asked| asked.to_lower_case().to_string());
            match asked {
                Ok(asked) if asked == name => {}
                Ok(asked) => {
                    let hint = if typed.is_ascii() {
                        format!("it must be written as {asked:?}")
                    } else {
                        "internationalised labels must be written in their ASCII form, 'xn--…'".into()
                    };
                    self.warn(field.into(), Some(&typed), format!("matches no query: {hint}"));
                }
                Err(why) => self.warn(
                    field.into(),
                    Some(&typed),
                    format!("matches no query: a name {why}"),
                ),
            }
        }
        if typed.split('.').any(|label| label == "*") {
            self.warn(
                field.into(),
                Some(&typed),
                "'*' stands for itself: a zone holds the names below it without that",
            );
        }
        self.look_at_reverse_names(field, zone);
    }

    /// A server of the specification goes before what the cluster answers itself.
    fn look_at_reverse_names(&mut self, field: &str, zone: &Zone) {
        let typed = zone.to_string();
        let names = zone.names();
        let Some(address) = self.inputs.service_address else {
            return;
        };
        let reverse = DomainName::reverse(address);
        if names.iter().any(|zone| reverse.before(zone).is_some()) {
            let message = format!(
                "holds the reverse name of the DNS service ({address}): reverse lookups of services are asked of \
                 this server's upstreams"
            );
            self.warn(field.into(), Some(&typed), message);
        }
    }

    /// CoreDNS drops what stands behind `%`, unless it is the name of a TLS server.
    fn look_at_scopes(&mut self, field: &str, index: usize) {
        let Some(server) = self.config.servers.get(index) else {
            return;
        };
        let forward = &server.forward;
        let endpoints = forward.endpoints();
        for (at, upstream) in forward.upstreams.iter().enumerate() {
            let named = [Protocol::Tls, Protocol::Quic];
            let used = endpoints
                .iter()
                .any(|endpoint| named.contains(&endpoint.protocol) && endpoint.server_name.is_some());
            if upstream.contains('%') && !used {
                self.warn(
                    format!("{field}.upstreams[{at}]"),
                    Some(upstream),
                    "CoreDNS ignores what stands behind '%': it asks the address without a scope",
                );
            }
        }
    }

    /// The settings of TLS where the transport is another.
    fn look_at_unused_tls(&mut self) {
        let servers = self.spec["servers"].as_array().into_iter().flatten();
        let servers = servers.enumerate().map(|(index, server)| {
            (
                format!("spec.servers[{index}].forwardPlugin"),
                &server["forwardPlugin"],
            )
        });
        let resolvers = (
            "spec.upstreamResolvers".to_owned(),
            &self.spec["upstreamResolvers"],
        );
        let forwards = [&self.config.upstreams];
        let forwards = forwards
            .into_iter()
            .chain(self.config.servers.iter().map(|server| &server.forward));
        let unused: Vec<String> = std::iter::once(resolvers)
            .chain(servers)
            .zip(forwards)
            .filter(|((_, written), forward)| {
                let is_set = written["transportConfig"]["tls"].is_object();
                is_set && forward.transport == Transport::Cleartext
            })
            .map(|((field, _), _)| format!("{field}.transportConfig.tls"))
            .collect();
        for field in unused {
            self.warn(field, None, "is not used: the transport is not TLS");
        }
    }

    fn look_at_placement(&mut self) {
        let placement = &self.config.placement;
        let nodes = self.documents.nodes();
        let admits = |node: &Node| {
            let has = |key: &str, value: &str| node.labels().any(|label| is_label(label, key, value));
            placement.admits(has, node.taints())
        };
        if !nodes.is_empty() && !nodes.iter().any(admits) {
            let message = format!(
                "none of the {} nodes takes a DNS pod: pods that are there stay where they are",
                nodes.len()
            );
            self.warn("spec.nodePlacement".into(), None, message);
        }
    }
}
