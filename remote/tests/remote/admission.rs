//! What certificates let clients do, over mutual TLS: every call of both protocols asks.

use futures::StreamExt as _;
use remote::protocol::v1::{ExecuteRequest, GetZoneStateRequest};
use remote::protocol::v2::{
    AdjustRequest, ApplyRequest, ListZonesRequest, ReadZoneRequest, WatchZonesRequest,
};
use tonic::{Code, Status};

use super::certificates::{Authority, Pair};
use super::door::{Door, login, pem, use_token};

const ZONE: &str = "example.com";

/// What comes of each call of our protocol.
async fn each_call(door: &Door, pair: &Pair, namespace: &str) -> Vec<Result<(), Status>> {
    let mut client = door.zones(pair);
    let (namespace, zone_id) = (namespace.to_owned(), ZONE.to_owned());
    let list = ListZonesRequest {
        namespace: namespace.clone(),
    };
    let read = ReadZoneRequest {
        namespace: namespace.clone(),
        zone_id: zone_id.clone(),
        ..ReadZoneRequest::default()
    };
    let watch = WatchZonesRequest {
        namespace: namespace.clone(),
    };
    let apply = ApplyRequest {
        namespace: namespace.clone(),
        zone_id: zone_id.clone(),
        ..ApplyRequest::default()
    };
    let adjust = AdjustRequest {
        namespace,
        zone_id,
        ..AdjustRequest::default()
    };
    let read = async {
        let mut pieces = client.clone().read_zone(read).await?.into_inner();
        while let Some(piece) = pieces.next().await {
            piece?;
        }
        Ok(())
    };
    let read = read.await;
    vec![
        client.list_zones(list).await.map(drop),
        read,
        client.watch_zones(watch).await.map(drop),
        client.apply(apply).await.map(drop),
        client.adjust(adjust).await.map(drop),
    ]
}

/// What comes of each call of Gardener's protocol that has a token.
async fn each_call_with(door: &Door, pair: &Pair, token: &str) -> Vec<Result<(), Status>> {
    let mut client = door.client(pair);
    let state = GetZoneStateRequest {
        token: token.to_owned(),
        zoneid: ZONE.to_owned(),
    };
    let execute = ExecuteRequest {
        token: token.to_owned(),
        zoneid: ZONE.to_owned(),
        ..ExecuteRequest::default()
    };
    vec![
        use_token(&mut client, token).await,
        client.get_zone_state(state).await.map(drop),
        client.execute(execute).await.map(drop),
    ]
}

#[tokio::test]
async fn each_call_is_for_the_namespaces_of_the_certificate_alone() {
    let door = Door::new().await;
    let pair = door.pair("garden-a");
    let token = login(&mut door.client(&pair), "garden-a").await.unwrap();
    for made in each_call_with(&door, &pair, &token).await {
        made.unwrap();
    }
    for made in each_call(&door, &pair, "garden-a").await {
        made.unwrap();
    }
    for refused in each_call(&door, &pair, "garden-b").await {
        let error = refused.unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied);
        assert_eq!(
            error.message(),
            "the client certificate is for garden-a, not for the namespace \"garden-b\""
        );
    }
    assert_eq!(door.central.figures().denied, 5);
}

#[tokio::test]
async fn each_call_with_a_stolen_token_is_refused() {
    let door = Door::new().await;
    let token = login(&mut door.of("garden-a"), "garden-a").await.unwrap();
    for refused in each_call_with(&door, &door.pair("garden-a"), &token).await {
        let error = refused.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated);
        assert!(error.message().contains("[invalid token]"), "{error}");
    }
    assert_eq!(door.central.figures().denied, 3);
}

#[tokio::test]
async fn no_call_is_made_for_an_authority_that_is_not_believed_any_more() {
    let door = Door::new().await;
    let pair = door.pair("garden-a");
    let mut client = door.client(&pair);
    let token = login(&mut client, "garden-a").await.unwrap();
    let mut zones = door.zones(&pair);
    let namespace = "garden-a".to_owned();
    let list = ListZonesRequest { namespace };
    zones.list_zones(list.clone()).await.unwrap();
    let next = Authority::new("clients of the next year");
    door.credentials.renew(&pem(&door.server, &next)).unwrap();
    let error = zones.list_zones(list).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.message().contains("not valid any more"), "{error}");
    let error = use_token(&mut client, &token).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert!(error.message().contains("not valid any more"), "{error}");
}
