//! Messages that no client of ours would send: octets at random, valid messages of which some
//! octets are others, and right forms with anything in them. Nothing makes a decoder panic, and
//! what is refused names its field. `hack/soak messages` does it by the million.

use std::num::NonZeroU32;
use std::sync::OnceLock;

use fuzzing::judge;
use fuzzing::octets::{nearly, random};
use proptest::collection::vec;
use proptest::prelude::*;
use records::{Endpoint, RecordType};
use remote::protocol::gardener::{action, same, zone_state};
use remote::protocol::{v1, zones};
use tokio::runtime::Runtime;
use tonic::Code;

use super::door::Door;
use super::revision::endpoints;
use super::wire;
use super::world::{name, with_property};

/// Record sets that Gardener's protocol can tell.
fn told_by_gardener() -> impl Strategy<Value = Endpoint> {
    let data = prop_oneof![
        vec("192\\.0\\.2\\.[1-9]", 1..3).prop_map(|targets| (RecordType::A, targets)),
        vec("2001:db8::[1-9a-f]", 1..3).prop_map(|targets| (RecordType::Aaaa, targets)),
        vec("[ab]\\.example\\.net", 1..2).prop_map(|targets| (RecordType::Cname, targets)),
        vec("[ab]\\.example\\.net", 1..3).prop_map(|targets| (RecordType::Ns, targets)),
        vec("\"[a-z =;]{0,20}\"|[a-z][a-z\"\\\\]{0,8}", 1..3).prop_map(|targets| (RecordType::Txt, targets)),
    ];
    let weight = prop::option::of(0_u8..=255);
    let written = prop_oneof![
        "[ab]\\.example\\.com",
        "\\*\\.b\\.example\\.com",
        "\\\\052\\.b\\.example\\.com\\."
    ];
    (written, data, 0_u32..3, weight).prop_map(|(dns_name, (record_type, targets), ttl, weight)| {
        let record = Endpoint {
            dns_name: dns_name.into(),
            targets: targets.into_iter().map(Into::into).collect(),
            record_type,
            ttl: NonZeroU32::new(ttl),
            ..Endpoint::default()
        };
        match weight {
            None => record,
            Some(weight) => Endpoint {
                set_identifier: "one".into(),
                ..with_property(record, "aws/weight", &weight.to_string())
            },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_understood_or_refused(octets in random()) {
        prop_assert!(judge(&octets).is_ok(), "{:?}", judge(&octets));
    }

    #[test]
    fn nearly_messages_are_understood_or_refused(octets in nearly()) {
        prop_assert!(judge(&octets).is_ok(), "{:?}", judge(&octets));
    }

    /// What Gardener's clients are told of a record set and write as it is, is the same.
    #[test]
    fn what_gardener_is_told_and_writes_is_the_same(record in told_by_gardener()) {
        let state = zone_state([&record], 1, 10_000).unwrap();
        let (_, set) = state.dns_sets.into_iter().next().unwrap();
        let (record_type, data) = set.records.into_iter().next().unwrap();
        let request = v1::ChangeRequest {
            action: 0,
            change: Some(v1::PartialDnsSet {
                dns_name: set.dns_name,
                update_group: set.update_group,
                record_type,
                record_set: Some(data),
                set_identifier: set.set_identifier,
                routing_policy: set.routing_policy,
            }),
        };
        let back = action(request, &name("example.com")).unwrap().record;
        prop_assert!(same(&back, &record), "{:?} {:?}", back, record);
        let told = |record: &Endpoint| zone_state([record], 1, 10_000).unwrap();
        prop_assert_eq!(told(&back), told(&record));
    }

    #[test]
    fn groups_come_back_as_they_were_whatever_is_in_them(old in endpoints(), target in "[pq]{1,2}") {
        let mut record = old;
        record.record_type = RecordType::Txt;
        let new = Endpoint { targets: [target.into()].into(), ..record.clone() };
        let group = records::Group {
            name: name("a.example.com"),
            changes: vec![records::Change::Update { old: record, new }],
        };
        let back = zones::group(zones::group_message(&group), &name("example.com"));
        prop_assert_eq!(back.unwrap(), group);
    }
}

/// A server that lives as long as the tests do.
fn server() -> &'static (Runtime, Door) {
    static SERVER: OnceLock<(Runtime, Door)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let door = runtime.block_on(Door::new());
        (runtime, door)
    })
}

const PATHS: [&str; 8] = [
    "/remote.RemoteProvider/Login",
    "/remote.RemoteProvider/GetZones",
    "/remote.RemoteProvider/GetZoneState",
    "/remote.RemoteProvider/Execute",
    "/records.remote.v2.ZoneService/ListZones",
    "/records.remote.v2.ZoneService/ReadZone",
    "/records.remote.v2.ZoneService/Apply",
    "/records.remote.v2.ZoneService/Adjust",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 20, ..ProptestConfig::default() })]

    /// A call that panics ends its stream without a code.
    #[test]
    fn each_call_is_answered_whatever_it_says(messages in vec(nearly(), 20)) {
        let (runtime, door) = server();
        runtime.block_on(async {
            let client = wire::http2(door, &door.pair("garden-a")).await;
            for message in &messages {
                for path in PATHS {
                    let answer = wire::call(&client, path, &[], message).await;
                    let codes = [
                        Code::Ok,
                        Code::InvalidArgument,
                        Code::NotFound,
                        Code::PermissionDenied,
                        Code::Unauthenticated,
                        // What cannot be decoded.
                        Code::Internal,
                    ];
                    let codes = codes.map(|code| code as u16);
                    assert!(codes.contains(&answer.code), "{path} {message:?}: {answer:?}");
                }
            }
        });
    }
}
