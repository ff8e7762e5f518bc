//! Which zones and domains of an account are used: Gardener's cases, and what contradicts
//! itself.

use api::DnsProviderSpec;
use operator::records::dns_provider::problem::Problem;
use operator::records::dns_provider::selection::{Rules, Selection};
use records::{Name, Zone, ZoneId};
use serde_json::{Value, json};

fn zone(id: &str, name: &str) -> Zone {
    Zone {
        id: ZoneId(id.into()),
        name: Name::parse(name).unwrap(),
    }
}

/// The zones of Gardener's cases.
fn zones() -> Vec<Zone> {
    vec![zone("ZAB", "a.b"), zone("ZCAB", "c.a.b"), zone("ZOP", "o.p")]
}

fn specification(fields: Value) -> DnsProviderSpec {
    serde_json::from_value(fields).unwrap()
}

fn select(spec: Value, zones: &[Zone]) -> Selection {
    Rules::of(&specification(spec)).unwrap().select(zones)
}

fn texts<T: ToString>(set: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = set.into_iter().map(|item| item.to_string()).collect();
    texts.join(" ")
}

/// `zones + domains; zones - domains` of what is used, and of what is not.
fn told(selection: &Selection) -> [String; 4] {
    [
        texts(selection.included_zones.iter().map(|id| &id.0)),
        texts(&selection.included_domains),
        texts(selection.excluded_zones.iter().map(|id| &id.0)),
        texts(&selection.excluded_domains),
    ]
}

/// Specifications, what is used by each and what is not, and what is foreign.
fn cases_of_lists() -> Vec<(Value, [&'static str; 4], &'static str)> {
    vec![
        (json!({}), ["ZAB ZCAB ZOP", "a.b c.a.b o.p", "", ""], ""),
        (
            json!({ "domains": { "include": ["A.b."], "exclude": ["O.P."] } }),
            ["ZAB ZCAB", "a.b", "ZOP", "o.p"],
            "",
        ),
        (
            json!({ "zones": { "exclude": ["ZOP", "ZAB"] } }),
            ["ZCAB", "c.a.b", "ZAB ZOP", "o.p"],
            "",
        ),
        (
            json!({ "zones": { "include": ["ZAB"], "exclude": ["ZOP"] } }),
            ["ZAB", "a.b", "ZCAB ZOP", "c.a.b o.p"],
            "",
        ),
    ]
}

/// The same, where domains and zones lie in each other.
fn cases_of_nesting() -> Vec<(Value, [&'static str; 4], &'static str)> {
    vec![
        // A zone below a domain that is used is used with it.
        (
            json!({ "domains": { "include": ["a.b"] } }),
            ["ZAB ZCAB", "a.b", "ZOP", "o.p"],
            "",
        ),
        (
            json!({ "domains": { "include": ["a.b"], "exclude": ["c.a.b"] } }),
            ["ZAB", "a.b", "ZCAB ZOP", "c.a.b o.p"],
            "",
        ),
        // A domain is in the longest zone that holds it, and in no other.
        (
            json!({ "domains": { "include": ["c.a.b", "x.o.p"], "exclude": ["e.a.b", "y.x.o.p", "q"] } }),
            ["ZCAB ZOP", "c.a.b x.o.p", "ZAB", "e.a.b y.x.o.p"],
            "q",
        ),
        (
            json!({ "domains": { "include": ["www.c.a.b"] } }),
            ["ZCAB", "www.c.a.b", "ZAB ZOP", "o.p"],
            "",
        ),
        // On label boundaries.
        (
            json!({ "domains": { "include": ["xa.b", "o.p"] } }),
            ["ZOP", "o.p", "ZAB ZCAB", "a.b c.a.b"],
            "xa.b",
        ),
    ]
}

#[test]
fn what_is_used_is_what_gardener_uses() {
    let cases = cases_of_lists().into_iter().chain(cases_of_nesting());
    for (spec, expected, foreign) in cases {
        let selection = select(spec.clone(), &zones());
        assert_eq!(told(&selection), expected, "{spec}");
        assert_eq!(texts(&selection.foreign), foreign, "{spec}");
        assert_eq!(selection.trouble, None, "{spec}");
        let used = selection.zones.iter().map(|used| used.zone.id.clone());
        assert!(used.eq(selection.included_zones.iter().cloned()), "{spec}");
    }
}

#[test]
fn zones_of_one_name_are_used_together_and_ids_may_end_with_a_dot() {
    let twins = [zone("ZAB", "a.b"), zone("ZAB2", "a.b"), zone("ZCAB", "c.a.b")];
    let selection = select(json!({ "domains": { "include": ["f.a.b"] } }), &twins);
    assert_eq!(told(&selection), ["ZAB ZAB2", "f.a.b", "ZCAB", "c.a.b"]);
    // Gardener's id of a zone at a DNS server is its name with the dot.
    let at_a_server = [zone("a.b", "a.b")];
    let selection = select(json!({ "zones": { "include": ["a.b."] } }), &at_a_server);
    assert_eq!(told(&selection), ["a.b", "a.b", "", ""]);
}

#[test]
fn what_lies_in_a_zone_below_is_not_in_the_zone_above() {
    let selection = select(json!({ "zones": { "include": ["ZAB"] } }), &zones());
    let forwarded: Vec<String> = selection
        .zones
        .iter()
        .map(|used| format!("{} - {}", used.zone.name, texts(&used.forwarded)))
        .collect();
    assert_eq!(forwarded, ["a.b - c.a.b"]);
}

#[test]
fn why_nothing_is_used_is_told() {
    let cases = [
        (json!({}), vec![], "the account has no zones"),
        (
            json!({ "zones": { "include": ["X"] } }),
            zones(),
            "spec.zones lets none of the account's 3 zones through",
        ),
        (
            json!({ "domains": { "include": ["y.z"] } }),
            zones(),
            "spec.domains.include has no domain in a zone of the account: a.b, c.a.b, o.p",
        ),
        (
            json!({ "zones": { "include": ["ZCAB"] }, "domains": { "exclude": ["c.a.b"] } }),
            zones(),
            "spec.domains.exclude leaves nothing of c.a.b",
        ),
    ];
    for (spec, zones, expected) in cases {
        let selection = select(spec.clone(), &zones);
        assert_eq!(selection.trouble.as_deref(), Some(expected), "{spec}");
        assert_eq!(selection.zones, [], "{spec}");
        assert_eq!(selection.excluded_zones.len(), zones.len(), "{spec}");
    }
}

#[test]
fn what_cannot_be_selected_is_refused_by_its_field() {
    let cases = [
        (
            json!({ "domains": { "include": ["a.b", "*.a.b"] } }),
            "spec.domains.include[1]: \"*.a.b\" is a wildcard, and a domain holds all names below it: \
             it takes a domain such as example.com",
        ),
        (
            json!({ "domains": { "exclude": ["a..b"] } }),
            "spec.domains.exclude[0]: \"a..b\" has an empty label: it takes a domain such as example.com",
        ),
        (
            json!({ "domains": { "include": ["A.B."], "exclude": ["a.b"] } }),
            "spec.domains: a.b is in both include and exclude: it takes one of them",
        ),
        (
            json!({ "zones": { "include": ["Z1"], "exclude": ["Z1"] } }),
            "spec.zones: Z1 is in both include and exclude: it takes one of them",
        ),
        (
            json!({ "zones": { "include": vec!["Z1"; 101] } }),
            "spec.zones.include has 101 entries: it takes at most 100",
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(
            Rules::of(&specification(spec)),
            Err(Problem::Invalid(expected.into()))
        );
    }
}
