//! Cluster DNS: from a DNS resource to running pods.
//!
//! [`Reconciler::reconcile`] reads as the path of data: the resource is decoded
//! and checked, rendered, made into objects, and applied; what came of it is
//! observed and written into the status.

pub mod ca_bundle;
pub mod cluster;
pub mod config;
pub mod corefile;
mod desired;
pub mod digest;
pub mod domain_name;
pub mod drift;
pub mod explanation;
pub mod inputs;
mod lifecycle;
pub mod names;
pub mod node;
pub mod notice;
pub mod objects;
pub mod observe;
mod outcome;
mod report;
pub mod status;
pub mod tls_profile;
pub mod trust;

pub use outcome::Outcome;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::sync::watch as channel;

use crate::apply::Applier;
use crate::cache::Cache;
use crate::cli::ClusterArgs;
use crate::difference::repair;
use crate::events::Events;
use crate::images::Images;
use crate::resources::config_map_key;
use crate::served::Served;
use crate::upstreams::{Upstreams, target};
use crate::vitals::Vitals;
use crate::watch::look_up;

use ca_bundle::CaBundles;
use config::Config;
use corefile::Templates;
use desired::Built;
use drift::Repairs;
use inputs::Inputs;
use names::CONFIG_NAMESPACE;
use objects::Desired;
use observe::StoredDns;
use outcome::Failures;
use report::StatusWritten;

/// What the operator is started with.
pub struct Setup {
    /// The images of the pods.
    pub images: Images,
    /// The Corefile's templates.
    pub templates: Templates,
    /// What is known of the cluster from outside.
    pub cluster: ClusterArgs,
    /// What it tells of itself.
    pub vitals: Vitals,
    /// Whether the upstreams are probed.
    pub probe_upstreams: bool,
}

/// Makes the cluster what the DNS resource says.
pub struct Reconciler {
    client: Client,
    cache: Arc<Cache>,
    applier: Applier,
    events: Events,
    /// Which of the APIs that a cluster may lack are there.
    served: channel::Receiver<Option<Served>>,
    upstreams: Upstreams,
    setup: Setup,
    /// The last configuration that was accepted, for repairs while the present one
    /// is refused.
    last_good: Option<Accepted>,
    /// The objects as they were built last.
    built: Built,
    repairs: Repairs,
    /// Whether there were DNS pods when last heard.
    had_pods: bool,
    /// The Corefile that this replica has published last.
    in_force: Option<Rendered>,
    /// Since when passes fail.
    failing_since: Option<Timestamp>,
    /// The troubles that people were told of, by topic.
    told: BTreeMap<&'static str, String>,
    /// Whether the pods of a DaemonSet were seen being replaced.
    rolling: BTreeMap<&'static str, bool>,
    /// The status as it was written last.
    status_written: Option<StatusWritten>,
}

/// A configuration that was accepted.
#[derive(Clone)]
struct Accepted {
    config: Config,
    /// Of the specification.
    generation: Option<i64>,
}

/// A Corefile, and the generation of the specification that it says.
#[derive(Clone)]
struct Rendered {
    corefile: String,
    generation: Option<i64>,
}

impl Reconciler {
    /// A reconciler that has done nothing yet.
    #[must_use]
    pub fn new(
        client: Client,
        cache: Arc<Cache>,
        applier: Applier,
        events: Events,
        served: channel::Receiver<Option<Served>>,
        upstreams: Upstreams,
        setup: Setup,
    ) -> Self {
        Self {
            client,
            cache,
            applier,
            events,
            served,
            upstreams,
            setup,
            last_good: None,
            built: Built::default(),
            repairs: Repairs::default(),
            had_pods: false,
            in_force: None,
            failing_since: None,
            told: BTreeMap::new(),
            rolling: BTreeMap::new(),
            status_written: None,
        }
    }

    /// Looks at the cluster once and does what is missing.
    pub async fn reconcile(&mut self, now: Timestamp) -> Outcome {
        self.tell_of_others();
        let dns = StoredDns::observe(&self.cache);
        let mut outcome = match dns {
            None => {
                self.upstreams.follow(Vec::new());
                self.create_default().await
            }
            Some(dns) if dns.is_being_deleted() => {
                self.upstreams.follow(Vec::new());
                self.clean_up(&dns).await
            }
            Some(dns) => self.keep(&dns, now).await,
        };
        let mut failures = Failures::default();
        self.write_cluster_operator(&mut failures, now).await;
        outcome.failed |= failures.retry;
        outcome
    }

