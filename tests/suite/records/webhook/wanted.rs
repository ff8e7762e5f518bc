//! What is wanted, as DNSEndpoints of a real API server.

use devcluster::Distribution;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::external_dns::ExternalDns;
use crate::control_plane::Plane;
use crate::records::definitions::{GROUP, define, lenient, objects};

/// An API server with DNSEndpoints.
pub struct Wanted {
    plane: Plane,
}

impl Wanted {
    /// One on which nothing is wanted yet.
    pub async fn start() -> Self {
        let plane = Plane::without_controllers(Distribution::Kubernetes).await;
        define(&plane, lenient(GROUP)).await;
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
        let endpoints = objects(&self.plane.client, GROUP);
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
