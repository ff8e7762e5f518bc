//! What a call may ask for, over mutual TLS: messages that are too large, zones of others,
//! tokens of providers that are gone, other versions of the protocol.

use futures::StreamExt as _;
use prost::Message as _;
use records::Name;
use records::provider::Operation;
use remote::protocol::v1::{GetZoneStateRequest, LoginRequest, LoginResponse};
use remote::protocol::v2::{ApplyRequest, ListZonesRequest, ReadZoneRequest, WatchZonesRequest};
use remote::protocol::zones;
use remote::server::listener::Bounds;
use remote::server::{Account, Limits, Settings};
use tonic::Code;

use super::certificates::Authority;
use super::door::{Door, login, pem, use_token};
use super::wire;
use super::world::{a, cache, offer, with_property};

const LOGIN: &str = "/remote.RemoteProvider/Login";
const EXECUTE: &str = "/remote.RemoteProvider/Execute";
const STATE: &str = "/remote.RemoteProvider/GetZoneState";
const APPLY: &str = "/records.remote.v2.ZoneService/Apply";
const READ: &str = "/records.remote.v2.ZoneService/ReadZone";

#[tokio::test]
async fn messages_over_the_limit_are_refused_and_the_connection_goes_on() {
    let settings = Settings {
        message_limit: 10_000,
        ..Settings::default()
    };
    let door = Door::within(settings, Bounds::default()).await;
    let client = wire::http2(&door, &door.pair("garden-a")).await;
    for path in [LOGIN, EXECUTE, STATE, APPLY, READ] {
        let answer = wire::call(&client, path, &[], &vec![0; 10_001]).await;
        assert_eq!(answer.code, Code::OutOfRange as u16, "{path}: {answer:?}");
        assert!(answer.message.contains("10000"), "{path}: {answer:?}");
        // One that only says that it is so large is not waited for.
        let (response, mut stream) = wire::begin(&client, path, &[]).await;
        stream
            .send_data(vec![0, 0xff, 0xff, 0xff, 0xff].into(), false)
            .unwrap();
        let (head, body) = response.await.unwrap().into_parts();
        let answer = wire::finish(&head.headers, body).await;
        assert_eq!(answer.code, Code::OutOfRange as u16, "{path}: {answer:?}");
    }
    let request = ListZonesRequest {
        namespace: "garden-a".to_owned(),
    };
    let path = "/records.remote.v2.ZoneService/ListZones";
    assert_eq!(
        wire::call(&client, path, &[], &request.encode_to_vec())
            .await
            .code,
        0
    );
    assert_eq!(door.world.memory.calls().of(Operation::Apply), 0);
}

/// A client takes in no more than it wants to, and its connection goes on.
#[tokio::test]
async fn an_answer_over_the_limit_of_a_client_is_refused_there() {
    let door = Door::new().await;
    for number in 0..100 {
        door.world
            .memory
            .put(a(&format!("host{number}.example.com"), "192.0.2.1"));
    }
    let pair = door.pair("garden-a");
    let mut client = door.client(&pair).max_decoding_message_size(1_000);
    let token = login(&mut client, "garden-a").await.unwrap();
    let request = GetZoneStateRequest {
        token: token.clone(),
        zoneid: "example.com".to_owned(),
    };
    let error = client.get_zone_state(request).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange, "{error}");
    use_token(&mut client, &token).await.unwrap();
    let mut client = door.zones(&pair).max_decoding_message_size(1_000);
    let request = ReadZoneRequest {
        namespace: "garden-a".to_owned(),
        zone_id: "example.com".to_owned(),
        ..ReadZoneRequest::default()
    };
    let mut pieces = client.read_zone(request).await.unwrap().into_inner();
    let error = loop {
        match pieces.next().await.expect("it looks like the end of the zone") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::OutOfRange, "{error}");
}