    /// Keeps everything as a DNS says.
    async fn keep(&mut self, dns: &StoredDns, now: Timestamp) -> Outcome {
        let rollout = observe::dns_rollout(&self.cache);
        self.had_pods = rollout
            .and_then(|rollout| rollout.has_pods())
            .unwrap_or(self.had_pods);
        let mut failures = Failures::default();
        let mut outcome = Outcome::default();
        let (mut inputs, unknown) = {
            let served = self.served.borrow();
            observe::inputs(&self.cache, &self.setup, served.as_ref(), dns)
        };
        failures.messages.extend(unknown);
        let checked = Config::decode(dns.spec()).and_then(|config| config.for_cluster(&inputs));
        let metrics = Arc::clone(&self.setup.vitals.metrics);
        metrics.spec_valid(checked.is_ok());
        self.tell_of_config(dns, &checked, &inputs);
        let bundles = self.ca_bundles(checked.as_ref().ok(), &mut failures).await;
        metrics.ca_bundles(
            bundles.usable.len(),
            bundles.missing.len(),
            bundles.unreadable.len(),
        );
        self.tell_of_bundles(&bundles);
        if dns.is_unmanaged() {
            self.in_force = None;
        } else {
            // What could not be found out may be needed for it.
            if let Ok(config) = &checked
                && !failures.retry
            {
                self.last_good = Some(Accepted {
                    config: config.clone(),
                    generation: dns.generation(),
                });
            }
            inputs.ca_bundles.clone_from(&bundles.usable);
            failures.note(self.ensure_finalizer(dns).await);
            let desired = self.desired(&inputs, &mut failures);
            let before = observe::corefile(&self.cache);
            for object in &desired {
                outcome.within(self.apply(object, now, &mut failures).await);
            }
            let corefile = observe::corefile(&self.cache);
            metrics.corefile(before.as_deref(), corefile.as_deref());
            self.finish(desired, &inputs, &mut outcome, &mut failures).await;
        }
        self.follow_upstreams(dns, &bundles);
        let look_again = self
            .write_status(dns, checked.as_ref(), &bundles, &mut failures, now)
            .await;
        outcome.within(look_again);
        outcome.failed = failures.retry;
        outcome
    }

    /// The CA bundles that the configuration asks for.
    async fn ca_bundles(&self, checked: Option<&Config>, failures: &mut Failures) -> CaBundles {
        let last_good = self.last_good.as_ref().map(|good| &good.config);
        let Some(config) = checked.or(last_good) else {
            return CaBundles::default();
        };
        let bundles = observe::ca_bundles(&self.cache, config);
        let known: Vec<_> = last_good.into_iter().flat_map(Config::ca_bundles).collect();
        let mut found = false;
        // The watch may lag behind that of the DNS: whoever makes a bundle and then
        // a server that uses it must not get the server without its bundle.
        for name in bundles.missing.iter().filter(|name| !known.contains(name)) {
            let key = config_map_key(CONFIG_NAMESPACE, &name.0);
            match look_up(&self.client, &self.cache, &key).await {
                Ok(there) => found |= there,
                Err(error) => failures.tell(&error),
            }
        }
        if found {
            return observe::ca_bundles(&self.cache, config);
        }
        bundles
    }

    /// Has the upstreams in force probed. What is in force while nobody may touch it is
    /// not known.
    fn follow_upstreams(&self, dns: &StoredDns, bundles: &CaBundles) {
        let wanted = self.setup.probe_upstreams && !dns.is_unmanaged();
        let accepted = self.last_good.as_ref().filter(|_| wanted);
        let targets = accepted.map(|accepted| target::targets(&accepted.config, bundles));
        self.upstreams.follow(targets.unwrap_or_default());
    }

    /// Creates or repairs an object; no request when it already is as it should
    /// be. Tells when to look again, if its repair has to wait.
    async fn apply(
        &mut self,
        desired: &Arc<Desired>,
        now: Timestamp,
        failures: &mut Failures,
    ) -> Option<Duration> {
        let key = &desired.key;
        let live = self.cache.get(key);
        let Some(live) = live else {
            let made = self.applier.create(&desired.as_created(now)).await;
            if made.is_ok() {
                self.tell_of_change(desired, None, now);
            }
            failures.note(made);
            return None;
        };
        if self.repairs.is_settled(desired, &live) {
            return None;
        }
        let Some(repair) = repair(&desired.value, &live) else {
            self.repairs.settle(desired, live);
            return None;
        };
        if let Some(pause) = self.repairs.pause(key, now) {
            return Some(pause);
        }
        let fields = repair.fields.clone();
        let mended = self.applier.mend(key, &live, repair).await;
        if mended.is_ok() {
            self.tell_of_change(desired, Some((&live, &fields)), now);
        }
        failures.note(mended);
        None
    }

    /// What follows from all objects being there.
    async fn finish(
        &mut self,
        desired: Vec<Arc<Desired>>,
        inputs: &Inputs,
        outcome: &mut Outcome,
        failures: &mut Failures,
    ) {
        if self.last_good.is_some() && !failures.retry {
            for copy in observe::unused_ca_bundles(&self.cache, &desired, self.had_pods) {
                failures.note(self.applier.delete(&copy).await);
            }
        }
        // What belongs to the DaemonSet waits for its uid.
        if inputs.monitored && inputs.daemon_set_uid.is_none() && !failures.retry {
            outcome.within(Some(Duration::ZERO));
        }
        self.repairs.remember(desired);
        self.tell_of_rollouts();
    }
}
