//! Servers that are killed, and providers that are cut off: each change is afterwards known as
//! made or not, and none is made twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use records::cache::{Cached, Settings as CacheSettings};
use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind};
use records::{Change, Endpoint};
use remote::protocol::v1::change_response::State;
use remote::protocol::v1::{
    ChangeRequest, ExecuteRequest, GetZoneStateRequest, PartialDnsSet, RecordSet, ZoneState, record_set,
};
use remote::protocol::v2::read_zone_response::Piece;
use remote::protocol::v2::{ApplyResponse, ReadZoneRequest};
use remote::protocol::zones;
use remote::revision::Digests;
use remote::server::{Limits, Settings};
use tokio::runtime::Builder;
use tonic::Status;

use super::ledger::Ledger;
use super::world::{HandClock, TIME, World, a, apply, group, login, words};

const CREATE: i32 = 0;
const UPDATE: i32 = 1;
const DELETE: i32 = 2;

/// When a server is killed.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// After so many turns of the runtime, in each of which every task takes a step.
    Turns(usize),
    /// After so many beginnings and ends of the provider's calls.
    Steps(usize),
}

/// A server before the provider, with what its folder has kept. The clock goes on over the
/// lives of all of them.
fn server(ledger: &Arc<Ledger>, folder: &Path, clock: &Arc<HandClock>) -> World {
    let settings = CacheSettings {
        time: TIME,
        patch_on_apply: true,
        directory: Some(folder.to_owned()),
        ..CacheSettings::default()
    };
    let cache = Cached::open(ledger.clone(), settings, clock.clone()).unwrap();
    let memory = ledger.memory.clone();
    World::over(
        memory,
        Arc::new(cache),
        clock.clone(),
        Settings::default(),
        Limits::default(),
    )
}

/// What the client wants the zone to be.
fn wanted() -> Vec<Endpoint> {
    vec![
        a("new.example.com", "192.0.2.7"),
        a("newer.example.com", "192.0.2.8"),
        a("other.example.com", "192.0.2.9"),
        a("stays.example.com", "192.0.2.1"),
    ]
}

/// The changes from what is held to what is wanted.
fn missing(held: &[Endpoint]) -> Vec<Change> {
    let of = |records: &[Endpoint], key: &Endpoint| {
        let mut found = records.iter();
        found.find(|record| record.dns_name == key.dns_name).cloned()
    };
    let mut changes = Vec::new();
    for new in wanted() {
        match of(held, &new) {
            None => changes.push(Change::Create(new)),
            Some(old) if !old.same_records(&new) => changes.push(Change::Update { old, new }),
            Some(_) => {}
        }
    }
    let gone = held.iter().filter(|old| of(&wanted(), old).is_none());
    changes.extend(gone.cloned().map(Change::Delete));
    changes
}

/// A client of our protocol.
async fn read_v2(world: &World) -> Result<Vec<Endpoint>, Status> {
    let mut client = world.zones("blue").await;
    let request = ReadZoneRequest {
        namespace: "blue".to_owned(),
        zone_id: "example.com".to_owned(),
        ..ReadZoneRequest::default()
    };
    let mut pieces = client.read_zone(request).await?.into_inner();
    let (mut held, mut revision) = (Vec::new(), Vec::new());
    while let Some(message) = pieces.message().await? {
        match message.piece.unwrap() {
            Piece::Header(header) => revision = header.revision,
            Piece::RecordSets(sets) => held.extend(sets.record_sets.into_iter().map(zones::endpoint)),
        }
    }
    assert_eq!(Digests::of(&held).revision().to_octets(), revision);
    Ok(held)
}

async fn apply_v2(world: &World, changes: Vec<Change>) -> Result<ApplyResponse, Status> {
    let groups = changes.into_iter().map(group).collect();
    let mut client = world.zones("blue").await;
    Ok(client.apply(apply("blue", groups)).await?.into_inner())
}

/// Reads the zone and asks for what is missing; whether all of it is as wanted.
async fn pass_v2(world: &World) -> Result<bool, Status> {
    let changes = missing(&read_v2(world).await?);
    if changes.is_empty() {
        return Ok(true);
    }
    apply_v2(world, changes).await?;
    Ok(false)
}

