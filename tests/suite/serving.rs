//! What the operator serves over HTTP: health and metrics, as the kubelet and
//! Prometheus get them.

pub mod client;
mod offer;
mod parts;
mod tls;

use operator::dns::digest::revision;
use serde_json::json;

use crate::control_plane::{Operator, Plane, eventually};
use client::{Answer, get};

/// Any free port: the operator logs which.
pub const ANYWHERE: [&str; 2] = [
    "--metrics-bind-addr=127.0.0.1:0",
    "--health-bind-addr=127.0.0.1:0",
];

/// Where the operator says that it serves something, once it does.
pub async fn address(operator: &Operator, what: &str) -> String {
    let lead = format!("serving {what}://");
    let mut found = None;
    eventually(&lead, async || {
        let log = operator.log();
        found = log
            .rsplit_once(lead.as_str())
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .map(ToOwned::to_owned);
        found.is_some()
    })
    .await;
    found.unwrap()
}

/// The metrics in plain text.
async fn scrape(address: &str) -> Answer {
    let answer = get(address, "/metrics", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// Waits until the metrics have a line.
async fn shows(address: &str, line: &str) {
    eventually(line, async || scrape(address).await.has(line)).await;
}

#[tokio::test]
async fn metrics_tell_of_the_operator_and_its_configuration() {
    let plane = Plane::start().await;
    let operator = Operator::start(&plane, &ANYWHERE);
    let address = address(&operator, "metrics on http").await;
    plane.corefile_has("cache 900 {").await;
    shows(&address, "dns_operator_corefile_published_total 1").await;
    let answer = scrape(&address).await;
    assert_eq!(
        answer.content_type,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(answer.body.ends_with("\n# EOF\n"), "{}", answer.body);
    let revision_now = revision(&plane.corefile().await);
    for series in [
        "controller_runtime_reconcile_total{controller=\"dns_controller\",result=\"success\"} ",
        "controller_runtime_reconcile_total{controller=\"dns_controller\",result=\"error\"} 0",
        "controller_runtime_reconcile_total{controller=\"dns_controller\",result=\"requeue_after\"} ",
        "controller_runtime_reconcile_time_seconds_bucket{le=\"60.0\",controller=\"dns_controller\"} ",
        "controller_runtime_reconcile_time_seconds_count{controller=\"dns_controller\"} ",
        "dns_operator_spec_valid 1",
        &format!("dns_operator_corefile_info{{revision=\"{revision_now}\"}} 1"),
        "dns_operator_ca_bundles{state=\"missing\"} 0",
        "dns_operator_api_requests_total{verb=\"WATCH\",code=\"2xx\"} ",
        "dns_operator_api_requests_total{verb=\"PATCH\",code=\"2xx\"} ",
        "dns_operator_leader 1",
        "dns_operator_build_info{version=\"",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "process_start_time_seconds ",
    ] {
        assert!(
            answer.body.lines().any(|line| line.starts_with(series)),
            "{series} in {}",
            answer.body
        );
    }

    plane.edit(json!({ "cache": { "positiveTTL": "6s" } })).await;
    plane.corefile_has("cache 6 {").await;
    shows(&address, "dns_operator_corefile_published_total 2").await;
    let answer = scrape(&address).await;
    let infos: Vec<&str> = answer.lines_of("dns_operator_corefile_info{").collect();
    let now = revision(&plane.corefile().await);
    assert_eq!(
        infos,
        [format!("dns_operator_corefile_info{{revision=\"{now}\"}} 1")]
    );
    assert_ne!(now, revision_now);

    let tls = json!({ "transport": "TLS", "tls": {
        "serverName": "dns.example.com", "caBundle": { "name": "not-there" } } });
    let server = json!({ "name": "a", "zones": ["example.com"],
        "forwardPlugin": { "upstreams": ["192.0.2.1"], "transportConfig": tls } });
    plane.edit(json!({ "servers": [server] })).await;
    shows(&address, "dns_operator_ca_bundles{state=\"missing\"} 1").await;
    plane
        .edit(json!({ "servers": [{ "name": "a", "zones": ["a b"],
            "forwardPlugin": { "upstreams": ["192.0.2.1"] } }] }))
        .await;
    shows(&address, "dns_operator_spec_valid 0").await;

    for (path, status) in [("/", 404), ("/healthz", 404)] {
        assert_eq!(get(&address, path, None, None).await.unwrap().status, status);
    }
}

#[tokio::test]
async fn metrics_tell_what_is_in_force() {
    let plane = Plane::start().await;
    let operator = Operator::start(&plane, &ANYWHERE);
    let address = address(&operator, "metrics on http").await;
    let limits = async |positive: u32, negative: u32| {
        for (kind, limit) in [("positive", positive), ("negative", negative)] {
            let line = format!("dns_operator_cache_limit_seconds{{kind=\"{kind}\"}} {limit}");
            shows(&address, &line).await;
        }
    };
    limits(900, 30).await;
    shows(&address, "dns_operator_config_in_force 1").await;
    plane.edit(json!({ "cache": { "positiveTTL": "6s" } })).await;
    limits(6, 30).await;

    let refused = json!({ "cache": { "positiveTTL": "7s" }, "servers": [{ "name": "a", "zones": ["a b"],
        "forwardPlugin": { "upstreams": ["192.0.2.1"] } }] });
    plane.edit(refused).await;
    shows(&address, "dns_operator_config_in_force 0").await;
    limits(6, 30).await;
    plane
        .edit(json!({ "servers": [], "managementState": "Unmanaged" }))
        .await;
    eventually("nothing is to be put into force", async || {
        let answer = scrape(&address).await;
        answer.lines_of("dns_operator_config_in_force").next().is_none()
    })
    .await;
    plane.edit(json!({ "managementState": "Managed" })).await;
    shows(&address, "dns_operator_config_in_force 1").await;
    limits(7, 30).await;
}

#[tokio::test]
async fn health_tells_alive_from_ready() {
    let mut plane = Plane::start().await;
    plane.cluster.stop_api_server();
    let operator = Operator::start(&plane, &ANYWHERE);
    let address = address(&operator, "health on http").await;
    let status = async |path: &str| get(&address, path, None, None).await.unwrap().status;
    assert_eq!(status("/healthz").await, 200);
    assert_eq!(status("/readyz").await, 503);
    plane.cluster.start_api_server().await.unwrap();
    eventually("it is ready", async || status("/readyz").await == 200).await;
    assert_eq!(status("/healthz").await, 200);
    assert_eq!(status("/metrics").await, 404);
}

#[tokio::test]
async fn what_is_switched_off_is_not_served() {
    let plane = Plane::start().await;
    let operator = Operator::start(&plane, &["--metrics-bind-addr=", "--health-bind-addr=0"]);
    plane.corefile_has("cache 900 {").await;
    assert!(!operator.log().contains("serving"), "{}", operator.log());
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let plane = Plane::start().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut operator = Operator::start(&plane, &[&format!("--metrics-bind-addr={address}")]);
    eventually("it ends", async || !operator.is_running()).await;
    let log = operator.log();
    assert!(
        log.contains(&format!("--metrics-bind-addr: failed to listen on {address}")),
        "{log}"
    );
}
