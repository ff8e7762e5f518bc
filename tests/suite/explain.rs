//! `dns-operator explain`: which server block, upstreams and limits a name gets. What
//! differs from first sight was seen with CoreDNS itself (module `names`).

use serde_json::{Value, json};
use tests::program::{self, Output};

fn dns() -> String {
    let tls =
        json!({ "transport": "TLS", "tls": { "serverName": "dns.test", "caBundle": { "name": "bundle" } } });
    let servers = json!([
        {
            "name": "corp", "zones": ["corp.test", "*.wild.test", r"a\.b.test", "bind"],
            "forwardPlugin": { "upstreams": ["192.0.2.1", "192.0.2.1:853", "[2001:db8::1]:5353"], "transportConfig": tls },
        },
        {
            "name": "lab", "zones": ["Lab.CORP.test.", "10.0.0.0/9", "sub.cluster.local"],
            "forwardPlugin": { "upstreams": ["192.0.2.2"], "policy": "RoundRobin", "protocolStrategy": "TCP" },
        },
    ]);
    json!({
        "apiVersion": "operator.openshift.io/v1", "kind": "DNS", "metadata": { "name": "default" },
        "spec": { "servers": servers, "cache": { "positiveTTL": "2s", "negativeTTL": "1h" } },
    })
    .to_string()
}

fn run(arguments: &[&str]) -> Output {
    let arguments = [&["explain", "-f", "-"], arguments].concat();
    program::run(&arguments, &dns()).unwrap()
}

