//! Upstream addresses, read as CoreDNS and Go's `net` package read them.

use std::net::IpAddr;

use super::word;

/// The one file that the `forward` directive may name: the node's resolvers.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

const ALLOWED: &str = "must be an IP address, with a port where it is not the transport's own, such as \
                       '192.0.2.1', '192.0.2.1:5353' or '[2001:db8::1]:53'";

/// Refuses an upstream that CoreDNS would not load as an address. Host names
/// are refused too: resolving them would take the DNS that is being set up.
pub(super) fn check_upstream(text: &str) -> Result<(), String> {
    word::check(text)?;
    if text == RESOLV_CONF {
        return Ok(());
    }
    let (scheme, host) = match text.split_once("://") {
        Some((scheme @ ("dns" | "tls" | "quic" | "https"), host)) => (scheme, host),
        Some((scheme @ ("grpc" | "https3" | "unix"), _)) => {
            return Err(format!(
                "must not use '{scheme}://': CoreDNS cannot forward over it"
            ));
        }
        _ => ("dns", text),
    };
    if scheme == "https" && host.contains('/') {
        return Err("must not have a path: CoreDNS asks at '/dns-query'".into());
    }
    ip(host).map(drop).ok_or_else(|| ALLOWED.into())
}

/// The address of an upstream; none for `/etc/resolv.conf`.
pub(super) fn of_upstream(text: &str) -> Option<IpAddr> {
    ip(text.split_once("://").map_or(text, |(_, host)| host))
}

/// The address in a text without a scheme, which may have a port and a scope.
fn ip(host: &str) -> Option<IpAddr> {
    let address = match split_host_port(host) {
        Some((address, _)) => address,
        None => host.trim_matches(['[', ']']),
    };
    let address = address.rsplit_once('%').map_or(address, |(address, _)| address);
    address.parse().ok()
}

/// Whether the text is an IP address, alone or with a port, as DNS over TLS
/// needs it.
pub(super) fn is_ip_with_port(text: &str) -> bool {
    is_ip(split_host_port(text).map_or(text, |(host, _)| host))
}

/// Whether the text is an IP address without a zone.
pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Go's `net.SplitHostPort`: the host without brackets and the port.
pub(super) fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (before, port) = text.rsplit_once(':')?;
    let host = match before.strip_prefix('[') {
        Some(bracketed) => bracketed.strip_suffix(']')?,
        None if before.contains(':') => return None,
        None => before,
    };
    let brackets = ['[', ']'];
    (!host.contains(brackets) && !port.contains(brackets)).then_some((host, port))
}
