//! Where queries are forwarded to: `spec.servers[].forwardPlugin` and
//! `spec.upstreamResolvers`.

use std::fmt;

use api::{ForwardingPolicy, ProtocolStrategy, ServerTls, TransportConfig, Upstream, UpstreamType};

use super::Findings;
use super::address::{self, RESOLV_CONF};

const NO_SERVER_NAME: &str = "The ServerName field is mandatory when configuring TLS as the DNS Transport";
const ONLY_ADDRESSES: &str = "Only IP addresses are allowed when configuring TLS as the DNS Transport";
const NO_RESOLV_CONF: &str =
    "Using system resolv config is not allowed when configuring TLS as the DNS Transport";
const NO_ADDRESS: &str = "The address field is mandatory for upstream of type Network, but was not provided";

/// The most upstreams a `forward` directive takes. An empty text is none.
const MAX_UPSTREAMS: usize = 15;
/// The longest name in a certificate (RFC 1035, section 2.3.4), in octets.
const MAX_SERVER_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// One `forward` directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Addresses in the order written, as they stand in the Corefile but for
    /// the scheme of the transport.
    pub upstreams: Vec<String>,
    /// How they are reached.
    pub transport: Transport,
    /// In which order they are asked.
    pub policy: Policy,
    /// Whether they are asked over TCP even when the client came over UDP.
    pub force_tcp: bool,
}

/// How upstreams are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Plain DNS.
    Cleartext,
    /// DNS over TLS (RFC 7858).
    Tls {
        /// The name in the certificate.
        server_name: String,
        /// Who may have signed it; the image's authorities when there is none.
        ca_bundle: Option<CaBundleName>,
    },
}

/// The name of a ConfigMap in `openshift-config` that holds a CA bundle. It may
/// not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaBundleName(pub String);

impl fmt::Display for CaBundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The order in which upstreams are asked, by CoreDNS's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One at random for each query.
    Random,
    /// Each in turn.
    RoundRobin,
    /// The first that is healthy.
    Sequential,
}

impl Policy {
    /// The word in the Corefile.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::RoundRobin => "round_robin",
            Self::Sequential => "sequential",
        }
    }
}

impl From<ForwardingPolicy> for Policy {
    fn from(policy: ForwardingPolicy) -> Self {
        match policy {
            ForwardingPolicy::Random => Self::Random,
            ForwardingPolicy::RoundRobin => Self::RoundRobin,
            ForwardingPolicy::Sequential => Self::Sequential,
        }
    }
}

impl Forward {
    /// The CA bundle that the transport needs.
    #[must_use]
    pub fn ca_bundle(&self) -> Option<&CaBundleName> {
        match &self.transport {
            Transport::Tls { ca_bundle, .. } => ca_bundle.as_ref(),
            Transport::Cleartext => None,
        }
    }
}

/// Checks the `forwardPlugin` of the server at `field`.
pub(super) fn check_server(field: &str, server: &api::Server, findings: &mut Findings) -> Option<Forward> {
    let plugin = server.forward_plugin.clone().unwrap_or_default();
    let field = format!("{field}.forwardPlugin");
    let transport = check_transport(&field, plugin.transport_config.as_ref(), findings);
    let tls = is_tls(plugin.transport_config.as_ref());
    let upstreams = plugin.upstreams.unwrap_or_default();
    check_count(
        &field,
        upstreams.iter().filter(|text| !text.is_empty()).count(),
        findings,
    );
    // CoreDNS does not set a block up that has no zones, and an empty upstream
    // is white space to it.
    let has_zones = server.zones.as_ref().is_some_and(|zones| !zones.is_empty());
    let has_upstreams = if tls {
        !upstreams.is_empty()
    } else {
        upstreams.iter().any(|text| !text.is_empty())
    };
    if has_zones && !has_upstreams {
        findings.add(
            format!("{field}.upstreams"),
            None,
            "must name at least one upstream",
        );
    }
    for (index, upstream) in upstreams.iter().enumerate() {
        let checked = if tls && !address::is_ip_with_port(upstream) {
            Err(ONLY_ADDRESSES.to_owned())
        } else if upstream.is_empty() {
            Ok(())
        } else {
            address::check_upstream(upstream)
        };
        findings.keep(&format!("{field}.upstreams[{index}]"), upstream, checked);
    }
    Some(Forward {
        upstreams,
        transport: transport?,
        policy: plugin.policy.map_or(Policy::Random, Policy::from),
        force_tcp: plugin.protocol_strategy == Some(ProtocolStrategy::Tcp),
    })
}

