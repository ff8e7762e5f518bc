//! A stock external-dns against our webhook server.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use records::RecordType;
use records::webhook::{Server, Settings};
use serde_json::{Value, json};

use super::external_dns::{ExternalDns, once};
use super::listener::Listener;
use super::zones::Zones;
use crate::control_plane::{Plane, eventually};
use devcluster::Distribution;

fn server(zones: &Arc<Zones>) -> Server {
    Server::new(Arc::clone(zones) as _, Settings::default())
}

/// The names of the A records; each has its ownership record, and there is nothing else.
fn names(zones: &Zones) -> BTreeSet<String> {
    let of_type = |record_type: &RecordType| -> BTreeSet<String> {
        let records = zones.records().into_iter();
        let records = records.filter(|record| record.record_type == *record_type);
        records.map(|record| record.dns_name.into_string()).collect()
    };
    let names = of_type(&RecordType::A);
    let owners: BTreeSet<String> = names.iter().map(|name| format!("a-{name}")).collect();
    assert_eq!(of_type(&RecordType::Txt), owners);
    assert_eq!(zones.records().len(), names.len() + owners.len());
    names
}

/// external-dns with its source of ten names at random, always others.
#[tokio::test]
async fn policies_do_what_they_say() {
    let zones = Zones::new(&["example.com"]);
    let listener = Listener::start(server(&zones)).await;
    let pass = async |policy: &str| {
        let policy = format!("--policy={policy}");
        let arguments = ["--source=fake", "--txt-owner-id=test", &policy];
        once(&listener.url(), &arguments).await.unwrap();
        names(&zones)
    };
    let first = pass("sync").await;
    assert!(!first.is_empty());
    let groups = zones.take_groups();
    assert_eq!(groups.len(), first.len());
    assert!(groups.iter().all(|(_, group)| group.changes.len() == 2));
    for policy in ["upsert-only", "create-only"] {
        let before = names(&zones);
        let after = pass(policy).await;
        assert!(after.is_superset(&before) && after.len() > before.len());
        assert!(zones.take_groups().iter().all(|(_, group)| !group.destroys()));
    }
    let before = names(&zones);
    let after = pass("sync").await;
    assert!(after.is_disjoint(&before) && !after.is_empty());
    // What another owner has is left alone.
    let arguments = ["--source=fake", "--txt-owner-id=other", "--policy=sync"];
    once(&listener.url(), &arguments).await.unwrap();
    assert!(names(&zones).is_superset(&after));
}

/// external-dns with DNSEndpoints of a real API server.
struct Stage {
    plane: Plane,
    zones: Arc<Zones>,
}

impl Stage {
    async fn start() -> Self {
        let stage = Self {
            plane: Plane::without_controllers(Distribution::Kubernetes).await,
            zones: Zones::new(&["example.com", "example.net"]),
        };
        define_dns_endpoints(&stage.plane.client).await;
        stage
    }

    fn external_dns(&self, provider: &str) -> ExternalDns {
        let kubeconfig = format!("--kubeconfig={}", self.plane.cluster.kubeconfig().display());
        let arguments = [
            "--source=crd",
            "--policy=sync",
            "--txt-owner-id=test",
            &kubeconfig,
        ];
        ExternalDns::keeping(provider, &arguments)
    }

    /// Says what is wanted.
    async fn want(&self, endpoints: Value) {
        let wanted = json!({
            "apiVersion": "externaldns.k8s.io/v1alpha1",
            "kind": "DNSEndpoint",
            "metadata": { "name": "wanted" },
            "spec": { "endpoints": endpoints },
        });
        dns_endpoints(&self.plane.client)
            .patch(
                "wanted",
                &PatchParams::apply("test").force(),
                &Patch::Apply(&wanted),
            )
            .await
            .unwrap();
    }

    /// Waits until the zones have these records beside those that tell who owns them.
    async fn has(&self, external_dns: &mut ExternalDns, lines: &[&str]) {
        eventually(&lines.join(", "), async || {
            external_dns.check().unwrap();
            let mut found = self.zones.lines();
            found.retain(|line| !line.contains("heritage=external-dns"));
            found == lines
        })
        .await;
    }
}

fn dns_endpoints(client: &Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("externaldns.k8s.io", "v1alpha1", "DNSEndpoint");
    Api::namespaced_with(client.clone(), "default", &ApiResource::from_gvk(&kind))
}

