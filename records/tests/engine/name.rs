//! Domain names as they are compared.

use records::Name;

#[test]
fn texts_of_one_name_are_the_same_name() {
    let label = "x".repeat(63);
    let longest = [&*label, &label, &label, &label[2..]].join(".");
    let cases = [
        ("www.example.com", "www.example.com"),
        ("WWW.Example.com", "www.example.com"),
        ("www.example.com.", "www.example.com"),
        ("com", "com"),
        ("", ""),
        (".", ""),
        ("*.example.com", "*.example.com"),
        ("\\052.example.com", "*.example.com"),
        ("_sip._tcp.example.com", "_sip._tcp.example.com"),
        ("BÜCHER.example.com", "xn--bcher-kva.example.com"),
        (&*longest, &*longest),
    ];
    for (text, canonical) in cases {
        assert_eq!(Name::parse(text).unwrap().as_str(), canonical, "{text}");
    }
}

#[test]
fn what_is_no_name_is_told() {
    let label = "x".repeat(64);
    let long = ["x".repeat(63), "x".repeat(63), "x".repeat(63), "x".repeat(62)].join(".");
    let cases = [
        ("a..b", "\"a..b\" has an empty label".to_owned()),
        (".a", "\".a\" has an empty label".to_owned()),
        ("a..", "\"a..\" has an empty label".to_owned()),
        (
            &*label,
            format!("\"{label}\" has a label of 64 octets; at most 63 are allowed"),
        ),
        (
            &*long,
            format!("\"{long}\" has 254 octets; at most 253 are allowed"),
        ),
    ];
    for (text, message) in cases {
        assert_eq!(Name::parse(text).unwrap_err().to_string(), message);
    }
}
