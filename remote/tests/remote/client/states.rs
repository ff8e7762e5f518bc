//! What a zone holds: read once, and then only what has changed.

use std::sync::Arc;
use std::time::Duration;

use records::cache::{Cached, Settings as CacheSettings};
use records::provider::{Confirmation, Operation};
use records::{Provider, Zone, ZoneRecords};

use super::super::world::{HandClock, TIME, an_hour_passes};
use super::stage::{Stage, create, host, read, sorted, the_zone, until, update, words};

/// The names of a confirmation that all was compared.
fn compared(confirmation: &Confirmation) -> Vec<&str> {
    match confirmation {
        Confirmation::Compared { names, .. } => names.keys().map(records::Name::as_str).collect(),
        other => panic!("{other:?}"),
    }
}

/// Waits until the client hears of the zone what the server tells by itself.
pub async fn until_told(stage: &Stage, client: &dyn Provider, zone: &Zone, known: &ZoneRecords) {
    let reads = || stage.central.figures().namespaces["blue"].reads;
    until("the revision is told", async || {
        let before = reads();
        compared(&client.confirm(zone, known).await.unwrap());
        reads() == before
    })
    .await;
}

#[tokio::test]
async fn a_zone_is_read_whole_and_resumed_by_its_revision() {
    let mut stage = Stage::new().await;
    stage.fill(3_000);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    stage.wire.octets();
    let known = read(&client, &zone).await;
    assert_eq!(sorted(&known.records), sorted(stage.truth()));
    let (_, whole) = stage.wire.octets();
    assert!(whole > 60_000, "{whole}");

    // Another process knows what this one knew.
    let next = stage.client("blue");
    the_zone(&next).await;
    stage.wire.octets();
    let confirmation = next.confirm(&zone, &known).await.unwrap();
    assert!(compared(&confirmation).is_empty());
    let (sent, received) = stage.wire.octets();
    assert!(sent < 1_000 && received < 1_000, "{sent} {received}");

    // Another server, which remembers nothing, tells the parts that differ.
    stage.memory.put(host(7, "192.0.2.7"));
    stage.memory.put(host(9_000, "192.0.2.7"));
    stage.restart().await;
    let next = stage.client("blue");
    the_zone(&next).await;
    stage.wire.octets();
    let confirmation = next.confirm(&zone, &known).await.unwrap();
    assert_eq!(
        compared(&confirmation),
        ["host7.example.com", "host9000.example.com"]
    );
    let (sent, received) = stage.wire.octets();
    assert!(sent < 8_000 && received < 10_000, "{sent} {received}");
    assert_eq!(stage.central.figures().namespaces["blue"].whole_reads, 0);

    // Who goes on with the old connection is led to the new server too.
    until("the old client has found the new server", async || {
        matches!(client.confirm(&zone, &known).await, Ok(Confirmation::Compared { names, .. }) if names.len() == 2)
    })
    .await;
    assert_eq!(stage.central.figures().namespaces["blue"].whole_reads, 0);
}

#[tokio::test]
async fn a_change_costs_what_it_changes_and_rest_costs_nothing() {
    let stage = Stage::new().await;
    stage.fill(2_000);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let known = read(&client, &zone).await;
    let figures = || stage.central.figures().namespaces["blue"];
    until_told(&stage, &client, &zone, &known).await;
    stage.wire.octets();
    let before = figures();
    for _ in 0..10 {
        assert!(compared(&client.confirm(&zone, &known).await.unwrap()).is_empty());
    }
    assert_eq!(figures(), before);
    assert_eq!(stage.wire.octets(), (0, 0), "no call is made");

    stage.memory.put(host(3, "192.0.2.3"));
    stage.refresh().await;
    until("the change is told", async || {
        compared(&client.confirm(&zone, &known).await.unwrap()) == ["host3.example.com"]
    })
    .await;
    let (sent, received) = stage.wire.octets();
    assert!(sent < 2_000 && received < 2_000, "{sent} {received}");
    assert_eq!(figures().whole_reads, 1);
}

/// Silence tells that a zone is the same, not how old the server's own knowledge is.
#[tokio::test]
async fn after_an_hour_of_silence_the_server_is_asked() {
    let stage = Stage::new().await;
    stage.fill(3);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let known = read(&client, &zone).await;
    until_told(&stage, &client, &zone, &known).await;
    let reads = || stage.central.figures().namespaces["blue"].reads;
    let before = reads();
    an_hour_passes().await;
    assert!(compared(&client.confirm(&zone, &known).await.unwrap()).is_empty());
    assert_eq!(reads(), before + 1);
}

/// Where much has changed, it is put together with what has not, and the zone is not read
/// whole for it.
#[tokio::test]
async fn much_that_has_changed_is_put_into_the_whole() {
    let mut stage = Stage::new().await;
    stage.fill(3_000);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let known = read(&client, &zone).await;
    for number in 0..1_500 {
        stage.memory.put(host(number, "192.0.2.2"));
    }
    stage.refresh().await;
    let known = until_whole(&client, &zone, &known).await;
    assert_eq!(sorted(&known.records), sorted(stage.truth()), "told by names");
    assert_eq!(stage.central.figures().namespaces["blue"].whole_reads, 1);
    // Less than half of the parts, and more than a thousand record sets in them.
    for number in 0..150 {
        stage.memory.put(host(number, "192.0.2.3"));
    }
    stage.restart().await;
    let client = stage.client("blue");
    the_zone(&client).await;
    let known = until_whole(&client, &zone, &known).await;
    assert_eq!(sorted(&known.records), sorted(stage.truth()), "told by parts");
    assert_eq!(stage.central.figures().namespaces["blue"].whole_reads, 0);
}

