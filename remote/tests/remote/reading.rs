//! Zones are read in pieces, and only what has changed.

use std::sync::Arc;
use std::time::Duration;

use records::cache::{Cached, Settings as CacheSettings};
use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind, Memory};
use records::{Change, Endpoint, RecordType};
use remote::protocol::v2::read_zone_response::{Header, Piece, header::Basis};
use remote::protocol::v2::zone_service_client::ZoneServiceClient;
use remote::protocol::v2::{ListZonesRequest, Nothing, ReadZoneRequest};
use remote::protocol::zones;
use remote::revision::{Digests, part};
use remote::server::{Limits, Settings};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::world::{HandClock, TIME, World, a, apply, delay, group, name, of_type, words, zone};

fn request(revision: &[u8], digests: Vec<u8>) -> ReadZoneRequest {
    ReadZoneRequest {
        namespace: "blue".to_owned(),
        zone_id: "example.com".to_owned(),
        known_revision: revision.to_vec(),
        part_digests: digests,
        ..ReadZoneRequest::default()
    }
}

/// Reads a zone: what is thrown away first, and the pieces.
async fn read(
    client: &mut ZoneServiceClient<Channel>,
    request: ReadZoneRequest,
) -> Result<(Header, Vec<Vec<Endpoint>>), Status> {
    let mut stream = client.read_zone(request).await?.into_inner();
    let (mut header, mut pieces) = (None, Vec::new());
    while let Some(message) = stream.message().await? {
        match message.piece.unwrap() {
            Piece::Header(told) => header = Some(told),
            Piece::RecordSets(sets) => {
                pieces.push(sets.record_sets.into_iter().map(zones::endpoint).collect());
            }
        }
    }
    Ok((header.unwrap(), pieces))
}

fn many(world: &World, count: usize) {
    for number in 0..count {
        world
            .memory
            .put(a(&format!("host{number}.example.com"), "192.0.2.1"));
    }
}

#[tokio::test]
async fn a_zone_is_whole_in_pieces_and_then_only_what_has_changed() {
    let world = World::new();
    many(&world, 2_500);
    let mut client = world.zones("blue").await;
    let (header, pieces) = read(&mut client, request(&[], Vec::new())).await.unwrap();
    assert!(matches!(header.basis, Some(Basis::Whole(_))));
    assert!(pieces.len() >= 3 && pieces.iter().all(|piece| piece.len() <= 1_000));
    let held = pieces.concat();
    assert_eq!(held.len(), 2_500);
    assert_eq!(Digests::of(&held).revision().to_octets(), header.revision);

    let (same, nothing) = read(&mut client, request(&header.revision, Vec::new()))
        .await
        .unwrap();
    assert!(matches!(same.basis, Some(Basis::Names(names)) if names.names.is_empty()));
    assert!(nothing.is_empty());
    assert_eq!(world.memory.calls().of(Operation::Read), 1);

    world.memory.put(a("host7.example.com", "192.0.2.2"));
    world.memory.put(a("new.example.com", "192.0.2.2"));
    world.clock.advance(TIME + Duration::from_secs(1));
    let (next, changed) = read(&mut client, request(&header.revision, Vec::new()))
        .await
        .unwrap();
    assert!(
        matches!(next.basis, Some(Basis::Names(names)) if names.names == ["host7.example.com", "new.example.com"])
    );
    assert_eq!(changed.concat().len(), 2);
    assert_eq!(world.memory.calls().of(Operation::Read), 1, "it was confirmed");
    let figures = world.central.figures().namespaces["blue"];
    assert_eq!(
        (figures.reads, figures.whole_reads, figures.records),
        (3, 1, 2_502)
    );
}

#[tokio::test]
async fn a_server_that_does_not_remember_tells_the_parts_that_differ() {
    let world = World::new();
    many(&world, 300);
    let mut held: Vec<Endpoint> = (0..300)
        .map(|number| a(&format!("host{number}.example.com"), "192.0.2.1"))
        .collect();
    held[5] = a("host5.example.com", "192.0.2.9");
    let digests = Digests::of(&held);
    let mut client = world.zones("blue").await;
    let known = request(&digests.revision().to_octets(), digests.to_octets());
    let (header, pieces) = read(&mut client, known).await.unwrap();
    let place = part("host5.example.com");
    let Some(Basis::Parts(parts)) = header.basis.clone() else {
        panic!("{header:?}");
    };
    assert_eq!(parts.parts, [u32::from(place)]);
    held.retain(|record| part(&record.place()) != place);
    held.extend(pieces.concat());
    assert_eq!(held.len(), 300);
    assert_eq!(Digests::of(&held).revision().to_octets(), header.revision);
}

#[tokio::test]
async fn the_last_state_is_served_while_the_provider_is_away() {
    let world = World::new();
    many(&world, 3);
    let away = |world: &World| {
        for operation in [Operation::Confirm, Operation::Read] {
            let kind = FaultKind::Unavailable;
            world.memory.fail(Fault {
                operation,
                after: 0,
                kind,
            });
        }
    };
    let mut client = world.zones("blue").await;
    away(&world);
    let error = read(&mut client, request(&[], Vec::new())).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(delay(&error) > Duration::ZERO, "{error}");
    assert!(read(&mut client, request(&[], Vec::new())).await.is_ok());
    away(&world);
    world.clock.advance(TIME + Duration::from_secs(1));
    let (header, pieces) = read(&mut client, request(&[], Vec::new())).await.unwrap();
    assert_eq!(header.age_seconds, TIME.as_secs() + 1);
    assert_eq!(pieces.concat().len(), 3);
}

