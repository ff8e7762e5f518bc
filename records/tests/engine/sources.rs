//! What of a list of endpoints is taken, and what is told of the rest.

use records::source::{Origin, Wanted};
use records::{Endpoint, RecordType};
use serde_json::{Value, json};

fn origin() -> Origin {
    Origin {
        resource: "crd/team/web".into(),
        file: None,
    }
}

fn taken(list: &Value) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.take(list.as_array().unwrap(), &origin());
    wanted
}

fn reason(endpoint: &Value) -> Option<String> {
    let mut wanted = taken(&json!([endpoint]));
    assert_eq!(wanted.endpoints.len() + wanted.rejected.len(), 1, "{endpoint}");
    wanted.rejected.pop().map(|rejection| rejection.reason)
}

#[test]
fn an_endpoint_is_read_by_external_dns_names() {
    let wanted = taken(&json!([{
        "dnsName": "www.example.com", "targets": ["192.0.2.1"], "recordType": "a", "setIdentifier": "eu",
        "recordTTL": 300, "labels": { "resource": "service/other/x", "team": "blue" },
        "providerSpecific": [{ "name": "aws/weight", "value": "10" }, { "name": "alias" }],
    }]));
    assert_eq!(wanted.rejected, []);
    let expected: Endpoint = serde_json::from_value(json!({
        "dnsName": "www.example.com", "targets": ["192.0.2.1"], "recordType": "A", "setIdentifier": "eu",
        "recordTTL": 300, "labels": { "resource": "crd/team/web", "team": "blue" },
        "providerSpecific": [{ "name": "aws/weight", "value": "10" }, { "name": "alias", "value": "" }],
    }))
    .unwrap();
    assert_eq!(wanted.endpoints, [expected]);
}

#[test]
fn null_is_what_is_not_set() {
    let wanted = taken(&json!([null, {
        "dnsName": "a.example.com", "targets": ["192.0.2.1"], "recordType": "A", "setIdentifier": null,
        "recordTTL": null, "labels": null, "providerSpecific": null,
    }, null]));
    assert_eq!(wanted.rejected, []);
    assert_eq!(wanted.endpoints.len(), 1);
    assert_eq!(wanted.endpoints[0].ttl, None);
    assert_eq!(wanted.endpoints[0].record_type, RecordType::A);
}

