//! An API server with `manifests/records`, a DNS server that can be cut off, and the program
//! as the Deployment there starts it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Output};

use devcluster::control_plane::free_port;
use devcluster::manifests;
use devcluster::primary::{Make, Primary, SECRET};
use operator::resources::dns_endpoint_key;
use records::provider::rfc2136::{Rfc2136, Settings};
use records::{Endpoint, Name, Provider as _, RecordType, Zone, ZoneId};
use serde_json::{Value, json};

use super::super::daemon::{Daemon, command};
use super::super::definitions::{define, ours};
use super::super::rfc2136::proxy::{Fault, Proxy};
use super::super::rfc2136::settings;
use crate::control_plane::{Plane, eventually};
use crate::permissions::{grants, kubeconfig_of};

/// The owner of the manifests.
pub const OURS: &str = "external-records";
/// Their namespace and service account.
const NAMESPACE: &str = "external-records";
const ZONE: &str = "example.com";

/// An endpoint at a name of the zone.
pub fn endpoint(name: &str, target: &str) -> Value {
    json!({ "dnsName": format!("{name}.{ZONE}"), "recordType": "A", "targets": [target] })
}

/// Waits until an object is told of its present generation: the status of `Accepted`,
/// and the reasons of `Accepted` and `Programmed`.
pub async fn is_told(plane: &Plane, name: &str, (status, accepted, programmed): (&str, &str, &str)) {
    let key = dns_endpoint_key("default", name);
    let mut last = Value::Null;
    eventually(&format!("{name} is told {accepted}, {programmed}"), async || {
        let object = plane.get(&key).await.unwrap();
        let generation = &object["metadata"]["generation"];
        last = object["status"].clone();
        let condition = |kind: &str| {
            let conditions = last["conditions"].as_array().into_iter().flatten();
            let mut conditions = conditions.filter(|condition| condition["type"] == kind);
            conditions.next().cloned().unwrap_or_default()
        };
        let (taken, made) = (condition("Accepted"), condition("Programmed"));
        let in_place = if programmed == "Programmed" {
            "True"
        } else {
            "False"
        };
        last["observedGeneration"] == *generation
            && taken["observedGeneration"] == *generation
            && made["observedGeneration"] == *generation
            && (taken["status"] == status && taken["reason"] == accepted)
            && (made["status"] == in_place && made["reason"] == programmed)
    })
    .await;
}

pub struct Stage {
    pub plane: Plane,
    primary: Primary,
    proxy: Option<Proxy>,
    address: SocketAddr,
    /// Everything that is applied.
    objects: Vec<Value>,
    kubeconfig: PathBuf,
}

impl Stage {
    /// Starts all but the program, with lines in the zone that are not ours.
    pub async fn start(lines: &str) -> Self {
        let plane = Plane::start().await;
        define(&plane, ours()).await;
        let folder = manifests::folder().join("records");
        let folder = folder.to_str().unwrap();
        let rendered = plane.kubectl(&["kustomize", folder]);
        let documents = rendered.split("\n---\n");
        let objects = documents.map(|document| operator::output::from_yaml(document).unwrap());
        let objects = objects.collect();
        plane.kubectl(&["apply", "--server-side", "--validate=strict", "-k", folder]);
        let listen = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
        let server = plane.cluster.state().join("primary");
        fs::create_dir_all(&server).unwrap();
        let zones = [(ZONE, lines.to_owned())];
        let primary = Primary::start(Make::Knot, &server, listen, &zones, None)
            .await
            .unwrap();
        let proxy = Proxy::start((Ipv4Addr::LOCALHOST, 0).into(), listen, Fault::None).await;
        Self {
            kubeconfig: kubeconfig_of(&plane, NAMESPACE, NAMESPACE),
            address: proxy.address,
            proxy: Some(proxy),
            plane,
            primary,
            objects,
        }
    }

