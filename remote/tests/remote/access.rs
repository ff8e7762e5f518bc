//! What a client's Secret may hold.

use std::collections::BTreeMap;

use remote::client::Access;

use super::certificates::{Authority, Names};

fn secret() -> BTreeMap<String, Vec<u8>> {
    let authority = Authority::new("authority");
    let pair = authority.client(&Names {
        common: &["garden-a"],
        ..Names::default()
    });
    let values = [
        ("REMOTE_ENDPOINT", "dns.central.example:7777"),
        ("NAMESPACE", "garden-a"),
        ("CLIENT_CERT", pair.certificate.as_str()),
        ("CLIENT_KEY", pair.key.as_str()),
        ("SERVER_CA_CERT", authority.certificate.as_str()),
    ];
    values
        .map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()))
        .into()
}

#[test]
fn the_keys_of_both_spellings_are_taken() {
    let other = [
        ("REMOTE_ENDPOINT", "remoteEndpoint"),
        ("NAMESPACE", "namespace"),
        ("CLIENT_CERT", "tls.crt"),
        ("CLIENT_KEY", "tls.key"),
        ("SERVER_CA_CERT", "ca.crt"),
    ];
    let mut secret = secret();
    assert_eq!(Access::from_secret(&secret).unwrap().namespace, "garden-a");
    for (one, another) in other {
        let value = secret.remove(one).unwrap();
        secret.insert(another.to_owned(), value);
        Access::from_secret(&secret).unwrap();
    }
}

#[test]
fn endpoints_are_a_host_and_a_port() {
    for (endpoint, good) in [
        ("dns.central.example:7777", true),
        ("dns.central.example:7777\n", true),
        ("192.0.2.1:7777", true),
        ("[2001:db8::1]:7777", true),
        ("dns.central.example", false),
        ("https://dns.central.example:7777", false),
        ("dns.central.example:7777/path", false),
        ("dns.central.example:77777", false),
        ("two words:1", false),
        ("", false),
    ] {
        let mut secret = secret();
        secret.insert("REMOTE_ENDPOINT".to_owned(), endpoint.as_bytes().to_vec());
        match Access::from_secret(&secret) {
            Ok(_) => assert!(good, "{endpoint}"),
            Err(error) => {
                assert!(!good, "{endpoint}: {error}");
                assert!(error.to_string().starts_with("REMOTE_ENDPOINT: "), "{error}");
            }
        }
    }
}

#[test]
fn what_is_missing_or_wrong_is_named_and_no_key_is_told() {
    for key in ["NAMESPACE", "CLIENT_CERT", "CLIENT_KEY", "SERVER_CA_CERT"] {
        for value in [&b"\xff\xfe"[..], b"VERYSECRET"] {
            if key == "NAMESPACE" && value == b"VERYSECRET" {
                continue;
            }
            let mut secret = secret();
            secret.insert(key.to_owned(), value.to_vec());
            let error = Access::from_secret(&secret).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{key}: ")), "{error}");
            assert!(!error.contains("VERYSECRET"), "{error}");
        }
    }
    for key in ["REMOTE_ENDPOINT", "NAMESPACE", "CLIENT_CERT", "CLIENT_KEY"] {
        let mut secret = secret();
        secret.remove(key);
        let error = Access::from_secret(&secret).unwrap_err().to_string();
        assert_eq!(error, format!("{key}: it is missing"));
    }
    assert!(!format!("{:?}", Access::from_secret(&secret()).unwrap()).contains("PRIVATE"));
}
