//! A real API server with the operator's definitions, and the operator as a
//! process beside it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use devcluster::{Cluster, Distribution, Options, Progress, children, programs};
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use operator::dns::objects::ObjectKey;
use operator::resources::{self, Resource};
use serde_json::{Value, json};
use tests::program::{self, IMAGES};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The release that the operator is of.
pub const RELEASE: &str = "0.0.1-test";
/// How long anything may take to become so before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The machine's room for clusters: one that runs pods and minds the seconds takes
/// all of it.
const ROOM: u32 = 2;
static MACHINE: Semaphore = Semaphore::const_new(ROOM as usize);

/// Waits for the whole machine.
pub async fn whole_machine() -> SemaphorePermit<'static> {
    MACHINE.acquire_many(ROOM).await.unwrap()
}

/// An API server, and what a test does with it.
pub struct Plane {
    pub cluster: Cluster,
    pub client: Client,
    /// Of several for one test, the first has it.
    _room: Option<SemaphorePermit<'static>>,
}

impl Plane {
    /// An API server that knows the DNS resource.
    pub async fn start() -> Self {
        Self::start_as(Distribution::Kubernetes).await
    }

    /// An API server of a distribution, that knows the DNS resource.
    pub async fn start_as(distribution: Distribution) -> Self {
        Self::start_with(Options {
            distribution,
            ..Options::default()
        })
        .await
    }

    /// An API server without controllers: the test says how far DaemonSets are.
    pub async fn without_controllers(distribution: Distribution) -> Self {
        Self::start_with(Options {
            distribution,
            controllers: false,
            ..Options::default()
        })
        .await
    }

    /// Several API servers for one test.
    pub async fn start_several(count: usize) -> Vec<Self> {
        let mut room = Some(whole_machine().await);
        let mut planes = Vec::with_capacity(count);
        for _ in 0..count {
            planes.push(Self::start_in(room.take(), Options::default()).await);
        }
        planes
    }

    async fn start_with(options: Options) -> Self {
        let room = MACHINE.acquire().await.unwrap();
        Self::start_in(Some(room), options).await
    }

    async fn start_in(room: Option<SemaphorePermit<'static>>, options: Options) -> Self {
        let cluster = Cluster::start(options, &Progress::hidden()).await.unwrap();
        let client = cluster.client().await.unwrap();
        let plane = Self {
            cluster,
            client,
            _room: room,
        };
        plane.define_dns().await;
        plane.make_namespace("openshift-dns-operator").await;
        plane
    }

    /// Makes a namespace.
    pub async fn make_namespace(&self, name: &str) {
        let key = ObjectKey::of::<k8s_openapi::api::core::v1::Namespace>(None, name);
        self.create(&key, json!({})).await;
    }

    /// Makes an object from its fields.
    pub async fn create(&self, key: &ObjectKey, mut fields: Value) -> Value {
        fields["apiVersion"] = key.api_version.clone().into();
        fields["kind"] = key.kind.clone().into();
        fields["metadata"]["name"] = key.name.clone().into();
        let object: DynamicObject = serde_json::from_value(fields).unwrap();
        let created = self.api_of(key).create(&PostParams::default(), &object).await;
        serde_json::to_value(created.unwrap()).unwrap()
    }

    async fn define_dns(&self) {
        let api = self.api(&ApiResource {
            group: "apiextensions.k8s.io".into(),
            version: "v1".into(),
            api_version: "apiextensions.k8s.io/v1".into(),
            kind: "CustomResourceDefinition".into(),
            plural: "customresourcedefinitions".into(),
        });
        for definition in api::crds() {
            let object: DynamicObject = serde_json::from_value(definition.crd).unwrap();
            api.create(&PostParams::default(), &object).await.unwrap();
        }
        let dnses = self.dnses();
        eventually("the DNS resource is served", async || {
            dnses.list(&ListParams::default()).await.is_ok()
        })
        .await;
    }

