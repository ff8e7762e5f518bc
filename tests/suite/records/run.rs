//! `records run` for DNSEndpoints, on a real API server and a real Knot: as
//! `manifests/records` deploys it, with the rights that it has there and no others.

pub mod stage;

use serde_json::{Value, json};

use crate::control_plane::{eventually, quiet};
use stage::{OURS, Stage, endpoint};

/// What others have in the zone.
const FOREIGN: &str = "taken 300 A 192.0.2.9\n\
    a-taken 300 TXT \"heritage=external-dns,external-dns/owner=other,external-dns/resource=ingress/default/x\"\n";
const TRUE: (&str, &str, &str) = ("True", "Accepted", "Programmed");

#[tokio::test]
async fn dns_endpoints_become_records_whatever_happens_meanwhile() {
    let mut stage = Stage::start(FOREIGN).await;
    // Only changes of the source can bring a second pass.
    let daemon = stage
        .run(&["--interval=1h", "--min-event-sync-interval=2s"])
        .await;
    eventually("ready", async || {
        daemon.get("/readyz").await.unwrap().status == 200
    })
    .await;
    endpoints_are_created_changed_and_deleted(&stage).await;
    what_is_not_in_place_is_told(&stage).await;
    edits_within_the_event_interval_land(&stage).await;
    daemon.kill();

    // What happens while nobody runs is found out.
    stage.wants("later", &[endpoint("later", "192.0.2.20")]).await;
    stage.forget("short").await;
    let mut daemon = stage
        .run(&["--interval=1s", "--min-event-sync-interval=100ms"])
        .await;
    stage.has(&[("later", "192.0.2.20"), ("web", "192.0.2.4")]).await;
    stage.is_told("later", TRUE).await;
    assert_eq!(
        daemon
            .metric("external_dns_records_provider_calls_total{operation=\"read\"}")
            .await,
        Some(0.0)
    );

    provider_is_down_and_back(&mut stage, &mut daemon).await;
    let daemon = api_server_is_down_and_back(&mut stage, daemon).await;
    daemon.kill();
    single_passes(&stage).await;
    stage.rights_are_used();
    stage.pods_are_admitted().await;
    stage.plane.cluster.stop().unwrap();
}

async fn endpoints_are_created_changed_and_deleted(stage: &Stage) {
    stage.wants("web", &[endpoint("web", "192.0.2.1")]).await;
    stage.wants("short", &[endpoint("short", "192.0.2.10")]).await;
    stage.wants("gone", &[endpoint("gone", "192.0.2.11")]).await;
    stage
        .has(&[
            ("gone", "192.0.2.11"),
            ("short", "192.0.2.10"),
            ("web", "192.0.2.1"),
        ])
        .await;
    stage.is_told("web", TRUE).await;
    stage.forget("gone").await;
    stage.wants("web", &[endpoint("web", "192.0.2.2")]).await;
    stage.has(&[("short", "192.0.2.10"), ("web", "192.0.2.2")]).await;
    stage.is_told("web", TRUE).await;
}

/// Each endpoint that is not in place has its reason; the others of its object land.
async fn what_is_not_in_place_is_told(stage: &Stage) {
    let mut malformed = endpoint("bad", "192.0.2");
    malformed["recordTTL"] = json!(60);
    let well = endpoint("well", "192.0.2.12");
    stage.wants("mixed", &[malformed, well]).await;
    stage
        .is_told("mixed", ("False", "InvalidEndpoint", "InvalidEndpoint"))
        .await;
    let mut abroad = endpoint("www", "192.0.2.1");
    abroad["dnsName"] = json!("www.example.org");
    stage.wants("abroad", &[abroad]).await;
    stage
        .is_told("abroad", ("False", "OutsideZones", "OutsideZones"))
        .await;
    stage.wants("rival", &[endpoint("taken", "192.0.2.13")]).await;
    stage
        .is_told("rival", ("False", "OwnedByAnother", "OwnedByAnother"))
        .await;
    let open = stage.status("mixed").await["notInPlace"].clone();
    assert_eq!(open[0]["dnsName"], "bad.example.com", "{open}");
    let message = open[0]["message"].as_str().unwrap();
    assert!(message.starts_with("spec.endpoints[0].targets[0]"), "{message}");
    assert_eq!(open.as_array().map(Vec::len), Some(1), "{open}");
    stage
        .has(&[
            ("short", "192.0.2.10"),
            ("web", "192.0.2.2"),
            ("well", "192.0.2.12"),
        ])
        .await;
    assert_eq!(stage.address("taken").await.as_deref(), Some("192.0.2.9"));
    for name in ["mixed", "abroad", "rival"] {
        stage.forget(name).await;
    }
    stage.has(&[("short", "192.0.2.10"), ("web", "192.0.2.2")]).await;
}

