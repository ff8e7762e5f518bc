//! What becomes of wanted records before they are planned.

use records::provider::route53::{Route53, Settings};
use records::{Endpoint, Outcome, Provider as _};
use serde_json::{Value, json};

use super::{apply, create, endpoint, stand_in};

const BALANCER: &str = "web-1.us-east-1.elb.amazonaws.com";

fn record(record_type: &str, target: &str, properties: &[(&str, &str)]) -> Value {
    let properties = properties.iter();
    let properties: Vec<Value> = properties
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    json!({ "dnsName": "www.example.com", "recordType": record_type, "recordTTL": 60, "targets": [target],
            "providerSpecific": properties })
}

/// An alias as it is listed.
fn alias(record_type: &str, target: &str, health: &str) -> Value {
    let mut alias = record(
        record_type,
        target,
        &[("alias", "true"), ("aws/evaluate-target-health", health)],
    );
    alias["recordTTL"] = json!(300);
    alias
}

async fn adjusted(wanted: Value, settings: Settings) -> Vec<Endpoint> {
    let provider = Route53::new(settings).unwrap();
    provider.adjust(vec![endpoint(wanted)]).await.unwrap()
}

fn all(endpoints: impl IntoIterator<Item = Value>) -> Vec<Endpoint> {
    endpoints.into_iter().map(endpoint).collect()
}

#[tokio::test]
async fn names_of_load_balancers_become_aliases() {
    let both = |target: &str, health: &str| all([alias("A", target, health), alias("AAAA", target, health)]);
    let one = |record_type: &str| all([alias(record_type, "host.example.com", "true")]);
    let plain = |target: &str| all([record("CNAME", target, &[])]);
    let cases = [
        (record("CNAME", BALANCER, &[]), both(BALANCER, "true")),
        (
            record("CNAME", "WEB-1.us-east-1.ELB.amazonaws.com.", &[]),
            both(BALANCER, "true"),
        ),
        (record("CNAME", BALANCER, &[("alias", "false")]), plain(BALANCER)),
        (
            record("CNAME", "host.example.com", &[]),
            plain("host.example.com"),
        ),
        (
            record("CNAME", "host.example.com", &[("alias", "true")]),
            both("host.example.com", "true"),
        ),
        (record("CNAME", "host.example.com", &[("alias", "A")]), one("A")),
        (
            record("CNAME", "host.example.com", &[("alias", "AAAA")]),
            one("AAAA"),
        ),
        (
            record("CNAME", BALANCER, &[("aws/evaluate-target-health", "false")]),
            both(BALANCER, "false"),
        ),
        (
            record(
                "CNAME",
                "host.example.com",
                &[("aws/evaluate-target-health", "false")],
            ),
            plain("host.example.com"),
        ),
        (record("A", "host.example.com", &[("alias", "true")]), one("A")),
        (
            record(
                "A",
                "192.0.2.1",
                &[("alias", "false"), ("aws/evaluate-target-health", "true")],
            ),
            all([record("A", "192.0.2.1", &[])]),
        ),
        (
            record("MX", "10 mail.example.com", &[("alias", "true")]),
            all([record("MX", "10 mail.example.com", &[])]),
        ),
        (
            record(
                "CNAME",
                BALANCER,
                &[("aws/target-hosted-zone", "/hostedzone/Z35SXDOTRQ7X7K")],
            ),
            both(BALANCER, "true"),
        ),
    ];
    for (wanted, expected) in cases {
        assert_eq!(
            adjusted(wanted.clone(), Settings::default()).await,
            expected,
            "{wanted}"
        );
    }
}

