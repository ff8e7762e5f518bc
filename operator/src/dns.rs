//! Cluster DNS: from a DNS resource to running pods.
//!
//! [`Reconciler::reconcile`] reads as the path of data: the resource is decoded
//! and checked, rendered, made into objects, and applied; what came of it is
//! observed and written into the status.

pub mod cluster;
pub mod config;
pub mod corefile;
pub mod inputs;
pub mod names;
pub mod objects;
pub mod observe;
pub mod status;
pub mod tls_profile;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::apply::{Applier, ApplyError};
use crate::cache::Cache;
use crate::cli::ClusterArgs;
use crate::images::Images;
use crate::metrics::Metrics;
use crate::resources::default_dns_key;

use config::{Config, InvalidSpec};
use corefile::Templates;
use inputs::Inputs;
use names::{DNS, FINALIZER};
use objects::{Desired, ObjectKey};
use observe::StoredDns;
use status::Observation;

/// Makes the cluster what the DNS resource says.
pub struct Reconciler {
    cache: Arc<Cache>,
    applier: Applier,
    templates: Templates,
    images: Images,
    cluster: ClusterArgs,
    metrics: Arc<Metrics>,
    /// The last configuration that was in force, for repairs while the present
    /// one is refused.
    last_good: Option<Config>,
    /// Warnings that were given.
    told: Vec<String>,
}

/// What a reconcile came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// When a condition has to be looked at again.
    pub look_again: Option<Duration>,
    /// Whether something failed that may work the next time.
    pub failed: bool,
}

/// What went wrong on the way; the rest was still done.
#[derive(Default)]
struct Failures {
    /// For people.
    messages: Vec<String>,
    /// Whether to try again soon.
    retry: bool,
}

impl Failures {
    fn note(&mut self, result: Result<(), ApplyError>) {
        let Err(error) = result else {
            return;
        };
        self.retry = true;
        match error {
            // Somebody else wrote first: nothing anyone has to know.
            ApplyError::Outdated { .. } => tracing::debug!("{error}"),
            error => self.tell(&error),
        }
    }

    fn tell(&mut self, error: &dyn std::error::Error) {
        let mut message = error.to_string();
        // The API server's reason stands in the source.
        if let Some(source) = error.source().map(ToString::to_string)
            && !message.contains(&source)
        {
            message = format!("{message}: {source}");
        }
        tracing::error!("{message}");
        self.messages.push(message);
        self.retry = true;
    }
}

