//! Zones of a server block, judged as CoreDNS judges them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Findings, word};
use crate::dns::corefile::PORT;

/// A zone as it stands in front of a server block: a domain name, or an address
/// block such as `10.0.0.0/8` that stands for its reverse zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(String);

/// The longest zone CoreDNS reads, with the dot at its end, in octets.
const MAX_LENGTH: usize = 255;
/// The longest label (RFC 1035, section 2.3.4), in octets.
const MAX_LABEL: usize = 63;
/// What the wire format of a name may take by miekg/dns's count, in octets.
const MAX_WIRE: usize = 256;

impl Zone {
    /// Refuses what CoreDNS would not load as one zone of a plain DNS server.
    pub fn check(text: &str) -> Result<Self, String> {
        word::check(text)?;
        if let Some((scheme, _)) = text.split_once("://")
            && ["tls", "quic", "grpc", "https", "https3", "unix"].contains(&scheme)
        {
            return Err(format!("must not ask for another transport ('{scheme}://')"));
        }
        let name = bare(text);
        let length = fully_qualified(name).len();
        if length > MAX_LENGTH {
            return Err(format!(
                "must be at most {MAX_LENGTH} octets long with the dot at its end, and is {length}"
            ));
        }
        if !is_domain_name(name) || !is_domain_name(&fully_qualified(name)) {
            return Err(
                "must be a domain name such as 'example.com', or an address block such as \
                        '10.0.0.0/8'"
                    .into(),
            );
        }
        if address_block(name).is_some()
            && (name.starts_with(':') || (name.starts_with('0') && name.contains(':')))
        {
            return Err("must not start with a zero or a colon, as an IPv6 address block".into());
        }
        Ok(Self(text.into()))
    }

    /// The zone as it heads its server block: with the port that every block
    /// listens on, so that a zone cannot bring one of its own.
    #[must_use]
    pub fn with_port(&self) -> String {
        format!("{self}:{PORT}")
    }

    /// The names that it comes to, in lower case and fully qualified: one, or for an
    /// address block those of the reverse zones that it covers.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        served_names(bare(&self.0))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses a zone that two blocks would serve: CoreDNS loads neither. The
/// default block has the root, and the one after it `hostname.bind`.
pub(super) fn check_distinct<'a>(servers: impl Iterator<Item = &'a api::Server>, findings: &mut Findings) {
    let mut served = BTreeMap::from([
        (
            ".".to_owned(),
            "the default server block, which upstreamResolvers configures".to_owned(),
        ),
        (
            "hostname.bind.".to_owned(),
            "the operator's own server block for hostname.bind".to_owned(),
        ),
    ]);
    for (server, zones) in servers
        .enumerate()
        .map(|(index, server)| (index, server.zones.iter().flatten()))
    {
        for (at, zone) in zones.enumerate() {
            if Zone::check(zone).is_err() {
                continue;
            }
            let field = format!("spec.servers[{server}].zones[{at}]");
            for name in served_names(bare(zone)) {
                if let Some(other) = served.insert(name.clone(), field.clone()) {
                    findings.add(
                        &field,
                        Some(zone),
                        format!("zone {name} is already served by {other}"),
                    );
                    break;
                }
            }
        }
    }
}

/// The zone without the scheme that CoreDNS takes off.
fn bare(text: &str) -> &str {
    text.strip_prefix("dns://").unwrap_or(text)
}

fn served_names(zone: &str) -> Vec<String> {
    match address_block(zone) {
        Some(block) => reverse_zones(block),
        None => vec![lower_case(&fully_qualified(zone))],
    }
}

/// Go's `net.ParseCIDR`: the length may have zeros in front.
fn address_block(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let length = length.trim_start_matches('0');
    let length = if length.is_empty() {
        0
    } else {
        length.parse().ok()?
    };
    let block = IpNet::new(address.parse().ok()?, length).ok()?;
    digits.then(|| block.trunc())
}

/// Reverse zones end at whole octets (IPv4) or nibbles (IPv6); a block that ends
/// between two is several of them.
fn reverse_zones(block: IpNet) -> Vec<String> {
    let (step, suffix) = match block {
        IpNet::V4(_) => (8u8, "in-addr.arpa."),
        IpNet::V6(_) => (4, "ip6.arpa."),
    };
    let prefix = block.prefix_len().next_multiple_of(step);
    // The boundary is at or past the block's own prefix, so this has subnets.
    let Ok(blocks) = block.subnets(prefix) else {
        return Vec::new();
    };
    blocks
        .map(|block| {
            let labels: Vec<String> = match block.network() {
                IpAddr::V4(address) => address.octets().iter().map(ToString::to_string).collect(),
                IpAddr::V6(address) => address
                    .octets()
                    .iter()
                    .flat_map(|octet| [octet >> 4, octet & 15])
                    .map(|nibble| format!("{nibble:x}"))
                    .collect(),
            };
            let mut name = String::new();
            for label in labels.iter().take(usize::from(prefix / step)).rev() {
                name.push_str(label);
                name.push('.');
            }
            name + suffix
        })
        .collect()
}

/// Go's `strings.ToLower`: letter for letter, so that `İ` becomes `i`.
fn lower_case(name: &str) -> String {
    name.chars().filter_map(|c| c.to_lowercase().next()).collect()
}

/// With a dot at the end, by miekg/dns's rule for whether it has one: a dot is escaped
/// when the octets of the letter before the backslashes and they are even in number.
fn fully_qualified(name: &str) -> String {
    let has_dot = name.strip_suffix('.').is_some_and(|head| {
        let letters = head.trim_end_matches('\\');
        let backslashes = head.len() - letters.len();
        let letter = letters.chars().next_back().map_or(1, char::len_utf8);
        backslashes == 0 || !(letter + backslashes).is_multiple_of(2)
    });
    if has_dot {
        name.to_owned()
    } else {
        format!("{name}.")
    }
}

/// Whether miekg/dns, CoreDNS's DNS library, takes the text for a domain name:
/// almost anything whose labels have the right lengths.
fn is_domain_name(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let name = fully_qualified(text);
    let bytes = name.as_bytes();
    let (mut offset, mut begin, mut at) = (0usize, 0usize, 0usize);
    let (mut after_dot, mut escape) = (false, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => {
                escape = !escape;
                if offset + 1 > MAX_WIRE {
                    return false;
                }
                let digits = bytes
                    .get(at + 1..at + 4)
                    .is_some_and(|d| d.iter().all(u8::is_ascii_digit));
                let skipped = if digits { 3 } else { 1 };
                at += skipped;
                begin += skipped;
                after_dot = false;
            }
            b'.' => {
                escape = false;
                if after_dot || (at == 0 && bytes.len() > 1) {
                    return false;
                }
                after_dot = true;
                let length = at - begin;
                offset += 1 + length;
                if length > MAX_LABEL || offset > MAX_WIRE {
                    return false;
                }
                begin = at + 1;
            }
            _ => {
                escape = false;
                after_dot = false;
            }
        }
        at += 1;
    }
    !escape
}
