//! What becomes of wanted records.

use records::provider::cloudflare::{
    COMMENT, CUSTOM_HOSTNAME, Cloudflare, CustomHostnameSettings, PROXIED, REGION_KEY, Settings, TAGS,
};
use records::{Endpoint, Property, Provider as _, RecordType};

use super::settings;

fn endpoint(record_type: &str, target: &str, properties: &[(&str, &str)]) -> Endpoint {
    let properties = properties.iter().map(|(name, value)| Property {
        name: (*name).into(),
        value: (*value).into(),
    });
    Endpoint {
        dns_name: "a.example.com".into(),
        record_type: RecordType::from(record_type),
        targets: [target.into()].into(),
        provider_specific: properties.collect(),
        ..Endpoint::default()
    }
}

fn adjusted(settings: Settings, endpoint: Endpoint) -> Endpoint {
    let provider = Cloudflare::new(settings).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let adjust = |wanted| runtime.block_on(provider.adjust(vec![wanted])).unwrap().remove(0);
    let once = adjust(endpoint);
    assert_eq!(adjust(once.clone()), once, "adjusted again it is another one");
    once
}

fn properties(endpoint: &Endpoint) -> Vec<(&str, &str)> {
    let properties = endpoint.provider_specific.iter();
    properties
        .map(|property| (&*property.name, &*property.value))
        .collect()
}

#[test]
fn targets_are_written_as_cloudflare_lists_them() {
    let long = "x".repeat(300);
    let split = format!("\"{}\" \"{}\"", &long[..255], &long[255..]);
    for (record_type, target, listed) in [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ("CNAME", "Host.Example.com.", "host.example.com"),
        ("MX", "10   Mail.example.com.", "10 mail.example.com"),
        ("SRV", "1 2  3 Host.example.com.", "1 2 3 host.example.com"),
        ("CAA", "0 issue ca.example.net", "0 issue \"ca.example.net\""),
        (
            "CAA",
            "0 issue \"ca.example.net; x=y\"",
            "0 issue \"ca.example.net; x=y\"",
        ),
        (
            "NAPTR",
            "1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:a!\" .",
            "1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:a!\" .",
        ),
        ("TLSA", "3 1 1 abcd ef01", "3 1 1 abcdef01"),
        ("HTTPS", "1 . alpn=h2,h3 port=443", "1 . alpn=h2,h3 port=443"),
        ("TXT", "bare words", "\"bare words\""),
        ("TXT", "\"quoted\"", "\"quoted\""),
        ("TXT", "a \"b\" \\", "\"a \\\"b\\\" \\\\\""),
        ("TXT", "\"a \\\"b\\\" \\065\"", "\"a \\\"b\\\" \\065\""),
        ("TXT", "\"one\" \"two\"", "\"onetwo\""),
        ("TXT", &long, &split),
        // What is malformed stays: writing it tells why.
        ("MX", "mail.example.com", "mail.example.com"),
        ("SRV", "1 2 x host", "1 2 x host"),
    ] {
        let adjusted = adjusted(settings(), endpoint(record_type, target, &[]));
        assert_eq!(*adjusted.targets, [Box::from(listed)], "{record_type} {target}");
    }
}

#[test]
fn only_what_can_be_proxied_is() {
    let by_default = |proxied| Settings {
        proxied,
        ..settings()
    };
    for (record_type, can) in [
        ("A", true),
        ("AAAA", true),
        ("CNAME", true),
        ("LOC", false),
        ("MX", false),
        ("NS", false),
        ("SPF", false),
        ("TXT", false),
        ("SRV", false),
        ("CAA", false),
        ("PTR", false),
    ] {
        for (default, said, proxied) in [
            (false, None, false),
            (true, None, true),
            (false, Some("true"), true),
            (true, Some("false"), false),
            (true, Some("0"), false),
            (false, Some("T"), true),
            (true, Some("nonsense"), true),
        ] {
            let said: Vec<_> = said.map(|said| (PROXIED, said)).into_iter().collect();
            let mut wanted = endpoint(record_type, "x", &said);
            wanted.ttl = 300.try_into().ok();
            let adjusted = adjusted(by_default(default), wanted);
            let text = if proxied && can { "true" } else { "false" };
            assert_eq!(
                properties(&adjusted),
                [(PROXIED, text)],
                "{record_type} {default} {said:?}"
            );
            // What is proxied has the TTL that Cloudflare chooses.
            assert_eq!(adjusted.ttl.is_none(), proxied && can);
        }
    }
    // external-dns lets nothing through to a webhook provider but properties with this name.
    let adjusted = adjusted(
        settings(),
        endpoint("A", "192.0.2.1", &[("webhook/cloudflare-proxied", "true")]),
    );
    assert_eq!(properties(&adjusted), [(PROXIED, "true")]);
}

#[test]
fn a_ttl_of_one_is_none() {
    for (ttl, listed) in [(1, None), (60, Some(60)), (86_400, Some(86_400))] {
        let mut wanted = endpoint("A", "192.0.2.1", &[]);
        wanted.ttl = ttl.try_into().ok();
        let adjusted = adjusted(settings(), wanted);
        assert_eq!(adjusted.ttl.map(std::num::NonZeroU32::get), listed);
    }
}

#[test]
fn comments_tags_and_what_belongs_to_the_name() {
    let commented = || Settings {
        comment: "of the cluster".into(),
        ..settings()
    };
    let plain = adjusted(commented(), endpoint("A", "192.0.2.1", &[]));
    assert_eq!(
        properties(&plain),
        [(PROXIED, "false"), (COMMENT, "of the cluster")]
    );
    let own = adjusted(
        commented(),
        endpoint("A", "192.0.2.1", &[(COMMENT, "mine"), (TAGS, " b:1 ,, a:2")]),
    );
    assert_eq!(
        properties(&own),
        [(PROXIED, "false"), (COMMENT, "mine"), (TAGS, "a:2,b:1")]
    );

    let others = [
        (CUSTOM_HOSTNAME, "b.example, a.example"),
        (REGION_KEY, "us"),
        ("aws/weight", "1"),
    ];
    let off = adjusted(settings(), endpoint("A", "192.0.2.1", &others));
    assert_eq!(properties(&off), [(PROXIED, "false")]);
    let on = || Settings {
        custom_hostnames: Some(CustomHostnameSettings {
            min_tls_version: "1.0".into(),
            certificate_authority: None,
        }),
        region_key: Some("eu".into()),
        ..settings()
    };
    let both = adjusted(on(), endpoint("A", "192.0.2.1", &others));
    assert_eq!(
        properties(&both),
        [
            (CUSTOM_HOSTNAME, "a.example,b.example"),
            (PROXIED, "false"),
            (REGION_KEY, "us")
        ]
    );
    let v6 = adjusted(on(), endpoint("AAAA", "2001:db8::1", &others[..1]));
    assert_eq!(properties(&v6), [(PROXIED, "false"), (REGION_KEY, "eu")]);
    let text = adjusted(on(), endpoint("TXT", "x", &others));
    assert_eq!(properties(&text), [(PROXIED, "false")]);
}
