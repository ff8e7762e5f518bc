//! What a DNSProvider and its Secret make: the settings of a provider, or words that say
//! which key or field is wrong, and never what is secret.

use std::collections::BTreeMap;

use api::DnsProviderSpec;
use operator::records::dns_provider::problem::Problem;
use operator::records::dns_provider::secret::{SecretData, SecretName};
use operator::records::dns_provider::settings::{
    Addresses, Blueprint, ProviderSettings, blueprint, rate_limit,
};
use records::provider::{rfc2136, route53};
use serde_json::{Value, json};

const KEY: &str = "c2VjcmV0";

pub fn specification(fields: &Value) -> DnsProviderSpec {
    serde_json::from_value(fields.clone()).unwrap()
}

fn secret(data: &Value) -> SecretData {
    let data: BTreeMap<String, String> = serde_json::from_value(data.clone()).unwrap();
    let data = data.into_iter().map(|(key, value)| (key, value.into_bytes()));
    SecretData::new(data.collect())
}

pub fn addresses() -> Addresses {
    Addresses {
        cloudflare: "http://localhost:1/".parse().unwrap(),
        route53: None,
    }
}

fn make(spec: &Value, data: &Value) -> Result<Blueprint, Problem> {
    let name = SecretName {
        namespace: "team".into(),
        name: "key".into(),
    };
    blueprint(&specification(spec), &name, &secret(data), &addresses())
}

fn rfc2136(data: &Value) -> rfc2136::Settings {
    match make(&json!({ "type": "rfc2136" }), data).unwrap().provider {
        ProviderSettings::Rfc2136(settings) => settings,
        other => panic!("{other:?}"),
    }
}

fn route53(data: &Value) -> route53::Settings {
    match make(&json!({ "type": "aws-route53" }), data).unwrap().provider {
        ProviderSettings::Route53(settings) => settings,
        other => panic!("{other:?}"),
    }
}

/// The keys of a server's Secret, with others in the place of some.
fn server(others: &Value) -> Value {
    let mut data = json!({
        "Server": "dns.example", "Zone": "example.com.", "TSIGKeyName": "key.", "TSIGSecret": KEY,
    });
    for (key, value) in others.as_object().unwrap() {
        data[key] = value.clone();
    }
    data
}

#[test]
fn a_dns_server_is_told_by_gardeners_keys() {
    let plain = rfc2136(&server(&json!({})));
    assert_eq!(plain.hosts, ["dns.example"]);
    assert_eq!(plain.port, 0);
    assert_eq!(plain.zones[0].as_str(), "example.com");
    let key = plain.key.unwrap();
    assert_eq!(key.name.as_str(), "key");
    assert_eq!(key.algorithm, rfc2136::Algorithm::HmacSha256);
    for (text, host, port) in [
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("2001:db8::1", "2001:db8::1", 0),
        ("[2001:db8::1]", "2001:db8::1", 0),
        ("[2001:db8::1]:53", "2001:db8::1", 53),
        ("dns.example:", "dns.example", 0),
    ] {
        let settings = rfc2136(&server(&json!({ "Server": text })));
        assert_eq!(
            (settings.hosts, settings.port),
            (vec![host.into()], port),
            "{text}"
        );
    }
    for (text, algorithm) in [
        ("hmac-sha512", rfc2136::Algorithm::HmacSha512),
        ("hmac-sha1.", rfc2136::Algorithm::HmacSha1),
        ("", rfc2136::Algorithm::HmacSha256),
    ] {
        let settings = rfc2136(&server(&json!({ "TSIGSecretAlgorithm": text })));
        assert_eq!(settings.key.unwrap().algorithm, algorithm, "{text}");
    }
}

