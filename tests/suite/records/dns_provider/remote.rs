//! What a DNSProvider of the type `remote` and its Secret make: a client of a central server.

use std::collections::BTreeMap;

use devcluster::certificates::{Authority, Pair};
use operator::records::dns_provider::problem::Problem;
use operator::records::dns_provider::secret::{SecretData, SecretName};
use operator::records::dns_provider::settings::{Blueprint, ProviderSettings, blueprint, remote::Settings};
use serde_json::{Value, json};

use super::settings::{addresses, specification};

/// The keys of a Secret, with others in the place of some; none for one that is not there.
type Others<'a> = &'a [(&'a str, Option<&'a str>)];

struct Certificates {
    authority: Authority,
    client: Pair,
}

impl Certificates {
    fn new() -> Self {
        let authority = Authority::new().unwrap();
        let client = authority.client("blue", "clients").unwrap();
        Self { authority, client }
    }

    fn secret(&self, others: Others<'_>) -> SecretData {
        let mut data = BTreeMap::from([
            ("REMOTE_ENDPOINT", "dns.example:7777"),
            ("NAMESPACE", "blue"),
            ("CLIENT_CERT", &*self.client.certificate),
            ("CLIENT_KEY", &*self.client.key),
            ("SERVER_CA_CERT", self.authority.certificate()),
        ]);
        for (key, value) in others {
            match value {
                Some(value) => data.insert(key, value),
                None => data.remove(key),
            };
        }
        let data = data.into_iter();
        SecretData::new(
            data.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()))
                .collect(),
        )
    }
}

fn make(name: &str, spec: &Value, data: &SecretData) -> Result<Blueprint, Problem> {
    let mut fields = json!({ "type": "remote" });
    for (field, value) in spec.as_object().unwrap() {
        fields[field] = value.clone();
    }
    let secret = SecretName {
        namespace: "team".into(),
        name: name.into(),
    };
    blueprint(&specification(&fields), &secret, data, &addresses())
}

fn settings(made: Blueprint) -> Settings {
    match made.provider {
        ProviderSettings::Remote(settings) => settings,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_central_server_is_told_by_gardeners_keys() {
    let certificates = Certificates::new();
    let long = certificates.secret(&[("OVERRIDE_SERVER_NAME", Some("server.example"))]);
    let short = certificates.secret(&[
        ("REMOTE_ENDPOINT", None),
        ("NAMESPACE", None),
        ("CLIENT_CERT", None),
        ("CLIENT_KEY", None),
        ("SERVER_CA_CERT", None),
        ("remoteEndpoint", Some("dns.example:7777")),
        ("namespace", Some("blue")),
        ("tls.crt", Some(&certificates.client.certificate)),
        ("tls.key", Some(&certificates.client.key)),
        ("ca.crt", Some(certificates.authority.certificate())),
        ("overrideServerName", Some("server.example")),
    ]);
    for data in [long, short] {
        let made = make("key", &json!({}), &data).unwrap();
        assert!(!format!("{made:?}").contains("PRIVATE KEY"), "{made:?}");
        let access = settings(made).access;
        assert_eq!(
            (access.address(), &*access.namespace),
            ("dns.example:7777", "blue")
        );
        assert!(format!("{access:?}").contains("server.example"), "{access:?}");
    }
}

#[test]
fn a_renewed_certificate_is_the_same_account_and_another_server_or_secret_is_another() {
    let certificates = Certificates::new();
    let secret = |others: Others<'_>| certificates.secret(others);
    let made = |name: &str, spec: Value, data: SecretData| make(name, &spec, &data).unwrap();
    let first = made("key", json!({}), secret(&[]));
    let account = first.name.clone();
    assert!(account.starts_with("remote-"), "{account}");

    let renewed = certificates.authority.client("blue", "clients").unwrap();
    let renewed = secret(&[
        ("CLIENT_CERT", Some(&renewed.certificate)),
        ("CLIENT_KEY", Some(&renewed.key)),
    ]);
    let renewed = made("key", json!({}), renewed);
    assert_eq!(renewed.name, account);
    assert_ne!(settings(renewed).secret, settings(first).secret);

    let limit = json!({ "rateLimit": { "requestsPerDay": 100, "burst": 1 } });
    for other in [
        made(
            "key",
            json!({}),
            secret(&[("REMOTE_ENDPOINT", Some("dns.example:7778"))]),
        ),
        made("key", json!({}), secret(&[("NAMESPACE", Some("green"))])),
        // Whoever has only made a DNSProvider is let in by nobody else's certificate.
        made("other", json!({}), secret(&[])),
        made("key", limit, secret(&[])),
    ] {
        assert_ne!(other.name, account, "{other:?}");
    }
}

#[test]
fn a_central_server_is_called_as_often_as_the_specification_says() {
    let data = Certificates::new().secret(&[]);
    let plain = make("key", &json!({}), &data).unwrap();
    let rate = plain.rate.unwrap();
    assert_eq!((rate.burst, rate.calls, rate.period.as_secs()), (10, 9, 1));
    let limited = json!({ "rateLimit": { "requestsPerDay": 86400, "burst": 5 } });
    let limited = make("key", &limited, &data).unwrap();
    let rate = settings(limited).rate;
    assert_eq!((rate.burst, rate.calls, rate.period.as_secs()), (5, 86400, 86400));
}

#[test]
fn what_makes_no_client_is_refused_by_its_key() {
    let certificates = Certificates::new();
    let cases: [((&str, Option<&str>), &str); 8] = [
        (("REMOTE_ENDPOINT", None), "REMOTE_ENDPOINT is missing"),
        (
            ("REMOTE_ENDPOINT", Some("dns.example")),
            "REMOTE_ENDPOINT: \"dns.example\" cannot be used; allowed is HOST:PORT",
        ),
        (("NAMESPACE", None), "NAMESPACE is missing"),
        (("CLIENT_CERT", None), "CLIENT_CERT is missing"),
        (
            ("CLIENT_CERT", Some("hidden")),
            "CLIENT_CERT: it holds no certificate in PEM",
        ),
        (("CLIENT_KEY", Some("")), "CLIENT_KEY is missing"),
        (
            ("CLIENT_KEY", Some("hidden")),
            "CLIENT_KEY: it is not a private key in PEM",
        ),
        (
            ("SERVER_CA_CERT", Some("hidden")),
            "SERVER_CA_CERT: it holds no certificate in PEM",
        ),
    ];
    for (other, expected) in cases {
        let problem = make("key", &json!({}), &certificates.secret(&[other])).unwrap_err();
        let expected = format!("Secret team/key: {expected}");
        assert_eq!(problem, Problem::Error(expected), "{other:?}");
    }
    let config = json!({ "providerConfig": { "x": 1 } });
    let problem = make("key", &config, &certificates.secret(&[])).unwrap_err();
    let expected = "spec.providerConfig is given: with the type remote it takes nothing";
    assert_eq!(problem, Problem::Invalid(expected.into()));
}
