//! What is wanted, as DNSEndpoints of a real API server.

use devcluster::Distribution;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::{Value, json};

use super::external_dns::ExternalDns;
use crate::control_plane::{Plane, eventually};

/// An API server with DNSEndpoints.
pub struct Wanted {
    plane: Plane,
}

impl Wanted {
    /// One on which nothing is wanted yet.
    pub async fn start() -> Self {
        let plane = Plane::without_controllers(Distribution::Kubernetes).await;
        define_dns_endpoints(&plane.client).await;
        Self { plane }
    }

    /// external-dns that keeps what is wanted at a webhook provider.
    pub fn keep(&self, provider: &str, arguments: &[&str]) -> ExternalDns {
        let source = self.source();
        let source: Vec<&str> = source.iter().map(String::as_str).collect();
        ExternalDns::keeping(provider, &[&source, arguments].concat())
    }

    /// The arguments of external-dns that let it find what is wanted.
    pub fn source(&self) -> [String; 3] {
        let kubeconfig = self.plane.cluster.kubeconfig().display();
        [
            "--source=crd".into(),
            "--txt-owner-id=test".into(),
            format!("--kubeconfig={kubeconfig}"),
        ]
    }

    /// Makes a DNSEndpoint that wants these, or has it want these.
    pub async fn want(&self, object: &str, endpoints: Value) {
        let wanted = json!({
            "apiVersion": "externaldns.k8s.io/v1alpha1",
            "kind": "DNSEndpoint",
            "metadata": { "name": object },
            "spec": { "endpoints": endpoints },
        });
        let force = PatchParams::apply("test").force();
        let endpoints = dns_endpoints(&self.plane.client);
        endpoints
            .patch(object, &force, &Patch::Apply(&wanted))
            .await
            .unwrap();
    }
}

/// An endpoint as a DNSEndpoint has it.
pub fn endpoint(name: &str, record_type: &str, targets: &[&str]) -> Value {
    json!({ "dnsName": name, "recordType": record_type, "targets": targets })
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
