//! Carries changes out, and remembers what must be there in the end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use devcluster::certificates::Authority;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::core::DynamicObject;
use kube::{Api, Client};
use operator::dns::names::{CONFIG_NAMESPACE, DNS_DEFAULT, NAMESPACE};
use operator::dns::objects::ObjectKey;
use operator::resources::{Resource, default_dns_key};
use serde_json::{Value, json};

use crate::change::Change;
use crate::specification::BUNDLE;

/// Under which name the specification is written.
const WRITER: &str = "soak";
/// The longest the Service may be away.
const AWAY: Duration = Duration::from_secs(30);
/// HTTP's status for an object that the API server does not take.
const UNPROCESSABLE: u16 = 422;
/// HTTP's status for what is not there.
const NOT_FOUND: u16 = 404;
/// How many bundles are used in turn.
const BUNDLES: usize = 3;

/// When the DNS Service was not there.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    /// When its deletion was asked for.
    pub from: Instant,
    /// When it was seen again.
    pub until: Instant,
}

/// Who changes the cluster.
pub struct Hand {
    client: Client,
    service_address: String,
    bundles: Vec<String>,
    next_bundle: usize,
    done: BTreeMap<&'static str, u32>,
    absences: Vec<Absence>,
    /// By object and uid: what was written beside the operator's fields.
    marks: BTreeMap<(ObjectKey, String), Value>,
    wrong: Vec<String>,
}

/// The interface to the objects of a kind; none for a kind that the operator does
/// not know.
pub fn api_of(client: &Client, key: &ObjectKey) -> Result<Api<DynamicObject>> {
    let resource =
        Resource::of(key).with_context(|| format!("the operator does not know where {key} is served"))?;
    Ok(resource.objects(client, key.namespace.as_deref()))
}

/// An object as it is; none if it, or its kind, is not there.
pub async fn read(client: &Client, key: &ObjectKey) -> Result<Option<Value>> {
    match api_of(client, key)?.get(&key.name).await {
        Ok(object) => serde_json::to_value(object)
            .map(Some)
            .with_context(|| format!("failed to encode {key}")),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {key}")),
    }
}

/// Whether the API server has no such object, or serves no such kind: then it
/// answers in plain text, without a reason.
#[must_use]
pub fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == NOT_FOUND)
}

impl Hand {
    /// A hand on a cluster whose DNS is up.
    pub async fn new(client: &Client) -> Result<Self> {
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": CONFIG_NAMESPACE } });
        namespaces
            .patch(CONFIG_NAMESPACE, &writer(), &Patch::Apply(namespace))
            .await
            .context("failed to make the namespace of CA bundles")?;
        let bundles: Result<Vec<String>> = (0..BUNDLES)
            .map(|_| Ok(Authority::new()?.certificate().to_owned()))
            .collect();
        let mut hand = Self {
            client: client.clone(),
            service_address: String::new(),
            bundles: bundles?,
            next_bundle: 0,
            done: BTreeMap::new(),
            absences: Vec::new(),
            marks: BTreeMap::new(),
            wrong: Vec::new(),
        };
        hand.service_address = hand
            .service_address()
            .await?
            .context("the DNS Service is not there or has no address")?;
        Ok(hand)
    }

