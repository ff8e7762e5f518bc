//! The operator on the API server in memory, and nodes whose pods are ready at
//! once.

use std::sync::LazyLock;
use std::time::Duration;

use kube::Client;
use operator::cli::ClusterArgs;
use operator::dns::Setup;
use operator::dns::corefile::Templates;
use operator::images::Images;
use operator::resources::WATCHED_WHERE_DEFINED;
use operator::vitals::Vitals;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::api_server::ApiServer;

/// What the operator is told from outside.
pub struct Setting {
    pub images: Images,
    pub release_version: String,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            images: Images {
                coredns: "coredns:test".into(),
                openshift_cli: "cli:test".into(),
                kube_rbac_proxy: "kube-rbac-proxy:test".into(),
            },
            release_version: "0.0.1-snapshot".into(),
        }
    }
}

/// The operator, for as long as it is polled.
pub async fn operate(client: Client, setting: Setting) {
    let setup = Setup {
        images: setting.images,
        templates: Templates::new().unwrap(),
        cluster: ClusterArgs {
            cluster_ip: None,
            cluster_domain: "cluster.local".into(),
            release_version: setting.release_version,
        },
        vitals: Vitals::default(),
        probe_upstreams: false,
    };
    operator::run::operate(client, setup, "replica".into(), |_| {}, std::future::pending())
        .await
        .unwrap();
}

/// The certificate of an authority, in PEM.
pub fn certificate() -> &'static str {
    static PEM: LazyLock<String> = LazyLock::new(|| {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    });
    &PEM
}

/// The definitions of an OpenShift cluster's resources.
pub fn definitions() -> impl Iterator<Item = Value> {
    let definition = |resource: &str| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": resource },
        })
    };
    let resources = WATCHED_WHERE_DEFINED
        .iter()
        .map(|scope| scope.resource.definition());
    resources.map(move |resource| definition(&resource))
}

/// Pods on three nodes, for as long as it is polled.
pub async fn run_pods(server: ApiServer) {
    let mut seen = usize::MAX;
    loop {
        let changes = server.changes();
        let objects = if changes == seen {
            Vec::new()
        } else {
            server.objects()
        };
        seen = changes;
        for mut set in objects {
            let generation = set["metadata"]["generation"].clone();
            if set["kind"] != "DaemonSet" || set["status"]["observedGeneration"] == generation {
                continue;
            }
            set["status"] = json!({
                "observedGeneration": generation, "desiredNumberScheduled": 3, "currentNumberScheduled": 3,
                "updatedNumberScheduled": 3, "numberReady": 3, "numberAvailable": 3, "numberMisscheduled": 0,
            });
            server.load(set);
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}
