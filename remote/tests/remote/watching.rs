//! Revisions are told as they change.

use std::time::Duration;

use records::Change;
use remote::protocol::v2::zone_service_client::ZoneServiceClient;
use remote::protocol::v2::{WatchZonesRequest, WatchZonesResponse};
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::world::{TIME, World, a, apply, group, offer};

async fn watch(client: &mut ZoneServiceClient<Channel>) -> Streaming<WatchZonesResponse> {
    let namespace = "blue".to_owned();
    client
        .watch_zones(WatchZonesRequest { namespace })
        .await
        .unwrap()
        .into_inner()
}

async fn next(stream: &mut Streaming<WatchZonesResponse>) -> Result<WatchZonesResponse, Status> {
    stream.message().await.map(Option::unwrap)
}

/// Whether nothing is told for a long time.
async fn is_silent(stream: &mut Streaming<WatchZonesResponse>) -> bool {
    timeout(Duration::from_secs(60), stream.message()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_and_many_at_once() {
    let world = World::new();
    let mut client = world.zones("blue").await;
    let mut stream = watch(&mut client).await;
    let first = next(&mut stream).await.unwrap();
    assert!(
        first.zones.is_empty() && !first.zones_changed,
        "nobody has read it yet"
    );
    let read = next(&mut stream).await.unwrap();
    assert_eq!(read.zones[0].zone_id, "example.com");
    assert!(is_silent(&mut stream).await);

    for number in 0..20 {
        let record = a(&format!("host{number}.example.com"), "192.0.2.1");
        let request = apply("blue", vec![group(Change::Create(record))]);
        client.apply(request).await.unwrap();
    }
    let mut told = Vec::new();
    while let Ok(message) = timeout(Duration::from_secs(60), stream.message()).await {
        told.extend(message.unwrap().unwrap().zones);
    }
    let state = world.catalogue.zones()[0].publication().current().unwrap();
    assert_eq!(told.last().unwrap().revision, state.revision().to_octets());
    assert!(told.len() < 20, "{} messages", told.len());
    let mut late = watch(&mut client).await;
    assert_eq!(
        next(&mut late).await.unwrap().zones[0].revision,
        state.revision().to_octets()
    );
}

#[tokio::test(start_paused = true)]
async fn what_others_write_is_told_after_a_refresh() {
    let world = World::new();
    world.central.refresh().await;
    let mut client = world.zones("blue").await;
    let mut stream = watch(&mut client).await;
    let before = next(&mut stream).await.unwrap().zones.remove(0).revision;
    world.memory.put(a("foreign.example.com", "192.0.2.1"));
    world.clock.advance(TIME + Duration::from_secs(1));
    world.central.refresh().await;
    let after = next(&mut stream).await.unwrap().zones.remove(0).revision;
    assert_ne!(before, after);
}

#[tokio::test(start_paused = true)]
async fn it_is_told_that_the_zones_are_others() {
    let world = World::new();
    world.central.refresh().await;
    let mut client = world.zones("blue").await;
    let mut stream = watch(&mut client).await;
    assert_eq!(next(&mut stream).await.unwrap().zones.len(), 1);
    world.catalogue.put("blue", "other", offer(&world.account, &[]));
    let message = next(&mut stream).await.unwrap();
    assert!(message.zones_changed && message.zones.is_empty());
    world.catalogue.put("red", "other", offer(&world.account, &[]));
    assert!(is_silent(&mut stream).await, "another namespace's");
    world.catalogue.remove("blue", "provider");
    assert!(next(&mut stream).await.unwrap().zones_changed);
    world.catalogue.remove("blue", "other");
    assert!(next(&mut stream).await.unwrap().zones_changed);
    assert_eq!(next(&mut stream).await.unwrap_err().code(), Code::NotFound);
}
