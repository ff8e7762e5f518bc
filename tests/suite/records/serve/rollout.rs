//! The Deployment of `manifests/records/central` rolled out by Kubernetes' own controllers; the
//! test does what a kubelet would.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use kube::api::{Patch, PatchParams};
use operator::resources::pod_key;
use serde_json::{Value, json};

use super::super::daemon::Daemon;
use super::super::definitions::{define, our_dns_provider};
use super::cluster::{BLUE, CENTRAL, apply, apply_manifests, central};
use super::stage::{Stage, ZONE, address, provider, readiness};
use crate::control_plane::{Plane, eventually};
use crate::permissions::kubeconfig_of;

/// Where the pods are.
const NODE: &str = "node";

/// Runs the pods of the Deployment.
struct Kubelet {
    plane: Plane,
    stage: Stage,
    objects: Vec<Value>,
    kubeconfig: PathBuf,
    running: BTreeMap<String, Running>,
    /// Counts the pods, for their addresses.
    started: u8,
}

struct Running {
    server: Daemon,
    place: SocketAddr,
    address: String,
}

impl Kubelet {
    async fn start() -> Self {
        let stage = Stage::start("").await;
        let plane = Plane::start().await;
        define(&plane, our_dns_provider()).await;
        plane.make_namespace(BLUE).await;
        let objects = apply_manifests(&plane);
        apply(&plane, &stage, &stage.secret(BLUE));
        apply(&plane, &stage, &provider(BLUE));
        // Pods without a node are no endpoints.
        let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": NODE } });
        apply(&plane, &stage, &node);
        let kubeconfig = kubeconfig_of(&plane, CENTRAL, CENTRAL);
        Self {
            plane,
            stage,
            objects,
            kubeconfig,
            running: BTreeMap::new(),
            started: 0,
        }
    }

    fn list(&self, kind: &str) -> Vec<Value> {
        let arguments = ["get", kind, "--namespace", CENTRAL, "--output=json"];
        let list: Value = serde_json::from_str(&self.plane.kubectl(&arguments)).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Starts the pods that are new, ends those that are to go, and tells which are ready.
    async fn sync(&mut self) {
        for pod in self.list("pods") {
            let name = pod["metadata"]["name"].as_str().unwrap();
            if pod["metadata"]["deletionTimestamp"].is_string() {
                self.end(name).await;
                continue;
            }
            if !self.running.contains_key(name) {
                self.run(name).await;
            }
            self.tell(name).await;
        }
    }

    async fn end(&mut self, name: &str) {
        if let Some(Running { mut server, .. }) = self.running.remove(name) {
            server.terminate();
            assert_eq!(server.exit_code().await, Some(0), "{}", server.log());
        }
        let pod = ["delete", "pod", name, "--namespace", CENTRAL];
        self.plane
            .kubectl(&[&pod[..], &["--force", "--grace-period=0", "--ignore-not-found"]].concat());
    }

    async fn run(&mut self, name: &str) {
        let target = json!({ "apiVersion": "v1", "kind": "Node", "name": NODE });
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": { "name": name }, "target": target,
        });
        let file = self.stage.write("binding.json", &[binding]);
        let path = format!("/api/v1/namespaces/{CENTRAL}/pods/{name}/binding");
        let arguments = ["create", "--raw", &path, "--filename", file.to_str().unwrap()];
        self.plane.kubectl(&arguments);
        let place = address();
        let command = central(&self.objects, &self.stage, (place, name), &self.kubeconfig);
        let server = Daemon::launch(self.plane.cluster.launcher(), name, &command).await;
        self.started += 1;
        let address = format!("10.0.0.{}", self.started);
        let running = Running {
            server,
            place,
            address,
        };
        self.running.insert(name.to_owned(), running);
    }

    async fn tell(&self, name: &str) {
        let Running { server, address, .. } = &self.running[name];
        let ready = if readiness(server).await.0 == 200 {
            "True"
        } else {
            "False"
        };
        let status = json!({
            "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }],
            "conditions": [{ "type": "Ready", "status": ready }],
        });
        let pods = self.plane.api_of(&pod_key(CENTRAL, name));
        let merge = Patch::Merge(json!({ "status": status }));
        match pods.patch_status(name, &PatchParams::default(), &merge).await {
            // It has gone meanwhile.
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            told => drop(told.unwrap()),
        }
    }

    /// Waits until the Deployment is rolled out, and available.
    async fn rolled_out(&mut self) {
        let deployment = format!("deployment/{CENTRAL}");
        let arguments = [
            "rollout",
            "status",
            &deployment,
            "--namespace",
            CENTRAL,
            "--watch=false",
        ];
        eventually("it is rolled out", async || {
            self.sync().await;
            self.plane.kubectl(&arguments).contains("successfully rolled out")
        })
        .await;
    }

    /// Waits until the Service leads to one server, which serves; the pod's name.
    async fn leader(&mut self) -> String {
        let mut leader = None;
        eventually("the Service leads to a leader", async || {
            self.sync().await;
            let addresses = self.addresses();
            leader = self
                .running
                .iter()
                .find(|(_, running)| addresses == [running.address.as_str()])
                .map(|(name, running)| (name.clone(), running.place));
            leader.is_some()
        })
        .await;
        let (name, place) = leader.unwrap();
        let mut client = self.stage.client(place, BLUE);
        eventually("it serves", async || {
            client.zones().await.is_ok_and(|zones| zones == [ZONE])
        })
        .await;
        name
    }

    /// The ready addresses of the Service.
    fn addresses(&self) -> Vec<String> {
        let slices = self.list("endpointslices");
        let endpoints = slices
            .iter()
            .flat_map(|slice| slice["endpoints"].as_array().cloned().unwrap_or_default());
        endpoints
            .filter(|endpoint| endpoint["conditions"]["ready"] == true)
            .map(|endpoint| endpoint["addresses"][0].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn the_deployment_is_rolled_out_pod_by_pod_and_its_service_leads_to_the_leader() {
    let mut kubelet = Kubelet::start().await;
    kubelet.rolled_out().await;
    let first = kubelet.leader().await;
    eventually("one of the pods may be evicted", async || {
        kubelet.list("poddisruptionbudgets")[0]["status"]["disruptionsAllowed"] == 1
    })
    .await;
    let before: Vec<String> = kubelet.running.keys().cloned().collect();
    assert_eq!(before.len(), 2);

    let deployment = format!("deployment/{CENTRAL}");
    let restart = ["rollout", "restart", &deployment, "--namespace", CENTRAL];
    kubelet.plane.kubectl(&restart);
    kubelet.rolled_out().await;
    let second = kubelet.leader().await;
    assert_ne!(first, second);
    assert_eq!(kubelet.running.len(), 2);
    assert!(kubelet.running.keys().all(|name| !before.contains(name)));
    let events = kubelet.list("events").into_iter();
    let events: Vec<String> = events.map(|event| event["message"].to_string()).collect();
    assert!(
        events
            .iter()
            .any(|event| event.contains("Scaled down") && event.contains("from 2 to 1")),
        "one pod after the other: {events:#?}"
    );
    kubelet.plane.cluster.stop().unwrap();
}