/// The pass that has just ended is younger than the interval: the edits wait, and none is
/// lost.
async fn edits_within_the_event_interval_land(stage: &Stage) {
    stage.wants("web", &[endpoint("web", "192.0.2.3")]).await;
    stage.has(&[("short", "192.0.2.10"), ("web", "192.0.2.3")]).await;
    for target in ["192.0.2.5", "192.0.2.6", "192.0.2.4"] {
        stage.wants("web", &[endpoint("web", target)]).await;
    }
    stage.has(&[("short", "192.0.2.10"), ("web", "192.0.2.4")]).await;
    stage.is_told("web", TRUE).await;
}

async fn provider_is_down_and_back(stage: &mut Stage, daemon: &mut super::daemon::Daemon) {
    stage.cut_off().await;
    stage.wants("web", &[endpoint("web", "192.0.2.7")]).await;
    stage.is_told("web", ("True", "Accepted", "Pending")).await;
    let told = stage.status("web").await["conditions"].to_string();
    assert!(told.contains("web.example.com A: "), "{told}");
    daemon.passes(2).await;
    let errors = daemon
        .metric("external_dns_controller_consecutive_soft_errors")
        .await;
    assert!(errors.unwrap() >= 2.0, "{errors:?}");
    assert_eq!(stage.address("web").await.as_deref(), Some("192.0.2.4"));
    stage.reconnect().await;
    stage.has(&[("later", "192.0.2.20"), ("web", "192.0.2.7")]).await;
    stage.is_told("web", TRUE).await;
    eventually("no errors any more", async || {
        daemon
            .metric("external_dns_controller_consecutive_soft_errors")
            .await
            == Some(0.0)
    })
    .await;
}

/// Nothing goes while the API server cannot be asked, by a process that knew the objects or
/// by one that never did; what was deleted meanwhile goes after that.
async fn api_server_is_down_and_back(
    stage: &mut Stage,
    mut daemon: super::daemon::Daemon,
) -> super::daemon::Daemon {
    let all = [("later", "192.0.2.20"), ("web", "192.0.2.7")];
    stage.plane.cluster.stop_api_server();
    daemon.passes(3).await;
    stage.has(&all).await;
    daemon.kill();
    let mut daemon = stage
        .run(&["--interval=1s", "--min-event-sync-interval=100ms"])
        .await;
    let ready = daemon.get("/readyz").await.unwrap();
    assert_eq!(
        (ready.status, daemon.get("/healthz").await.unwrap().status),
        (503, 200)
    );
    quiet().await;
    daemon.is_alive();
    stage.has(&all).await;
    stage.plane.cluster.start_api_server().await.unwrap();
    stage.forget("later").await;
    stage.wants("back", &[endpoint("back", "192.0.2.21")]).await;
    stage.has(&[("back", "192.0.2.21"), ("web", "192.0.2.7")]).await;
    stage.is_told("back", TRUE).await;
    eventually("ready", async || {
        daemon.get("/readyz").await.unwrap().status == 200
    })
    .await;
    daemon
}

/// `--dry-run` writes to neither zone nor status, and `--once` ends with what came of it.
async fn single_passes(stage: &Stage) {
    stage.wants("once", &[endpoint("once", "192.0.2.22")]).await;
    stage.forget("back").await;
    let tried = stage.pass(&["--once", "--dry-run"]).await;
    assert_eq!(tried.status.code(), Some(1), "{tried:?}");
    let log = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert!(log.contains("  + once.example.com A 192.0.2.22"), "{log}");
    assert!(log.contains("  - back.example.com A 192.0.2.21"), "{log}");
    assert_eq!(stage.status("once").await, Value::Null);
    stage.has(&[("back", "192.0.2.21"), ("web", "192.0.2.7")]).await;

    let done = stage.pass(&["--once"]).await;
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    stage.has(&[("once", "192.0.2.22"), ("web", "192.0.2.7")]).await;
    stage.is_told("once", TRUE).await;
    stage.wants("once", &[endpoint("once", "nowhere")]).await;
    let refused = stage.pass(&["--once"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    // What stands at a malformed endpoint's name stays.
    stage.has(&[("once", "192.0.2.22"), ("web", "192.0.2.7")]).await;
    assert_eq!(stage.owner("once").await.as_deref(), Some(OURS));
}
