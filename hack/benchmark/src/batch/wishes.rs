//! What is wanted of a zone, before some changes and after them.

use records::{Endpoint, RESOURCE_LABEL, RecordType};
use serde_json::{Value, json};

/// The zone.
pub const ZONE: &str = "example.com";
/// The object that wants it all, as ownership records tell it.
const RESOURCE: &str = "crd/default/wanted";
/// A TTL that no plan of Cloudflare takes but the largest, in seconds.
const BAD_TTL: u32 = 45;

/// Records at so many names: the first of them, and those after it.
pub fn hosts(first: usize, count: usize) -> Vec<Endpoint> {
    let host = |number: usize| endpoint(number, &format!("192.0.2.{}", number % 250));
    (first..first + count).map(host).collect()
}

/// As many records as there are, of which some cannot be written: these stand far from each
/// other.
pub fn with_bad(mut hosts: Vec<Endpoint>, bad: usize) -> Vec<Endpoint> {
    let distance = hosts.len() / bad.max(1);
    for place in (0..bad).map(|number| number * distance + distance / 3) {
        hosts[place].ttl = BAD_TTL.try_into().ok();
    }
    hosts
}

/// Whether a record can be written.
pub fn is_good(endpoint: &Endpoint) -> bool {
    endpoint.ttl.is_none()
}

/// What is wanted before a hundred changes, and after them: 40 records come, 40 get another
/// address, 20 go.
pub fn hundred() -> [Vec<Endpoint>; 2] {
    let before = hosts(0, 80);
    let mut after = before[20..].to_vec();
    for host in &mut after[..40] {
        host.targets = ["198.51.100.1".into()].into();
    }
    after.extend(hosts(80, 40));
    [before, after]
}

fn endpoint(number: usize, address: &str) -> Endpoint {
    Endpoint {
        dns_name: format!("host-{number:04}.{ZONE}").into(),
        record_type: RecordType::A,
        targets: [address.into()].into(),
        labels: [(RESOURCE_LABEL.into(), RESOURCE.into())].into(),
        ..Endpoint::default()
    }
}

/// Records as a DNSEndpoint has them.
pub fn shown(endpoints: &[Endpoint]) -> Value {
    let shown = |endpoint: &Endpoint| {
        let mut shown = json!({
            "dnsName": endpoint.dns_name,
            "recordType": endpoint.record_type.as_str(),
            "targets": endpoint.targets.iter().collect::<Vec<_>>(),
        });
        if let Some(ttl) = endpoint.ttl {
            shown["recordTTL"] = ttl.get().into();
        }
        shown
    };
    endpoints.iter().map(shown).collect()
}
