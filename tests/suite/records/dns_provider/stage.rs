//! An API server with `manifests/records`, a Knot, and the controller with the rights that it
//! has there.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use devcluster::control_plane::free_port;
use devcluster::manifests;
use devcluster::primary::{Make, Primary, SECRET};
use kube::Client;
use operator::records::cli::CacheArgs;
use operator::records::dns_provider::cli::DnsProviderArgs;
use operator::records::dns_provider::controller::Controller;
use operator::records::dns_provider::object::DEFAULT_CLASS;
use operator::records::dns_provider::usable::Usable;
use operator::resources::dns_provider_key;
use operator::run::client_config;
use serde_json::{Value, json};
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

use super::super::definitions::{define, our_dns_provider};
use crate::control_plane::{Plane, eventually};
use crate::permissions::{grants, kubeconfig_of};

/// The service account, and its namespace.
const ACCOUNT: &str = "external-records-central";
/// The namespace whose Secrets it may read.
pub const TEAM: &str = "team";
pub const ZONE: &str = "example.com";

pub struct Stage {
    pub plane: Plane,
    primary: Primary,
    /// Everything that is applied.
    objects: Vec<Value>,
    pub usable: channel::Receiver<Usable>,
    running: Running,
}

/// The names of the folders of caches that are kept.
pub fn folders(stage: &Stage) -> BTreeSet<String> {
    let entries = fs::read_dir(stage.caches()).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// The controller on its way.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Stage {
    pub async fn start() -> Self {
        let plane = Plane::without_controllers(devcluster::Distribution::Kubernetes).await;
        define(&plane, our_dns_provider()).await;
        plane.make_namespace(TEAM).await;
        let objects = apply_rights(&plane);
        let folder = plane.cluster.state().join("primary");
        fs::create_dir_all(&folder).unwrap();
        let listen = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
        let zones = [(ZONE, "www 300 A 192.0.2.1".to_owned())];
        let primary = Primary::start(Make::Knot, &folder, listen, &zones, None)
            .await
            .unwrap();
        let (usable, running) = start_controller(&plane).await;
        Self {
            plane,
            primary,
            objects,
            usable,
            running,
        }
    }

    /// Ends the controller, and starts another one.
    pub async fn restart(&mut self) {
        self.running.0.abort();
        let ended = (&mut self.running.0).await;
        assert!(ended.is_err_and(|error| error.is_cancelled()));
        // Nobody has the accounts of the first one any more.
        self.usable = channel::channel(Usable::default()).1;
        (self.usable, self.running) = start_controller(&self.plane).await;
    }

    /// Where the caches are kept.
    pub fn caches(&self) -> PathBuf {
        caches(&self.plane)
    }

    /// What lets us into the server, with some values in the place of others.
    pub fn secret(&self, namespace: &str, others: &Value) {
        let server = self.primary.listen().to_string();
        let mut data = json!({
            "Server": server, "Zone": format!("{ZONE}."), "TSIGKeyName": "hmac-sha256.", "TSIGSecret": SECRET,
        });
        for (key, value) in others.as_object().unwrap() {
            data[key] = value.clone();
        }
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "key", "namespace": namespace }, "stringData": data,
        });
        self.apply(&secret);
    }

    /// Applies an object, whatever its kind.
    pub fn apply(&self, object: &Value) {
        let file = self.plane.cluster.state().join("applied.json");
        fs::write(&file, object.to_string()).unwrap();
        self.plane.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    }

    /// Makes a DNSProvider of a namespace that names the Secret there.
    pub async fn provider(&self, namespace: &str, name: &str, spec: &Value) {
        let mut fields = json!({
            "metadata": { "annotations": { "dns.gardener.cloud/remoteAccess": "true" } },
            "spec": { "secretRef": { "name": "key" } },
        });
        for (field, value) in spec.as_object().unwrap() {
            fields["spec"][field] = value.clone();
        }
        self.plane
            .create(&dns_provider_key(namespace, name), fields)
            .await;
    }

    /// What a DNSProvider is told.
    pub async fn status(&self, namespace: &str, name: &str) -> Value {
        let object = self.plane.get(&dns_provider_key(namespace, name)).await;
        object.unwrap()["status"].clone()
    }

    /// Waits until a DNSProvider is told a state, and words that the message has; what else it
    /// is told.
    pub async fn is_told(&self, namespace: &str, name: &str, state: &str, words: &str) -> Value {
        let mut status = Value::Null;
        eventually(&format!("{namespace}/{name} is {state}: {words}"), async || {
            let object = self.plane.get(&dns_provider_key(namespace, name)).await.unwrap();
            status = object["status"].clone();
            let message = status["message"].as_str().unwrap_or_default();
            status["state"] == state
                && status["observedGeneration"] == object["metadata"]["generation"]
                && message.contains(words)
        })
        .await;
        status
    }

    /// Waits until these can be used, as `namespace/name zone…`.
    pub async fn can_be_used(&self, expected: &[&str]) {
        eventually(&format!("{expected:?} can be used"), async || {
            self.used() == expected
        })
        .await;
    }

    fn used(&self) -> Vec<String> {
        let usable = self.usable.borrow();
        let lines = usable.iter().map(|usable| {
            let zones = usable.zones.iter().map(|used| used.zone.name.to_string());
            let zones: Vec<String> = zones.collect();
            format!("{}/{} {}", usable.namespace, usable.name, zones.join(" "))
        });
        lines.collect()
    }

    /// How often a status was written.
    pub fn writes(&self) -> usize {
        let requests = self.plane.requests();
        let writes = requests.iter();
        writes
            .filter(|request| *request == "patch dnsproviders/status")
            .count()
    }

    /// Every right of the manifests was used. One that was missing was that to the Secret of
    /// another namespace.
    pub fn rights_are_used(&self) {
        let log = self.plane.cluster.audit_log();
        let account = grants::account(log, &self.objects, ACCOUNT, ACCOUNT);
        let is_foreign = |words: &String| words.contains("\"secrets\"") && words.contains("\"default\"");
        assert!(account.refused.iter().all(is_foreign), "{:#?}", account.refused);
        assert!(account.unused.is_empty(), "not used: {:#?}", account.unused);
    }
}

