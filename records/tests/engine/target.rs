//! Comparison of targets.

use std::cmp::Ordering;

use records::{RecordType, target};

fn list(targets: &str) -> Vec<Box<str>> {
    targets
        .split(", ")
        .filter(|t| !t.is_empty())
        .map(Into::into)
        .collect()
}

#[test]
fn targets_are_compared_as_sets_by_what_they_mean() {
    let cases = [
        ("A", "192.0.2.1", "192.0.2.1", true),
        ("A", "192.0.2.1, 192.0.2.2", "192.0.2.2, 192.0.2.1", true),
        ("A", "192.0.2.1, 192.0.2.1", "192.0.2.1", true),
        ("A", "192.0.2.1", "192.0.2.1, 192.0.2.2", false),
        ("A", "192.0.2.1", "", false),
        ("A", "", "", true),
        ("A", "lb.example.net", "LB.example.net.", true),
        ("AAAA", "2001:db8::1", "2001:DB8:0:0::1", true),
        (
            "AAAA",
            "2001:db8::1, 2001:db8::2",
            "2001:DB8:0::1, 2001:db8::3",
            false,
        ),
        (
            "AAAA",
            "2001:db8::1, 2001:db8::2",
            "2001:db8::2, 2001:DB8:0::1",
            true,
        ),
        ("AAAA", "::ffff:192.0.2.1", "192.0.2.1", false),
        ("CNAME", "a.example.net.", "a.example.net", true),
        ("CNAME", "A.example.net", "a.example.NET", true),
        ("CNAME", "a.example.net", "b.example.net", false),
        ("CNAME", "bücher.example.net", "xn--bcher-kva.example.net", true),
        ("NS", "B, a", "A, b", true),
        ("PTR", "host.example.net.", "HOST.example.net", true),
        ("MX", "10 Mail.example.net.", "10  mail.example.net", true),
        ("MX", "10 mail.example.net", "20 mail.example.net", false),
        (
            "SRV",
            "10 5 5060 Sip.example.net.",
            "10 5 5060 sip.example.net",
            true,
        ),
        ("TXT", "Hello", "hello", false),
        ("TXT", "hello.", "hello", false),
        ("TXT", "\"v=spf1 -all\"", "v=spf1 -all", true),
        ("TXT", "\"a\" \"b\"", "a\" \"b", false),
        ("TXT", "\"a\\\\\"", "a\\\\", false),
        ("TXT", "\"", "", false),
        ("CAA", "0 issue \"a\"", "0 issue \"A\"", false),
    ];
    for (record_type, left, right, same) in cases {
        let record_type = RecordType::from(record_type);
        let (left, right) = (list(left), list(right));
        assert_eq!(
            target::same(&record_type, &left, &right),
            same,
            "{left:?} {right:?}"
        );
        assert_eq!(
            target::same(&record_type, &right, &left),
            same,
            "{right:?} {left:?}"
        );
    }
}

#[test]
fn united_targets_are_each_there_once() {
    for (record_type, targets, united) in [
        ("A", "192.0.2.10, 192.0.2.9, 192.0.2.10", "192.0.2.9, 192.0.2.10"),
        ("AAAA", "2001:db8::1, 2001:DB8:0::1, ::1", "::1, 2001:DB8:0::1"),
        ("CNAME", "a.example.net, A.example.net.", "A.example.net."),
        ("MX", "10 b, 10 A., 10 a, 5 a", "10 A., 10 b, 5 a"),
        ("TXT", "b, \"b\", a", "a, \"b\""),
        ("TXT", "", ""),
    ] {
        let united = list(united);
        let found = target::unite(&RecordType::from(record_type), list(targets));
        assert_eq!(*found, *united, "{record_type} {targets}");
    }
}

#[test]
fn lists_of_targets_have_an_order() {
    let ascending = [
        ("A", "9.9.9.9", "10.0.0.1"),
        ("A", "9.9.9.9", "1.1.1.1, 1.1.1.2"),
        ("A", "1.2.3.4", "1-2-3-4.example.com"),
        ("A", "1.1.1.1, 2.2.2.2", "1.1.1.1, 3.3.3.3"),
        // By their texts 10 and 30 come first: 10 is the least of all.
        ("A", "10.0.0.1, 30.0.0.1", "9.0.0.1, 20.0.0.1"),
        ("AAAA", "2001:db8::9", "2001:DB8::10"),
        ("CNAME", "a.example.net", "b.example.net"),
        ("CNAME", "a.example.net", "B.example.net"),
    ];
    for (record_type, less, more) in ascending {
        let record_type = RecordType::from(record_type);
        let (less, more) = (list(less), list(more));
        assert_eq!(
            target::compare(&record_type, &less, &more),
            Ordering::Less,
            "{less:?} {more:?}"
        );
        assert_eq!(target::compare(&record_type, &more, &less), Ordering::Greater);
        assert_eq!(target::compare(&record_type, &less, &less), Ordering::Equal);
    }
}
