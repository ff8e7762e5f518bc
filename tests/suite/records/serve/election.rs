//! Two servers, one of which leads by a Lease.

use std::net::SocketAddr;

use devcluster::Distribution;
use operator::resources::central_lease_key;
use remote::protocol::v2::read_zone_response::header::Basis;
use serde_json::{Value, json};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::super::daemon::{Daemon, command};
use super::super::definitions::{define, our_dns_provider};
use super::pods::{self, ROLE};
use super::stage::{Client, Stage, ZONE, address, leads, provider, readiness};
use crate::control_plane::{Plane, eventually};

/// The namespace of the Lease, and of a client.
pub const NAMESPACE: &str = "blue";
/// The role of a pod whose server leads.
pub const LEADER: &str = "leader";

pub struct Servers {
    pub stage: Stage,
    pub plane: Plane,
}

impl Servers {
    /// Two pods, both with what a leader that was killed leaves behind.
    pub async fn start() -> Self {
        let stage = Stage::start("www 300 A 192.0.2.80").await;
        let plane = Plane::without_controllers(Distribution::Kubernetes).await;
        define(&plane, our_dns_provider()).await;
        plane.make_namespace(NAMESPACE).await;
        let file = stage.write("objects.yaml", &[stage.secret(NAMESPACE), provider(NAMESPACE)]);
        plane.kubectl(&["apply", "-f", file.to_str().unwrap()]);
        plane.kubectl(&["create", "serviceaccount", "default", "--namespace", NAMESPACE]);
        for name in ["first", "second"] {
            let containers = json!([{ "name": "serve", "image": "x" }]);
            let template = json!({
                "metadata": { "labels": { ROLE: "leader" } }, "spec": { "containers": containers },
            });
            pods::make(&plane, NAMESPACE, name, &template).await;
        }
        Self { stage, plane }
    }

    /// Starts a server by its name.
    pub async fn server(&self, name: &str, address: SocketAddr) -> Daemon {
        let mut arguments = self.stage.arguments(address, name);
        arguments.push(format!("--leader-election-namespace={NAMESPACE}"));
        let mut command = command(&arguments);
        command
            .env("KUBECONFIG", self.plane.cluster.kubeconfig())
            .env("POD_NAME", name);
        Daemon::start_with(self.stage.folder.path(), name, &command).await
    }

    /// The role that each pod's label tells.
    pub async fn roles(&self) -> [Value; 2] {
        [
            pods::role(&self.plane, NAMESPACE, "first").await,
            pods::role(&self.plane, NAMESPACE, "second").await,
        ]
    }

    /// Waits until the labels tell these roles.
    pub async fn have_roles(&self, roles: [Value; 2]) {
        eventually(&format!("roles {roles:?}"), async || self.roles().await == roles).await;
    }

    pub async fn lease(&self) -> Value {
        self.plane.get(&central_lease_key(NAMESPACE)).await.unwrap()["spec"].clone()
    }

    pub async fn patch_lease(&self, spec: Value) {
        let key = central_lease_key(NAMESPACE);
        self.plane.patch(&key, json!({ "spec": spec })).await;
    }
}

#[tokio::test]
async fn another_server_takes_over_and_clients_need_not_read_anew() {
    let servers = Servers::start().await;
    let places = [address(), address()];
    let first = servers.server("first", places[0]).await;
    leads(&first).await;
    // The other pod is the other server's.
    servers.have_roles([LEADER.into(), LEADER.into()]).await;
    let second = servers.server("second", places[1]).await;
    servers.have_roles([LEADER.into(), Value::Null]).await;
    let mut client = servers.stage.client(places[0], NAMESPACE);
    assert_eq!(client.create(&["api".into()]).await.unwrap(), ["applied"]);
    let (whole, records) = client.read(&[]).await.unwrap();
    assert!(matches!(whole.basis, Some(Basis::Whole(_))));
    assert!(records.len() > 2);

    let mut late = servers.stage.client(places[1], NAMESPACE);
    stands_by(&second, &mut late).await;
    assert!(
        !servers.stage.folder.path().join("second").exists(),
        "the cache is not touched"
    );
    assert_eq!(servers.lease().await["holderIdentity"], "first");

    first.kill();
    // So that the test need not wait for a minute.
    servers.patch_lease(json!({ "leaseDurationSeconds": 2 })).await;
    leads(&second).await;
    // Nobody but the first could take its own label off.
    servers.have_roles([LEADER.into(), LEADER.into()]).await;
    assert_eq!(servers.lease().await["holderIdentity"], "second");
    // It has never seen this client, nor the state that the client knows.
    let (header, records) = late.read(&whole.revision).await.unwrap();
    assert!(matches!(header.basis, Some(Basis::Names(names)) if names.names.is_empty()));
    assert!(records.is_empty());
    assert_eq!(header.revision, whole.revision);
    assert_eq!(late.create(&["web".into()]).await.unwrap(), ["applied"]);
    assert_eq!(servers.stage.names().await, ["api", "web", "www"]);

    it_is_led_by_another(&servers, &second, &mut late).await;
    it_ends_in_order(&servers, second).await;
    servers.plane.cluster.stop().unwrap();
}

/// A server that does not lead says so, and when to come again.
pub async fn stands_by(server: &Daemon, client: &mut Client) {
    let mut told = None;
    // A connection that has just been lost tells less.
    eventually("it tells that it is not leading", async || {
        told = client.zones().await.err();
        told.as_ref()
            .is_some_and(|told| told.message().contains("not leading"))
    })
    .await;
    let told = told.unwrap();
    assert_eq!(told.code(), Code::Unavailable, "{told}");
    let retry = told.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(!retry.is_zero());
    let (status, reason) = readiness(server).await;
    assert_eq!(status, 200, "{reason}");
    assert!(reason.contains("not leading"), "{reason}");
    assert_eq!(server.get("/healthz").await.unwrap().status, 200);
    assert_eq!(
        server.metric("external_dns_records_remote_leading").await,
        Some(0.0)
    );
}

/// A server whose Lease is taken stops, and begins again once it has it back.
async fn it_is_led_by_another(servers: &Servers, server: &Daemon, client: &mut Client) {
    servers
        .patch_lease(json!({ "holderIdentity": "another", "leaseDurationSeconds": 3600 }))
        .await;
    stands_by(server, client).await;
    let told = client.create(&["late".into()]).await.unwrap_err();
    assert_eq!(told.code(), Code::Unavailable, "{told}");
    servers.have_roles([LEADER.into(), Value::Null]).await;
    servers.patch_lease(json!({ "holderIdentity": null })).await;
    leads(server).await;
    servers.have_roles([LEADER.into(), LEADER.into()]).await;
    // Its cache is free again, and what it kept is there.
    assert_eq!(client.zones().await.unwrap(), [ZONE]);
    let restored = server.get("/metrics").await.unwrap().body;
    let restored = restored
        .lines()
        .any(|line| line.starts_with("external_dns_records_cache_restores_total{") && line.ends_with(" 1"));
    assert!(restored);
    assert_eq!(servers.stage.names().await, ["api", "web", "www"]);
}

/// A server that is asked to end takes the label off, and lets the Lease go.
async fn it_ends_in_order(servers: &Servers, mut server: Daemon) {
    server.terminate();
    assert_eq!(server.exit_code().await, Some(0), "{}", server.log());
    assert_eq!(servers.lease().await["holderIdentity"], Value::Null);
    assert_eq!(servers.roles().await[1], Value::Null);
}
