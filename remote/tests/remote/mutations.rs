//! Valid messages of each kind, and octets that are nearly one.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use prost::Message as _;
use remote::protocol::gardener::zone_state;
use remote::protocol::v2::read_zone_response::{Header, Piece, header};
use remote::protocol::{v1, v2, zones};

use super::world::{a, with_property};

/// One that has all that a message can have.
fn record_set() -> v2::RecordSet {
    zones::record_set(&with_property(
        a("www.example.com", "192.0.2.1"),
        "aws/weight",
        "10",
    ))
}

fn partial_set() -> v1::PartialDnsSet {
    v1::PartialDnsSet {
        dns_name: "www.example.com".to_owned(),
        update_group: "group".to_owned(),
        record_type: "A".to_owned(),
        record_set: Some(v1::RecordSet {
            r#type: "A".to_owned(),
            ttl: 300,
            record: vec![v1::record_set::Record {
                value: "192.0.2.1".to_owned(),
            }],
        }),
        set_identifier: "one".to_owned(),
        routing_policy: Some(v1::RoutingPolicy {
            r#type: "weighted".to_owned(),
            parameters: [("weight".to_owned(), "10".to_owned())].into(),
        }),
    }
}

fn group() -> v2::Group {
    v2::Group {
        name: "www.example.com".to_owned(),
        changes: vec![v2::Change {
            expected: Some(record_set()),
            wanted: Some(record_set()),
        }],
    }
}

/// A message of each kind of both protocols, as octets.
fn valid() -> Vec<Vec<u8>> {
    let text = || "garden-a".to_owned();
    let change = v1::ChangeRequest {
        action: 1,
        change: Some(partial_set()),
    };
    let response = v1::ExecuteResponse {
        change_response: vec![v1::ChangeResponse {
            state: 3,
            error_message: text(),
        }],
        log_message: vec![v1::LogEntry {
            timestamp: 1,
            level: 3,
            message: text(),
        }],
    };
    let zone = v1::Zone {
        id: text(),
        forwarded_domain: vec![text()],
        private_zone: true,
        ..v1::Zone::default()
    };
    let mut weighted = with_property(a("www.example.com", "192.0.2.1"), "aws/weight", "10");
    weighted.set_identifier = "one".into();
    let piece = |piece| v2::ReadZoneResponse { piece: Some(piece) }.encode_to_vec();
    let outcome = v2::Outcome {
        outcome: Some(v2::outcome::Outcome::Applied(v2::outcome::Applied {
            written: vec![record_set()],
        })),
    };
    vec![
        v1::LoginRequest {
            namespace: text(),
            cliend_id: text(),
            client_protocol_version: 1,
        }
        .encode_to_vec(),
        v1::LoginResponse {
            token: text(),
            server_protocol_version: 1,
        }
        .encode_to_vec(),
        v1::GetZonesRequest { token: text() }.encode_to_vec(),
        v1::Zones { zone: vec![zone] }.encode_to_vec(),
        v1::GetZoneStateRequest {
            token: text(),
            zoneid: text(),
        }
        .encode_to_vec(),
        zone_state([&weighted], 1, 10_000).unwrap().encode_to_vec(),
        v1::ExecuteRequest {
            token: text(),
            zoneid: text(),
            change_request: vec![change],
        }
        .encode_to_vec(),
        response.encode_to_vec(),
        v2::ListZonesRequest { namespace: text() }.encode_to_vec(),
        v2::ListZonesResponse {
            zones: vec![v2::Zone {
                id: text(),
                private: true,
                ..v2::Zone::default()
            }],
        }
        .encode_to_vec(),
        v2::ReadZoneRequest {
            namespace: text(),
            zone_id: text(),
            known_revision: vec![1; 16],
            part_digests: vec![1; 4096],
            names: vec![text()],
            unless_whole: true,
        }
        .encode_to_vec(),
        piece(Piece::Header(Header {
            revision: vec![1; 16],
            age_seconds: 1,
            basis: Some(header::Basis::Parts(v2::Parts { parts: vec![1, 2] })),
        })),
        piece(Piece::RecordSets(v2::RecordSets {
            record_sets: vec![record_set()],
        })),
        v2::WatchZonesResponse {
            zones: vec![v2::ZoneRevision {
                zone_id: text(),
                revision: vec![1; 16],
            }],
            zones_changed: true,
        }
        .encode_to_vec(),
        v2::ApplyRequest {
            namespace: text(),
            zone_id: text(),
            groups: vec![group()],
        }
        .encode_to_vec(),
        v2::ApplyResponse {
            outcomes: vec![outcome],
            revision: vec![1; 16],
        }
        .encode_to_vec(),
        v2::AdjustRequest {
            namespace: text(),
            zone_id: text(),
            record_sets: vec![record_set()],
        }
        .encode_to_vec(),
    ]
}

/// Something done to octets.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Repeat(Index),
    CutOff(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    // Those that mean much where numbers and lengths are, or in names.
    let octet = prop_oneof![
        any::<u8>(),
        select(vec![
            0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, b'.', b'*', b'\\', b'"', b'\t', b' '
        ])
    ];
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), octet.clone()).prop_map(|(place, octet)| Mutation::Set(place, octet)),
        2 => (place(), octet).prop_map(|(place, octet)| Mutation::Insert(place, octet)),
        2 => place().prop_map(Mutation::Remove),
        1 => place().prop_map(Mutation::Repeat),
        1 => place().prop_map(Mutation::CutOff),
    ]
}

fn mutated(mut octets: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        if octets.is_empty() {
            break;
        }
        let length = octets.len();
        match mutation {
            Mutation::Set(place, octet) => octets[place.index(length)] = *octet,
            Mutation::Insert(place, octet) => octets.insert(place.index(length), *octet),
            Mutation::Remove(place) => drop(octets.remove(place.index(length))),
            Mutation::Repeat(place) => octets.extend_from_within(place.index(length)..),
            Mutation::CutOff(place) => octets.truncate(place.index(length)),
        }
    }
    octets
}

/// Octets that are nearly a message of some kind.
pub fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let mutations = vec(mutation(), 0..6);
    (select(valid()), mutations).prop_map(|(octets, mutations)| mutated(octets, &mutations))
}