impl Reconciler {
    /// A reconciler that has done nothing yet.
    #[must_use]
    pub fn new(
        cache: Arc<Cache>,
        applier: Applier,
        templates: Templates,
        images: Images,
        cluster: ClusterArgs,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            cache,
            applier,
            templates,
            images,
            cluster,
            metrics,
            last_good: None,
            told: Vec::new(),
        }
    }

    /// Looks at the cluster once and does what is missing.
    pub async fn reconcile(&mut self, now: Timestamp) -> Outcome {
        self.tell_of_others();
        let Some(dns) = StoredDns::observe(&self.cache) else {
            return self.create_default().await;
        };
        if dns.is_being_deleted() {
            return self.clean_up(&dns).await;
        }
        let mut failures = Failures::default();
        let (inputs, unknown) = observe::inputs(&self.cache, &self.cluster, &self.images, &dns);
        failures.messages.extend(unknown);
        let checked = Config::decode(dns.spec());
        self.metrics.spec_valid(checked.is_ok());
        if let Ok(config) = &checked {
            self.tell_of_missing_bundles(config, &inputs);
            self.last_good = Some(config.clone());
        }
        if !dns.is_unmanaged() {
            failures.note(self.ensure_finalizer(&dns).await);
            let desired = self.desired(&inputs, &mut failures);
            let corefile = observe::corefile(&self.cache);
            for object in &desired {
                failures.note(self.applier.apply(object).await);
            }
            self.count_corefile(corefile.as_deref());
            if self.last_good.is_some() && !failures.retry {
                for copy in observe::unused_ca_bundles(&self.cache, &desired) {
                    failures.note(self.applier.delete(&copy).await);
                }
            }
        }
        let look_again = self
            .write_status(&dns, checked.err().as_ref(), &mut failures, now)
            .await;
        Outcome {
            look_again,
            failed: failures.retry,
        }
    }

    /// Everything as it should be, for the configuration in force. Without one,
    /// what does not depend on it.
    fn desired(&self, inputs: &Inputs, failures: &mut Failures) -> Vec<Desired> {
        let objects = match &self.last_good {
            Some(config) => match self.templates.render(config, inputs) {
                Ok(corefile) => objects::desired(config, corefile, inputs),
                Err(error) => {
                    failures.tell(&error);
                    objects::desired_for_cluster(inputs)
                }
            },
            None => objects::desired_for_cluster(inputs),
        };
        objects.unwrap_or_else(|error| {
            failures.tell(&error);
            Vec::new()
        })
    }

    /// Tells the metrics which Corefile is in force, and whether it was another
    /// before.
    fn count_corefile(&self, before: Option<&str>) {
        match observe::corefile(&self.cache) {
            Some(now) if before != Some(&now) => self.metrics.corefile_published(&now),
            Some(now) => self.metrics.corefile_in_force(&now),
            None => {}
        }
    }

    async fn create_default(&mut self) -> Outcome {
        let key = default_dns_key();
        let value = json!({
            "apiVersion": key.api_version,
            "kind": key.kind,
            "metadata": { "name": key.name },
            "spec": {},
        });
        let mut failures = Failures::default();
        failures.note(self.applier.apply(&Desired { key, value }).await);
        // There is everything to do for it now.
        Outcome {
            look_again: Some(Duration::ZERO),
            failed: failures.retry,
        }
    }

    async fn ensure_finalizer(&self, dns: &StoredDns) -> Result<(), ApplyError> {
        if dns.has_finalizer() {
            return Ok(());
        }
        let mut finalizers = dns.finalizers();
        finalizers.push(FINALIZER);
        self.applier
            .set_finalizers(&default_dns_key(), dns.value(), &finalizers)
            .await
    }

    /// Takes away what was made for a DNS that is being deleted, and lets it go.
    /// The namespace stays: it may hold what others put there.
    async fn clean_up(&mut self, dns: &StoredDns) -> Outcome {
        let mut failures = Failures::default();
        if !dns.has_finalizer() {
            return Outcome::default();
        }
        let (inputs, _) = observe::inputs(&self.cache, &self.cluster, &self.images, dns);
        for key in self.managed_objects(&inputs, &mut failures) {
            failures.note(self.applier.delete(&key).await);
        }
        if !failures.retry {
            let others: Vec<&str> = dns
                .finalizers()
                .into_iter()
                .filter(|name| *name != FINALIZER)
                .collect();
            failures.note(
                self.applier
                    .set_finalizers(&default_dns_key(), dns.value(), &others)
                    .await,
            );
            self.last_good = None;
        }
        Outcome {
            look_again: None,
            failed: failures.retry,
        }
    }

    /// Every object of the operator but the namespace, the last applied first.
    fn managed_objects(&self, inputs: &Inputs, failures: &mut Failures) -> Vec<ObjectKey> {
        let any = Config::decode(&Value::Null)
            .map_err(|error| failures.tell(&error))
            .ok();
        let config = self.last_good.clone().or(any);
        let objects = config.and_then(|config| {
            objects::desired(&config, String::new(), inputs)
                .map_err(|error| failures.tell(&error))
                .ok()
        });
        let keys = objects.into_iter().flatten().map(|object| object.key);
        let mut keys: Vec<ObjectKey> = keys.filter(|key| key.kind != "Namespace").collect();
        keys.reverse();
        keys
    }

    async fn write_status(
        &self,
        dns: &StoredDns,
        invalid: Option<&InvalidSpec>,
        failures: &mut Failures,
        now: Timestamp,
    ) -> Option<Duration> {
        let old = dns.status();
        let service_address = observe::service_address(&self.cache);
        let observation = Observation {
            now,
            old: &old.conditions,
            unmanaged: dns.is_unmanaged(),
            service_address,
            dns: observe::dns_rollout(&self.cache),
            node_resolver: observe::node_resolver_rollout(&self.cache),
            placement: self.last_good.as_ref().map(|config| &config.placement),
            invalid,
            failures: &failures.messages,
        };
        let assessment = observation.assess();
        let status = api::DnsStatus {
            cluster_domain: self.cluster.cluster_domain.clone(),
            cluster_ip: service_address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            conditions: assessment.conditions,
            observed_generation: dns.generation(),
        };
        if status != old || dns.value()["status"].is_null() {
            failures.note(self.applier.patch_status(&default_dns_key(), json!(status)).await);
        }
        assessment.look_again
    }

    /// Only the resource `default` counts; who makes another one is told so, once.
    fn tell_of_others(&mut self) {
        for dns in self.cache.of_kind("DNS") {
            let name = dns["metadata"]["name"].as_str().unwrap_or_default();
            if name != DNS {
                self.warn_once(format!(
                    "DNS {name:?} is ignored: the operator acts on {DNS:?} alone"
                ));
            }
        }
    }

    /// Without its CA bundle, a server is checked against the image's own
    /// authorities.
    fn tell_of_missing_bundles(&mut self, config: &Config, inputs: &Inputs) {
        let (in_use, absent): (Vec<_>, Vec<_>) = config
            .ca_bundles()
            .partition(|name| inputs.ca_bundles.contains_key(*name));
        let unreadable = absent
            .iter()
            .filter(|name| observe::has_ca_bundle_source(&self.cache, name))
            .count();
        self.metrics
            .ca_bundles(in_use.len(), absent.len() - unreadable, unreadable);
        for name in absent {
            self.warn_once(format!("source ca bundle configmap {name} does not exist"));
        }
    }

    fn warn_once(&mut self, message: String) {
        if !self.told.contains(&message) {
            tracing::warn!("{message}");
            self.told.push(message);
        }
    }
}