    /// Runs kubectl as the administrator; fails with what it says.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        children::run(self.kubectl_command().args(arguments)).unwrap()
    }

    /// Whether kubectl succeeds as the administrator.
    pub fn kubectl_succeeds(&self, arguments: &[&str]) -> bool {
        children::run(self.kubectl_command().args(arguments)).is_ok()
    }

    fn kubectl_command(&self) -> Command {
        let kubectl = programs::KUBECTL.path(&Progress::hidden()).unwrap();
        let mut command = Command::new(kubectl);
        command.arg("--kubeconfig").arg(self.cluster.kubeconfig());
        command
    }

    fn api(&self, resource: &ApiResource) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), resource)
    }

    /// The DNS resources.
    pub fn dnses(&self) -> Api<DynamicObject> {
        self.api(&Resource::of(&resources::default_dns_key()).unwrap().api())
    }

    /// Where an object is served.
    pub fn api_of(&self, key: &ObjectKey) -> Api<DynamicObject> {
        let resource = Resource::of(key).unwrap();
        resource.objects(&self.client, key.namespace.as_deref())
    }

    /// An object, if it is there.
    pub async fn get(&self, key: &ObjectKey) -> Option<Value> {
        let object = self.api_of(key).get_opt(&key.name).await.unwrap()?;
        Some(serde_json::to_value(object).unwrap())
    }

    /// Merges fields into an object.
    pub async fn patch(&self, key: &ObjectKey, patch: Value) {
        let merge = Patch::Merge(&patch);
        self.api_of(key)
            .patch(&key.name, &PatchParams::default(), &merge)
            .await
            .unwrap();
    }

    /// Changes the specification of the DNS.
    pub async fn edit(&self, spec: Value) {
        self.patch(&resources::default_dns_key(), json!({ "spec": spec }))
            .await;
    }

    /// Deletes an object.
    pub async fn delete(&self, key: &ObjectKey) {
        let parameters = DeleteParams::default();
        self.api_of(key).delete(&key.name, &parameters).await.unwrap();
    }

    /// Merges fields into the status of an object.
    pub async fn patch_status(&self, key: &ObjectKey, status: Value) {
        let merge = Patch::Merge(json!({ "status": status }));
        let parameters = PatchParams::default();
        let patched = self
            .api_of(key)
            .patch_status(&key.name, &parameters, &merge)
            .await;
        patched.unwrap();
    }

    /// Says of a DaemonSet what its controller would: of so many nodes, so many run
    /// the present template, and on so many a pod is available.
    pub async fn rolled_out(&self, name: &str, [nodes, updated, available]: [i64; 3]) {
        let key = resources::daemon_set_key(name);
        let set = self.get(&key).await.unwrap();
        let status = json!({
            "currentNumberScheduled": nodes, "desiredNumberScheduled": nodes,
            "numberAvailable": available, "numberMisscheduled": 0, "numberReady": available,
            "numberUnavailable": nodes - available,
            "observedGeneration": set["metadata"]["generation"], "updatedNumberScheduled": updated,
        });
        self.patch_status(&key, status).await;
    }

    /// The Events on the DNS so far, as `type reason: note`.
    pub async fn events(&self) -> Vec<String> {
        use k8s_openapi::api::events::v1::Event;
        let events: Api<Event> = Api::namespaced(self.client.clone(), "default");
        let events = events.list(&ListParams::default()).await.unwrap();
        let of_dns = events.into_iter().filter(|event| {
            let regarding = event.regarding.as_ref();
            regarding.is_some_and(|object| object.kind.as_deref() == Some("DNS"))
        });
        let text = |text: Option<String>| text.unwrap_or_default();
        of_dns
            .map(|event| {
                format!(
                    "{} {}: {}",
                    text(event.type_),
                    text(event.reason),
                    text(event.note)
                )
            })
            .collect()
    }

    /// Waits for an Event on the DNS that holds a text.
    pub async fn told(&self, what: &str) {
        eventually(&format!("an Event with {what:?}"), async || {
            self.events().await.iter().any(|event| event.contains(what))
        })
        .await;
    }

    /// The Corefile in force.
    pub async fn corefile(&self) -> String {
        match self.get(&corefile_key()).await {
            Some(map) => map["data"]["Corefile"].as_str().unwrap_or_default().to_owned(),
            None => String::new(),
        }
    }

    /// Waits until the Corefile has a line.
    pub async fn corefile_has(&self, line: &str) {
        eventually(line, async || {
            self.corefile().await.lines().any(|other| other.trim() == line)
        })
        .await;
    }

    /// A condition of the DNS.
    pub async fn condition(&self, kind: &str) -> Value {
        let dns = self.get(&resources::default_dns_key()).await.unwrap_or_default();
        let conditions = dns["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        conditions
            .into_iter()
            .find(|condition| condition["type"] == kind)
            .unwrap_or_default()
    }

    /// Requests of the operator so far, as `verb resource` or
    /// `verb resource/subresource`, but those for its Lease and for Events.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.cluster.audit_log()).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| {
                event["userAgent"]
                    .as_str()
                    .is_some_and(|agent| agent.starts_with("dns-operator/"))
            })
            .filter(|event| event["stage"] != "RequestReceived" && event["stage"] != "ResponseStarted")
            .filter(|event| {
                !["leases", "events"].contains(&event["objectRef"]["resource"].as_str().unwrap_or_default())
            })
            .map(|event| {
                let reference = &event["objectRef"];
                let text = |field: &str| reference[field].as_str().unwrap_or_default().to_owned();
                let subresource = text("subresource");
                let slash = if subresource.is_empty() { "" } else { "/" };
                format!(
                    "{} {}{slash}{subresource}",
                    event["verb"].as_str().unwrap_or_default(),
                    text("resource")
                )
            })
            .collect()
    }

    /// Starts the operator.
    pub fn operator(&self) -> Operator {
        Operator::start(self, &[])
    }
}

