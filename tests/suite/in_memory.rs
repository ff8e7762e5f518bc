//! The operator on the API server in memory.

use kube::Client;
use operator::cli::ClusterArgs;
use operator::dns::corefile::Templates;
use operator::images::Images;

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
    let cluster = ClusterArgs {
        cluster_ip: None,
        cluster_domain: "cluster.local".into(),
        release_version: setting.release_version,
    };
    let templates = Templates::new().unwrap();
    operator::run::operate(client, setting.images, templates, cluster, |_| {})
        .await
        .unwrap();
}
