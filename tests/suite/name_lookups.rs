//! DNSNameResolvers on a real API server, beside the operator: names are looked up
//! and addresses expire while the feature gate is on, and only then.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use devcluster::Distribution;
use hickory_proto::rr::RecordType;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Patch, PatchParams};
use operator::dns::objects::ObjectKey;
use operator::resources::{daemon_set_key, default_dns_key, feature_gate_key, name_resolver_key};
use serde_json::{Value, json};

use crate::control_plane::{Operator, Plane, eventually, kept_keys, quiet};
use crate::dns_server::DnsServer;

/// A condition as CoreDNS's plugin writes it.
fn degraded() -> Value {
    json!([{
        "type": "Degraded", "status": "False", "reason": "NOERROR", "message": "No Error",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }])
}

fn address(ip: &str, looked_up: Timestamp, ttl: i64) -> Value {
    let seconds = Timestamp::from_second(looked_up.as_second()).unwrap();
    json!({ "ip": ip, "lastLookupTime": seconds.to_string(), "ttlSeconds": ttl })
}

/// An API server as OpenShift has it, where the gate is off, and a DNS pod.
struct Cluster {
    plane: Plane,
    server: DnsServer,
}

impl Cluster {
    async fn start() -> Self {
        Self {
            plane: Plane::start_as(Distribution::OpenShift).await,
            server: DnsServer::start(own_address()).await,
        }
    }

    /// The server is a DNS pod, and there is another one that is not ready.
    async fn name_pods(&self) {
        let slice = ObjectKey::of::<EndpointSlice>(Some("openshift-dns"), "dns-default-1");
        let pods = json!({
            "metadata": { "labels": { "kubernetes.io/service-name": "dns-default" } },
            "addressType": "IPv4",
            "endpoints": [
                { "addresses": [self.server.address.ip()], "conditions": { "ready": true } },
                { "addresses": ["198.51.100.1"], "conditions": { "ready": false } },
            ],
        });
        self.plane.create(&slice, pods).await;
    }

