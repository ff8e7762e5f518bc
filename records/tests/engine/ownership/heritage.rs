//! Texts of ownership records.

use records::Labels;
use records::ownership::heritage::{parse, write};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|&(key, value)| (key.into(), value.into()))
        .collect()
}

#[test]
fn texts_are_read_as_leniently_as_external_dns_reads_them() {
    let owner: &[(&str, &str)] = &[("owner", "default")];
    for (text, want) in [
        ("heritage=external-dns", Some(&[][..])),
        ("heritage=external-dns,external-dns/owner=default", Some(owner)),
        (
            "\"heritage=external-dns,external-dns/owner=default\"",
            Some(owner),
        ),
        (
            "\"heritage=external-dns,\" \"external-dns/owner=default\"",
            Some(owner),
        ),
        ("external-dns/owner=default,heritage=external-dns", Some(owner)),
        (
            "heritage=external-dns,nonsense,external-dns/owner=default,other=1",
            Some(owner),
        ),
        (
            "heritage=external-dns,external-dns/owner=a=b",
            Some(&[("owner", "a=b")]),
        ),
        (
            "heritage=external-dns,external-dns-extra=1",
            Some(&[("external-dns-extra", "1")]),
        ),
        (
            "heritage=external-dns,external-dns/owner=",
            Some(&[("owner", "")]),
        ),
        (
            "heritage=external-dns,external-dns/owner=a,external-dns/owner=b",
            Some(&[("owner", "b")]),
        ),
        ("external-dns/owner=default", None),
        ("heritage=mate,external-dns/owner=default", None),
        ("heritage=external-dns,heritage=mate", None),
        ("\"v=spf1 -all\"", None),
        ("heritage", None),
        ("", None),
    ] {
        assert_eq!(parse(text), want.map(labels), "{text}");
    }
}

#[test]
fn texts_are_written_with_sorted_keys() {
    for (pairs, want) in [
        (&[][..], "heritage=external-dns"),
        (
            &[
                ("resource", "ingress/default/foo"),
                ("owner", "default"),
                ("a", "1=2"),
            ],
            "heritage=external-dns,external-dns/a=1=2,external-dns/owner=default,external-dns/resource=ingress/default/foo",
        ),
    ] {
        let text = write(&labels(pairs)).unwrap();
        assert_eq!(text, want);
        assert_eq!(parse(&text), Some(labels(pairs)));
    }
}

#[test]
fn a_label_that_would_read_as_another_one_is_refused() {
    for (key, value) in [
        ("resource", "x,external-dns/owner=other"),
        ("resource", "\"x\""),
        ("resource", "x\\"),
        ("resource", "x\ny"),
        ("a=b", "x"),
        ("a,heritage", "x"),
    ] {
        let refused = write(&labels(&[(key, value)])).unwrap_err();
        assert_eq!((&*refused.key, &*refused.value), (key, value));
    }
}
