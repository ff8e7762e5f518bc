//! A server that is asked to end.

use serde_json::json;

use super::stage::{Stage, address, provider};
use crate::control_plane::eventually;

#[tokio::test]
async fn the_batch_in_flight_is_finished_and_every_change_is_answered() {
    let stage = Stage::start("").await;
    // A batch a second, of a hundred names each.
    let mut slow = provider("blue");
    slow["spec"]["rateLimit"] = json!({ "requestsPerDay": 86400, "burst": 1 });
    let providers = stage.write("providers.yaml", &[slow, stage.secret("blue")]);
    let address = address();
    let mut daemon = stage.serve(address, &[providers]).await;
    let mut client = stage.client(address, "blue");
    let names: Vec<String> = (0..1000).map(|number| format!("host{number:04}")).collect();
    let asked = names.clone();
    let applying = tokio::spawn(async move { client.create(&asked).await });
    eventually("some of it is made", async || !stage.names().await.is_empty()).await;
    daemon.terminate();
    let told = applying.await.unwrap().unwrap();
    assert_eq!(daemon.exit_code().await, Some(0), "{}", daemon.log());

    let made = told.iter().zip(&names);
    let made: Vec<&String> = made
        .filter(|(word, _)| **word == "applied")
        .map(|(_, name)| name)
        .collect();
    assert_eq!(stage.names().await.iter().collect::<Vec<_>>(), made);
    let put_off = told.iter().filter(|word| **word == "postponed").count();
    assert_eq!(made.len() + put_off, names.len(), "{told:?}");
    assert!(put_off > 0);
    let mut late = stage.client(address, "blue");
    assert!(late.zones().await.is_err());
}
