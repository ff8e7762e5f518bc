//! Gardener's messages and the engine's types.

use std::num::NonZeroU32;

use records::{Endpoint, RecordType};
use remote::protocol::gardener::{Action, action, zone_state};
use remote::protocol::v1;

use super::world::{a, name, of_type, with_property};

fn identified(mut record: Endpoint, identifier: &str) -> Endpoint {
    record.set_identifier = identifier.into();
    record
}

fn weighted() -> Endpoint {
    with_property(
        identified(a("w.example.com", "192.0.2.1"), "one"),
        "aws/weight",
        "10",
    )
}

fn state(records: &[Endpoint], version: i32) -> v1::ZoneState {
    zone_state(records, version, 1 << 20).unwrap()
}

/// A change to `w.example.com` with a policy.
fn change(record_type: &str, values: &[&str], policy: Option<(&str, &[(&str, &str)])>) -> v1::ChangeRequest {
    let records = values.iter().map(|value| v1::record_set::Record {
        value: (*value).to_owned(),
    });
    let policy = policy.map(|(kind, parameters)| v1::RoutingPolicy {
        r#type: kind.to_owned(),
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    });
    v1::ChangeRequest {
        action: 0,
        change: Some(v1::PartialDnsSet {
            dns_name: "w.example.com".to_owned(),
            update_group: String::new(),
            record_type: record_type.to_owned(),
            record_set: Some(v1::RecordSet {
                r#type: record_type.to_owned(),
                ttl: 60,
                record: records.collect(),
            }),
            set_identifier: policy.as_ref().map(|_| "one".to_owned()).unwrap_or_default(),
            routing_policy: policy,
        }),
    }
}

fn decoded(request: v1::ChangeRequest) -> Result<Action, String> {
    action(request, &name("example.com")).map_err(|fault| fault.to_string())
}

