//! Upstreams: addresses in every form, and what is none.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{servers, transports};

/// Ports, few of which one can connect to.
const PORTS: &[&str] = &[
    "53", "853", "5353", "0", "00053", "65535", "65536", "99999", "-1", "+53", "", "domain", "x", "53x",
];
/// Addresses, however odd.
const ODD: &[&str] = &[
    "/etc/resolv.conf",
    "2001:DB8::A",
    "0:0:0:0:0:FFFF:192.0.2.1",
    "::",
    "::1",
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.255",
    "tls://9.9.9.9%dns.quad9.net",
    "tls://[2620:fe::fe%dns.quad9.net]:853",
    "[::1",
    "::1]",
    "[[::1]]",
    "1:2:3:4:5:6:7::",
    "1:2:3:4:5:6:192.0.2.1",
    "quic://[2001:db8::1]:853",
    "https://192.0.2.1:443",
];
/// What looks like an address, and the address of the DNS service.
const FAULTY: &[&str] = &[
    "",
    ":53",
    ":",
    "[]:53",
    "[]",
    "[::1]53",
    "[::1]:53:53",
    "[192.0.2.1]:53",
    "[192.0.2.1",
    "192.0.2.1:53:53",
    "2001:db8::1:",
    "1.1.1",
    "1.1.1.1.1",
    "256.1.1.1",
    "01.1.1.1",
    "1.1.1.1.",
    "1.1.1.01",
    "0x1.1.1.1",
    "12345::",
    "::1::",
    ":::",
    "1:2:3:4:5:6:7:8:9",
    "1::2:3:4:5:6:7:8",
    "1.2.3.4::",
    "::1.2.3",
    "::ffff:1.2.3.256",
    "１.1.1.1",
    "%eth0",
    "%",
    "192.0.2.1%",
    "192.0.2.1%eth0",
    "192.0.2.1%eth0:53",
    "fe80::1%",
    "192.0.2.1/32",
    "2001:db8::/32",
    "dns://",
    "tls://",
    "tls://:853",
    "dns://dns://192.0.2.1",
    "DNS://192.0.2.1",
    "http://192.0.2.1",
    "udp://192.0.2.1",
    "https://192.0.2.1/dns-query",
    "https://192.0.2.1:443/",
    "tls://192.0.2.1/",
    "172.30.0.10",
    "172.30.0.10:5353",
    "[::ffff:172.30.0.10]:53",
    "tls://172.30.0.10",
    "grpc://192.0.2.1",
    "grpc://192.0.2.1:443",
    "https3://192.0.2.1",
    "https3://192.0.2.1:443",
    "unix:///run/dns.sock",
    "unix://",
    "tls:///etc/resolv.conf",
    "dns:///etc/resolv.conf",
    "https:///etc/resolv.conf",
    "/etc/resolv.conf:53",
    "/etc//resolv.conf",
    "/dev/null",
    "/",
    ".",
    "./resolv.conf",
    "resolv.conf",
    "Corefile",
    "-",
    "*",
    "{",
    "}",
    "{}",
];
/// Host names, which resolve nowhere or on this machine.
const HOSTS: &[&str] = &[
    " ",
    "\n",
    "\t",
    "\u{a0}",
    "#",
    "\"",
    "\0",
    "\u{1}",
    "{$HOME}",
    "{%HOME%}",
    "{$NONE}",
    "\r",
    "\\",
    " {\n",
    "\n    whoami\n",
    " {\n    }\n    whoami\n    forward .",
];

/// A port, of which CoreDNS does not ask that one can connect to it.
fn port() -> BoxedStrategy<String> {
    prop_oneof![
        4 => any::<u16>().prop_map(|port| port.to_string()),
        1 => select(PORTS)
        .prop_map(str::to_owned),
    ]
    .boxed()
}

/// An upstream of a server that CoreDNS takes as an address.
pub fn upstream() -> BoxedStrategy<String> {
    prop_oneof![
        6 => any::<Ipv4Addr>().prop_map(|address| address.to_string()),
        3 => (any::<Ipv4Addr>(), port()).prop_map(|(address, port)| format!("{address}:{port}")),
        2 => any::<Ipv6Addr>().prop_map(|address| address.to_string()),
        2 => (any::<Ipv6Addr>(), port()).prop_map(|(address, port)| format!("[{address}]:{port}")),
        1 => any::<Ipv6Addr>().prop_map(|address| format!("[{address}]")),
        1 => any::<Ipv4Addr>().prop_map(|address| format!("::ffff:{address}")),
        1 => ("[a-f0-9]{1,4}", select(vec!["eth0", "1", "", "a%b", "é"]), any::<bool>()).prop_map(|(end, scope, port)| {
            if port { format!("[fe80::{end}%{scope}]:53") } else { format!("fe80::{end}%{scope}") }
        }),
        1 => (select(vec!["dns", "tls", "quic", "https"]), any::<Ipv4Addr>(), prop::option::of(port()))
            .prop_map(|(scheme, address, port)| {
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                format!("{scheme}://{address}{port}")
            }),
        1 => select(ODD)
        .prop_map(str::to_owned),
    ]
    .boxed()
}

