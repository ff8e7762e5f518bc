//! An API server that is away when another server takes over.

use serde_json::{Value, json};

use super::election::{LEADER, Servers, stands_by};
use super::stage::{ZONE, address, leads};

#[tokio::test]
async fn serving_and_its_end_do_not_wait_for_the_api_server_and_the_label_follows() {
    let mut servers = Servers::start().await;
    let (place, other) = (address(), address());
    let mut first = servers.server("first", place).await;
    leads(&first).await;
    servers.have_roles([LEADER.into(), LEADER.into()]).await;

    servers.plane.cluster.stop_api_server();
    let mut client = servers.stage.client(place, "blue");
    assert_eq!(client.zones().await.unwrap(), [ZONE]);
    assert_eq!(client.create(&["api".into()]).await.unwrap(), ["applied"]);
    first.terminate();
    assert_eq!(first.exit_code().await, Some(0), "{}", first.log());
    assert!(
        first.log().contains("the pod's label may not be what it should"),
        "{}",
        first.log()
    );

    servers.plane.cluster.start_api_server().await.unwrap();
    let second = servers.server("second", other).await;
    servers.have_roles([LEADER.into(), Value::Null]).await;
    // So that the test need not wait for a minute.
    servers.patch_lease(json!({ "leaseDurationSeconds": 2 })).await;
    leads(&second).await;
    servers.have_roles([LEADER.into(), LEADER.into()]).await;
    // The container is started again, in the same pod.
    let first = servers.server("first", place).await;
    servers.have_roles([Value::Null, LEADER.into()]).await;
    stands_by(&first, &mut servers.stage.client(place, "blue")).await;
    servers.plane.cluster.stop().unwrap();
}