/// As much of external-dns's definition as the API server has to know.
async fn define_dns_endpoints(client: &Client) {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "dnsendpoints.externaldns.k8s.io",
            "annotations": { "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/external-dns/pull/2007" },
        },
        "spec": {
            "group": "externaldns.k8s.io",
            "names": { "kind": "DNSEndpoint", "listKind": "DNSEndpointList", "plural": "dnsendpoints", "singular": "dnsendpoint" },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            }],
        },
    });
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definitions: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(&kind));
    let definition = serde_json::from_value(definition).unwrap();
    definitions
        .create(&PostParams::default(), &definition)
        .await
        .unwrap();
    eventually("DNSEndpoints are served", async || {
        dns_endpoints(client).list(&ListParams::default()).await.is_ok()
    })
    .await;
}

fn wanted(name: &str, record_type: &str, targets: &[&str]) -> Value {
    json!({ "dnsName": name, "recordType": record_type, "targets": targets })
}

#[tokio::test]
async fn records_follow_what_is_wanted() {
    let stage = Stage::start().await;
    let listener = Listener::start(server(&stage.zones)).await;
    let mut external_dns = stage.external_dns(&listener.url());
    stage
        .want(json!([
            wanted("a.example.com", "A", &["192.0.2.1", "192.0.2.2"]),
            wanted("b.example.net", "CNAME", &["a.example.com"]),
        ]))
        .await;
    let first = [
        "a.example.com A 192.0.2.1 192.0.2.2",
        "b.example.net CNAME a.example.com",
    ];
    stage.has(&mut external_dns, &first).await;
    // The provider's own TTL, by way of /adjustendpoints.
    let ttls = stage
        .zones
        .records()
        .into_iter()
        .filter(|record| record.record_type != RecordType::Txt);
    assert!(ttls.into_iter().all(|record| record.ttl.unwrap().get() == 300));

    // A new target, another type, a new name in the place of one that goes.
    stage.zones.take_groups();
    stage
        .want(json!([
            wanted("a.example.com", "A", &["192.0.2.3"]),
            wanted("b.example.net", "A", &["192.0.2.4"]),
        ]))
        .await;
    let second = ["a.example.com A 192.0.2.3", "b.example.net A 192.0.2.4"];
    stage.has(&mut external_dns, &second).await;
    assert_eq!(stage.zones.lines().len(), 4);
    let mut groups: Vec<String> = stage
        .zones
        .take_groups()
        .into_iter()
        .map(|(_, group)| group.name.to_string())
        .collect();
    groups.sort();
    assert_eq!(groups, ["a.example.com", "b.example.net"]);

    stage
        .want(json!([wanted("c.example.com", "A", &["192.0.2.5"])]))
        .await;
    stage.has(&mut external_dns, &["c.example.com A 192.0.2.5"]).await;
    assert_eq!(stage.zones.lines().len(), 2);
    external_dns.check().unwrap();
}

#[tokio::test]
async fn external_dns_outlives_trouble_of_the_provider() {
    let stage = Stage::start().await;
    let listener = Listener::start(server(&stage.zones)).await;
    let mut external_dns = stage.external_dns(&listener.url());
    stage
        .want(json!([wanted("a.example.com", "A", &["192.0.2.1"])]))
        .await;
    stage.has(&mut external_dns, &["a.example.com A 192.0.2.1"]).await;

    // A name outside every zone does not keep the others back.
    let stray = wanted("a.example.org", "A", &["192.0.2.1"]);
    stage
        .want(json!([stray, wanted("b.example.com", "A", &["192.0.2.2"])]))
        .await;
    stage.has(&mut external_dns, &["b.example.com A 192.0.2.2"]).await;

    // A zone cannot be read for some passes.
    stage.zones.set_unreadable(&["example.net"]);
    stage
        .want(json!([stray, wanted("c.example.com", "A", &["192.0.2.3"])]))
        .await;
    let reads = stage.zones.reads();
    eventually("external-dns has tried again", async || {
        external_dns.check().unwrap();
        stage.zones.reads() > reads + 6
    })
    .await;
    assert!(stage.zones.lines()[0].starts_with("a-b.example.com TXT"));
    stage.zones.set_unreadable(&[]);
    stage.has(&mut external_dns, &["c.example.com A 192.0.2.3"]).await;

    // Without a listener it ends: nothing that we answer, but that nobody answers.
    let address = listener.address;
    drop(listener);
    eventually("external-dns has ended", async || external_dns.check().is_err()).await;
    stage
        .want(json!([wanted("d.example.com", "A", &["192.0.2.4"])]))
        .await;
    let listener = Listener::start_at(address, server(&stage.zones)).await;
    let mut external_dns = stage.external_dns(&listener.url());
    stage.has(&mut external_dns, &["d.example.com A 192.0.2.4"]).await;
    assert_eq!(stage.zones.lines().len(), 2);
}
