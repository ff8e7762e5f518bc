//! The upstreams of a forwarder, as CoreDNS reads them: which address and port it
//! asks, and over what.

use serde::Serialize;

use super::address::{RESOLV_CONF, split_host_port};
use super::{Forward, Transport};

/// What one upstream is asked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The address and port, or the file that names the servers.
    pub address: String,
    /// Over what.
    pub protocol: Protocol,
    /// The name in its certificate; the address when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// Over what an upstream is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Protocol {
    /// Plain DNS, over UDP or TCP as the client came.
    #[serde(rename = "asClient")]
    AsClient,
    /// Plain DNS over TCP, however the client came.
    #[serde(rename = "tcp")]
    Tcp,
    /// DNS over TLS (RFC 7858).
    #[serde(rename = "tls")]
    Tls,
    /// DNS over HTTPS (RFC 8484).
    #[serde(rename = "https")]
    Https,
    /// DNS over QUIC (RFC 9250).
    #[serde(rename = "quic")]
    Quic,
}

impl Protocol {
    /// The protocol of a scheme in a Corefile.
    fn of_scheme(scheme: &str, force_tcp: bool) -> Self {
        match scheme {
            "tls" => Self::Tls,
            "https" => Self::Https,
            "quic" => Self::Quic,
            _ if force_tcp => Self::Tcp,
            _ => Self::AsClient,
        }
    }

    /// Where servers of it listen unless they say otherwise.
    fn port(self) -> u16 {
        match self {
            Self::AsClient | Self::Tcp => 53,
            Self::Tls | Self::Quic => 853,
            Self::Https => 443,
        }
    }
}

impl Forward {
    /// The upstreams in their order, each once.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        // An empty upstream is white space to CoreDNS.
        for upstream in self.upstreams.iter().filter(|upstream| !upstream.is_empty()) {
            let endpoint = self.endpoint(upstream);
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
        endpoints
    }

    /// How one of its upstreams is asked.
    #[must_use]
    pub fn endpoint(&self, upstream: &str) -> Endpoint {
        let (scheme, host, server_name) = match &self.transport {
            Transport::Tls { server_name, .. } => ("tls", upstream, Some(server_name.clone())),
            Transport::Cleartext => {
                let (scheme, host) = upstream.split_once("://").unwrap_or(("dns", upstream));
                (scheme, host, None)
            }
        };
        let protocol = Protocol::of_scheme(scheme, self.force_tcp);
        if host == RESOLV_CONF {
            return Endpoint {
                address: host.to_owned(),
                protocol,
                server_name: None,
            };
        }
        let (host, port) = match split_host_port(host) {
            Some((host, port)) => (host, port.to_owned()),
            None => (host.trim_matches(['[', ']']), protocol.port().to_string()),
        };
        // What stands behind `%` is no scope to CoreDNS but, with TLS, the server's name.
        let (host, behind) = match host.rsplit_once('%') {
            Some((host, behind)) => (host, Some(behind.to_owned())),
            None => (host, None),
        };
        let named = matches!(protocol, Protocol::Tls | Protocol::Quic);
        Endpoint {
            address: if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            },
            protocol,
            server_name: server_name.or(behind.filter(|_| named)),
        }
    }
}
