//! Which zones a namespace may use, and by which ids.

use std::sync::Arc;

use records::Change;
use records::provider::Operation;
use records::provider::memory::Memory;
use remote::protocol::v1::LoginRequest;
use remote::protocol::v2::ListZonesRequest;
use remote::server::{Account, Awaited, Limits};
use tonic::Code;

use super::world::{World, a, apply, cache, delay, group, name, offer, words, zone};

async fn ids(world: &World, namespace: &'static str) -> Vec<String> {
    let mut client = world.zones(namespace).await;
    let namespace = namespace.to_owned();
    let zones = client
        .list_zones(ListZonesRequest { namespace })
        .await
        .unwrap()
        .into_inner()
        .zones;
    zones.into_iter().map(|zone| zone.id).collect()
}

#[tokio::test]
async fn zones_of_two_providers_with_one_id_are_kept_apart() {
    let world = World::new();
    assert_eq!(ids(&world, "blue").await, ["example.com"]);
    let memory = Arc::new(Memory::new([name("example.com"), name("example.org")]));
    let second = Account::new(
        "second",
        "azure-dns",
        cache(memory.clone(), world.clock.clone()),
        Limits::default(),
    );
    world
        .catalogue
        .put("blue", "second", offer(&second, &["example.com", "example.org"]));
    assert_eq!(
        ids(&world, "blue").await,
        ["example.org", "main/example.com", "second/example.com"]
    );
    assert_eq!(ids(&world, "red").await, ["example.com"], "another namespace");

    let mut client = world.zones("blue").await;
    let create = || group(Change::Create(a("www.example.com", "192.0.2.1")));
    let error = client.apply(apply("blue", vec![create()])).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "of which of the two");
    let mut request = apply("blue", vec![create()]);
    request.zone_id = "second/example.com".to_owned();
    let made = client.apply(request.clone()).await.unwrap().into_inner();
    assert_eq!(words(&made), ["applied"]);
    assert_eq!(memory.records(&zone("example.com").id).len(), 1);
    assert!(world.memory.records(&zone("example.com").id).is_empty());

    // Who has learned the longer id may go on using it.
    world.catalogue.remove("blue", "provider");
    assert_eq!(ids(&world, "blue").await, ["example.com", "example.org"]);
    let made = client.apply(request).await.unwrap().into_inner();
    assert_eq!(words(&made), ["conflict"]);
}

#[tokio::test]
async fn two_providers_of_one_account_share_its_zones() {
    let world = World::new();
    world
        .catalogue
        .put("blue", "again", offer(&world.account, &["example.com"]));
    assert_eq!(ids(&world, "blue").await, ["example.com"]);
    assert_eq!(world.catalogue.zones().len(), 1, "of both namespaces, too");
    world.central.refresh().await;
    assert_eq!(world.memory.calls().of(Operation::Read), 1);
    world.catalogue.remove("blue", "again");
    assert_eq!(ids(&world, "blue").await, ["example.com"]);
    world.catalogue.remove("blue", "provider");
    assert!(world.catalogue.namespace("blue").is_none());
    assert_eq!(world.catalogue.zones().len(), 1, "red has it still");
}

#[tokio::test]
async fn of_a_namespace_whose_zones_are_not_known_yet_clients_are_told_to_come_again() {
    let world = World::new();
    world.catalogue.remove("blue", "provider");
    let mut client = world.zones("blue").await;
    let mut gardener = world.gardener("blue").await;
    let request = || ListZonesRequest {
        namespace: "blue".to_owned(),
    };
    let login = || LoginRequest {
        namespace: "blue".to_owned(),
        ..LoginRequest::default()
    };
    let only = |name: &str| Awaited::Only([name.to_owned()].into());
    for (awaited, code) in [
        (Awaited::default(), Code::NotFound),
        (only("red"), Code::NotFound),
        (only("blue"), Code::Unavailable),
        (Awaited::All, Code::Unavailable),
    ] {
        world.catalogue.set_awaited(awaited.clone());
        let refusals = [
            client.list_zones(request()).await.unwrap_err(),
            client.apply(apply("blue", Vec::new())).await.unwrap_err(),
            gardener.login(login()).await.unwrap_err(),
        ];
        for refusal in refusals {
            assert_eq!(refusal.code(), code, "{awaited:?}: {refusal}");
            if code == Code::Unavailable {
                assert!(!delay(&refusal).is_zero(), "{refusal}");
            }
        }
    }
    // Of others that are there, nobody waits.
    world.catalogue.set_awaited(Awaited::All);
    world
        .catalogue
        .put("blue", "provider", offer(&world.account, &["example.com"]));
    assert_eq!(ids(&world, "blue").await, ["example.com"]);
}