fn explain(question: &[&str]) -> Value {
    let output = run(&[question, &["-o", "json"]].concat());
    assert_eq!(output.code, Some(0), "{question:?}: {}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn each_name_gets_the_zone_that_coredns_finds() {
    for (question, zone, answered_by) in [
        // The longest zone, in any case.
        (&["x.corp.test"][..], "corp.test.", "upstreams"),
        (&["CORP.test."], "corp.test.", "upstreams"),
        (&["db.lab.Corp.TEST"], "lab.corp.test.", "upstreams"),
        (&["notcorp.test"], ".", "upstreams"),
        (&["test"], ".", "upstreams"),
        // For DS the shortest, unless that is the root.
        (&["db.lab.corp.test", "DS"], "corp.test.", "upstreams"),
        (&["lab.corp.test", "ds"], "corp.test.", "upstreams"),
        (&["corp.test", "DS"], "corp.test.", "upstreams"),
        (&["example.test", "DS"], ".", "upstreams"),
        (&["hostname.bind", "DS"], "bind.", "upstreams"),
        // A star and an escaped dot stand for themselves.
        (&["x.wild.test"], ".", "upstreams"),
        (&["y.*.wild.test"], "*.wild.test.", "upstreams"),
        (&[r"x.a\.b.test"], r"a\.b.test.", "upstreams"),
        (&[r"x.a\046b.test"], r"a\.b.test.", "upstreams"),
        (&["x.a.b.test"], ".", "upstreams"),
        // An address block between two octets is several zones.
        (&["10.127.1.2"], "127.10.in-addr.arpa.", "upstreams"),
        (&["10.128.1.2"], ".", "clusterThenUpstreams"),
        // The cluster's own.
        (&["kubernetes.default.svc.cluster.local"], ".", "cluster"),
        (&["Cluster.Local", "TXT"], ".", "cluster"),
        (&["a.sub.cluster.local"], "sub.cluster.local.", "upstreams"),
        (&["2001:db8::1"], ".", "clusterThenUpstreams"),
        (&["192.0.2.1", "A"], ".", "upstreams"),
        (&["192.0.2.1", "SOA"], ".", "cluster"),
        (&["2.0.192.in-addr.arpa"], ".", "upstreams"),
        (&["in-addr.arpa", "NS"], ".", "cluster"),
        (&["in-addr.arpa", "TXT"], ".", "upstreams"),
        (&["dns-version.ip6.arpa", "TXT"], ".", "cluster"),
        (&["pod.ip6.arpa", "PTR"], ".", "cluster"),
        (&["default.svc.in-addr.arpa", "A"], ".", "upstreams"),
        // CoreDNS knows its own name by a zone in lower case only.
        (&["NS.dns.ip6.arpa", "AAAA"], ".", "cluster"),
        (&["ns.dns.IP6.arpa", "AAAA"], ".", "upstreams"),
        (&["ns.dns.ip6.arpa", "TXT"], ".", "upstreams"),
        // The pod's.
        (&["hostname.bind"], "hostname.bind.", "pod"),
        (&["x.hostname.bind", "TXT"], "hostname.bind.", "pod"),
        (&["version.bind", "TXT"], "bind.", "upstreams"),
        (&["."], ".", "upstreams"),
        (&[".", "DS"], ".", "upstreams"),
    ] {
        let explanation = explain(question);
        let found = (&explanation["serverBlock"]["zone"], &explanation["answeredBy"]);
        assert_eq!(
            found,
            (&json!(zone), &json!(answered_by)),
            "{question:?}: {explanation:#}"
        );
    }
}

#[test]
fn upstreams_come_with_port_transport_and_names() {
    let corp = explain(&["a.corp.test"]);
    let forward = &corp["forward"];
    assert_eq!(forward["policy"], "random");
    assert_eq!(forward["caBundle"], "bundle");
    let over_tls = |address: &str| json!({ "address": address, "protocol": "tls", "serverName": "dns.test" });
    assert_eq!(
        forward["upstreams"],
        json!([over_tls("192.0.2.1:853"), over_tls("[2001:db8::1]:5353")])
    );
    let lab = explain(&["a.lab.corp.test"]);
    assert_eq!(lab["forward"]["policy"], "round_robin");
    assert_eq!(
        lab["forward"]["upstreams"],
        json!([{ "address": "192.0.2.2:53", "protocol": "tcp" }])
    );
    let default = explain(&["example.test"]);
    assert_eq!(default["serverBlock"]["field"], "spec.upstreamResolvers");
    assert_eq!(
        default["forward"]["upstreams"],
        json!([{ "address": "/etc/resolv.conf", "protocol": "asClient" }])
    );
}

#[test]
fn limits_are_those_that_coredns_keeps() {
    let cache = &explain(&["a.corp.test"])["cache"];
    assert_eq!(cache["positive"], json!({ "least": 2, "most": 2 }));
    assert_eq!(cache["negative"], json!({ "least": 5, "most": 3600 }));
    assert!(explain(&["hostname.bind"])["cache"].is_null());
    assert!(explain(&["cluster.local"])["forward"].is_null());
}

#[test]
fn people_are_told_why() {
    let output = run(&["db.lab.corp.test"]);
    for text in [
        "lab.corp.test. (spec.servers[1], named \"lab\")",
        "lab.corp.test. (spec.servers[1].zones[0]) is the longest zone that holds the name",
        "corp.test. (spec.servers[0].zones[0]) holds it too, and is shorter",
        "192.0.2.2:53 over TCP",
        "kept for 2 s",
    ] {
        assert!(output.stdout.contains(text), "{text}: {}", output.stdout);
    }
}

#[test]
fn an_address_stands_for_its_reverse_name() {
    assert_eq!(
        explain(&["192.0.2.53"])["question"],
        "53.2.0.192.in-addr.arpa. PTR"
    );
    assert_eq!(
        explain(&["192.0.2.53", "TYPE65280"])["question"],
        "53.2.0.192.in-addr.arpa. TYPE65280"
    );
}

#[test]
fn wrong_questions_are_told_with_what_is_allowed() {
    for (arguments, told) in [
        (&["a..b"][..], "empty label"),
        (&["é.test"], "xn--"),
        (&["a.test", "WRONG"], "such as A, AAAA"),
        (&["a.test", "TYPE65536"], "65535"),
    ] {
        let output = run(arguments);
        assert_eq!(output.code, Some(2));
        assert!(output.stderr.contains(told), "{}", output.stderr);
        assert!(
            output.stderr.contains(arguments.last().unwrap()),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn a_refused_dns_exits_with_1_and_a_missing_one_with_2() {
    let refused = dns().replace("192.0.2.2", "no-address.test");
    let arguments = ["explain", "a.test", "-f", "-"];
    let output = program::run(&arguments, &refused).unwrap();
    assert_eq!(output.code, Some(1));
    assert!(
        output
            .stderr
            .contains("spec.servers[1].forwardPlugin.upstreams[0]")
    );
    assert_eq!(program::run(&arguments, "").unwrap().code, Some(2));
}
