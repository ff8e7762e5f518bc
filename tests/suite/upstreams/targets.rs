//! What is probed: each upstream of a specification as CoreDNS reaches it.

use operator::dns::ca_bundle::{CaBundle, CaBundles};
use operator::dns::config::{CaBundleName, Config};
use operator::upstreams::target::{Transport, targets};
use serde_json::{Value, json};

/// Endpoint, questions and fields of each target.
fn of(spec: &Value) -> Vec<(String, String, String)> {
    let config = Config::decode(spec).unwrap();
    let told = |target: operator::upstreams::target::Target| {
        let questions: Vec<String> = target.questions.iter().map(ToString::to_string).collect();
        (
            target.endpoint.to_string(),
            questions.join(", "),
            target.fields.join(", "),
        )
    };
    let targets = targets(&config, &CaBundles::default());
    targets.into_iter().map(told).collect()
}

fn server(zones: &[&str], forward: &Value) -> Value {
    json!({ "name": "a", "zones": zones, "forwardPlugin": forward })
}

#[test]
fn an_upstream_is_reached_as_coredns_reaches_it() {
    let tls = json!({ "transport": "TLS", "tls": { "serverName": "dns.example" } });
    for (upstream, rest, expected) in [
        ("192.0.2.1", json!({}), "192.0.2.1:53 over UDP"),
        ("192.0.2.1:5353", json!({}), "192.0.2.1:5353 over UDP"),
        ("dns://192.0.2.1", json!({}), "192.0.2.1:53 over UDP"),
        ("2001:db8::1", json!({}), "[2001:db8::1]:53 over UDP"),
        ("[2001:db8::1]", json!({}), "[2001:db8::1]:53 over UDP"),
        ("[2001:db8::1]:5353", json!({}), "[2001:db8::1]:5353 over UDP"),
        // CoreDNS drops a scope, and takes it for a server's name over TLS.
        ("fe80::1%eth0", json!({}), "[fe80::1]:53 over UDP"),
        (
            "192.0.2.1",
            json!({ "protocolStrategy": "TCP" }),
            "192.0.2.1:53 over TCP",
        ),
        (
            "tls://192.0.2.1",
            json!({ "protocolStrategy": "TCP" }),
            "192.0.2.1:853 over TLS as 192.0.2.1",
        ),
        (
            "tls://192.0.2.1%dns.example",
            json!({}),
            "192.0.2.1:853 over TLS as dns.example",
        ),
        (
            "tls://[2001:db8::1%dns.example]:8853",
            json!({}),
            "[2001:db8::1]:8853 over TLS as dns.example",
        ),
        (
            "192.0.2.1",
            json!({ "transportConfig": tls }),
            "192.0.2.1:853 over TLS as dns.example",
        ),
        (
            "192.0.2.1:8853",
            json!({ "transportConfig": tls }),
            "192.0.2.1:8853 over TLS as dns.example",
        ),
    ] {
        let mut forward = rest;
        forward["upstreams"] = json!([upstream]);
        let spec = json!({ "servers": [server(&["a.example"], &forward)] });
        let endpoints: Vec<String> = of(&spec).into_iter().map(|target| target.0).collect();
        assert_eq!(endpoints, [expected], "{upstream}");
    }
}

#[test]
fn what_cannot_be_asked_from_here_is_not() {
    let upstreams = json!({ "upstreams": ["https://192.0.2.1", "quic://192.0.2.1", "/etc/resolv.conf"] });
    let unused = json!({ "upstreams": ["192.0.2.1"] });
    let spec = json!({ "servers": [server(&["a.example"], &upstreams), server(&[], &unused)] });
    assert_eq!(of(&spec), []);
    assert_eq!(of(&json!({})), []);
}

#[test]
fn the_same_upstream_is_one_target_that_is_asked_for_all_it_has_to_know() {
    let both = json!({ "upstreams": ["192.0.2.1", "192.0.2.2"] });
    let again = json!({ "upstreams": ["dns://192.0.2.1:53", "192.0.2.1"] });
    let tcp = json!({ "upstreams": ["192.0.2.1"], "protocolStrategy": "TCP" });
    let resolvers = json!({ "upstreams": [{ "type": "Network", "address": "192.0.2.2", "port": 53 }] });
    let spec = json!({
        "servers": [
            server(&["B.example", "10.0.0.0/8"], &both),
            server(&["c.example"], &again),
            server(&["d.example"], &tcp),
        ],
        "upstreamResolvers": resolvers,
    });
    let field = |server: usize, at: usize| format!("spec.servers[{server}].forwardPlugin.upstreams[{at}]");
    let own = |text: &str| text.to_owned();
    assert_eq!(
        of(&spec),
        [
            (
                own("192.0.2.1:53 over UDP"),
                own("b.example. SOA, 10.in-addr.arpa. SOA, c.example. SOA"),
                [field(0, 0), field(1, 0), field(1, 1)].join(", "),
            ),
            (
                own("192.0.2.2:53 over UDP"),
                own("b.example. SOA, 10.in-addr.arpa. SOA, . NS"),
                [field(0, 1), own("spec.upstreamResolvers.upstreams")].join(", "),
            ),
            (own("192.0.2.1:53 over TCP"), own("d.example. SOA"), field(2, 0)),
        ]
    );
}

#[test]
fn a_bundle_goes_with_its_upstream_when_it_can_be_used() {
    let tls = json!({ "serverName": "dns.example", "caBundle": { "name": "my-ca" } });
    let forward =
        json!({ "upstreams": ["192.0.2.1"], "transportConfig": { "transport": "TLS", "tls": tls } });
    let config = Config::decode(&json!({ "servers": [server(&["a.example"], &forward)] })).unwrap();
    let authorities = |bundles: &CaBundles| match targets(&config, bundles).remove(0).endpoint.transport {
        Transport::Tls { authorities, .. } => authorities,
        other => panic!("{other:?}"),
    };
    let name = CaBundleName("my-ca".into());
    let map = json!({ "data": { "ca-bundle.crt": "some certificates" } });
    let bundle = CaBundle::unchecked(&name, &map).unwrap();
    let usable = CaBundles {
        usable: [(name, bundle)].into(),
        ..CaBundles::default()
    };
    assert_eq!(authorities(&usable).as_deref(), Some("some certificates"));
    assert_eq!(
        authorities(&CaBundles::default()),
        None,
        "CoreDNS takes its image's"
    );
}