    /// What was done, by kind, and how often.
    #[must_use]
    pub fn done(&self) -> &BTreeMap<&'static str, u32> {
        &self.done
    }

    /// When the DNS Service was not there.
    #[must_use]
    pub fn absences(&self) -> &[Absence] {
        &self.absences
    }

    /// What was not as it must be while changes were carried out.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// Carries a change out. What is just not there, because it was deleted
    /// before, is passed over.
    pub async fn carry_out(&mut self, change: &Change) -> Result<()> {
        let what = match change {
            Change::Edit(spec) => {
                self.specify(spec).await.context("failed to edit the DNS")?;
                "edits"
            }
            Change::Refused(spec) => {
                self.specify(spec).await.context("failed to edit the DNS")?;
                "edits that the operator refuses"
            }
            Change::NotAdmitted(spec) => {
                match self.specify(spec).await {
                    Err(kube::Error::Api(status)) if status.code == UNPROCESSABLE => {}
                    Err(error) => return Err(error).context("failed to edit the DNS"),
                    Ok(()) => self.wrong.push(format!("the API server took {spec}")),
                }
                "edits that the API server refuses"
            }
            Change::Mark(key, patch) => {
                self.mark(key, patch).await?;
                "fields of others"
            }
            Change::Drift(key, patch) => {
                self.merge(key, patch).await?;
                "drifts"
            }
            Change::Scribble => {
                self.scribble().await?;
                "drifts"
            }
            Change::Delete(key) => {
                self.delete(key, PropagationPolicy::Background).await?;
                "deletions"
            }
            Change::Orphan(key) => {
                self.delete(key, PropagationPolicy::Orphan).await?;
                "deletions of a DaemonSet"
            }
            Change::DeleteService => {
                self.delete_service().await?;
                "deletions of the DNS Service"
            }
            Change::SetBundle => {
                self.set_bundle().await?;
                "CA bundles"
            }
            Change::RemoveBundle => {
                let key = ObjectKey::of::<ConfigMap>(Some(CONFIG_NAMESPACE), BUNDLE);
                self.delete(&key, PropagationPolicy::Background).await?;
                "CA bundles"
            }
        };
        *self.done.entry(what).or_default() += 1;
        Ok(())
    }

    /// The whole specification: what is not in it goes. The operator writes into
    /// the same object, so this may take more than one attempt.
    async fn specify(&self, spec: &Value) -> Result<(), kube::Error> {
        let key = default_dns_key();
        let Some(resource) = Resource::of(&key) else {
            return Ok(());
        };
        let api = resource.objects(&self.client, None);
        loop {
            let mut dns = api.get(&key.name).await?;
            dns.data["spec"] = spec.clone();
            match api.replace(&key.name, &PostParams::default(), &dns).await {
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                outcome => return outcome.map(drop),
            }
        }
    }

    /// Merges fields into an object; none if it is not there.
    async fn merge(&self, key: &ObjectKey, patch: &Value) -> Result<Option<DynamicObject>> {
        let api = api_of(&self.client, key)?;
        match api
            .patch(&key.name, &PatchParams::default(), &Patch::Merge(patch))
            .await
        {
            Ok(object) => Ok(Some(object)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to patch {key} with {patch}")),
        }
    }

    async fn mark(&mut self, key: &ObjectKey, patch: &Value) -> Result<()> {
        let Some(object) = self.merge(key, patch).await? else {
            return Ok(());
        };
        let id = (key.clone(), object.metadata.uid.unwrap_or_default());
        merge_into(self.marks.entry(id).or_default(), patch);
        Ok(())
    }

    async fn scribble(&self) -> Result<()> {
        let key = ObjectKey::of::<ConfigMap>(Some(NAMESPACE), DNS_DEFAULT);
        let Some(live) = read(&self.client, &key).await? else {
            return Ok(());
        };
        let corefile = live["data"]["Corefile"].as_str().unwrap_or_default();
        let patch = json!({ "data": { "Corefile": format!("{corefile}# by hand\n") } });
        self.merge(&key, &patch).await.map(drop)
    }

    async fn delete(&self, key: &ObjectKey, policy: PropagationPolicy) -> Result<()> {
        let parameters = DeleteParams {
            propagation_policy: Some(policy),
            ..DeleteParams::default()
        };
        match api_of(&self.client, key)?.delete(&key.name, &parameters).await {
            Ok(_) => Ok(()),
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("failed to delete {key}")),
        }
    }

    /// Deletes the DNS Service and waits until it is back.
    async fn delete_service(&mut self) -> Result<()> {
        let key = ObjectKey::of::<Service>(Some(NAMESPACE), DNS_DEFAULT);
        let from = Instant::now();
        self.delete(&key, PropagationPolicy::Background).await?;
        loop {
            if let Some(address) = self.service_address().await? {
                if address != self.service_address {
                    self.wrong.push(format!(
                        "the DNS Service came back as {address} instead of {}",
                        self.service_address
                    ));
                }
                break;
            }
            if from.elapsed() > AWAY {
                bail!("the DNS Service has not come back within {AWAY:?}");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.absences.push(Absence {
            from,
            until: Instant::now(),
        });
        Ok(())
    }

    async fn service_address(&self) -> Result<Option<String>> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), NAMESPACE);
        let service = services
            .get_opt(DNS_DEFAULT)
            .await
            .context("failed to read the DNS Service")?;
        Ok(service
            .and_then(|service| service.spec)
            .and_then(|spec| spec.cluster_ip))
    }

    async fn set_bundle(&mut self) -> Result<()> {
        let text = self.bundles.get(self.next_bundle % BUNDLES);
        self.next_bundle += 1;
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), CONFIG_NAMESPACE);
        let bundle = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": BUNDLE, "namespace": CONFIG_NAMESPACE },
            "data": { "ca-bundle.crt": text },
        });
        maps.patch(BUNDLE, &writer(), &Patch::Apply(bundle))
            .await
            .context("failed to write the CA bundle")?;
        Ok(())
    }

    /// Fields of others that are not there any more, though their object is.
    pub async fn lost_marks(&self) -> Result<Vec<String>> {
        let mut lost = Vec::new();
        for ((key, uid), marks) in &self.marks {
            let live = read(&self.client, key).await?.unwrap_or_default();
            // Whoever deletes an object takes what others wrote with it.
            if live["metadata"]["uid"] != uid.as_str() {
                continue;
            }
            if let Some(repair) = operator::difference::repair(marks, &live) {
                lost.push(format!(
                    "{key} has lost what others wrote: {}",
                    repair.fields.join(", ")
                ));
            }
        }
        Ok(lost)
    }
}

fn writer() -> PatchParams {
    PatchParams::apply(WRITER).force()
}

/// A merge patch applied to fields that only ever get values.
fn merge_into(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    for (name, value) in fields {
        // Indexing makes an object of null.
        merge_into(&mut target[name], value);
    }
}