/// What is not a message, or not one of ours, is answered.
#[tokio::test]
async fn what_is_no_call_is_answered() {
    let door = Door::new().await;
    let client = wire::http2(&door, &door.pair("garden-a")).await;
    for path in [
        "/",
        "/remote.RemoteProvider/",
        "/remote.RemoteProvider/Logout",
        "/other.Service/Get",
    ] {
        let answer = wire::call(&client, path, &[], &[]).await;
        assert_eq!(answer.code, Code::Unimplemented as u16, "{path}: {answer:?}");
    }
    // A field 1 of 100 octets, of which there are none.
    let answer = wire::call(&client, LOGIN, &[], &[0x0a, 100]).await;
    assert_eq!(answer.code, Code::Internal as u16, "{answer:?}");
    let answer = wire::call(&client, LOGIN, &[("grpc-encoding", "gzip")], &[]).await;
    assert_eq!(answer.code, Code::Unimplemented as u16, "{answer:?}");
}

/// Names come back in what is told of them; a long one is not repeated.
#[tokio::test]
async fn long_names_are_refused() {
    let door = Door::new().await;
    let client = wire::http2(&door, &door.pair("*")).await;
    let long = "n".repeat(1_000_000);
    let as_namespace = LoginRequest {
        namespace: long.clone(),
        ..LoginRequest::default()
    };
    let as_client = LoginRequest {
        namespace: "garden-a".to_owned(),
        cliend_id: long.clone(),
        client_protocol_version: 1,
    };
    let apply = |namespace: &str, zone: &str| ApplyRequest {
        namespace: namespace.to_owned(),
        zone_id: zone.to_owned(),
        groups: Vec::new(),
    };
    let calls = [
        (LOGIN, as_namespace.encode_to_vec(), "namespace"),
        (LOGIN, as_client.encode_to_vec(), "cliendID"),
        (APPLY, apply(&long, "example.com").encode_to_vec(), "namespace"),
        (APPLY, apply("garden-a", &long).encode_to_vec(), "zone_id"),
    ];
    for (path, message, field) in calls {
        let answer = wire::call(&client, path, &[], &message).await;
        assert_eq!(answer.code, Code::InvalidArgument as u16);
        assert_eq!(
            answer.message,
            format!("{field} is \"1000000 octets\": at most 253 are allowed")
        );
    }
    // The longest one makes a token that is taken.
    let mut client = door.of("garden-a");
    let request = LoginRequest {
        namespace: "garden-a".to_owned(),
        cliend_id: "\u{1}".repeat(253),
        client_protocol_version: 1,
    };
    let token = client.login(request).await.unwrap().into_inner().token;
    use_token(&mut client, &token).await.unwrap();
}