/// The same as a client of Gardener's.
async fn pass_v1(world: &World) -> Result<bool, Status> {
    let mut client = world.gardener("blue").await;
    let token = login(&mut client, "blue", 1).await;
    let read = GetZoneStateRequest {
        token: token.clone(),
        zoneid: "example.com".to_owned(),
    };
    let held = endpoints(client.get_zone_state(read).await?.into_inner());
    let changes = missing(&held);
    if changes.is_empty() {
        return Ok(true);
    }
    let execute = ExecuteRequest {
        token,
        zoneid: "example.com".to_owned(),
        change_request: changes.iter().map(request).collect(),
    };
    client.execute(execute).await?;
    Ok(false)
}

fn endpoints(state: ZoneState) -> Vec<Endpoint> {
    let sets = state.dns_sets.into_values();
    sets.map(|set| a(&set.dns_name, &set.records["A"].record[0].value))
        .collect()
}

/// A change without what is expected.
pub fn request(change: &Change) -> ChangeRequest {
    let (action, record) = match change {
        Change::Create(new) => (CREATE, new),
        Change::Update { new, .. } => (UPDATE, new),
        Change::Delete(old) => (DELETE, old),
    };
    let values = record.targets.iter().map(|target| record_set::Record {
        value: String::from(&**target),
    });
    ChangeRequest {
        action,
        change: Some(PartialDnsSet {
            dns_name: String::from(&*record.dns_name),
            record_type: "A".to_owned(),
            record_set: Some(RecordSet {
                r#type: "A".to_owned(),
                ttl: 0,
                record: values.collect(),
            }),
            ..PartialDnsSet::default()
        }),
    }
}

/// Lets a pass go on until the server is killed with all it does; whether the pass had come to
/// its end before.
fn killed(death: Death, ledger: &Arc<Ledger>, folder: &Path, clock: &Arc<HandClock>, pass: Pass) -> bool {
    let turns = match death {
        Death::Turns(turns) => turns,
        Death::Steps(steps) => {
            *ledger.steps.lock().unwrap() = Some(steps);
            usize::MAX
        }
    };
    let ended = alive(async {
        let world = server(ledger, folder, clock);
        let died = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            made = pass(&world) => {
                made.unwrap();
                true
            }
            () = ledger.killed.notified() => false,
            () = died => false,
        }
    });
    *ledger.steps.lock().unwrap() = None;
    ended
}

/// Runs a server, which ends in the midst of whatever it does.
fn alive<T>(life: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(life)
}

type Pass = for<'a> fn(&'a World) -> BoxFuture<'a, Result<bool, Status>>;

/// Kills a server in the midst of a pass; whether the pass had come to its end before.
fn each_change_is_known_after(death: Death, pass: Pass) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, clock) = (Ledger::new(), Arc::new(HandClock::default()));
    // The folder holds the zone as it was before.
    alive(async { read_v2(&server(&ledger, folder.path(), &clock)).await }).unwrap();
    clock.advance(TIME * 2);
    let ended = killed(death, &ledger, folder.path(), &clock, pass);
    let before = ledger.written();
    // Of a new server each time, as long as anything is missing.
    let passes =
        (0..4).find(|_| alive(async { pass(&server(&ledger, folder.path(), &clock)).await }).unwrap());
    assert!(passes.is_some(), "{death:?}: {:?}", ledger.records());
    assert_eq!(Digests::of(ledger.records()), Digests::of(wanted()), "{death:?}");
    let names = ["new", "newer", "old", "other"];
    let once: BTreeMap<String, usize> = names.map(|name| (format!("{name}.example.com"), 1)).into();
    assert_eq!(ledger.written(), once, "{death:?}, with {before:?} before it");
    ended
}

fn each_change_is_known_after_any_kill(pass: Pass) {
    let mut steps = 0;
    while !each_change_is_known_after(Death::Steps(steps), pass) {
        steps += 1;
    }
    assert!(steps >= 4, "{steps} are too few for what a pass asks for");
    // One by one at first; a disk takes thousands of turns.
    let mut turns = 0;
    while !each_change_is_known_after(Death::Turns(turns), pass) {
        turns += 1 + turns / 20;
    }
    assert!(turns > 20, "{turns} are too few for what a pass takes");
}

