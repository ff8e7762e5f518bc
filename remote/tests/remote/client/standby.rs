//! Two servers behind one address, of which one leads.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use records::{Provider as _, ProviderError};
use remote::server::listener::{self, Bounds};
use remote::server::{Credentials, Standby};
use tokio::net::TcpListener;

use super::super::door::{SERVER, pem};
use super::stage::{Stage, create, host, the_zone, until, words};

/// A server of the stage that does not lead.
async fn standby(stage: &Stage) -> SocketAddr {
    let credentials = Credentials::new(&pem(&stage.servers.server(SERVER), &stage.clients)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener::serve(
        Standby::new("another one leads"),
        listener,
        Arc::new(credentials),
        Bounds::of_standby(),
        pending(),
    ));
    address
}

/// The address leads to the leader again, but no connection is cut.
#[tokio::test]
async fn a_client_that_is_connected_to_a_standby_comes_to_the_leader() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let leader = stage.wire.target();
    stage.wire.lead_to(Some(standby(&stage).await));
    stage.wire.cut();
    let quiet = stage.client("red");
    let error = quiet.zones().await.unwrap_err();
    let ProviderError::Unavailable(message) = &error else {
        panic!("{error:?}");
    };
    assert!(message.contains("another one leads"), "{message}");
    let group = [create(host(1, "192.0.2.1"))];
    // The connection that was cut may tell something else.
    until("it is with the standby", async || {
        words(&client.apply(&zone, &group).await) == ["postponed"]
    })
    .await;

    stage.wire.lead_to(leader);
    until("the change is made", async || {
        let outcome = words(&client.apply(&zone, &group).await)[0];
        assert!(
            ["postponed", "applied"].contains(&outcome),
            "a connection that ends leaves nothing in doubt: {outcome}"
        );
        outcome == "applied"
    })
    .await;
    assert_eq!(stage.truth().len(), 1);
    until("the quiet one is there too", async || quiet.zones().await.is_ok()).await;
}
