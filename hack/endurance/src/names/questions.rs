//! Questions at random about the zones of a configuration and those of the cluster.

use hickory_proto::rr::RecordType;
use operator::dns::config::{Config, Zone};
use operator::dns::domain_name::DomainName;
use operator::dns::explanation::Question;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// Zones that every Corefile has, and what is around them.
const FIXED: [&str; 8] = [
    ".",
    "com.",
    "cluster.local.",
    "local.",
    "in-addr.arpa.",
    "ip6.arpa.",
    "arpa.",
    "hostname.bind.",
];
/// Names that CoreDNS's plugins know.
const KNOWN: [&str; 20] = [
    "kubernetes.default.svc.cluster.local.",
    "1-2-3-4.default.pod.cluster.local.",
    "svc.cluster.local.",
    "ns.dns.cluster.local.",
    "dns-version.cluster.local.",
    "ns.dns.in-addr.arpa.",
    "NS.dns.IP6.arpa.",
    "x.ns.dns.in-addr.arpa.",
    "dns-version.in-addr.arpa.",
    "dns-version.ip6.arpa.",
    "svc.in-addr.arpa.",
    "pod.ip6.arpa.",
    "default.svc.in-addr.arpa.",
    "1-2-3-4.default.pod.in-addr.arpa.",
    "300.1.2.10.in-addr.arpa.",
    "5.4.3.2.1.in-addr.arpa.",
    "version.bind.",
    "id.server.",
    "www.hostname.bind.",
    "HOSTNAME.bind.",
];
const TYPES: [RecordType; 18] = [
    RecordType::A,
    RecordType::A,
    RecordType::A,
    RecordType::AAAA,
    RecordType::TXT,
    RecordType::TXT,
    RecordType::PTR,
    RecordType::PTR,
    RecordType::SOA,
    RecordType::DS,
    RecordType::DS,
    RecordType::NS,
    RecordType::MX,
    RecordType::SRV,
    RecordType::CNAME,
    RecordType::HTTPS,
    RecordType::ANY,
    RecordType::Unknown(65_280),
];
/// Labels with what zone files escape, and what looks like something else.
const ODD: [&str; 12] = [
    r"a\.b",
    r"\\",
    r"\@",
    r"a\032b",
    r"\000",
    r"\200\255",
    "*",
    "_tcp",
    "xn--bcher-kva",
    r"\(\)",
    "$",
    "UPPER",
];

/// A question about some configuration. None where chance made no name.
pub fn draw(config: &Config, random: &mut StdRng) -> Option<Question> {
    let zones: Vec<String> = config
        .servers
        .iter()
        .flat_map(|server| &server.zones)
        .flat_map(Zone::names)
        .collect();
    let name = match random.random_range(0..10) {
        0 => (*KNOWN.choose(random)?).to_owned(),
        1 => DomainName::reverse(random.random::<[u8; 4]>().into()).to_string(),
        2 => DomainName::reverse(random.random::<[u8; 16]>().into()).to_string(),
        3 => around(FIXED.choose(random)?, random),
        _ => {
            let fixed = FIXED.choose(random)?;
            let zone = zones.choose(random).map_or(*fixed, String::as_str);
            around(zone, random)
        }
    };
    let name = DomainName::parse(&mixed_case(&name, random)).ok()?;
    let held = name.to_lower_case();
    let held = held
        .and_parents()
        .filter(|parent| zones.iter().any(|zone| zone == parent));
    // Where several zones hold a name, this type is the one that tells them apart.
    let record_type = if held.count() > 1 && random.random_bool(0.4) {
        RecordType::DS
    } else {
        *TYPES.choose(random)?
    };
    Some(Question { name, record_type })
}

/// The zone, or a name below, above or beside it.
fn around(zone: &str, random: &mut StdRng) -> String {
    let base = if zone == "." { "" } else { zone };
    let above = || base.split_once('.').map_or("", |(_, above)| above).to_owned();
    let name = match random.random_range(0..8) {
        0 => base.to_owned(),
        1 => above(),
        2 => format!("{}.{}", label(random), above()),
        // Ends as the zone does, and is not in it.
        3 => format!("{}{base}", label(random)),
        4 => format!("{}.{}.{base}", label(random), label(random)),
        _ => format!("{}.{base}", label(random)),
    };
    if name.is_empty() { ".".into() } else { name }
}

fn label(random: &mut StdRng) -> String {
    if random.random_bool(0.15) {
        return ODD.choose(random).copied().unwrap_or_default().to_owned();
    }
    let length = random.random_range(1..12);
    (0..length)
        .map(|_| char::from(random.random_range(b'a'..=b'z')))
        .collect()
}

fn mixed_case(name: &str, random: &mut StdRng) -> String {
    if random.random_bool(0.5) {
        return name.to_owned();
    }
    name.chars()
        .map(|c| {
            if random.random_bool(0.5) {
                c.to_ascii_uppercase()
            } else {
                c
            }
        })
        .collect()
}
