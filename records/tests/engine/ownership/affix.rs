//! Names of ownership records.

use records::ownership::{Affix, InvalidAffix};
use records::{Name, RecordType};

use crate::fixtures::name;

/// Prefix, suffix, replacement of `*`; name and type of a record of `example.com`; the
/// name of its ownership record; the name it is read to be for, if that is another one.
/// `-` is nothing. All but those with `_apex` are external-dns's.
const NAMES: &str = "\
-                 -               -   foo.example.com       A     a-foo.example.com          -
-                 -               -   example.com           A     a-_apex.example.com        -
txt.              -               -   foo.example.com       A     txt.a-foo.example.com      -
edns-             -               -   foo.example.com       AAAA  edns-aaaa-foo.example.com  -
%{record_type}-   -               -   foo.example.com       CNAME cname-foo.example.com      -
x-%{record_type}. -               -   example.com           A     x-a.example.com            -
-                 -txt            -   foo.example.com       A     a-foo-txt.example.com      -
-                 -%{record_type} -   foo.example.com       A     foo-a.example.com          -
-                 -x.y            -   foo.example.com       A     a-foo-x.y.example.com      -
-                 -               any *.example.com         A     a-any.example.com          any.example.com
-                 -               -   *.example.com         A     a-*.example.com            -
# Other types, several labels, capital letters.
-                 -               -   foo.example.com       NS    ns-foo.example.com         -
-                 -               -   foo.example.com       TXT   txt-foo.example.com        -
-                 -               -   _sip._tcp.example.com SRV   srv-_sip._tcp.example.com  -
TXT.              -               -   Foo.Example.com.      A     txt.a-foo.example.com      -
txt.              -               ANY *.b.example.com       A     txt.a-any.b.example.com    any.b.example.com
-                 -txt            -   *.b.example.com       A     a-*-txt.b.example.com      -
x-%{record_type}. -               -   foo.example.com       AAAA  x-aaaa.foo.example.com     -
-                 .%{record_type} -   foo.example.com       AAAA  foo.aaaa.example.com       -
# The apex, whose ownership record external-dns puts outside of the zone.
txt.              -               -   example.com           AAAA  txt.aaaa-_apex.example.com -
edns-             -               -   example.com           MX    edns-mx-_apex.example.com  -
%{record_type}-   -               -   example.com           A     a-_apex.example.com        -
-                 -txt            -   example.com           A     a-_apex-txt.example.com    -
-                 -%{record_type} -   example.com           CNAME _apex-cname.example.com    -
-                 -x.y            -   example.com           A     a-_apex-x.y.example.com    -
";

#[test]
fn names_are_those_of_external_dns_and_within_the_zone() {
    let zone = name("example.com");
    for row in NAMES.lines().filter(|line| !line.starts_with('#')) {
        let cells = row
            .split_whitespace()
            .map(|cell| if cell == "-" { "" } else { cell });
        let cells: Vec<&str> = cells.collect();
        let [prefix, suffix, wildcard, record, record_type, txt, back] = cells[..] else {
            panic!("{row}");
        };
        let affix = Affix::new(prefix, suffix, wildcard).unwrap();
        let record_type = RecordType::from(record_type);
        let made = affix.txt_name(&zone, &name(record), &record_type).unwrap();
        assert_eq!(made.as_str(), txt, "{prefix:?} {suffix:?} {record}");
        assert!(made.is_within(&zone));
        let back = name(if back.is_empty() { record } else { back });
        assert_eq!(
            affix.record_of(&zone, &made),
            Some((back, Some(record_type))),
            "{txt}"
        );
    }
}

#[test]
fn the_root_zone_has_an_apex_too() {
    let (root, affix) = (Name::default(), Affix::default());
    let made = affix.txt_name(&root, &root, &RecordType::Ns).unwrap();
    assert_eq!(made.as_str(), "ns-_apex");
    assert_eq!(affix.record_of(&root, &made), Some((root, Some(RecordType::Ns))));
}

#[test]
fn names_are_read_as_external_dns_reads_them() {
    let zone = name("example.com");
    for (prefix, suffix, txt, want) in [
        (
            "",
            "",
            "mx-1.example.com",
            Some(("1.example.com", Some(RecordType::Mx))),
        ),
        (
            "",
            "",
            "ns-foo.example.com",
            Some(("foo.example.com", Some(RecordType::Ns))),
        ),
        ("", "", "a.example.com", Some(("a.example.com", None))),
        ("", "", "foo.example.com", Some(("foo.example.com", None))),
        ("txt.", "", "txt.foo.example.com", Some(("foo.example.com", None))),
        ("txt.", "", "foo.example.com", None),
        ("txt.", "", "txt.example.com", Some(("example.com", None))),
        (
            "x-%{record_type}.",
            "",
            "x-.foo.example.com",
            Some(("foo.example.com", None)),
        ),
        ("", "-txt", "foo-txt.example.com", Some(("foo.example.com", None))),
        ("", "-txt", "foo.example.com", None),
        ("", "-x.y", "foo-x.z.example.com", None),
    ] {
        let affix = Affix::new(prefix, suffix, "").unwrap();
        let want = want.map(|(record, record_type)| (name(record), record_type));
        assert_eq!(
            affix.record_of(&zone, &name(txt)),
            want,
            "{prefix:?} {suffix:?} {txt}"
        );
    }
}

#[test]
fn a_name_that_gets_too_long_is_an_error() {
    let zone = name("example.com");
    let longest = name(&format!("{}.example.com", "x".repeat(61)));
    let affix = Affix::default();
    assert!(affix.txt_name(&zone, &longest, &RecordType::A).is_ok());
    let error = affix.txt_name(&zone, &longest, &RecordType::Aaaa).unwrap_err();
    assert!(error.to_string().contains("at most 63"), "{error}");
}

#[test]
fn affixes_that_make_no_name_are_refused() {
    let both = Affix::new("txt-", "-txt", "").unwrap_err();
    assert_eq!(
        both.to_string(),
        "there is a TXT prefix \"txt-\" and a TXT suffix \"-txt\"; only one of them can be set"
    );
    assert!(matches!(
        Affix::new("txt..", "", ""),
        Err(InvalidAffix::NoName(_))
    ));
    assert!(matches!(
        Affix::new("", &"x".repeat(63), ""),
        Err(InvalidAffix::NoName(_))
    ));
    assert!(matches!(
        Affix::new("bücher.", "", ""),
        Err(InvalidAffix::NotAscii(_))
    ));
}
