//! Our protocol's messages and the engine's types.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use records::{Change, Group, Outcome, RecordType};
use remote::protocol::{v1, v2, zones};
use remote::revision::Digests;

use super::revision::endpoints;
use super::world::{a, name, of_type};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn record_sets_come_back_as_they_were(record in endpoints()) {
        let octets = zones::record_set(&record).encode_to_vec();
        let back = zones::endpoint(v2::RecordSet::decode(&*octets).unwrap());
        prop_assert_eq!(Digests::of([&back]), Digests::of([&record]));
        prop_assert_eq!(back, record);
    }

    #[test]
    fn no_octets_make_a_decoder_panic(octets in vec(any::<u8>(), 0..200)) {
        let zone = name("example.com");
        if let Ok(message) = v2::ApplyRequest::decode(&*octets) {
            for group in message.groups {
                let _any = zones::group(group, &zone);
            }
        }
        if let Ok(message) = v2::ApplyResponse::decode(&*octets) {
            message.outcomes.into_iter().map(zones::outcome).for_each(drop);
        }
        if let Ok(message) = v2::RecordSet::decode(&*octets) {
            let _any = zones::endpoint(message).check();
        }
        if let Ok(message) = v1::ChangeRequest::decode(&*octets) {
            let _any = remote::protocol::gardener::action(message, &zone);
        }
    }

    /// Messages of the right form with anything in them.
    #[test]
    fn no_text_makes_a_decoder_panic(texts in vec(".{0,8}|[a-c.]{0,12}|\\PC{0,300}", 8), ttl in any::<u32>(), action in -1..5_i32) {
        let set = v2::RecordSet {
            name: texts[0].clone(),
            r#type: texts[1].clone(),
            set_identifier: texts[2].clone(),
            ttl,
            targets: vec![texts[3].clone()],
            properties: vec![v2::Property { name: texts[4].clone(), value: texts[5].clone() }],
        };
        let group = v2::Group {
            name: texts[6].clone(),
            changes: vec![v2::Change { expected: Some(set.clone()), wanted: Some(set) }],
        };
        let _any = zones::group(group, &name("example.com"));
        let policy = v1::RoutingPolicy {
            r#type: ["weighted", "geolocation", "failover", "ip-based", "x"][ttl as usize % 5].to_owned(),
            parameters: [
                ("weight".to_owned(), texts[3].clone()),
                ("location".to_owned(), texts[4].clone()),
            ].into(),
        };
        let set = v1::RecordSet {
            r#type: texts[1].clone(),
            ttl: ttl.cast_signed(),
            record: vec![v1::record_set::Record { value: texts[3].clone() }],
        };
        let request = v1::ChangeRequest {
            action,
            change: Some(v1::PartialDnsSet {
                dns_name: texts[0].clone(),
                record_type: ["A", "TXT", "ALIAS", "MX"][ttl as usize % 4].to_owned(),
                record_set: Some(set),
                set_identifier: texts[2].clone(),
                routing_policy: Some(policy),
                ..v1::PartialDnsSet::default()
            }),
        };
        let _any = remote::protocol::gardener::action(request, &name("example.com"));
    }
}

fn refusal(changes: Vec<v2::Change>) -> String {
    let group = v2::Group {
        name: "www.example.com".to_owned(),
        changes,
    };
    zones::group(group, &name("example.com")).unwrap_err().to_string()
}

#[test]
fn groups_come_back_as_they_were() {
    let (old, new) = (
        a("www.example.com", "192.0.2.1"),
        a("www.example.com", "192.0.2.2"),
    );
    let aaaa = of_type(a("www.example.com", "2001:db8::1"), RecordType::Aaaa);
    let txt = of_type(a("www.example.com", "\"x\""), RecordType::Txt);
    let group = Group {
        name: name("www.example.com"),
        changes: vec![
            Change::Update { old, new },
            Change::Create(aaaa),
            Change::Delete(txt),
        ],
    };
    let back = zones::group(zones::group_message(&group), &name("example.com"));
    assert_eq!(back.unwrap(), group);
}

#[test]
fn refusals_name_field_value_and_what_is_allowed() {
    let wanted = |record| v2::Change {
        expected: None,
        wanted: Some(zones::record_set(&record)),
    };
    let www = a("www.example.com", "192.0.2.1");
    let cases = [
        (vec![], "changes is \"\": there must be one at least"),
        (
            vec![v2::Change::default()],
            "changes[0].wanted is \"\": there must be something expected or wanted",
        ),
        (
            vec![wanted(a("www.example.org", "192.0.2.1"))],
            "changes[0].wanted.name is \"www.example.org\": it must be in the zone example.com",
        ),
        (
            vec![wanted(a("www.example.com", "192.0.2.256"))],
            "changes[0].wanted.targets[0] is \"192.0.2.256\": it must be an IPv4 address, such as 192.0.2.1",
        ),
        (
            vec![wanted(www.clone()), wanted(www.clone())],
            "changes[1] is \"www.example.com A\": a group changes a record set once",
        ),
        (
            vec![v2::Change {
                expected: Some(zones::record_set(&of_type(www.clone(), RecordType::Txt))),
                wanted: Some(zones::record_set(&www)),
            }],
            "changes[0].wanted is \"www.example.com A \\\"\\\"\": name, type and set identifier must be those that \
             are expected: www.example.com TXT \"\"",
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(refusal(changes), expected);
    }
}

#[test]
fn outcomes_come_back_as_they_were() {
    let reason = "because".to_owned();
    let outcomes = [
        Outcome::Applied { written: None },
        Outcome::Applied {
            written: Some(vec![a("www.example.com", "192.0.2.1")]),
        },
        Outcome::Rejected {
            reason: reason.clone(),
        },
        Outcome::Conflict {
            reason: reason.clone(),
        },
        Outcome::postponed(reason.clone()),
        Outcome::Postponed {
            reason: reason.clone(),
            throttled: true,
            retry_after: Some(Duration::from_millis(1500)),
        },
        Outcome::Unknown { reason },
    ];
    for outcome in outcomes {
        assert_eq!(zones::outcome(zones::outcome_message(&outcome)), outcome);
    }
    let unheard = zones::outcome(v2::Outcome::default());
    assert!(matches!(unheard, Outcome::Unknown { .. }));
}
