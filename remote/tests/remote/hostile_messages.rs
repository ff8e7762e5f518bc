//! Messages that no client of ours would send: octets at random, valid messages of which some
//! octets are others, and right forms with anything in them. Nothing makes a decoder panic, and
//! what is refused names its field.

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use records::{Endpoint, RecordType};
use remote::protocol::gardener::{action, same, zone_state};
use remote::protocol::{v1, v2, zones};
use remote::revision::{Digests, Revision};
use tokio::runtime::Runtime;
use tonic::Code;

use super::door::Door;
use super::mutations::nearly;
use super::revision::endpoints;
use super::wire;
use super::world::{name, with_property};

/// Decodes octets as a message; what comes of it is decoded again from its own octets.
fn decoded<T: Message + Default + PartialEq + Debug>(octets: &[u8]) -> Option<T> {
    let message = T::decode(octets).ok()?;
    assert_eq!(T::decode(&*message.encode_to_vec()).as_ref(), Ok(&message));
    Some(message)
}

/// The fields of a change that a refusal may name.
const CHANGE: [&str; 7] = [
    "action",
    "change",
    "change.dns_name",
    "change.record_type",
    "change.record_set",
    "change.set_identifier",
    "change.routing_policy",
];

/// Takes octets for each kind of message that is understood further.
fn understood(octets: &[u8]) {
    let zone = name("example.com");
    let names_its_field = |fault: &records::Fault, fields: &[&str]| {
        let is_known = |field: &&str| {
            let rest = fault.field.strip_prefix(*field);
            rest.is_some_and(|rest| rest.is_empty() || (*field != "change" && rest.starts_with(['.', '['])))
        };
        assert!(fields.iter().any(is_known), "{fault}");
        assert!(!fault.allowed.is_empty(), "{fault}");
    };
    for request in decoded(octets)
        .map(|execute: v1::ExecuteRequest| execute.change_request)
        .into_iter()
        .flatten()
    {
        if let Err(fault) = action(request, &zone) {
            names_its_field(&fault, &CHANGE);
        }
    }
    for message in decoded(octets)
        .map(|apply: v2::ApplyRequest| apply.groups)
        .into_iter()
        .flatten()
    {
        if let Err(fault) = zones::group(message, &zone) {
            names_its_field(&fault, &["name", "changes"]);
        }
    }
    for message in decoded(octets)
        .map(|apply: v2::ApplyResponse| apply.outcomes)
        .into_iter()
        .flatten()
    {
        let _outcome = zones::outcome(message);
    }
    for set in decoded(octets)
        .map(|sets: v2::RecordSets| sets.record_sets)
        .into_iter()
        .flatten()
    {
        let record = zones::endpoint(set.clone());
        // A zone may hold it; it is told as it came, but for how its name and type are written.
        let plain = |set| v2::RecordSet {
            name: String::new(),
            r#type: String::new(),
            ..set
        };
        assert_eq!(plain(zones::record_set(&record)), plain(set));
    }
    if let Some(read) = decoded::<v2::ReadZoneRequest>(octets) {
        if let Err(fault) = Revision::from_octets("known_revision", &read.known_revision) {
            names_its_field(&fault, &["known_revision"]);
        }
        if let Err(fault) = Digests::default().differing("part_digests", &read.part_digests) {
            names_its_field(&fault, &["part_digests"]);
        }
    }
    let _state: Option<v1::ZoneState> = decoded(octets);
    let _zones: Option<v1::Zones> = decoded(octets);
    let _response: Option<v1::ExecuteResponse> = decoded(octets);
    let _piece: Option<v2::ReadZoneResponse> = decoded(octets);
    let _told: Option<v2::WatchZonesResponse> = decoded(octets);
    let _listed: Option<v2::ListZonesResponse> = decoded(octets);
}

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
    fn any_octets_are_understood_or_refused(octets in vec(any::<u8>(), 0..300)) {
        understood(&octets);
    }

    #[test]
    fn nearly_messages_are_understood_or_refused(octets in nearly()) {
        understood(&octets);
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