#[test]
fn sets_are_by_name_and_by_name_and_identifier() {
    let mut address = a("\\052.example.com.", "192.0.2.1");
    address.ttl = NonZeroU32::new(300);
    let text = of_type(a("*.example.com", "say \"hi\""), RecordType::Txt);
    let mail = of_type(a("example.com", "10 mail.example.com"), RecordType::Mx);
    let records = [address, text, mail, weighted()];
    let state_1 = state(&records, 1);
    assert_eq!(
        state_1.dns_sets.keys().collect::<Vec<_>>(),
        ["*.example.com", "w.example.com\tone"]
    );
    let set = &state_1.dns_sets["*.example.com"];
    assert_eq!((&*set.dns_name, &*set.set_identifier), ("*.example.com", ""));
    assert_eq!((set.records["A"].ttl, &*set.records["A"].r#type), (300, "A"));
    assert_eq!(set.records["TXT"].record[0].value, "\"say \\\"hi\\\"\"");
    let set = &state_1.dns_sets["w.example.com\tone"];
    assert_eq!((&*set.dns_name, &*set.set_identifier), ("w.example.com", "one"));
    let policy = set.routing_policy.as_ref().unwrap();
    assert_eq!(
        (&*policy.r#type, &*policy.parameters["weight"]),
        ("weighted", "10")
    );
    // Clients of version 0 know nothing of sets with an identifier.
    let state_0 = state(&records, 0);
    assert_eq!(state_0.dns_sets.keys().collect::<Vec<_>>(), ["*.example.com"]);
}

#[test]
fn aliases_have_types_of_their_own() {
    let mut record = with_property(
        a("example.com", "lb.eu-west-1.elb.amazonaws.com."),
        "alias",
        "true",
    );
    record.ttl = NonZeroU32::new(300);
    let both = [record.clone(), of_type(record, RecordType::Aaaa)];
    let told = state(&both, 1);
    let sets = &told.dns_sets["example.com"].records;
    assert_eq!(sets.keys().collect::<Vec<_>>(), ["ALIAS", "ALIAS_AAAA"]);
    assert_eq!(sets["ALIAS"].ttl, 0, "it has none");
    assert_eq!(sets["ALIAS"].record[0].value, "lb.eu-west-1.elb.amazonaws.com");
    let back = decoded(change("ALIAS_AAAA", &["lb.eu-west-1.elb.amazonaws.com"], None)).unwrap();
    assert_eq!(back.record.record_type, RecordType::Aaaa);
    let property = |name: &str| {
        let found = back
            .record
            .provider_specific
            .iter()
            .find(|property| &*property.name == name);
        found.map(|property| &*property.value)
    };
    assert_eq!(property("alias"), Some("true"));
    assert_eq!(property("aws/evaluate-target-health"), Some("true"));
}

/// A policy, the properties that it becomes, and what it is told as where that is another.
type Policy = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
);

const POLICIES: [Policy; 9] = [
    ("weighted", &[("weight", "10")], &[("aws/weight", "10")]),
    (
        "weighted",
        &[("weight", "0"), ("healthCheckID", "h")],
        &[("aws/health-check-id", "h"), ("aws/weight", "0")],
    ),
    (
        "latency",
        &[("region", "eu-west-1")],
        &[("aws/region", "eu-west-1")],
    ),
    (
        "geolocation",
        &[("location", "Europe")],
        &[("aws/geolocation-continent-code", "EU")],
    ),
    (
        "geolocation",
        &[("location", "country=DE")],
        &[("aws/geolocation-country-code", "DE")],
    ),
    (
        "geolocation",
        &[("location", "country=US,subdivision=CA")],
        &[
            ("aws/geolocation-country-code", "US"),
            ("aws/geolocation-subdivision-code", "CA"),
        ],
    ),
    (
        "geolocation",
        &[("location", "Default")],
        &[("aws/geolocation-country-code", "*")],
    ),
    (
        "ip-based",
        &[("collection", "c"), ("location", "l")],
        &[("aws/cidr-collection-id", "c"), ("aws/cidr-location-name", "l")],
    ),
    (
        "failover",
        &[("failoverRecordType", "PRIMARY")],
        &[("aws/failover", "PRIMARY")],
    ),
];

#[test]
fn policies_are_properties_and_come_back() {
    for (kind, parameters, properties) in POLICIES {
        let request = change("A", &["192.0.2.1"], Some((kind, parameters)));
        let sent = request.change.clone().unwrap().routing_policy;
        let record = decoded(request).unwrap().record;
        let found: Vec<_> = record
            .provider_specific
            .iter()
            .map(|property| (&*property.name, &*property.value))
            .collect();
        assert_eq!(found, properties, "{kind}");
        let told = state(&[record], 1);
        assert_eq!(told.dns_sets["w.example.com\tone"].routing_policy, sent);
    }
}

#[test]
fn refusals_name_field_value_and_what_is_allowed() {
    let address = &["192.0.2.1"][..];
    let mut unknown_action = change("A", address, None);
    unknown_action.action = 7;
    let mut negative = change("A", address, None);
    negative
        .change
        .as_mut()
        .and_then(|set| set.record_set.as_mut())
        .unwrap()
        .ttl = -1;
    let mut elsewhere = change("A", address, None);
    elsewhere.change.as_mut().unwrap().dns_name = "w.example.org".to_owned();
    let mut lonely = change("A", address, None);
    lonely.change.as_mut().unwrap().set_identifier = "one".to_owned();
    let cases = [
        (v1::ChangeRequest::default(), "change is \"\": it is required"),
        (
            unknown_action,
            "action is \"7\": 0 (CREATE), 1 (UPDATE) and 2 (DELETE) are allowed",
        ),
        (negative, "change.record_set.ttl is \"-1\": at least 0 is allowed"),
        (
            elsewhere,
            "change.dns_name is \"w.example.org\": it must be in the zone example.com",
        ),
        (
            lonely,
            "change.set_identifier is \"one\": it needs a routing policy beside it",
        ),
        (
            change("MX", &["10 mail.example.com"], None),
            "change.record_type is \"MX\": A, AAAA, CNAME, TXT, NS, ALIAS and ALIAS_AAAA are allowed",
        ),
        (
            change("A", address, Some(("proxied", &[]))),
            "change.routing_policy.type is \"proxied\": weighted, latency, geolocation, ip-based, failover are \
             allowed",
        ),
        (
            change("A", address, Some(("weighted", &[("weight", "heavy")]))),
            "change.routing_policy.parameters[\"weight\"] is \"heavy\": it must be a number of 0 to 255",
        ),
        (
            change("A", address, Some(("latency", &[]))),
            "change.routing_policy.parameters[\"region\"] is \"\": a policy latency needs it",
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(decoded(request).unwrap_err(), expected);
    }
}

#[test]
fn texts_are_in_quotation_marks() {
    for (sent, kept) in [("plain", "\"plain\""), ("\"in marks\"", "\"in marks\"")] {
        let record = decoded(change("TXT", &[sent], None)).unwrap().record;
        assert_eq!(&*record.targets[0], kept);
    }
}

#[test]
fn a_zone_over_the_limit_is_refused_with_the_way_out() {
    let records: Vec<_> = (0..100)
        .map(|number| a(&format!("host{number}.example.com"), "192.0.2.1"))
        .collect();
    let error = zone_state(&records, 1, 1000).unwrap_err().to_string();
    assert!(
        error.contains("1000 octets") && error.contains("records.remote.v2"),
        "{error}"
    );
}
