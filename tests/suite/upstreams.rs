//! Upstreams that fail: what is made of their answers, and what people are told.

mod prober;
mod probes;
mod schedule;
mod targets;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use devcluster::Distribution;
use devcluster::control_plane::free_port;
use hickory_proto::rr::RecordType;
use serde_json::{Value, json};

use crate::control_plane::{Operator, Plane, eventually, quiet};
use crate::dns_server::DnsServer;
use crate::scenario::settled;

const CONDITION: &str = "UpstreamsHealthy";

fn servers(upstream: SocketAddr) -> Value {
    json!([{ "name": "a", "zones": ["a.example"], "forwardPlugin": { "upstreams": [upstream.to_string()] } }])
}

fn somewhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port().unwrap()).into()
}

#[tokio::test]
async fn a_dead_upstream_is_named_until_it_is_back() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    let operator = plane.operator();
    settled(&plane).await;
    // Otherwise the lack of pods is told in the end.
    for name in ["dns-default", "node-resolver"] {
        plane.rolled_out(name, [1, 1, 1]).await;
    }
    assert!(
        plane.condition(CONDITION).await.is_null(),
        "there is none to probe"
    );
    let upstream = somewhere();
    plane.edit(json!({ "servers": servers(upstream) })).await;
    plane.corefile_has("a.example:5353 {").await;
    let corefile = plane.corefile().await;
    eventually("it is found dead", async || {
        plane.condition(CONDITION).await["status"] == "False"
    })
    .await;
    let condition = plane.condition(CONDITION).await;
    assert_eq!(condition["reason"], "UpstreamsFailing");
    let message = condition["message"].as_str().unwrap();
    let beginning = format!(
        "spec.servers[0].forwardPlugin.upstreams[0]: {upstream} over UDP: ConnectionRefused: nobody listens \
         there, asked for 'a.example. SOA', since 20"
    );
    assert!(message.starts_with(&beginning), "{message}");
    plane
        .told(&format!("Warning UpstreamsFailing: {beginning}"))
        .await;
    assert_ne!(plane.condition("Degraded").await["reason"], "UpstreamsFailing");
    drop(operator);
    let _operator = plane.operator();
    // Time to find it dead again: there is nothing new to say.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(plane.condition(CONDITION).await, condition);
    let server = DnsServer::start(upstream).await;
    eventually("it is found well", async || {
        plane.condition(CONDITION).await["status"] == "True"
    })
    .await;
    plane.told("Normal UpstreamsHealthy: All upstreams answer").await;
    quiet().await;
    let (asked, requests) = (server.queries().len(), plane.requests());
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(server.queries().len() > asked, "it is still probed");
    assert_eq!(
        plane.requests(),
        requests,
        "what changes nothing costs no request"
    );
    assert_eq!(plane.corefile().await, corefile);
    let soa = ("a.example.".to_owned(), RecordType::SOA);
    assert!(server.queries().iter().all(|query| *query == soa));
}

#[tokio::test]
async fn nobody_is_probed_by_an_operator_that_is_not_to() {
    let plane = Plane::start().await;
    let server = DnsServer::start(somewhere()).await;
    let operator = Operator::start(&plane, &["--probe-upstreams=false"]);
    settled(&plane).await;
    plane.edit(json!({ "servers": servers(server.address) })).await;
    plane.corefile_has("a.example:5353 {").await;
    // The first probe comes within two seconds where there is one.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(server.queries(), []);
    assert!(plane.condition(CONDITION).await.is_null());
    operator.stop();
    let _operator = plane.operator();
    eventually("it is probed", async || {
        plane.condition(CONDITION).await["status"] == "True"
    })
    .await;
    plane.edit(json!({ "managementState": "Unmanaged" })).await;
    eventually("what is in force is not known", async || {
        plane.condition(CONDITION).await.is_null()
    })
    .await;
    let asked = server.queries().len();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(server.queries().len(), asked);
}
