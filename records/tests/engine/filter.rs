//! Filters of names, types and zones.

use records::{DomainFilter, Domains, ManagedTypes, RecordType, ZoneId, ZoneIdFilter};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixtures::name;

fn filter(json: &Value) -> DomainFilter {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// A filter, names that it takes and names that it leaves alone.
#[derive(Deserialize)]
struct Case {
    filter: DomainFilter,
    takes: Vec<String>,
    leaves: Vec<String>,
}

#[test]
fn domain_filters_take_names_on_label_boundaries() {
    for line in include_str!("../cases/filters.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for text in &case.takes {
            assert!(case.filter.matches(&name(text)), "{line} takes {text}");
        }
        for text in &case.leaves {
            assert!(!case.filter.matches(&name(text)), "{line} leaves {text}");
        }
    }
    assert!(DomainFilter::default().matches(&name("example.com")));
}

#[test]
fn a_domain_filter_takes_zones_above_its_domains() {
    let cases = [
        (json!({"include": ["a.example.com."]}), "example.com", true),
        (json!({"include": ["a.b.example.com"]}), "example.com", true),
        (json!({"include": [".a.example.com"]}), "example.com", false),
        (json!({"include": ["a.example.com"]}), "b.example.com", false),
        (json!({"include": ["example.com"]}), "example.com", false),
        (json!({"include": ["example.com"]}), "anexample.com", false),
        (json!({"include": ["å.點看.local"]}), "xn--c1yn36f.local", true),
        (
            json!({"include": ["a.example.com"], "exclude": ["example.com"]}),
            "example.com",
            false,
        ),
        (json!({}), "example.com", true),
        (json!({"regexInclude": "nothing"}), "example.com", true),
    ];
    for (json, zone, takes) in cases {
        assert_eq!(filter(&json).matches_parent(&name(zone)), takes, "{json} {zone}");
    }
}

#[test]
fn domain_filters_are_written_sorted_and_as_people_read_them() {
    let cases = [
        (json!({}), "{}"),
        (json!({"include": ["", "."], "exclude": []}), "{}"),
        (
            json!({"exclude": [" .B.example.org. "], "include": ["b.org.", "A.org", "xn--stonks-u354e.org"]}),
            r#"{"include":["a.org","b.org","stonks📈.org"],"exclude":[".b.example.org"]}"#,
        ),
        (
            json!({"regexInclude": "\\.org$"}),
            r#"{"regexInclude":"\\.org$"}"#,
        ),
        (
            json!({"regexExclude": "^a", "regexInclude": "b", "include": []}),
            r#"{"regexInclude":"b","regexExclude":"^a"}"#,
        ),
    ];
    for (json, written) in cases {
        assert_eq!(serde_json::to_string(&filter(&json)).unwrap(), written);
    }
}

#[test]
fn what_is_no_domain_filter_is_told() {
    let mixed = "a domain filter has either lists of domains or regular expressions, not both";
    let cases = [
        (json!({"include": ["example.com"], "regexInclude": "a"}), mixed),
        (json!({"exclude": ["example.com"], "regexExclude": "a"}), mixed),
        (
            json!({"include": 3}),
            "invalid type: integer `3`, expected a sequence",
        ),
        (
            json!({"include": ["a..b"]}),
            "the domain filter \"a..b\" is not a domain: \"a..b\" has an empty label",
        ),
    ];
    for (json, message) in cases {
        let error = serde_json::from_value::<DomainFilter>(json).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = DomainFilter::patterns("", "*").unwrap_err().to_string();
    assert!(
        error.starts_with("the domain filter \"*\" is not a regular expression: "),
        "{error}"
    );
}

#[test]
fn zones_are_kept_by_the_end_of_their_ids() {
    let cases: [(&[&str], &str, bool); 6] = [
        (&[], "ABC", true),
        (&[""], "ABC", true),
        (&["ABC"], "/hostedzone/ABC", true),
        (&["ABC"], "XABC", true),
        (&["ABC"], "ABCD", false),
        (&["XYZ", "ABC"], "ABC", true),
    ];
    for (suffixes, id, kept) in cases {
        let filter = ZoneIdFilter::new(suffixes.iter().copied());
        assert_eq!(filter.matches(&ZoneId(id.into())), kept, "{suffixes:?} {id}");
    }
}

#[test]
fn an_excluded_type_is_not_managed() {
    let managed = ManagedTypes::new([RecordType::A, RecordType::Txt], &[RecordType::Txt]);
    assert!(managed.contains(&RecordType::A));
    assert!(!managed.contains(&RecordType::Txt));
    assert!(!ManagedTypes::default().contains(&RecordType::Txt));
    assert!(ManagedTypes::default().contains(&RecordType::Cname));
}

#[test]
fn of_domains_that_a_name_is_in_the_longest_counts() {
    let domains = |include: &[&str], exclude: &[&str]| Domains {
        include: include.iter().map(|text| name(text)).collect(),
        exclude: exclude.iter().map(|text| name(text)).collect(),
    };
    let nested = domains(
        &["example.com", "open.private.example.com"],
        &["private.example.com", "both.example.com"],
    );
    let both = domains(&["both.example.com"], &["both.example.com"]);
    let filter = DomainFilter::nearest(vec![nested.clone(), both.clone()]);
    for (text, expected) in [
        ("example.com", true),
        ("www.example.com", true),
        ("anexample.com", false),
        ("private.example.com", false),
        ("www.private.example.com", false),
        ("unprivate.example.com", true),
        ("open.private.example.com", true),
        ("www.open.private.example.com", true),
        ("www.both.example.com", false),
        ("example.org", false),
    ] {
        assert_eq!(filter.matches(&name(text)), expected, "{text}");
    }
    // What one leaves another may take.
    let other = domains(&["private.example.com"], &[]);
    let filter = DomainFilter::nearest(vec![nested, other]);
    assert!(filter.matches(&name("www.private.example.com")));
    assert!(!DomainFilter::nearest(Vec::new()).matches(&name("example.com")));
    let root = DomainFilter::nearest(vec![domains(&["."], &["example.com"])]);
    assert!(root.matches(&name("example.org")) && !root.matches(&name("example.com")));
    assert!(filter.matches_parent(&name("com")) && !filter.matches_parent(&name("org")));
    let itself = name("both.example.com");
    assert!(!DomainFilter::nearest(vec![both]).matches_parent(&itself));
    assert!(serde_json::to_string(&filter).is_err());
}