/// What an earlier process kept on disk too, with its age; nothing is written by it.
#[tokio::test]
async fn after_a_restart_the_last_state_is_served_while_the_provider_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::new([name("example.com")]));
    let clock: Arc<HandClock> = Arc::default();
    let open = || {
        let settings = CacheSettings {
            time: TIME,
            directory: Some(folder.path().to_owned()),
            ..CacheSettings::default()
        };
        Arc::new(Cached::open(memory.clone(), settings, clock.clone()).unwrap())
    };
    for number in 0..3 {
        memory.put(a(&format!("host{number}.example.com"), "192.0.2.1"));
    }
    open().shared(&zone("example.com")).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let (settings, limits) = (Settings::default(), Limits::default());
    let world = World::over(memory.clone(), open(), clock.clone(), settings, limits);
    let mut client = world.zones("blue").await;
    for after in 0..4 {
        let (operation, kind) = (Operation::Confirm, FaultKind::Unavailable);
        memory.fail(Fault {
            operation,
            after,
            kind,
        });
    }
    let (header, pieces) = read(&mut client, request(&[], Vec::new())).await.unwrap();
    assert_eq!((header.age_seconds, pieces.concat().len()), (60, 3));
    assert_eq!(
        header.revision,
        Digests::of(pieces.concat()).revision().to_octets()
    );
    let create = group(Change::Create(a("new.example.com", "192.0.2.1")));
    let made = client
        .apply(apply("blue", vec![create]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(words(&made), ["postponed"]);
    assert_eq!(memory.calls().of(Operation::Apply), 0);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let world = World::new();
    let mut client = world.zones("blue").await;
    let asked = |namespace: &str, zone: &str, revision: &[u8], digests: usize| ReadZoneRequest {
        namespace: namespace.to_owned(),
        zone_id: zone.to_owned(),
        known_revision: revision.to_vec(),
        part_digests: vec![0; digests],
        ..ReadZoneRequest::default()
    };
    let zone = "example.com";
    let cases = [
        (asked("red", zone, &[], 0), Code::PermissionDenied, "red"),
        (
            asked("blue", "other", &[], 0),
            Code::NotFound,
            "it has example.com",
        ),
        (
            asked("blue", zone, &[1, 2], 0),
            Code::InvalidArgument,
            "known_revision is \"2 octets\"",
        ),
        (
            asked("blue", zone, &[0; 16], 17),
            Code::InvalidArgument,
            "it must be empty or of 4096 octets",
        ),
    ];
    for (request, code, text) in cases {
        let error = read(&mut client, request).await.unwrap_err();
        assert!(error.code() == code && error.message().contains(text), "{error}");
    }
    assert_eq!(world.central.figures().denied, 1);
    let nowhere = World::new();
    let mut stranger = ZoneServiceClient::new(nowhere.channel("s", vec!["green"]).await);
    let namespace = "green".to_owned();
    let error = stranger
        .list_zones(ListZonesRequest { namespace })
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

/// A reader who takes nothing costs two pieces for a time; then the stream is broken off,
/// which it can tell from the end of the zone.
#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_nothing_is_given_up() {
    let settings = Settings {
        most_reads: 1,
        piece_records: 10,
        ..Settings::default()
    };
    let world = World::with(settings, Limits::default());
    // More than the client takes in by itself.
    for number in 0..2_000 {
        let text = "x".repeat(4_000);
        let record = a(&format!("host{number}.example.com"), &text);
        world.memory.put(of_type(record, RecordType::Txt));
    }
    let mut client = world.zones("blue").await;
    let mut stream = client
        .read_zone(request(&[], Vec::new()))
        .await
        .unwrap()
        .into_inner();
    let mut other = world.zones("blue").await;
    let error = read(&mut other, request(&[], Vec::new())).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(delay(&error) > Duration::ZERO);
    tokio::time::sleep(settings.patience * 2).await;
    assert!(
        read(&mut other, request(&[], Vec::new())).await.is_ok(),
        "there is room again"
    );
    let error = loop {
        match stream.message().await {
            Ok(message) => assert!(message.is_some(), "it looks like the end of the zone"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

/// Who wants a change, and no whole zone, is told that it would be one.
#[tokio::test]
async fn a_whole_zone_that_is_not_wanted_is_not_told() {
    let world = World::new();
    world.memory.put(a("www.example.com", "192.0.2.1"));
    let mut client = world.zones("blue").await;
    let unwanted = ReadZoneRequest {
        unless_whole: true,
        ..request(&[1; 16], Vec::new())
    };
    let (header, records) = read(&mut client, unwanted).await.unwrap();
    assert_eq!((header.basis, records.len()), (Some(Basis::Whole(Nothing {})), 0));
    assert_eq!(world.central.figures().namespaces["blue"].whole_reads, 0);
    let (header, records) = read(&mut client, request(&[1; 16], Vec::new())).await.unwrap();
    assert_eq!((header.basis, records.len()), (Some(Basis::Whole(Nothing {})), 1));
    assert_eq!(world.central.figures().namespaces["blue"].whole_reads, 1);
}
