//! Where the operator is stricter than CoreDNS on purpose: the whole list, the same as in
//! the README. What it refuses beside these, CoreDNS must refuse too.

use operator::dns::config::Finding;
use serde_json::Value;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// In a word or two.
    pub name: &'static str,
    /// For people, as it stands in the README.
    pub sentence: &'static str,
    applies: fn(&Finding, &Value) -> bool,
}

/// Every rule. The first that applies to a finding is the one it is of.
pub const RULES: [Rule; 9] = [
    Rule {
        name: "servers without zones",
        sentence: "servers without zones, which CoreDNS reads and never uses, are checked like the others",
        applies: |finding, spec| {
            let index = finding
                .field
                .strip_prefix("spec.servers[")
                .and_then(|rest| rest.split_once(']'));
            index.is_some_and(|(index, _)| {
                let zones = &spec["servers"][index.parse::<usize>().unwrap_or_default()]["zones"];
                zones.as_array().is_none_or(Vec::is_empty)
            })
        },
    },
    Rule {
        name: "host names and files",
        sentence: "upstreams by host name, since resolving them would take the DNS that is being set up, and files other \
                   than `/etc/resolv.conf`",
        applies: |finding, _| {
            finding.field.contains(".upstreams[")
                && says(finding, "must be an IP address")
                && !may_be_address(&text(finding))
        },
    },
    Rule {
        name: "transports of upstreams",
        sentence: "upstreams over `grpc://`, `https3://` and `unix://`, which CoreDNS cannot forward over, though it \
                   loads some of them",
        applies: |finding, _| says(finding, "CoreDNS cannot forward over it"),
    },
    Rule {
        name: "transports of zones",
        sentence: "zones that ask for another transport (`tls://example.com`), which would take the port away from \
                   plain DNS",
        applies: |finding, _| says(finding, "must not ask for another transport"),
    },
    Rule {
        name: "characters",
        sentence: "white space, control characters, `#`, a leading quotation mark, and references to environment \
                   variables in zones and upstreams",
        applies: |finding, _| {
            [
                "must not contain white space or control characters",
                "must not contain '#'",
                "must not start with a quotation mark",
                "must not refer to environment variables",
            ]
            .iter()
            .any(|message| says(finding, message))
        },
    },
    Rule {
        name: "names of servers",
        sentence: "names of servers with more than one line, since they stand in a comment",
        applies: |finding, _| says(finding, "must be a single line"),
    },
    Rule {
        name: "TLS",
        sentence: "upstreams over TLS without a server name, by anything but an address with or without a port, or from \
                   `/etc/resolv.conf`: OpenShift's operator refuses them too",
        applies: |finding, _| says(finding, "when configuring TLS as the DNS Transport"),
    },
    Rule {
        name: "resource definition",
        sentence: "durations, server names and addresses of `upstreamResolvers` that the resource definition does not admit",
        applies: |finding, _| {
            [
                "must be `0` or numbers with a unit",
                "must be a host name such as",
                "must be an IPv4 or IPv6 address",
                "The address field is mandatory",
            ]
            .iter()
            .any(|message| says(finding, message))
        },
    },
    Rule {
        name: "loops",
        sentence: "the DNS service's own address as an upstream",
        applies: |finding, _| says(finding, "is the address of the DNS service itself"),
    },
];

/// The rule that a finding is of; none if CoreDNS should refuse it too.
#[must_use]
pub fn rule(finding: &Finding, spec: &Value) -> Option<&'static Rule> {
    RULES.iter().find(|rule| (rule.applies)(finding, spec))
}

fn says(finding: &Finding, words: &str) -> bool {
    finding.message.contains(words)
}

fn text(finding: &Finding) -> String {
    let value = finding.value.as_deref().unwrap_or_default();
    serde_json::from_str(value).unwrap_or_default()
}

/// Whether it is made of what addresses, ports and scopes are made of. Numbers with dots
/// may be a host name, but none that resolves.
fn may_be_address(upstream: &str) -> bool {
    let host = upstream.split_once("://").map_or(upstream, |(_, host)| host);
    let host = host.rsplit_once('%').map_or(host, |(host, _)| host);
    let has = |kind: fn(&char) -> bool| host.chars().any(|c| kind(&c));
    let is_plain = host.chars().all(|c| c.is_ascii_hexdigit() || ".:[]".contains(c));
    is_plain && (host.contains(':') || (has(char::is_ascii_digit) && !has(char::is_ascii_alphabetic)))
}
