//! The server goes away and comes back, and its provider too.

use std::sync::Arc;
use std::time::Duration;

use records::provider::memory::{Fault, FaultKind};
use records::provider::{Confirmation, Operation};
use records::{Provider as _, ProviderError};
use remote::server::Settings as ServerSettings;

use super::super::world::{HandClock, TIME};
use super::stage::{Stage, create, host, read, sorted, the_zone, until, words};
use super::states::until_told;

/// For as long as the cache may, it serves what it knows, and says why not afterwards.
#[tokio::test]
async fn while_the_server_is_away_the_last_state_is_served_for_its_time() {
    let stage = Stage::new().await;
    stage.fill(10);
    let clock: Arc<HandClock> = Arc::default();
    let cached = stage.cached("blue", &clock);
    let zone = the_zone(&cached).await;
    let known = read(&cached, &zone).await;
    let target = stage.wire.target();
    stage.wire.lead_to(None);
    stage.wire.cut();

    clock.advance(TIME / 2);
    assert_eq!(the_zone(&cached).await, zone, "a pass goes on");
    assert_eq!(read(&cached, &zone).await, known);
    let outcomes = cached.apply(&zone, &[create(host(20, "192.0.2.1"))]).await;
    assert!(
        matches!(words(&outcomes)[0], "postponed" | "unknown"),
        "{outcomes:?}"
    );

    clock.advance(TIME);
    let error = cached.read(&zone).await.unwrap_err();
    let ProviderError::Unavailable(message) = &error else {
        panic!("{error:?}");
    };
    assert!(message.contains(&stage.wire.address.to_string()), "{message}");
    assert!(
        message.contains("it has last told of the zone example.com 0 s ago"),
        "{message}"
    );
    let status = cached.status();
    assert_eq!(
        status.zones[0].age,
        Some(TIME + TIME / 2),
        "it is said how old it is"
    );
    assert_eq!(status.zones[0].records, 10);

    stage.wire.lead_to(target);
    until("the server is back", async || cached.read(&zone).await.is_ok()).await;
    assert_eq!(sorted(&read(&cached, &zone).await.records), sorted(stage.truth()));
    assert_eq!(cached.status().zones[0].age, Some(Duration::ZERO));
    assert_eq!(cached.status().provider_calls[&Operation::Read], 1);
}

/// Who hears nothing because nobody speaks knows nothing.
#[tokio::test]
async fn while_the_server_is_away_no_zone_is_the_same() {
    let stage = Stage::new().await;
    stage.fill(3);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let known = read(&client, &zone).await;
    until_told(&stage, &client, &zone, &known).await;
    stage.wire.lead_to(None);
    stage.wire.cut();
    until("the zone is asked for", async || {
        client.confirm(&zone, &known).await.is_err()
    })
    .await;
}

/// The server's own provider is away: it tells its last state, and how old that is.
#[tokio::test]
async fn a_state_is_as_old_as_the_server_says() {
    let stage = Stage::new().await;
    stage.fill(10);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let known = read(&client, &zone).await;
    let late = TIME + Duration::from_secs(100);
    stage.clock.advance(late);
    stage.memory.fail(Fault {
        operation: Operation::Confirm,
        after: 0,
        kind: FaultKind::Unavailable,
    });
    let other = stage.client("blue");
    match other.confirm(&zone, &known).await.unwrap() {
        Confirmation::Compared { names, age, .. } => assert_eq!((names.len(), age), (0, late)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn errors_are_told_by_their_kind() {
    let settings = ServerSettings {
        most_reads: 0,
        ..ServerSettings::default()
    };
    let stage = Stage::with(settings).await;
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let error = client.read(&zone).await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::Throttled { retry_after: Some(after), .. } if !after.is_zero()),
        "{error:?}"
    );

    let stage = Stage::new().await;
    // The server reads for those who watch as well.
    for after in 0..4 {
        stage.memory.fail(Fault {
            operation: Operation::Read,
            after,
            kind: FaultKind::Unavailable,
        });
    }
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    let error = client.read(&zone).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
    stage.catalogue.remove("blue", "provider");
    let error = client.read(&zone).await.unwrap_err();
    assert!(matches!(error, ProviderError::NoSuchZone(_)), "{error:?}");
    let outcomes = client.apply(&zone, &[create(host(0, "192.0.2.1"))]).await;
    assert_eq!(words(&outcomes), ["postponed"]);
}

/// A stream that is cut in the middle of a zone is no small zone.
#[tokio::test]
async fn a_zone_that_is_cut_off_is_an_error() {
    let stage = Stage::new().await;
    stage.fill(20_000);
    let client = stage.client("blue");
    let zone = the_zone(&client).await;
    stage.wire.octets();
    stage.wire.cut_after(100_000);
    let result = client.read(&zone).await;
    stage.wire.cut_after(u64::MAX);
    assert!(matches!(result, Err(ProviderError::Unavailable(_))), "{result:?}");
    until("it is read again", async || client.read(&zone).await.is_ok()).await;
}
