//! Endpoints: their JSON, and what is wrong with them.

use std::num::NonZeroU32;

use records::Endpoint;
use serde::Deserialize;
use serde_json::{Value, json};

fn decode(json: &Value) -> Endpoint {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[test]
fn endpoints_are_written_as_external_dns_writes_them() {
    let texts = [
        "{}",
        r#"{"dnsName":"foo"}"#,
        concat!(
            r#"{"dnsName":"a.example.com","targets":["192.0.2.1","192.0.2.2"],"recordType":"A","setIdentifier":"s1","#,
            r#""recordTTL":300,"labels":{"owner":"default","resource":"ingress/default/foo"},"#,
            r#""providerSpecific":[{"name":"webhook/x","value":"1"},{"name":"empty"}]}"#
        ),
        r#"{"dnsName":"t.example.com","targets":["\"heritage=external-dns\""],"recordType":"TXT"}"#,
    ];
    for text in texts {
        let endpoint: Endpoint = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&endpoint).unwrap(), text);
    }
}

#[test]
fn keys_are_read_in_any_case_and_null_is_empty() {
    let plain = decode(&json!({
        "dnsName": "a.example.com", "targets": ["192.0.2.1"], "recordType": "A", "recordTTL": 300,
        "setIdentifier": "s", "labels": {"owner": "me"}, "providerSpecific": [{"name": "x", "value": "1"}],
    }));
    let shouted = decode(&json!({
        "DNSName": "a.example.com", "Targets": ["192.0.2.1"], "RecordType": "A", "recordTtl": 300,
        "SETIDENTIFIER": "s", "Labels": {"owner": "me"}, "ProviderSpecific": [{"Name": "x", "VALUE": "1"}],
        "refObject": {"dnsname": "not this one"},
    }));
    assert_eq!(shouted, plain);
    let empty = decode(&json!({
        "dnsName": null, "targets": null, "recordType": null, "recordTTL": null,
        "setIdentifier": null, "labels": null, "providerSpecific": null,
    }));
    assert_eq!(empty, decode(&json!({})));
    let nulls = decode(&json!({"targets": [null], "labels": {"owner": null}}));
    assert_eq!(nulls, decode(&json!({"targets": [""], "labels": {"owner": ""}})));
}

/// Whether people may write it is another question: see `sources.rs`.
#[test]
fn a_ttl_is_a_number_of_seconds_as_far_as_32_bits_go() {
    let ttl = |value: &Value| serde_json::from_value::<Endpoint>(json!({"recordTTL": value}));
    for (value, seconds) in [
        (json!(i64::MIN), 0),
        (json!(-1), 0),
        (json!(0), 0),
        (json!(1), 1),
        (json!(2_147_483_647), 2_147_483_647),
        (json!(2_147_483_648_u32), 2_147_483_648),
        (json!(i64::MAX), u32::MAX),
    ] {
        assert_eq!(ttl(&value).unwrap().ttl, NonZeroU32::new(seconds), "{value}");
    }
    for value in [json!(u64::MAX), json!(1.5), json!("300"), json!([])] {
        assert!(ttl(&value).is_err(), "{value}");
    }
}

/// An endpoint, and all that is wrong with it.
#[derive(Deserialize)]
struct Case {
    endpoint: Endpoint,
    faults: Vec<String>,
}

#[test]
fn what_is_wrong_names_the_field_the_value_and_what_is_allowed() {
    for line in include_str!("../cases/endpoints.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let faults = case.endpoint.check().err().unwrap_or_default();
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(told, case.faults, "{line}");
    }
}

#[test]
fn a_ttl_beyond_what_a_message_can_carry_is_a_fault() {
    let endpoint = Endpoint {
        ttl: NonZeroU32::new(u32::MAX),
        ..decode(&json!({"dnsName": "a.example.com", "recordType": "A", "targets": ["192.0.2.1"]}))
    };
    let faults = endpoint.check().unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(
        faults[0].to_string(),
        "recordTTL is \"4294967295\": at most 2147483647 seconds are allowed"
    );
}
