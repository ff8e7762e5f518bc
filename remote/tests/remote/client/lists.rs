//! Which zones there are.

use std::sync::Arc;

use records::{Provider as _, ProviderError};
use remote::client::{Remote, Settings};

use super::super::world::{an_hour_passes, offer};
use super::stage::{Stage, the_zone, unhurried, until};

#[tokio::test]
async fn the_zones_of_the_namespace_are_listed_and_the_client_chooses() {
    let stage = Stage::new().await;
    assert_eq!(the_zone(&stage.client("blue")).await.name.as_str(), "example.com");
    let none = Settings {
        zones: Arc::new(|zone| zone.name.as_str() != "example.com"),
        ..unhurried()
    };
    let client = Remote::new(stage.access("blue"), none);
    assert!(client.zones().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_list_is_read_again_when_the_server_says_that_it_is_another() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let lists = || stage.central.figures().namespaces["blue"].lists;
    // Once it is heard what the server tells, the list costs nothing.
    until_told(&stage, &client, "blue").await;
    let before = lists();
    for _ in 0..5 {
        the_zone(&client).await;
    }
    assert_eq!(lists(), before);
    stage
        .catalogue
        .put("blue", "provider", offer(&stage.account, &[]));
    until("the zone is gone", async || {
        client.zones().await.unwrap().is_empty()
    })
    .await;
    assert_eq!(lists(), before + 1);
    an_hour_passes().await;
    client.zones().await.unwrap();
    assert_eq!(lists(), before + 2, "silence is not believed for ever");
}

/// Waits until a client of a namespace hears of its zones what the server tells by itself.
pub async fn until_told(stage: &Stage, client: &Remote, namespace: &str) {
    let lists = || {
        let figures = stage.central.figures();
        figures.namespaces.get(namespace).map(|figures| figures.lists)
    };
    until("the list is not asked for any more", async || {
        let before = lists();
        the_zone(client).await;
        before.is_some() && before == lists()
    })
    .await;
}

/// What was heard of one server says nothing of the next.
#[tokio::test]
async fn another_server_may_have_other_zones() {
    let mut stage = Stage::new().await;
    let client = stage.client("blue");
    until_told(&stage, &client, "blue").await;
    stage.restart().await;
    stage
        .catalogue
        .put("blue", "provider", offer(&stage.account, &[]));
    until(
        "the zone is gone",
        async || matches!(client.zones().await, Ok(zones) if zones.is_empty()),
    )
    .await;
}

#[tokio::test]
async fn while_the_server_is_away_the_last_list_stays() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let target = stage.wire.target();
    stage.wire.lead_to(None);
    let error = client.zones().await.unwrap_err();
    let ProviderError::Unavailable(message) = &error else {
        panic!("{error:?}");
    };
    assert!(message.contains(&stage.wire.address.to_string()), "{message}");
    stage.wire.lead_to(target);
    let zone = the_zone(&client).await;
    stage.wire.lead_to(None);
    stage.wire.cut();
    assert_eq!(the_zone(&client).await, zone);
    // Who is not let in has no zones any more.
    stage.wire.lead_to(target);
    stage.catalogue.remove("blue", "provider");
    until("the zone is gone", async || {
        matches!(client.zones().await, Err(ProviderError::NoSuchZone(_)))
    })
    .await;
    let client = stage.client("green");
    let error = client.zones().await.unwrap_err();
    assert!(matches!(error, ProviderError::NoSuchZone(_)), "{error:?}");
    let red = Remote::new(
        {
            let pair = stage.pair("blue");
            let secret = super::stage::secret(stage.wire.address, "red", &pair, &stage.servers);
            let access = remote::client::Access::from_secret(&secret).unwrap();
            tokio::sync::watch::channel(access).1
        },
        unhurried(),
    );
    let error = red.zones().await.unwrap_err();
    assert!(matches!(error, ProviderError::Denied(_)), "{error:?}");
}

/// Who keeps the list by itself is told that the server is away, and when it is back.
#[tokio::test]
async fn that_the_server_is_away_is_told_to_those_who_want_to_know() {
    let stage = Stage::new().await;
    let settings = Settings {
        lists_last: false,
        ..unhurried()
    };
    let client = Remote::new(stage.access("blue"), settings);
    let heard = client.is_heard();
    let is_heard = || *heard.borrow();
    assert!(!is_heard());
    let zone = the_zone(&client).await;
    until("the server is heard", async || is_heard()).await;
    let target = stage.wire.target();
    stage.wire.lead_to(None);
    stage.wire.cut();
    until("the server is heard no more", async || !is_heard()).await;
    let error = client.zones().await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
    stage.wire.lead_to(target);
    until("the server is heard again", async || is_heard()).await;
    assert_eq!(the_zone(&client).await, zone);
}
