//! Specifications of the DNS at random: all of them serve the names that the load
//! asks for, but for those that are refused.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

use crate::load::ROUTED;

/// The upstream resolver of a local cluster.
const RESOLVER: &str = "10.128.0.1";
/// The ConfigMap of `openshift-config` with the authorities of the TLS server.
pub const BUNDLE: &str = "soak.bundle";
/// Placements under which the only node of a local cluster keeps its pod.
const PLACEMENTS: usize = 4;

/// What changes the pods' template: it stays while everything else is edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Which of the placements.
    placement: usize,
    /// Whether a server uses the CA bundle.
    pub bundle: bool,
}

impl Template {
    /// Places the pods anew.
    pub fn place(&mut self, random: &mut StdRng) {
        self.placement = (self.placement + random.random_range(1..PLACEMENTS)) % PLACEMENTS;
    }

    /// None for the default. An empty one would be applied as null where there was
    /// another before, which the API server refuses.
    fn placement(self) -> Option<Value> {
        Some(match self.placement {
            0 => return None,
            1 => json!({ "nodeSelector": { "node-role.kubernetes.io/worker": "" } }),
            2 => json!({ "tolerations": [{ "operator": "Exists" }] }),
            _ => json!({
                "nodeSelector": { "kubernetes.io/os": "linux" },
                "tolerations": [{ "key": "soak", "operator": "Equal", "value": "yes", "effect": "NoSchedule" }],
            }),
        })
    }
}

/// A specification that is put into force.
pub fn good(random: &mut StdRng, template: Template) -> Value {
    let mut spec = json!({
        "servers": servers(random, template),
        "upstreamResolvers": resolvers(random),
        "logLevel": one(random, &["Normal", "Normal", "Normal", "Debug", "Trace"]),
        "operatorLogLevel": one(random, &["Normal", "Normal", "Debug"]),
    });
    if let Some(placement) = template.placement() {
        spec["nodePlacement"] = placement;
    }
    if random.random_bool(0.7) {
        spec["cache"] = json!({
            "positiveTTL": format!("{}s", random.random_range(0..5000)),
            "negativeTTL": format!("{}m{}s", random.random_range(0..60), random.random_range(0..60)),
        });
    }
    spec
}

/// A specification that the API server takes and the operator refuses.
pub fn refused(random: &mut StdRng, template: Template) -> Value {
    let mut spec = good(random, template);
    let server = match random.random_range(0..3) {
        0 => server("bad", &["not a zone"], &json!({ "upstreams": ["192.0.2.1"] })),
        1 => server(
            "bad",
            &["bad.test"],
            &json!({ "upstreams": ["upstream.example"] }),
        ),
        _ => server("bad", &[ROUTED, ROUTED], &json!({ "upstreams": [RESOLVER] })),
    };
    spec["servers"] = json!([server]);
    spec
}

/// A specification that the API server refuses.
pub fn not_admitted(random: &mut StdRng, template: Template) -> Value {
    let mut spec = good(random, template);
    match random.random_range(0..3) {
        0 => spec["cache"] = json!({ "positiveTTL": "10" }),
        1 => spec["logLevel"] = json!("Loud"),
        _ => spec["upstreamResolvers"] = json!({ "upstreams": [{ "type": "Network", "port": 65536 }] }),
    }
    spec
}

fn servers(random: &mut StdRng, template: Template) -> Vec<Value> {
    let mut servers = Vec::new();
    if random.random_bool(0.7) {
        let forward = json!({
            "upstreams": one(random, &[&[RESOLVER][..], &[RESOLVER, "10.128.0.1:53"]]),
            "policy": policy(random),
            "protocolStrategy": strategy(random),
        });
        servers.push(server("routed", &[ROUTED], &forward));
    }
    for number in 0..random.random_range(0..6) {
        let zones = [format!("z{number}.test"), format!("{number}.z.test")];
        let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
        let forward = json!({
            "upstreams": [format!("192.0.2.{}", random.random_range(1..255)), "[2001:db8::1]:5353"],
            "policy": policy(random),
        });
        servers.push(server(&format!("s{number}"), &zones, &forward));
    }
    if template.bundle {
        let tls = json!({ "serverName": "dns.test", "caBundle": { "name": BUNDLE } });
        let forward = json!({
            "upstreams": [RESOLVER],
            "transportConfig": { "transport": "TLS", "tls": tls },
        });
        servers.push(server("tls", &["tls.test"], &forward));
    }
    servers
}

fn server(name: &str, zones: &[&str], forward: &Value) -> Value {
    json!({ "name": name, "zones": zones, "forwardPlugin": forward })
}

fn resolvers(random: &mut StdRng) -> Value {
    let by_address = json!({ "type": "Network", "address": RESOLVER, "port": 53 });
    let of_node = json!({ "type": "SystemResolvConf" });
    let upstreams = match random.random_range(0..3) {
        0 => vec![by_address],
        1 => vec![of_node],
        _ => vec![of_node, by_address],
    };
    json!({ "upstreams": upstreams, "policy": policy(random), "protocolStrategy": strategy(random) })
}

fn policy(random: &mut StdRng) -> &'static str {
    one(random, &["Random", "RoundRobin", "Sequential"])
}

fn strategy(random: &mut StdRng) -> &'static str {
    one(random, &["", "", "TCP"])
}

/// One of several; there is always one.
fn one<T: Copy + Default>(random: &mut StdRng, choices: &[T]) -> T {
    choices.choose(random).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use operator::dns::config::{Config, InvalidSpec};
    use operator::schema::DnsSchema;
    use rand::SeedableRng as _;

    use super::*;

    fn stored(schema: &DnsSchema, spec: &Value) -> Result<Value, InvalidSpec> {
        let dns = json!({
            "apiVersion": "operator.openshift.io/v1", "kind": "DNS",
            "metadata": { "name": "default" }, "spec": spec,
        });
        let admitted = schema.admit(dns)?;
        Ok(admitted.dns["spec"].clone())
    }

    #[test]
    fn each_kind_gets_the_verdict_it_is_for() {
        let schema = DnsSchema::new().unwrap();
        let mut random = StdRng::seed_from_u64(1);
        for number in 0..200 {
            let mut template = Template {
                bundle: number % 2 == 0,
                ..Template::default()
            };
            template.place(&mut random);
            let spec = good(&mut random, template);
            Config::decode(&stored(&schema, &spec).unwrap())
                .unwrap_or_else(|error| panic!("{error}: {spec}"));
            let spec = refused(&mut random, template);
            assert!(
                Config::decode(&stored(&schema, &spec).unwrap()).is_err(),
                "{spec}"
            );
            let spec = not_admitted(&mut random, template);
            assert!(stored(&schema, &spec).is_err(), "{spec}");
        }
    }
}