/// Has the API server give the service account its rights, those to Secrets in one namespace.
fn apply_rights(plane: &Plane) -> Vec<Value> {
    let folder = manifests::folder().join("records/central");
    let files = [
        "namespace.yaml",
        "service-account.yaml",
        "cluster-role.yaml",
        "cluster-role-secrets.yaml",
    ];
    let mut objects = Vec::new();
    for file in files {
        let path = folder.join(file);
        plane.kubectl(&["apply", "--validate=strict", "-f", path.to_str().unwrap()]);
        objects.push(operator::output::from_yaml(&fs::read_to_string(&path).unwrap()).unwrap());
    }
    let subject = format!("--serviceaccount={ACCOUNT}:{ACCOUNT}");
    let bindings: [&[&str]; 2] = [
        &[
            "clusterrolebinding",
            "external-records-central",
            "--clusterrole=external-records-central",
        ],
        &[
            "rolebinding",
            "external-records-central-secrets",
            "--clusterrole=external-records-central-secrets",
            "--namespace=team",
        ],
    ];
    for binding in bindings {
        let arguments = [&["create"], binding, &[&*subject, "--output=json"]].concat();
        objects.push(serde_json::from_str(&plane.kubectl(&arguments)).unwrap());
    }
    objects
}

fn caches(plane: &Plane) -> PathBuf {
    plane.cluster.state().join("cache")
}

/// Starts the controller with the rights of the service account.
async fn start_controller(plane: &Plane) -> (channel::Receiver<Usable>, Running) {
    let kubeconfig = kubeconfig_of(plane, ACCOUNT, ACCOUNT);
    let config = client_config(Some(&kubeconfig)).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let cache = CacheArgs {
        provider_cache_time: Duration::from_secs(600),
        provider_cache_patch_on_apply: true,
        record_cache_dir: Some(caches(plane)),
        record_cache_max_age: Duration::from_secs(3600),
    };
    let providers = DnsProviderArgs {
        namespaces: Vec::new(),
        dns_class: DEFAULT_CLASS.into(),
        zone_cache_time: Duration::from_secs(3600),
    };
    let settings = providers.settings(&cache).unwrap();
    let (controller, usable) = Controller::new(client, settings);
    (usable, Running(tokio::spawn(controller.run())))
}
