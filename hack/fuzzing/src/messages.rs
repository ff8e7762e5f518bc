//! A valid message of each kind of both protocols.

use prost::Message as _;
use remote::protocol::v2::read_zone_response::{Header, Piece, header};
use remote::protocol::{v1, v2};

fn text() -> String {
    "garden-a".to_owned()
}

/// Its id too.
fn zone() -> String {
    "example.com".to_owned()
}

fn name() -> String {
    "www.example.com".to_owned()
}

/// As octets.
pub(super) fn valid() -> Vec<Vec<u8>> {
    [gardeners_requests(), gardeners_answers(), requests(), answers()].concat()
}

/// One that has all that a message can have.
fn record_set() -> v2::RecordSet {
    v2::RecordSet {
        name: name(),
        r#type: "A".to_owned(),
        set_identifier: "one".to_owned(),
        ttl: 300,
        targets: vec!["192.0.2.1".to_owned()],
        properties: vec![v2::Property {
            name: "aws/weight".to_owned(),
            value: "10".to_owned(),
        }],
    }
}

fn gardeners_record_set() -> v1::RecordSet {
    v1::RecordSet {
        r#type: "A".to_owned(),
        ttl: 300,
        record: vec![v1::record_set::Record {
            value: "192.0.2.1".to_owned(),
        }],
    }
}

fn routing_policy() -> v1::RoutingPolicy {
    v1::RoutingPolicy {
        r#type: "weighted".to_owned(),
        parameters: [("weight".to_owned(), "10".to_owned())].into(),
    }
}

fn gardeners_requests() -> Vec<Vec<u8>> {
    let set = v1::PartialDnsSet {
        dns_name: name(),
        update_group: "group".to_owned(),
        record_type: "A".to_owned(),
        record_set: Some(gardeners_record_set()),
        set_identifier: "one".to_owned(),
        routing_policy: Some(routing_policy()),
    };
    let change = v1::ChangeRequest {
        action: 1,
        change: Some(set),
    };
    let login = v1::LoginRequest {
        namespace: text(),
        cliend_id: text(),
        client_protocol_version: 1,
    };
    let state = v1::GetZoneStateRequest {
        token: text(),
        zoneid: zone(),
    };
    let execute = v1::ExecuteRequest {
        token: text(),
        zoneid: zone(),
        change_request: vec![change],
    };
    vec![
        login.encode_to_vec(),
        v1::GetZonesRequest { token: text() }.encode_to_vec(),
        state.encode_to_vec(),
        execute.encode_to_vec(),
    ]
}

fn gardeners_answers() -> Vec<Vec<u8>> {
    let login = v1::LoginResponse {
        token: text(),
        server_protocol_version: 1,
    };
    let listed = v1::Zone {
        id: zone(),
        provider_type: text(),
        key: text(),
        domain: zone(),
        forwarded_domain: vec![text()],
        private_zone: true,
    };
    let set = v1::DnsSet {
        dns_name: name(),
        update_group: "group".to_owned(),
        records: [("A".to_owned(), gardeners_record_set())].into(),
        set_identifier: "one".to_owned(),
        routing_policy: Some(routing_policy()),
    };
    let state = v1::ZoneState {
        key: String::new(),
        dns_sets: [(format!("{}\tone", name()), set)].into(),
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
    vec![
        login.encode_to_vec(),
        v1::Zones { zone: vec![listed] }.encode_to_vec(),
        state.encode_to_vec(),
        response.encode_to_vec(),
    ]
}

fn requests() -> Vec<Vec<u8>> {
    let read = v2::ReadZoneRequest {
        namespace: text(),
        zone_id: zone(),
        known_revision: vec![1; 16],
        part_digests: vec![1; 4096],
        names: vec![text()],
        unless_whole: true,
    };
    let group = v2::Group {
        name: name(),
        changes: vec![v2::Change {
            expected: Some(record_set()),
            wanted: Some(record_set()),
        }],
    };
    let apply = v2::ApplyRequest {
        namespace: text(),
        zone_id: zone(),
        groups: vec![group],
    };
    let adjust = v2::AdjustRequest {
        namespace: text(),
        zone_id: zone(),
        record_sets: vec![record_set()],
    };
    vec![
        v2::ListZonesRequest { namespace: text() }.encode_to_vec(),
        v2::WatchZonesRequest { namespace: text() }.encode_to_vec(),
        read.encode_to_vec(),
        apply.encode_to_vec(),
        adjust.encode_to_vec(),
    ]
}

fn answers() -> Vec<Vec<u8>> {
    let listed = v2::Zone {
        id: zone(),
        name: zone(),
        provider_type: text(),
        private: true,
    };
    let told = v2::WatchZonesResponse {
        zones: vec![v2::ZoneRevision {
            zone_id: zone(),
            revision: vec![1; 16],
        }],
        zones_changed: true,
    };
    let sets = v2::RecordSets {
        record_sets: vec![record_set()],
    };
    let adjusted = v2::AdjustResponse {
        record_sets: vec![record_set()],
    };
    let mut all = vec![
        v2::ListZonesResponse { zones: vec![listed] }.encode_to_vec(),
        told.encode_to_vec(),
        piece(Piece::RecordSets(sets)),
        adjusted.encode_to_vec(),
    ];
    all.extend(bases().map(|basis| {
        piece(Piece::Header(Header {
            revision: vec![1; 16],
            age_seconds: 1,
            basis: Some(basis),
        }))
    }));
    all.extend(outcomes().map(|outcome| {
        let answer = v2::ApplyResponse {
            outcomes: vec![v2::Outcome {
                outcome: Some(outcome),
            }],
            revision: vec![1; 16],
        };
        answer.encode_to_vec()
    }));
    all
}

fn piece(piece: Piece) -> Vec<u8> {
    v2::ReadZoneResponse { piece: Some(piece) }.encode_to_vec()
}

fn bases() -> [header::Basis; 2] {
    [
        header::Basis::Names(v2::Names { names: vec![name()] }),
        header::Basis::Parts(v2::Parts { parts: vec![1, 2] }),
    ]
}

fn outcomes() -> [v2::outcome::Outcome; 3] {
    use v2::outcome::{Applied, Outcome, Postponed};
    let written = vec![record_set()];
    [
        Outcome::Applied(Applied { written }),
        Outcome::Conflict(text()),
        Outcome::Postponed(Postponed {
            reason: text(),
            retry_after_milliseconds: 1000,
            throttled: true,
        }),
    ]
}
