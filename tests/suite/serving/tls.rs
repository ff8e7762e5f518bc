//! Metrics over TLS: who gets them, with which certificate, and how.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use devcluster::certificates::{Authority, Pair};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::Api;
use kube::api::PostParams;
use operator::resources::api_server_key;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::{Value, json};

use crate::control_plane::{Operator, Plane, eventually};

use super::address;
use super::client::{Answer, get};

/// A mounted Secret with a certificate, and what a client needs to trust it.
struct Mount {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Mount {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn new_pair(&self) -> Pair {
        self.authority.server(&["localhost"]).unwrap()
    }

    /// Puts a pair in the place of the last as the kubelet does: a link to a folder
    /// is replaced by one to another folder.
    fn put(&self, revision: &str, pair: &Pair) {
        let content = self.path().join(revision);
        fs::create_dir(&content).unwrap();
        pair.write(&content, "tls").unwrap();
        let (link, next) = (self.path().join("..data"), self.path().join("..data_tmp"));
        symlink(revision, &next).unwrap();
        fs::rename(&next, &link).unwrap();
        for file in ["tls.crt", "tls.key"] {
            // They are there from the second time on.
            let _ = symlink(Path::new("..data").join(file), self.path().join(file));
        }
    }

    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(der(self.authority.certificate())).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    /// Starts the operator with this folder.
    fn operator(&self, plane: &Plane) -> Operator {
        let folder = format!("--metrics-cert-dir={}", self.path().display());
        Operator::start(plane, &["--metrics-bind-addr=127.0.0.1:0", &folder])
    }

    async fn scrape(&self, address: &str, token: Option<&str>) -> Answer {
        let tls = self.client(&[&TLS12, &TLS13]);
        get(address, "/metrics", token, Some(tls)).await.unwrap()
    }
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A token of a new service account of the namespace `default`.
async fn token(plane: &Plane, name: &str) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(plane.client.clone(), "default");
    let account: ServiceAccount = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    accounts.create(&PostParams::default(), &account).await.unwrap();
    let request = TokenRequest {
        spec: Some(TokenRequestSpec::default()),
        ..TokenRequest::default()
    };
    let parameters = PostParams::default();
    let request = accounts
        .create_token_request(name, &parameters, &request)
        .await
        .unwrap();
    request.status.unwrap().token.unwrap()
}

/// Lets a service account of the namespace `default` read metrics.
async fn allow(plane: &Plane, account: &str) {
    let role: ClusterRole = serde_json::from_value(json!({
        "metadata": { "name": "scraper" },
        "rules": [{ "nonResourceURLs": ["/metrics"], "verbs": ["get"] }],
    }))
    .unwrap();
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": { "name": "scraper" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "scraper" },
        "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": "default" }],
    }))
    .unwrap();
    let roles: Api<ClusterRole> = Api::all(plane.client.clone());
    roles.create(&PostParams::default(), &role).await.unwrap();
    let bindings: Api<ClusterRoleBinding> = Api::all(plane.client.clone());
    bindings.create(&PostParams::default(), &binding).await.unwrap();
}

/// How often the operator has asked for something.
fn asked(plane: &Plane, request: &str) -> usize {
    let requests = plane.requests();
    requests.iter().filter(|other| *other == request).count()
}

#[tokio::test]
async fn only_who_may_read_metrics_gets_them() {
    let mut plane = Plane::start().await;
    let mount = Mount::new();
    mount.put("..1", &mount.new_pair());
    let operator = mount.operator(&plane);
    let address = address(&operator, "metrics on https").await;
    let (may, may_not) = (token(&plane, "may").await, token(&plane, "may-not").await);
    allow(&plane, "may").await;

    assert_eq!(mount.scrape(&address, None).await.status, 401);
    assert_eq!(asked(&plane, "create tokenreviews"), 0);
    assert_eq!(mount.scrape(&address, Some("not.a.token")).await.status, 401);
    let refused = mount.scrape(&address, Some(&may_not)).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("system:serviceaccount:default:may-not"),
        "{}",
        refused.body
    );
    for _ in 0..3 {
        let allowed = mount.scrape(&address, Some(&may)).await;
        assert_eq!(allowed.status, 200, "{}", allowed.body);
        assert!(allowed.body.contains("dns_operator_leader"), "{}", allowed.body);
    }
    assert_eq!(asked(&plane, "create tokenreviews"), 3, "answers are kept");
    assert_eq!(
        asked(&plane, "create subjectaccessreviews"),
        2,
        "answers are kept"
    );
    let plain = get(&address, "/metrics", Some(&may), None).await;
    assert!(plain.is_err(), "{plain:?}");

    let other = token(&plane, "other").await;
    plane.cluster.stop_api_server();
    assert_eq!(mount.scrape(&address, Some(&other)).await.status, 503);
    assert_eq!(mount.scrape(&address, Some(&may)).await.status, 200);
}

#[tokio::test]
async fn a_renewed_certificate_is_served_and_a_broken_one_is_not() {
    let plane = Plane::start().await;
    let mount = Mount::new();
    let operator = mount.operator(&plane);
    let complaints = || operator.log().matches("no new certificate").count();
    plane.corefile_has("cache 900 {").await;
    eventually("a missing pair is told", async || complaints() == 1).await;
    assert!(!operator.log().contains("serving metrics"), "{}", operator.log());

    let first = mount.new_pair();
    mount.put("..1", &first);
    let address = address(&operator, "metrics on https").await;
    let served = async || mount.scrape(&address, None).await.certificate.unwrap();
    assert_eq!(served().await, der(&first.certificate).to_vec());

    let second = mount.new_pair();
    let mixed = Pair {
        certificate: second.certificate.clone(),
        key: first.key.clone(),
    };
    mount.put("..2", &mixed);
    eventually("a broken pair is told", async || complaints() == 2).await;
    assert_eq!(served().await, der(&first.certificate).to_vec());

    mount.put("..3", &second);
    let renewed = der(&second.certificate).to_vec();
    eventually("the renewed certificate", async || served().await == renewed).await;
    assert_eq!(complaints(), 2, "{}", operator.log());
}

#[tokio::test]
async fn a_changed_tls_profile_holds_for_the_next_connection() {
    let plane = Plane::start().await;
    devcluster::openshift::define(&plane.client).await.unwrap();
    let key = api_server_key();
    let server = json!({ "apiVersion": key.api_version, "kind": key.kind,
        "metadata": { "name": key.name }, "spec": {} });
    let api = plane.api_of(&key);
    let object = serde_json::from_value(server).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
    let mount = Mount::new();
    mount.put("..1", &mount.new_pair());
    let operator = mount.operator(&plane);
    let address = address(&operator, "metrics on https").await;
    let status = async |version| {
        let tls = mount.client(&[version]);
        let answer = get(&address, "/metrics", None, Some(tls)).await;
        answer.map(|answer| answer.status).ok()
    };
    let profile = async |profile: Value| {
        let patch = json!({ "spec": { "tlsSecurityProfile": profile } });
        plane.patch(&key, patch).await;
    };
    assert_eq!(status(&TLS12).await, Some(401));
    profile(json!({ "type": "Modern", "modern": {} })).await;
    eventually("TLS 1.2 is refused", async || status(&TLS12).await.is_none()).await;
    assert_eq!(status(&TLS13).await, Some(401));
    profile(json!({ "type": "Old", "modern": null, "old": {} })).await;
    eventually("TLS 1.2 is taken", async || status(&TLS12).await == Some(401)).await;
    let log = operator.log();
    assert!(
        log.contains("not served quite as the cluster's TLS profile says"),
        "{log}"
    );
}