/// Checks `spec.upstreamResolvers`.
pub(super) fn check_resolvers(
    resolvers: Option<&api::UpstreamResolvers>,
    findings: &mut Findings,
) -> Option<Forward> {
    let field = "spec.upstreamResolvers";
    let resolvers = resolvers.cloned().unwrap_or_default();
    let transport = check_transport(field, resolvers.transport_config.as_ref(), findings);
    let upstreams = resolvers.upstreams.unwrap_or_default();
    if is_tls(resolvers.transport_config.as_ref()) {
        if upstreams.is_empty() {
            findings.add(format!("{field}.upstreams"), None, NO_RESOLV_CONF);
        }
        for (index, upstream) in upstreams.iter().enumerate() {
            if upstream.kind != UpstreamType::Network {
                findings.add(
                    format!("{field}.upstreams[{index}].type"),
                    Some(kind_name(upstream)),
                    NO_RESOLV_CONF,
                );
            }
        }
    }
    for (index, upstream) in upstreams.iter().enumerate() {
        check_network_address(&format!("{field}.upstreams[{index}].address"), upstream, findings);
    }
    let mut written: Vec<String> = distinct(&upstreams).map(as_written).collect();
    check_count(field, written.len(), findings);
    if written.is_empty() {
        written.push(RESOLV_CONF.to_owned());
    }
    Some(Forward {
        upstreams: written,
        transport: transport?,
        policy: resolvers.policy.map_or(Policy::Sequential, Policy::from),
        force_tcp: resolvers.protocol_strategy == Some(ProtocolStrategy::Tcp),
    })
}

fn check_count(field: &str, count: usize, findings: &mut Findings) {
    if count > MAX_UPSTREAMS {
        findings.add(
            format!("{field}.upstreams"),
            None,
            format!("must have at most {MAX_UPSTREAMS} items, and has {count}"),
        );
    }
}

fn is_tls(config: Option<&TransportConfig>) -> bool {
    config.is_some_and(|config| config.transport == Some(api::Transport::Tls))
}

fn check_transport(
    field: &str,
    config: Option<&TransportConfig>,
    findings: &mut Findings,
) -> Option<Transport> {
    if !is_tls(config) {
        return Some(Transport::Cleartext);
    }
    let field = format!("{field}.transportConfig.tls.serverName");
    let tls = config
        .and_then(|config| config.tls.as_ref())
        .filter(|tls| !tls.server_name.is_empty());
    let Some(tls) = tls else {
        findings.add(field, None, NO_SERVER_NAME);
        return None;
    };
    findings.keep(&field, &tls.server_name, check_server_name(&tls.server_name))?;
    Some(Transport::Tls {
        server_name: tls.server_name.clone(),
        ca_bundle: ca_bundle(tls),
    })
}

fn ca_bundle(tls: &ServerTls) -> Option<CaBundleName> {
    tls.ca_bundle
        .as_ref()
        .filter(|bundle| !bundle.name.is_empty())
        .map(|bundle| CaBundleName(bundle.name.clone()))
}

/// The rule of the resource definition's pattern.
fn check_server_name(name: &str) -> Result<(), String> {
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= MAX_SERVER_NAME && name.split('.').all(is_label) {
        Ok(())
    } else {
        Err("must be a host name such as 'dns.example.com'".into())
    }
}

fn check_network_address(field: &str, upstream: &Upstream, findings: &mut Findings) {
    if upstream.kind != UpstreamType::Network {
        return;
    }
    match upstream.address.as_deref().unwrap_or_default() {
        "" => findings.add(field, None, NO_ADDRESS),
        address if address::is_ip(address) => {}
        address => findings.add(field, Some(address), "must be an IPv4 or IPv6 address"),
    }
}

fn kind_name(upstream: &Upstream) -> &'static str {
    match upstream.kind {
        UpstreamType::Network => "Network",
        UpstreamType::SystemResolvConf => "SystemResolvConf",
        UpstreamType::Unset => "",
    }
}

/// The upstreams without repetitions, in their order. A port that is not set is
/// 53, and the case of an address does not matter.
fn distinct(upstreams: &[Upstream]) -> impl Iterator<Item = &Upstream> {
    let mut seen = Vec::new();
    upstreams.iter().filter(move |upstream| {
        let key = (
            upstream.kind == UpstreamType::Network,
            upstream.address.as_deref().unwrap_or_default().to_uppercase(),
            upstream.port.filter(|port| *port != 0).unwrap_or(53),
        );
        let new = !seen.contains(&key);
        if new {
            seen.push(key);
        }
        new
    })
}

/// An upstream as a word of the `forward` directive.
fn as_written(upstream: &Upstream) -> String {
    if upstream.kind != UpstreamType::Network {
        return RESOLV_CONF.to_owned();
    }
    let address = upstream.address.as_deref().unwrap_or_default().to_uppercase();
    match upstream.port.filter(|port| *port > 0) {
        Some(port) if address.contains(':') => format!("[{address}]:{port}"),
        Some(port) => format!("{address}:{port}"),
        None => address,
    }
}