#[test]
fn an_account_at_aws_is_told_by_gardeners_keys() {
    let long = json!({
        "AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s/e+c", "AWS_SESSION_TOKEN": "t",
        "AWS_REGION": "eu-west-1",
    });
    let short = json!({
        "accessKeyID": "AKIA1", "secretAccessKey": "s/e+c", "sessionToken": "t", "region": "eu-west-1",
    });
    for data in [long, short] {
        let identity = route53(&data).identity;
        let key = identity.key.unwrap();
        assert_eq!(
            (&*key.id, &*key.secret, key.session_token.as_deref()),
            ("AKIA1", "s/e+c", Some("t"))
        );
        assert_eq!(identity.region.as_deref(), Some("eu-west-1"));
    }
    let chain = route53(&json!({ "AWS_USE_CREDENTIALS_CHAIN": "true" })).identity;
    assert!(chain.key.is_none() && chain.region.is_none(), "{chain:?}");

    let spec = json!({ "type": "aws-route53", "providerConfig": { "batchSize": 7, "else": true } });
    let made = make(&spec, &json!({ "accessKeyID": "a", "secretAccessKey": "b" })).unwrap();
    match made.provider {
        ProviderSettings::Route53(settings) => assert_eq!(settings.batch.size, 7),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_at_cloudflare_is_told_by_gardeners_keys() {
    for key in ["CLOUDFLARE_API_TOKEN", "apiToken"] {
        let made = make(
            &json!({ "type": "cloudflare-dns" }),
            &json!({ key: "abc_DEF-1.2" }),
        )
        .unwrap();
        match made.provider {
            ProviderSettings::Cloudflare(settings) => {
                assert_eq!(settings.base_url.as_str(), "http://localhost:1/");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_rate_limit_paces_the_account() {
    let aws = json!({ "accessKeyID": "a", "secretAccessKey": "b" });
    let own = make(&json!({ "type": "aws-route53" }), &aws).unwrap();
    let told = rate_limit(own.rate.unwrap());
    assert_eq!((told.requests_per_day, told.burst), (864_000, 50));
    assert!(
        make(&json!({ "type": "rfc2136" }), &server(&json!({})))
            .unwrap()
            .rate
            .is_none()
    );
    let limit = json!({ "requestsPerDay": 1440, "burst": 20 });
    let types = [
        ("aws-route53", aws),
        ("cloudflare-dns", json!({ "apiToken": "x" })),
        ("rfc2136", server(&json!({}))),
    ];
    for (name, data) in types {
        let spec = json!({ "type": name, "rateLimit": limit });
        let made = make(&spec, &data).unwrap();
        let told = rate_limit(made.rate.unwrap());
        assert_eq!((told.requests_per_day, told.burst), (1440, 20), "{name}");
        let pace = match &made.provider {
            ProviderSettings::Route53(settings) => Some(settings.rate),
            ProviderSettings::Cloudflare(settings) => Some(settings.rate),
            ProviderSettings::Remote(settings) => Some(settings.rate),
            // It is paced from outside.
            ProviderSettings::Rfc2136(_) => made.rate,
        };
        assert_eq!(pace, made.rate, "{name}");
    }
}

#[test]
fn what_is_the_same_is_one_account() {
    let name = |spec: Value, data: &Value| make(&spec, data).unwrap().name;
    let data = server(&json!({}));
    let one = name(json!({ "type": "rfc2136" }), &data);
    assert!(one.starts_with("rfc2136-"), "{one}");
    let selected = json!({ "type": "rfc2136", "zones": { "include": ["example.com"] }, "defaultTTL": 60 });
    assert_eq!(name(selected, &data), one);
    let limited = json!({ "type": "rfc2136", "rateLimit": { "requestsPerDay": 9, "burst": 1 } });
    assert_ne!(name(limited, &data), one);
    let other_key = server(&json!({ "TSIGSecret": "b3RoZXI=" }));
    assert_ne!(name(json!({ "type": "rfc2136" }), &other_key), one);
    // Not what stands together, but what stands where.
    let (ab, abc) = (
        json!({ "a": "b", "accessKeyID": "k", "secretAccessKey": "s" }),
        json!({
            "a": "", "b": "", "accessKeyID": "k", "secretAccessKey": "s",
        }),
    );
    let aws = || json!({ "type": "aws-route53" });
    assert_ne!(name(aws(), &ab), name(aws(), &abc));
}

#[test]
fn a_specification_is_refused_by_its_field() {
    let data = server(&json!({}));
    let cases = [
        (
            json!({}),
            "spec.type is missing: it takes aws-route53, cloudflare-dns, remote, rfc2136",
        ),
        (
            json!({ "type": "azure-dns" }),
            "spec.type is \"azure-dns\": it takes aws-route53, cloudflare-dns, remote, rfc2136",
        ),
        (
            json!({ "type": "rfc2136", "providerConfig": { "x": 1 } }),
            "spec.providerConfig is given: with the type rfc2136 it takes nothing",
        ),
        (
            json!({ "type": "aws-route53", "providerConfig": { "batchSize": 51 } }),
            "spec.providerConfig.batchSize is 51: it takes 1 to 50",
        ),
        (
            json!({ "type": "rfc2136", "rateLimit": { "requestsPerDay": 0, "burst": 1 } }),
            "spec.rateLimit.requestsPerDay is 0: it takes 1 to 4294967295",
        ),
        (
            json!({ "type": "rfc2136", "rateLimit": { "requestsPerDay": 1, "burst": -1 } }),
            "spec.rateLimit.burst is -1: it takes 0 to 4294967295",
        ),
    ];
    for (spec, expected) in cases {
        let problem = make(&spec, &data).unwrap_err();
        assert_eq!(problem, Problem::Invalid(expected.into()), "{spec}");
    }
}

/// Data of Secrets for DNS servers, and why they are refused.
fn refused_servers() -> Vec<(Value, &'static str)> {
    vec![
        (server(&json!({ "Server": "" })), "Server is missing"),
        (
            server(&json!({ "Server": "dns.example:hidden" })),
            "Server is \"dns.example:hidden\": it takes HOST or HOST:PORT",
        ),
        (
            server(&json!({ "Server": "http://x" })),
            "Server is \"http://x\": it takes HOST or HOST:PORT",
        ),
        (
            server(&json!({ "Zone": "a..b" })),
            "Zone is \"a..b\": it takes a domain name, such as example.com.",
        ),
        (
            server(&json!({ "TSIGKeyName": "." })),
            "TSIGKeyName is \".\": it takes a domain name, such as example.com.",
        ),
        (
            server(&json!({ "TSIGSecret": "hidden!" })),
            "TSIGSecret cannot be used: it takes the secret in base64, as servers have it",
        ),
        (
            server(&json!({ "TSIGSecret": format!("{KEY}\n") })),
            "TSIGSecret begins or ends with white space, such as the end of a line: it takes none",
        ),
        (
            server(&json!({ "TSIGSecretAlgorithm": "hmac-md5" })),
            "TSIGSecretAlgorithm is \"hmac-md5\": it takes hmac-sha1, hmac-sha224, hmac-sha256, \
             hmac-sha384 or hmac-sha512",
        ),
    ]
}

/// Data of Secrets for accounts, each with its type, and why they are refused.
fn refused_accounts() -> Vec<((&'static str, Value), &'static str)> {
    let aws = |key: &str, value: &str| {
        let mut data = json!({ "AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "hidden" });
        data[key] = value.into();
        ("aws-route53", data)
    };
    vec![
        (
            ("aws-route53", json!({ "AWS_ACCESS_KEY_ID": "AKIA1" })),
            "AWS_SECRET_ACCESS_KEY (or secretAccessKey) is missing",
        ),
        (
            aws("AWS_ACCESS_KEY_ID", "hid/den"),
            "AWS_ACCESS_KEY_ID cannot be used: it takes letters and digits",
        ),
        (
            aws("AWS_REGION", "EU west"),
            "AWS_REGION is \"EU west\": it takes the name of a region, such as eu-west-1",
        ),
        (
            aws("AWS_USE_CREDENTIALS_CHAIN", "true"),
            "AWS_USE_CREDENTIALS_CHAIN and AWS_ACCESS_KEY_ID are both given: it takes one of them",
        ),
        (
            ("cloudflare-dns", json!({})),
            "CLOUDFLARE_API_TOKEN (or apiToken) is missing",
        ),
        // It would be a file of ours.
        (
            ("cloudflare-dns", json!({ "apiToken": "file:hidden" })),
            "apiToken cannot be used: it takes at most 100 letters, digits, dots, hyphens and underscores",
        ),
    ]
}

#[test]
fn a_secret_is_refused_by_its_key_and_never_printed() {
    let servers = refused_servers().into_iter();
    let servers = servers.map(|(data, expected)| (("rfc2136", data), expected));
    for ((name, data), expected) in servers.chain(refused_accounts()) {
        let problem = make(&json!({ "type": name }), &data).unwrap_err();
        let expected = format!("Secret team/key: {expected}");
        assert_eq!(problem, Problem::Error(expected), "{data}");
    }
    let data = SecretData::new([("key".into(), b"hidden".to_vec())].into());
    assert_eq!(format!("{data:?}"), "{\"key\"}");
}