    /// Keeps the operator from giving the pods their port back, and takes the server's.
    async fn take_its_port(&self) {
        self.plane.edit(json!({ "managementState": "Unmanaged" })).await;
        eventually("the operator keeps its hands off", async || {
            let dns = self.plane.get(&default_dns_key()).await.unwrap();
            dns["status"]["observedGeneration"] == dns["metadata"]["generation"]
        })
        .await;
        let key = daemon_set_key("dns-default");
        let port = json!([{
            "op": "replace",
            "path": "/spec/template/spec/containers/0/ports/0/containerPort",
            "value": self.server.address.port(),
        }]);
        let patch: Patch<Value> = Patch::Json(serde_json::from_value(port).unwrap());
        let sets = self.plane.api_of(&key);
        sets.patch(&key.name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    async fn turn_gate(&self, on: bool) {
        let enabled = if on {
            json!([{ "name": "DNSNameResolver" }])
        } else {
            json!([])
        };
        let gates = json!({ "featureGates": [{ "version": "0.0.1-test", "enabled": enabled }] });
        self.write_status(&feature_gate_key(), gates).await;
    }

    async fn add(&self, name: &str, dns_name: &str) {
        let spec = json!({ "spec": { "name": dns_name } });
        self.plane.create(&name_resolver_key(name), spec).await;
    }

    /// Writes what CoreDNS's plugin would.
    async fn resolve(&self, name: &str, names: Value) {
        let status = json!({ "resolvedNames": names });
        self.write_status(&name_resolver_key(name), status).await;
    }

    async fn write_status(&self, key: &ObjectKey, status: Value) {
        let patch = Patch::Merge(json!({ "status": status }));
        let api = self.plane.api_of(key);
        api.patch_status(&key.name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    async fn resolved(&self, name: &str) -> Value {
        let object = self.plane.get(&name_resolver_key(name)).await.unwrap();
        object["status"]["resolvedNames"].clone()
    }

    /// How often a name was asked for, as IPv4 and as IPv6.
    fn asked(&self, name: &str) -> [usize; 2] {
        let queries = self.server.queries();
        [RecordType::A, RecordType::AAAA].map(|kind| {
            let same = |query: &&(String, RecordType)| *query == &(name.to_owned(), kind);
            queries.iter().filter(same).count()
        })
    }

    fn requests(&self, what: &str) -> usize {
        let requests = self.plane.requests();
        requests.iter().filter(|request| request.contains(what)).count()
    }
}

/// An address of this machine that an EndpointSlice may have: none of loopback. Asks
/// for the route to somewhere else; nothing is sent.
fn own_address() -> SocketAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket
        .connect("192.0.2.1:9")
        .expect("an address other than loopback");
    SocketAddr::new(socket.local_addr().unwrap().ip(), 0)
}

#[tokio::test]
async fn names_are_kept_fresh_while_the_gate_is_on() {
    let cluster = Cluster::start().await;
    let mut operator = Operator::start(&cluster.plane, &[]);
    for key in kept_keys() {
        eventually(&key.to_string(), async || cluster.plane.get(&key).await.is_some()).await;
    }
    cluster.name_pods().await;
    cluster.take_its_port().await;
    let entries = one_expires_now();
    cluster.add("new", "new.example.com.").await;
    cluster.add("wildcard", "*.example.org.").await;
    cluster.resolve("wildcard", entries.clone()).await;
    nothing_happens_while_the_gate_is_off(&cluster, &entries).await;
    cluster.turn_gate(true).await;
    names_are_looked_up_and_the_expired_address_goes(&cluster, entries).await;
    an_address_that_expires_is_looked_up_and_goes(&cluster).await;
    cluster.turn_gate(false).await;
    eventually("the gate is seen to be off", async || {
        operator.log().contains("no longer looking up")
    })
    .await;
    cluster.add("late", "late.example.com.").await;
    quiet().await;
    assert_eq!(cluster.asked("late.example.com."), [0, 0], "the gate is off");
    assert!(operator.is_running(), "no restart is needed");
    cluster.plane.cluster.stop().unwrap();
}

fn one_expires_now() -> Value {
    let now = Timestamp::now();
    json!([
        {
            "dnsName": "a.example.org.",
            "conditions": degraded(),
            "resolutionFailures": 3,
            "resolvedAddresses": [address("192.0.2.1", now, 0), address("2001:db8::1", now, 3600)],
        },
        { "dnsName": "b.example.org.", "resolvedAddresses": [address("192.0.2.2", now, 3600)] },
    ])
}

async fn nothing_happens_while_the_gate_is_off(cluster: &Cluster, entries: &Value) {
    // Past the grace of what expires now.
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(cluster.server.queries(), []);
    assert_eq!(cluster.requests("dnsnameresolvers"), 0);
    assert_eq!(cluster.requests("endpointslices"), 0);
    assert_eq!(cluster.resolved("wildcard").await, *entries);
}

async fn names_are_looked_up_and_the_expired_address_goes(cluster: &Cluster, entries: Value) {
    eventually("names without addresses are looked up", async || {
        cluster.asked("new.example.com.") == [1, 1] && cluster.asked("*.example.org.") == [1, 1]
    })
    .await;
    eventually("what has expired is gone", async || {
        cluster.resolved("wildcard").await != entries
    })
    .await;
    let mut left = entries;
    left[0]["resolvedAddresses"].as_array_mut().unwrap().remove(0);
    assert_eq!(cluster.resolved("wildcard").await, left);
    quiet().await;
    assert_eq!(cluster.requests("patch dnsnameresolvers/status"), 1);
    assert_eq!(cluster.asked("b.example.org."), [0, 0], "its address is good");
}

async fn an_address_that_expires_is_looked_up_and_goes(cluster: &Cluster) {
    let entry = |addresses: Value| json!([{ "dnsName": "two.example.com.", "resolvedAddresses": addresses }]);
    cluster.add("two", "two.example.com.").await;
    let soon = Timestamp::now() + SignedDuration::from_secs(5);
    let resolved = entry(json!([address("192.0.2.3", soon, 0)]));
    cluster.resolve("two", resolved.clone()).await;
    eventually(
        "a name is looked up when it is new and when it expires",
        async || cluster.asked("two.example.com.") == [2, 2],
    )
    .await;
    assert_eq!(cluster.resolved("two").await, resolved, "there is some grace");
    let none = entry(json!([]));
    eventually("the address is gone", async || {
        cluster.resolved("two").await == none
    })
    .await;
    quiet().await;
    assert_eq!(cluster.requests("patch dnsnameresolvers/status"), 2);
}