    /// The Deployment's command with this server, this test's folders, and further
    /// arguments. The policy is the one that does everything.
    fn command(&self, more: &[&str]) -> Command {
        let deployment = self.objects.iter().find(|object| object["kind"] == "Deployment");
        let container = &deployment.unwrap()["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["command"], json!(["dns-operator"]));
        let mut changed = vec![
            ("--policy", "sync".to_owned()),
            ("--rfc2136-host", self.address.ip().to_string()),
            ("--rfc2136-port", self.address.port().to_string()),
            ("--rfc2136-tsig-keyname", "hmac-sha256".into()),
            (
                "--record-cache-dir",
                self.plane.cluster.state().join("cache").display().to_string(),
            ),
        ];
        let mut arguments: Vec<String> = Vec::new();
        for argument in container["args"].as_array().unwrap() {
            let argument = argument.as_str().unwrap();
            let place = changed
                .iter()
                .position(|(flag, _)| argument.split('=').next() == Some(*flag));
            match place.map(|place| changed.swap_remove(place)) {
                Some((flag, value)) => arguments.push(format!("{flag}={value}")),
                // The test has a port of its own.
                None if argument.starts_with("--metrics-address=") => {}
                None => arguments.push(argument.into()),
            }
        }
        assert!(changed.is_empty(), "the Deployment does not have {changed:?}");
        assert_eq!(arguments.remove(0), "records");
        arguments.extend(more.iter().map(ToString::to_string));
        let mut command = command(&arguments);
        command
            .env(container["env"][0]["name"].as_str().unwrap(), SECRET)
            .env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// Starts the program.
    pub async fn run(&self, more: &[&str]) -> Daemon {
        Daemon::launch(self.plane.cluster.launcher(), "records", &self.command(more)).await
    }

    /// Has it make a pass by itself. The proxy goes on meanwhile.
    pub async fn pass(&self, more: &[&str]) -> Output {
        let mut command = tokio::process::Command::from(self.command(more));
        command.output().await.unwrap()
    }

    /// Makes an object, or changes what it wants.
    pub async fn wants(&self, name: &str, endpoints: &[Value]) {
        let key = dns_endpoint_key("default", name);
        let fields = json!({ "spec": { "endpoints": endpoints } });
        if self.plane.get(&key).await.is_some() {
            self.plane.patch(&key, fields).await;
        } else {
            self.plane.create(&key, fields).await;
        }
    }

    /// Deletes an object.
    pub async fn forget(&self, name: &str) {
        self.plane.delete(&dns_endpoint_key("default", name)).await;
    }

    /// What an object is told.
    pub async fn status(&self, name: &str) -> Value {
        let object = self.plane.get(&dns_endpoint_key("default", name)).await;
        object.unwrap()["status"].clone()
    }

    /// Waits until an object is told so.
    pub async fn is_told(&self, name: &str, expected: (&str, &str, &str)) {
        is_told(&self.plane, name, expected).await;
    }

    /// The record sets of the zone.
    async fn records(&self) -> Vec<Endpoint> {
        let name = Name::parse(ZONE).unwrap();
        let settings = Settings {
            zones: vec![name.clone()],
            ..settings(self.primary.listen())
        };
        let id = ZoneId(ZONE.into());
        let read = Rfc2136::new(&settings).unwrap();
        let records = read.read(&Zone { id, name }).await.unwrap().records;
        records.iter().collect()
    }

    async fn targets(&self, name: &str, record_type: RecordType) -> Option<String> {
        let name = format!("{name}.{ZONE}");
        let records = self.records().await.into_iter();
        let mut records =
            records.filter(|record| *record.dns_name == name && record.record_type == record_type);
        records.next().map(|record| record.targets.join(" "))
    }

    /// The address of a name.
    pub async fn address(&self, name: &str) -> Option<String> {
        self.targets(name, RecordType::A).await
    }

    /// Whose a name is.
    pub async fn owner(&self, name: &str) -> Option<String> {
        let text = self.targets(&format!("a-{name}"), RecordType::Txt).await?;
        let owner = text.split("external-dns/owner=").nth(1)?;
        owner.split(',').next().map(ToOwned::to_owned)
    }

    /// Waits until these are the addresses in the zone, beside those that are not ours.
    pub async fn has(&self, expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(name, target)| (format!("{name}.{ZONE}"), (*target).to_owned()))
            .collect();
        eventually(&format!("the zone has {expected:?}"), async || {
            let records = self.records().await.into_iter();
            let mut found: Vec<(String, String)> = records
                .filter(|record| record.record_type == RecordType::A)
                .filter(|record| {
                    !record.dns_name.starts_with("ns.") && !record.dns_name.starts_with("taken.")
                })
                .map(|record| (record.dns_name.to_string(), record.targets.join(" ")))
                .collect();
            found.sort();
            found == expected
        })
        .await;
    }

    /// The program cannot reach the DNS server any more.
    pub async fn cut_off(&mut self) {
        self.proxy = None;
        let address = self.address;
        eventually("the proxy is gone", async || {
            tokio::net::TcpStream::connect(address).await.is_err()
        })
        .await;
    }

    /// It can again.
    pub async fn reconnect(&mut self) {
        let server = self.primary.listen();
        self.proxy = Some(Proxy::start(self.address, server, Fault::None).await);
    }

    /// Every right of the manifests was used, and none was missing.
    pub fn rights_are_used(&self) {
        let log = self.plane.cluster.audit_log();
        grants::account(log, &self.objects, NAMESPACE, NAMESPACE).is_exact();
    }

    /// The namespace takes no pods but restricted ones.
    pub async fn pods_are_admitted(&self) {
        eventually("a pod of the Deployment", async || {
            let pods = self
                .plane
                .kubectl(&["get", "pods", "--namespace", NAMESPACE, "-o", "name"]);
            pods.contains("pod/external-records-")
        })
        .await;
    }
}