#[test]
fn each_malformed_endpoint_is_rejected_by_itself() {
    let good = |name: &str| json!({ "dnsName": name, "targets": ["192.0.2.1"], "recordType": "A" });
    let bad =
        json!({ "dnsName": "bad.example.com", "recordType": "AAAA", "setIdentifier": "s", "targets": 1 });
    let wanted = taken(&json!([good("a"), bad, "text", null, good("b"), { "dnsName": 7 }]));
    let names: Vec<&str> = wanted
        .endpoints
        .iter()
        .map(|endpoint| &*endpoint.dns_name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    let rejected: Vec<_> = wanted
        .rejected
        .iter()
        .map(|rejection| {
            (
                rejection.index,
                &*rejection.dns_name,
                &*rejection.record_type,
                &*rejection.set_identifier,
            )
        })
        .collect();
    assert_eq!(
        rejected,
        [
            (1, "bad.example.com", "AAAA", "s"),
            (2, "", "", ""),
            (5, "", "", "")
        ]
    );
    assert_eq!(
        wanted.rejected[0].to_string(),
        "crd/team/web: endpoints[1] (\"bad.example.com\"): targets: invalid type: integer `1`, expected a sequence"
    );
}

#[test]
fn a_refusal_names_the_field_the_value_and_what_is_allowed() {
    let long = "x".repeat(64);
    for (fields, expected) in [
        (json!({ "dnsName": null }), "dnsName: is missing"),
        (
            json!({ "dnsName": format!("{long}.example.com") }),
            "label of 64 octets; at most 63",
        ),
        (
            json!({ "dnsName": "a..b" }),
            "dnsName: \"a..b\" has an empty label",
        ),
        (
            json!({ "recordType": "" }),
            "recordType: is missing; such as A, AAAA or CNAME",
        ),
        (json!({ "recordType": null }), "recordType: is missing"),
        (json!({ "targets": [] }), "targets: at least one is needed"),
        (
            json!({ "targets": ["192.0.2.1", 7] }),
            "targets[1]: invalid type: integer `7`, expected a",
        ),
        (
            json!({ "recordTTL": -1 }),
            "recordTTL: -1: must be 0, for the provider's choice, or 1 to 2147483647 seconds",
        ),
        (
            json!({ "recordTTL": 2_147_483_648_u32 }),
            "recordTTL: 2147483648: must be 0",
        ),
        (
            json!({ "recordTTL": u64::MAX }),
            "recordTTL: invalid value: integer `18446744073709551615`",
        ),
        (
            json!({ "recordTTL": 1.5 }),
            "recordTTL: invalid type: floating point `1.5`",
        ),
        (
            json!({ "recordTTL": "1h" }),
            "recordTTL: invalid type: string \"1h\", expected i64",
        ),
        (
            json!({ "ttl": 60 }),
            "ttl: unknown field `ttl`, expected one of `dnsName`",
        ),
        (
            json!({ "DNSName": "b.example.com" }),
            "DNSName: unknown field `DNSName`, expected one of `dnsName`",
        ),
        (
            json!({ "targets": ["192.0.2.1", null] }),
            "targets[1] is \"\": it must not be empty",
        ),
        (
            json!({ "providerSpecific": [{ "value": "x" }] }),
            "providerSpecific[0].name is \"\": a property must have a name",
        ),
    ] {
        let mut endpoint = json!({ "dnsName": "a.example.com", "targets": ["192.0.2.1"], "recordType": "A" });
        for (name, value) in fields.as_object().unwrap() {
            endpoint[name] = value.clone();
        }
        let reason = reason(&endpoint).unwrap_or_else(|| panic!("{fields} was taken"));
        assert!(reason.contains(expected), "{fields}: {reason}");
    }
    assert_eq!(
        reason(&json!({ "dnsName": "a", "targets": ["192.0.2.1"], "recordType": "A", "recordTTL": 0 })),
        None
    );
    let shortest = json!({ "dnsName": "a", "targets": ["192.0.2.1"], "recordType": "A", "recordTTL": 1 });
    assert_eq!(reason(&shortest), None);
    let longest =
        json!({ "dnsName": "a", "targets": ["192.0.2.1"], "recordType": "A", "recordTTL": 2_147_483_647 });
    assert_eq!(reason(&longest), None);
}

/// By type: whether data without a final dot is taken, and data with one.
#[test]
fn final_dots_are_allowed_as_in_external_dns() {
    for (record_type, data, without, with) in [
        ("CAA", "data.example.com", true, false),
        ("CNAME", "data.example.com", true, true),
        ("DNAME", "data.example.com", true, true),
        ("MX", "10 data.example.com", true, true),
        (
            "NAPTR",
            "10 20 U SIP+D2U !^.*$!sip:a@b! data.example.com",
            false,
            true,
        ),
        ("NS", "data.example.com", true, false),
        ("PTR", "data.example.com", true, false),
        ("TXT", "data.example.com", true, true),
    ] {
        for (target, taken) in [(data.to_owned(), without), (format!("{data}."), with)] {
            let targets = [&target];
            let endpoint =
                json!({ "dnsName": "a.example.com", "targets": targets, "recordType": record_type });
            let reason = reason(&endpoint);
            assert_eq!(reason.is_none(), taken, "{record_type} {target}: {reason:?}");
            if let Some(reason) = reason {
                assert!(
                    reason.starts_with(&format!("targets[0]: {target:?} must")),
                    "{reason}"
                );
            }
        }
    }
}