/// An upstream with something wrong, or at the edge of it.
pub fn faulty() -> BoxedStrategy<String> {
    prop_oneof![
        4 => select(FAULTY)
        .prop_map(str::to_owned),
        2 => select(vec!["localhost", "localhost:53", "tls://localhost", "LOCALHOST.", "a..b", "-.", "localhost%eth0"])
            .prop_map(str::to_owned),
        2 => (select(HOSTS), any::<Ipv4Addr>(), any::<bool>())
            .prop_map(|(sign, address, before)| if before { format!("{sign}{address}") } else { format!("{address}{sign}") }),
        2 => "[0-9a-f:.%\\[\\]]{1,14}",
        1 => "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        1 => "([0-9a-f]{0,5}:){2,8}[0-9a-f]{0,4}",
        1 => any::<String>().prop_filter("a host name would be looked up", |text| {
            text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#')
        }),
    ]
    .boxed()
}

/// `upstreamResolvers` with which nothing is wrong.
pub fn resolvers() -> BoxedStrategy<Value> {
    let plain = (prop::collection::vec(resolver(), 0..5), options())
        .prop_map(|(upstreams, options)| with_upstreams(options, upstreams));
    let tls = (
        prop::collection::vec(network(), 1..4),
        options(),
        transports::tls(),
    )
        .prop_map(|(upstreams, options, transport)| {
            let mut resolvers = with_upstreams(options, upstreams);
            resolvers["transportConfig"] = transport;
            resolvers
        });
    prop_oneof![3 => plain, 1 => tls].boxed()
}

/// `upstreamResolvers` with something wrong.
pub fn faulty_resolvers() -> BoxedStrategy<Value> {
    let address = (faulty(), options()).prop_map(|(address, options)| {
        with_upstreams(options, vec![json!({ "type": "Network", "address": address })])
    });
    let many =
        prop::collection::vec(resolver(), 14..19).prop_map(|upstreams| json!({ "upstreams": upstreams }));
    let system = (prop::collection::vec(resolver(), 0..3), transports::tls())
        .prop_map(|(upstreams, transport)| json!({ "upstreams": upstreams, "transportConfig": transport }));
    let transport = (prop::collection::vec(network(), 0..3), transports::faulty()).prop_map(
        |(upstreams, (transport, _))| json!({ "upstreams": upstreams, "transportConfig": transport }),
    );
    let missing = Just(json!({ "upstreams": [{ "type": "Network", "port": 53 }] }));
    prop_oneof![3 => address, 1 => many, 1 => system, 1 => transport, 1 => missing].boxed()
}

fn options() -> BoxedStrategy<Value> {
    servers::forward_options().boxed()
}

fn with_upstreams(mut options: Value, upstreams: Vec<Value>) -> Value {
    options["upstreams"] = upstreams.into();
    options
}

fn resolver() -> BoxedStrategy<Value> {
    let system = (
        select(vec!["SystemResolvConf", ""]),
        prop::option::of(1i32..65536),
    )
        .prop_map(|(kind, port)| {
            let mut upstream = json!({ "type": kind });
            if let Some(port) = port {
                upstream["port"] = port.into();
            }
            upstream
        });
    prop_oneof![1 => system, 3 => network()].boxed()
}

fn network() -> BoxedStrategy<Value> {
    let address = prop_oneof![
        4 => any::<Ipv4Addr>().prop_map(|address| address.to_string()),
        2 => any::<Ipv6Addr>().prop_map(|address| address.to_string()),
        1 => select(vec!["::ffff:192.0.2.1", "2001:DB8::A", "2001:db8::a", "::", "0.0.0.0", "192.0.2.1"]).prop_map(str::to_owned),
    ];
    let port = prop::option::of(prop_oneof![4 => 1i32..65536, 1 => select(vec![0, 53, 65536, -1])]);
    (address, port)
        .prop_map(|(address, port)| {
            let mut upstream = Map::from_iter([
                ("type".to_owned(), "Network".into()),
                ("address".to_owned(), address.into()),
            ]);
            upstream.extend(port.map(|port| ("port".to_owned(), port.into())));
            Value::Object(upstream)
        })
        .boxed()
}