/// Waits until all of a zone is told, because much of it has changed.
async fn until_whole(client: &dyn Provider, zone: &Zone, known: &ZoneRecords) -> ZoneRecords {
    let mut whole = None;
    until("all of the zone is told", async || {
        if let Confirmation::Whole(zone) = client.confirm(zone, known).await.unwrap() {
            whole = Some(zone);
        }
        whole.is_some()
    })
    .await;
    whole.unwrap()
}

/// What was written since the version that is known is part of what is compared.
#[tokio::test]
async fn own_writes_are_known_and_those_of_others_beside_them_are_told() {
    let stage = Stage::new().await;
    stage.fill(100);
    let (blue, red) = (stage.client("blue"), stage.client("red"));
    let zone = the_zone(&blue).await;
    let known = read(&blue, &zone).await;
    let (ours, old, new) = (host(200, "192.0.2.1"), host(1, "192.0.2.1"), host(1, "192.0.2.2"));
    let groups = [create(ours.clone()), update(&old, &new)];
    assert_eq!(words(&blue.apply(&zone, &groups).await), ["applied", "applied"]);
    let theirs = host(201, "192.0.2.1");
    assert_eq!(words(&red.apply(&zone, &[create(theirs)]).await), ["applied"]);
    let records = known.records.iter().filter(|record| *record != old);
    let known = ZoneRecords {
        records: sorted(records.chain([ours, new])).into_iter().collect(),
        version: known.version,
    };
    until("what the other wrote is told", async || {
        compared(&blue.confirm(&zone, &known).await.unwrap()) == ["host201.example.com"]
    })
    .await;
    // What somebody has undone is told as well.
    stage.memory.remove(&host(200, "192.0.2.1").key().unwrap());
    stage.refresh().await;
    until("what is undone is told", async || {
        compared(&blue.confirm(&zone, &known).await.unwrap())
            == ["host200.example.com", "host201.example.com"]
    })
    .await;
}

#[tokio::test]
async fn what_is_known_wrongly_is_found_out() {
    let stage = Stage::new().await;
    stage.fill(500);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let good = read(&client, &zone).await;
    let mut records = sorted(&good.records);
    records[4] = host(4_000, "192.0.2.1");
    let wrong = ZoneRecords {
        records: sorted(records.clone()).into_iter().collect(),
        version: good.version.clone(),
    };
    let confirmation = client.confirm(&zone, &wrong).await.unwrap();
    assert_eq!(compared(&confirmation).len(), 2);
    // Of a zone that has nothing in common with it, all is told.
    let other = ZoneRecords {
        records: (1_000..2_500).map(|number| host(number, "192.0.2.1")).collect(),
        version: None,
    };
    match client.confirm(&zone, &other).await.unwrap() {
        Confirmation::Whole(zone) => assert_eq!(sorted(&zone.records), sorted(stage.truth())),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn some_names_are_read_by_themselves() {
    let stage = Stage::new().await;
    stage.fill(2_000);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    assert_eq!(client.read_names(&zone, &[]).await.unwrap(), []);
    stage.wire.octets();
    let names = ["host5.example.com", "nobody.example.com"].map(super::super::world::name);
    let found = client.read_names(&zone, &names).await.unwrap();
    assert_eq!(found, [host(5, "192.0.2.1")]);
    let (_, received) = stage.wire.octets();
    assert!(received < 2_000, "{received}");
}

/// The engine's cache before a client reads a zone whole once: a restart, its age, and what
/// is in doubt cost no more than what has changed.
#[tokio::test]
async fn a_cache_reads_a_zone_whole_once() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new().await;
    stage.fill(1_000);
    let clock: Arc<HandClock> = Arc::default();
    let open = || {
        let settings = CacheSettings {
            time: TIME,
            patch_on_apply: true,
            max_age: Some(2 * TIME),
            directory: Some(folder.path().to_owned()),
            ..CacheSettings::default()
        };
        Cached::open(Arc::new(stage.client("blue")), settings, clock.clone()).unwrap()
    };
    let cached = open();
    let zone = the_zone(&cached).await;
    read(&cached, &zone).await;
    for step in 0..5 {
        clock.advance(TIME + Duration::from_secs(1));
        let record = host(2_000 + step, "192.0.2.1");
        assert_eq!(words(&cached.apply(&zone, &[create(record)]).await), ["applied"]);
        assert_eq!(sorted(&read(&cached, &zone).await.records), sorted(stage.truth()));
        cached.confirm_one().await;
    }
    assert_eq!(cached.status().provider_calls[&Operation::Read], 1);
    assert_eq!(cached.status().zones[0].doubtful, 0);
    drop(cached);
    // Kept for longer than it is trusted.
    clock.advance(10 * TIME);
    stage.memory.put(host(3, "192.0.2.3"));
    stage.refresh().await;
    let cached = open();
    assert_eq!(sorted(&read(&cached, &zone).await.records), sorted(stage.truth()));
    assert_eq!(cached.status().provider_calls[&Operation::Read], 0);
    assert_eq!(stage.central.figures().namespaces["blue"].whole_reads, 1);
}