/// The running operator; killed when dropped.
pub struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts the operator with further arguments. It serves nothing over HTTP unless
    /// they say so: the usual ports are the same for all that run here.
    pub fn start(plane: &Plane, arguments: &[&str]) -> Self {
        Self::replica(plane, "operator", arguments)
    }

    /// Starts the operator with the rights of a kubeconfig.
    pub fn start_as(plane: &Plane, kubeconfig: &Path, arguments: &[&str]) -> Self {
        let environment = [("KUBECONFIG", kubeconfig.to_str().unwrap())];
        Self::spawn(plane, "operator", arguments, &environment)
    }

    /// Starts the operator of the next release, which has another CoreDNS.
    pub fn upgraded(plane: &Plane, coredns: &str) -> Self {
        let environment = [("IMAGE", coredns), ("RELEASE_VERSION", "0.0.2-test")];
        Self::spawn(plane, "operator", &[], &environment)
    }

    /// Starts a replica of the operator, by the name of its pod.
    pub fn replica(plane: &Plane, name: &str, arguments: &[&str]) -> Self {
        Self::spawn(plane, name, arguments, &[])
    }

    fn spawn(plane: &Plane, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let log = plane.cluster.state().join("operator.log");
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let silent = ["--metrics-bind-addr", "--health-bind-addr"]
            .into_iter()
            .filter(|flag| !arguments.iter().any(|argument| argument.starts_with(flag)))
            .map(|flag| format!("{flag}=0"));
        let child = Command::new(program::path().unwrap())
            .args(arguments)
            .args(silent)
            .env("KUBECONFIG", plane.cluster.kubeconfig())
            .envs(IMAGES)
            .env("RELEASE_VERSION", RELEASE)
            .env("POD_NAME", name)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has logged, over all starts.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the operator's log:\n{}", self.log());
        }
    }
}

/// The ConfigMap with the Corefile.
pub fn corefile_key() -> ObjectKey {
    ObjectKey::of::<k8s_openapi::api::core::v1::ConfigMap>(Some("openshift-dns"), "dns-default")
}

/// The objects the operator keeps for any DNS, but the namespace.
pub fn kept_keys() -> Vec<ObjectKey> {
    use k8s_openapi::api::core::v1::{Service, ServiceAccount};
    use k8s_openapi::api::networking::v1::NetworkPolicy;
    use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
    let namespace = Some("openshift-dns");
    vec![
        ObjectKey::of::<ServiceAccount>(namespace, "dns"),
        ObjectKey::of::<ServiceAccount>(namespace, "node-resolver"),
        ObjectKey::of::<ClusterRole>(None, "openshift-dns"),
        ObjectKey::of::<ClusterRoleBinding>(None, "openshift-dns"),
        corefile_key(),
        resources::daemon_set_key("dns-default"),
        ObjectKey::of::<NetworkPolicy>(namespace, "dns-default"),
        ObjectKey::of::<NetworkPolicy>(namespace, "openshift-dns-deny-all"),
        ObjectKey::of::<Service>(namespace, "dns-default"),
        resources::daemon_set_key("node-resolver"),
        ObjectKey::of::<Service>(Some("default"), "openshift"),
    ]
}

/// Waits until a condition holds; fails with its name when it does not.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A pause in which nothing is meant to happen.
pub async fn quiet() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}