/// A namespace with many zones is not told all of them in an error.
#[tokio::test]
async fn few_zones_are_named_to_who_asks_for_another() {
    let door = Door::new().await;
    let names: Vec<String> = (0..2_000)
        .map(|number| format!("zone{number:04}.example"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    door.world
        .catalogue
        .put("garden-a", "provider", offer(&door.world.account, &names));
    let mut client = door.zones(&door.pair("garden-a"));
    let request = ReadZoneRequest {
        namespace: "garden-a".to_owned(),
        zone_id: "example.org".to_owned(),
        ..ReadZoneRequest::default()
    };
    let error = client.read_zone(request).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
    assert!(
        error.message().ends_with("zone0009.example and 1990 more"),
        "{error}"
    );
}

/// Whoever speaks a later version speaks ours as well, and nobody is told what it does not
/// understand.
#[tokio::test]
async fn other_versions_of_the_protocol_are_taken_for_the_nearest() {
    let door = Door::new().await;
    let mut one_of_two = with_property(a("w.example.com", "192.0.2.1"), "aws/weight", "10");
    one_of_two.set_identifier = "one".into();
    door.world.memory.put(one_of_two);
    let client = wire::http2(&door, &door.pair("garden-a")).await;
    let versions = [(0, 0), (1, 1), (2, 1), (-1, 0), (i32::MAX, 1), (i32::MIN, 0)];
    for (version, sets) in versions {
        let request = LoginRequest {
            namespace: "garden-a".to_owned(),
            cliend_id: "test".to_owned(),
            client_protocol_version: version,
        };
        let answer = wire::call(&client, LOGIN, &[], &request.encode_to_vec()).await;
        let told = LoginResponse::decode(&*answer.octets).unwrap();
        assert_eq!((answer.code, told.server_protocol_version), (0, 1), "{version}");
        let request = GetZoneStateRequest {
            token: told.token,
            zoneid: "example.com".to_owned(),
        };
        let answer = wire::call(&client, STATE, &[], &request.encode_to_vec()).await;
        let state = remote::protocol::v1::ZoneState::decode(&*answer.octets).unwrap();
        assert_eq!(state.dns_sets.len(), sets, "{version}");
    }
}

/// Another namespace has a provider of its own; its zone's id is of no use to others, in
/// whatever form.
#[tokio::test]
async fn a_zone_of_another_namespace_is_not_found() {
    let door = Door::new().await;
    let other = Account::new(
        "other",
        "aws-route53",
        cache(door.world.memory.clone(), door.world.clock.clone()),
        Limits::default(),
    );
    door.world.catalogue.put(
        "garden-b",
        "provider",
        offer(&other, &["example.com", "example.org"]),
    );
    door.world.memory.put(a("www.example.com", "192.0.2.1"));
    let pair = door.pair("garden-a");
    let mut client = door.client(&pair);
    let token = login(&mut client, "garden-a").await.unwrap();
    let mut zones = door.zones(&pair);
    for id in [
        "example.org",
        "other/example.org",
        "other/example.com",
        "garden-b/example.org",
        "../example.org",
        "",
    ] {
        let request = GetZoneStateRequest {
            token: token.clone(),
            zoneid: id.to_owned(),
        };
        let error = client.get_zone_state(request).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{id}: {error}");
        let group = zones::group_message(&records::Group {
            name: Name::parse("www.example.org").unwrap(),
            changes: vec![records::Change::Create(a("www.example.org", "192.0.2.1"))],
        });
        let request = ApplyRequest {
            namespace: "garden-a".to_owned(),
            zone_id: id.to_owned(),
            groups: vec![group],
        };
        let error = zones.apply(request).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{id}: {error}");
    }
    assert_eq!(door.world.memory.calls().of(Operation::Apply), 0);
    let request = ReadZoneRequest {
        namespace: "garden-b".to_owned(),
        zone_id: "example.org".to_owned(),
        ..ReadZoneRequest::default()
    };
    let error = zones.read_zone(request).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied, "{error}");
}

#[tokio::test]
async fn a_token_is_of_no_use_once_the_provider_is_gone() {
    let door = Door::new().await;
    let mut client = door.of("garden-a");
    let token = login(&mut client, "garden-a").await.unwrap();
    door.world.catalogue.remove("garden-a", "provider");
    let error = use_token(&mut client, &token).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
    let state = GetZoneStateRequest {
        token: token.clone(),
        zoneid: "example.com".to_owned(),
    };
    let error = client.get_zone_state(state.clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
    let error = login(&mut client, "garden-a").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
    // With another provider it is the namespace's again.
    door.world.catalogue.put(
        "garden-a",
        "another",
        offer(&door.world.account, &["example.com"]),
    );
    client.get_zone_state(state).await.unwrap();
}

/// A stream lasts longer than authorities do.
#[tokio::test]
async fn who_watches_is_told_nothing_once_its_authority_is_not_believed() {
    let door = Door::new().await;
    door.central.refresh().await;
    let mut client = door.zones(&door.pair("garden-a"));
    let namespace = "garden-a".to_owned();
    let request = WatchZonesRequest { namespace };
    let mut told = client.watch_zones(request).await.unwrap().into_inner();
    assert_eq!(told.message().await.unwrap().unwrap().zones.len(), 1);
    let next = Authority::new("clients of the next year");
    door.credentials.renew(&pem(&door.server, &next)).unwrap();
    let zone = &door.world.catalogue.zones()[0];
    let record = a("www.example.com", "192.0.2.1");
    let group = records::Group {
        name: Name::parse("www.example.com").unwrap(),
        changes: vec![records::Change::Create(record)],
    };
    let work = remote::server::Work::exact(group).unwrap();
    zone.change("garden-b", vec![work]).await.unwrap();
    let error = told.message().await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    assert!(error.message().contains("not valid any more"), "{error}");
}
