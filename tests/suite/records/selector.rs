//! Selectors on the command line are those of Kubernetes.

use kube::core::SelectorExt;
use operator::records::selector::parse;

/// What `label=value` with commas between says.
fn labels(text: &str) -> std::collections::BTreeMap<String, String> {
    let labels = text.split(',').filter_map(|label| label.split_once('='));
    labels.map(|(key, value)| (key.into(), value.into())).collect()
}

#[test]
fn a_selector_matches_as_in_kubernetes() {
    for (selector, matching, others) in [
        ("", &["", "a=1"][..], &[][..]),
        ("a", &["a=1", "a=,b=1"], &["", "b=1"]),
        ("!a", &["", "b=1"], &["a=1"]),
        ("a=1", &["a=1,b=2"], &["", "a=2"]),
        ("a==1", &["a=1"], &["a=2"]),
        ("a=", &["a="], &["", "a=1"]),
        ("a!=1", &["", "a=2"], &["a=1"]),
        ("a in (1, 2)", &["a=1", "a=2"], &["", "a=3"]),
        ("a in(1)", &["a=1"], &["a=2"]),
        ("a notin (1,2)", &["", "a=3"], &["a=1"]),
        (
            " example.com/a = x/y , b in (1,2), !c",
            &["example.com/a=x/y,b=2"],
            &["example.com/a=x/y", "example.com/a=x/y,b=2,c=1"],
        ),
    ] {
        let parsed = parse(selector).unwrap();
        for text in matching {
            assert!(parsed.matches(&labels(text)), "{selector:?} {text:?}");
        }
        for text in others {
            assert!(!parsed.matches(&labels(text)), "{selector:?} {text:?}");
        }
    }
}

#[test]
fn what_is_no_selector_is_told() {
    for (selector, expected) in [
        ("a,", "the key is missing"),
        ("=1", "the key is missing"),
        ("!", "the key is missing"),
        ("a in (1", "a closing parenthesis is missing"),
        ("a in 1)", "parentheses must be in pairs"),
        ("a in ((1))", "parentheses must be in pairs"),
        ("a of (1)", "before the parentheses must be a key and in or notin"),
        ("(1)", "before the parentheses must be a key and in or notin"),
        ("a in (1) b", "nothing may follow the closing parenthesis"),
        ("a=1=2", "(here '=')"),
        ("a b", "(here ' ')"),
        ("a>1", "(here '>')"),
    ] {
        let error = parse(selector).unwrap_err();
        assert!(error.contains(expected), "{selector:?}: {error}");
    }
}