#[test]
fn each_change_of_apply_is_known_after_a_kill() {
    each_change_is_known_after_any_kill(|world| pass_v2(world).boxed());
}

#[test]
fn each_change_of_execute_is_known_after_a_kill() {
    each_change_is_known_after_any_kill(|world| pass_v1(world).boxed());
}

/// The wire between the server and its provider is cut before a batch is written, in the midst
/// of it, and after.
#[tokio::test]
async fn what_was_cut_off_is_told_and_then_known() {
    let cuts = [
        (FaultKind::Unavailable, "postponed", State::NotProcessed, 0),
        (FaultKind::LostReply { written: 0 }, "unknown", State::Failed, 0),
        (FaultKind::LostReply { written: 1 }, "unknown", State::Failed, 1),
        (FaultKind::LostReply { written: 9 }, "unknown", State::Failed, 4),
    ];
    for (kind, word, state, written) in cuts {
        let cut = Fault {
            operation: Operation::Apply,
            after: 0,
            kind: kind.clone(),
        };
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(HandClock::default()));
        let ledger = Ledger::new();
        let world = server(&ledger, folder.path(), &clock);
        let changes = missing(&read_v2(&world).await.unwrap());
        ledger.memory.fail(cut.clone());
        let made = apply_v2(&world, changes).await.unwrap();
        assert_eq!(words(&made), [word; 4], "{kind:?}");
        let known = read_v2(&world).await.unwrap();
        assert_eq!(Digests::of(&known), Digests::of(ledger.records()), "{kind:?}");
        assert_eq!(missing(&known).len(), 4 - written, "{kind:?}");
        while !pass_v2(&world).await.unwrap() {}
        assert!(ledger.written().values().all(|count| *count == 1), "{kind:?}");
        drop(world);

        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::new();
        let world = server(&ledger, folder.path(), &clock);
        let changes = missing(&read_v2(&world).await.unwrap());
        ledger.memory.fail(cut);
        let mut client = world.gardener("blue").await;
        let token = login(&mut client, "blue", 1).await;
        let execute = ExecuteRequest {
            token: token.clone(),
            zoneid: "example.com".to_owned(),
            change_request: changes.iter().map(request).collect(),
        };
        let made = client.execute(execute).await.unwrap().into_inner();
        for response in &made.change_response {
            assert_eq!(response.state(), state, "{kind:?}: {response:?}");
            let is_unknown = response.error_message.contains("perhaps made, perhaps not: ");
            assert_eq!(is_unknown, word == "unknown", "{kind:?}: {response:?}");
        }
        while !pass_v1(&world).await.unwrap() {}
        assert_eq!(Digests::of(ledger.records()), Digests::of(wanted()), "{kind:?}");
        assert!(ledger.written().values().all(|count| *count == 1), "{kind:?}");
    }
}

/// A provider that answers nothing is told of, and what it comes to later counts.
#[tokio::test]
async fn the_zone_is_known_again_once_the_provider_is_there() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(HandClock::default()));
    let ledger = Ledger::new();
    let world = server(&ledger, folder.path(), &clock);
    let changes = missing(&read_v2(&world).await.unwrap());
    for (operation, kind) in [
        (Operation::Apply, FaultKind::LostReply { written: 2 }),
        (Operation::ReadNames, FaultKind::Unavailable),
        (Operation::ReadNames, FaultKind::Unavailable),
    ] {
        ledger.memory.fail(Fault {
            operation,
            after: 0,
            kind,
        });
    }
    let made = apply_v2(&world, changes.clone()).await.unwrap();
    assert_eq!(words(&made), ["unknown"; 4]);
    // The same again, while nobody knows: nothing of it is made twice.
    let again = apply_v2(&world, changes).await.unwrap();
    for word in words(&again) {
        assert!(
            ["applied", "conflict", "postponed", "unknown"].contains(&word),
            "{word}"
        );
    }
    clock.advance(Duration::from_secs(60));
    while !pass_v2(&world).await.unwrap() {}
    assert_eq!(Digests::of(ledger.records()), Digests::of(wanted()));
    assert!(
        ledger.written().values().all(|count| *count == 1),
        "{:?}",
        ledger.written()
    );
}
