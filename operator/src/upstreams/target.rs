//! What is probed: the upstreams of a configuration, each as CoreDNS reaches it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::rr::{Name, RecordType};

use crate::dns::ca_bundle::CaBundles;
use crate::dns::config::{self, Config, Forward, Protocol};

/// A server and the way to it: two upstreams that have both in common are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Where it is.
    pub address: SocketAddr,
    /// How it is asked.
    pub transport: Transport,
}

/// How a server is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// Plain DNS over UDP.
    Udp,
    /// Plain DNS over TCP.
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls {
        /// Who the certificate must be for: a host name, or an IP address.
        server_name: String,
        /// The certificates of those who may have signed it, in PEM; those that
        /// CoreDNS's image trusts when there are none.
        authorities: Option<Arc<str>>,
    },
}

impl Transport {
    /// In one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls { .. } => "TLS",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {}", self.address, self.transport.as_str())?;
        match &self.transport {
            Transport::Tls { server_name, .. } => write!(f, " as {server_name}"),
            Transport::Udp | Transport::Tcp => Ok(()),
        }
    }
}

/// What a server is asked for: nothing that could hurt it, and what it must know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name.
    pub name: Name,
    /// The type of record.
    pub record_type: RecordType,
}

impl Question {
    /// What a resolver of any name is asked, as CoreDNS's own health check does.
    fn of_root() -> Self {
        Self {
            name: Name::root(),
            record_type: RecordType::NS,
        }
    }

    /// What a server for a zone is asked: one that refuses this serves nobody.
    fn of_zone(zone: &config::Zone) -> Option<Self> {
        Some(Self {
            name: Name::from_ascii(zone.names().first()?).ok()?,
            record_type: RecordType::SOA,
        })
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name.to_ascii(), self.record_type)
    }
}

/// An endpoint, why it is asked, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whom to ask.
    pub endpoint: Endpoint,
    /// What to ask, in turn; at least one.
    pub questions: Vec<Question>,
    /// The fields of the specification that name it, in their order.
    pub fields: Vec<String>,
}

/// The targets of a configuration, in the order of the specification: those of
/// `spec.servers`, then those of `spec.upstreamResolvers`. Servers without zones are
/// never asked; `/etc/resolv.conf` is the node's, and what it names is not known here;
/// nor is anything asked over HTTPS or QUIC.
#[must_use]
pub fn targets(config: &Config, bundles: &CaBundles) -> Vec<Target> {
    let mut targets = Targets::default();
    for (index, server) in config.servers.iter().enumerate() {
        let questions: Vec<Question> = server.zones.iter().filter_map(Question::of_zone).collect();
        let field = |at| format!("spec.servers[{index}].forwardPlugin.upstreams[{at}]");
        targets.add(&server.forward, &questions, bundles, field);
    }
    // Upstreams that are the same are one there, which moves the others.
    let field = |_| "spec.upstreamResolvers.upstreams".to_owned();
    targets.add(&config.upstreams, &[Question::of_root()], bundles, field);
    targets.list
}

#[derive(Default)]
struct Targets {
    list: Vec<Target>,
    known: BTreeMap<Endpoint, usize>,
}

impl Targets {
    /// Adds what one `forward` directive names.
    fn add(
        &mut self,
        forward: &Forward,
        questions: &[Question],
        bundles: &CaBundles,
        field: impl Fn(usize) -> String,
    ) {
        if questions.is_empty() {
            return;
        }
        let authorities = authorities(forward, bundles);
        let mut added = Vec::new();
        for (at, upstream) in forward.upstreams.iter().enumerate() {
            let Some(endpoint) = endpoint(upstream, forward, authorities.as_ref()) else {
                continue;
            };
            let index = *self.known.entry(endpoint.clone()).or_insert_with(|| {
                self.list.push(Target {
                    endpoint,
                    questions: Vec::new(),
                    fields: Vec::new(),
                });
                self.list.len() - 1
            });
            let Some(target) = self.list.get_mut(index) else {
                continue;
            };
            target.fields.push(field(at));
            if !added.contains(&index) {
                added.push(index);
                target.questions.extend_from_slice(questions);
            }
        }
    }
}

/// The certificates of the bundle that a forwarder uses.
fn authorities(forward: &Forward, bundles: &CaBundles) -> Option<Arc<str>> {
    let bundle = bundles.usable.get(forward.ca_bundle()?)?;
    Some(bundle.certificates().into())
}

/// Where an upstream is asked and how; none where that is not an address and a port, or
/// neither plain DNS nor DNS over TLS.
fn endpoint(upstream: &str, forward: &Forward, authorities: Option<&Arc<str>>) -> Option<Endpoint> {
    let config::Endpoint {
        address,
        protocol,
        server_name,
    } = forward.endpoint(upstream);
    // Go takes no port for port 0.
    let address = if address.ends_with(':') {
        address + "0"
    } else {
        address
    };
    let address: SocketAddr = address.parse().ok()?;
    let transport = match protocol {
        Protocol::AsClient => Transport::Udp,
        Protocol::Tcp => Transport::Tcp,
        Protocol::Tls => Transport::Tls {
            // Without any name Go asks for a certificate for the address.
            server_name: server_name.unwrap_or_else(|| address.ip().to_string()),
            authorities: authorities.cloned(),
        },
        Protocol::Https | Protocol::Quic => return None,
    };
    Some(Endpoint { address, transport })
}