#[tokio::test]
async fn settings_decide_what_records_do_not_say() {
    let prefer_cname = Settings {
        prefer_cname: true,
        ..Settings::default()
    };
    let plain = record("CNAME", BALANCER, &[]);
    assert_eq!(
        adjusted(plain.clone(), prefer_cname.clone()).await,
        all([plain.clone()])
    );
    let stated = record("CNAME", BALANCER, &[("alias", "true")]);
    assert_eq!(
        adjusted(stated, prefer_cname).await.len(),
        2,
        "who says so has it"
    );
    let careless = Settings {
        evaluate_target_health: false,
        ..Settings::default()
    };
    let expected = all([alias("A", BALANCER, "false"), alias("AAAA", BALANCER, "false")]);
    assert_eq!(adjusted(plain, careless).await, expected);
}

#[tokio::test]
async fn texts_are_as_route_53_lists_them() {
    let long = "x".repeat(300);
    let cases = [
        ("v=spf1 -all", "\"v=spf1 -all\"".to_owned()),
        ("\"already\"   \"quoted\"", "\"already\" \"quoted\"".into()),
        ("\"\\195\\188 \\065\"", "\"\\303\\274 A\"".into()),
        ("ü", "\"\\303\\274\"".into()),
        (&long, format!("\"{}\" \"{}\"", "x".repeat(255), "x".repeat(45))),
    ];
    for (wanted, expected) in cases {
        let found = adjusted(record("TXT", wanted, &[]), Settings::default()).await;
        assert_eq!(*found[0].targets, [Box::<str>::from(expected)]);
    }
}

/// A bias that is not stated is listed as 0, and an alias needs no TTL.
#[tokio::test]
async fn what_is_not_stated_is_told_as_it_is_listed() {
    let mut near = record("A", "192.0.2.1", &[("aws/geoproximity-region", "eu-west-1")]);
    near["setIdentifier"] = json!("eu");
    let found = adjusted(near.clone(), Settings::default()).await;
    let properties = [
        ("aws/geoproximity-bias", "0"),
        ("aws/geoproximity-region", "eu-west-1"),
    ];
    near["providerSpecific"] = record("A", "192.0.2.1", &properties)["providerSpecific"].clone();
    assert_eq!(found, [endpoint(near)]);
    let mut unset = record("CNAME", BALANCER, &[]);
    unset.as_object_mut().unwrap().remove("recordTTL");
    let found = adjusted(unset, Settings::default()).await;
    assert!(
        found.iter().all(|alias| alias.ttl.is_none()),
        "a TTL that nobody wants is not compared"
    );
}

#[tokio::test]
async fn what_route_53_has_no_place_for_is_rejected_before_it_is_sent() {
    let mut unrouted = record("A", "192.0.2.1", &[]);
    unrouted["setIdentifier"] = json!("blue");
    let weighed = |weight: &str| {
        let mut weighed = record("A", "192.0.2.1", &[("aws/weight", weight)]);
        weighed["setIdentifier"] = json!("blue");
        weighed
    };
    let mut nowhere = record("A", "192.0.2.1", &[("aws/geoproximity-coordinates", "91,0")]);
    nowhere["setIdentifier"] = json!("blue");
    let cases = [
        (record("DNAME", "example.net", &[]), "recordType is \"DNAME\""),
        (unrouted, "setIdentifier: \"blue\" needs a routing policy"),
        (
            record("A", "192.0.2.1", &[("aws/weight", "1")]),
            "aws/weight: it needs a setIdentifier",
        ),
        (
            weighed("256"),
            "aws/weight is \"256\": it must be a number from 0 to 255",
        ),
        (weighed("much"), "aws/weight is \"much\""),
        (nowhere, "aws/geoproximity-coordinates is \"91,0\""),
    ];
    let stand_in = stand_in().await;
    for (wanted, expected) in cases {
        let outcome = apply(&stand_in, &[create(endpoint(wanted))]).await.remove(0);
        assert!(
            matches!(&outcome, Outcome::Rejected { reason } if reason.starts_with(expected)),
            "{expected}: {outcome:?}"
        );
    }
    assert_eq!(stand_in.calls(), [""; 0]);
}
