//! Which replica of a program acts: the one that holds the Lease.
//!
//! The Lease is changed by compare-and-swap alone, against the state that its
//! watch has told, so two replicas never both take it. A lease is over when
//! its holder has not renewed it for as long as it says, by the clock of whoever
//! waits: the clocks of nodes need not agree. The holder gives up well before.
//! The library for this (kube-lease-manager 0.13) takes an expired lease by a
//! patch without that comparison, and sleeps through a lease that is let go.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch as channel;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::apply::{Applier, ApplyError};
use crate::cache::Cache;
use crate::dns::objects::{Desired, ObjectKey};

/// How long a lease is good for without being renewed.
pub const LEASE_DURATION: Duration = Duration::from_secs(60);
/// How often it is renewed.
pub const RENEWAL: Duration = Duration::from_secs(20);
/// How long the holder goes on without a renewal. What is left until the lease is
/// over is for a write that is still under way.
const RENEWAL_DEADLINE: Duration = Duration::from_secs(40);
/// How long to wait after a renewal that failed.
const RETRY: Duration = Duration::from_secs(2);

/// A candidate for a Lease.
pub struct Candidate {
    lease: ObjectKey,
    /// Whether to act without a Lease where its namespace is not there.
    does_without: bool,
    cache: Arc<Cache>,
    applier: Applier,
    identity: String,
    /// The last renewal of ours, by the time it was begun.
    renewed: Option<Instant>,
    /// The state of another holder's lease, and since when it is known.
    seen: (Value, Instant),
    told_of_missing_namespace: bool,
}

/// What a candidate does next.
#[derive(Debug, PartialEq)]
enum Step {
    /// There is no lease.
    Create,
    /// It is free, or over, or our own: from now on it is ours.
    Hold,
    /// Look again then, or when it changes.
    Wait(Instant),
}

impl Candidate {
    /// A candidate for a Lease under a name that no other replica has. The cache follows
    /// the Lease.
    #[must_use]
    pub fn new(lease: ObjectKey, cache: Arc<Cache>, applier: Applier, identity: String) -> Self {
        Self {
            lease,
            does_without: false,
            cache,
            applier,
            identity,
            renewed: None,
            seen: (Value::Null, Instant::now()),
            told_of_missing_namespace: false,
        }
    }

    /// Acts without a Lease where its namespace is not there: outside the cluster, where no
    /// replica has it either.
    #[must_use]
    pub fn doing_without(mut self) -> Self {
        self.does_without = true;
        self
    }

    /// Takes the Lease whenever it can be had, keeps it, and tells whether it is
    /// held. Runs for as long as it is polled.
    pub async fn run(&mut self, leading: &channel::Sender<bool>) {
        let mut changes = self.cache.changes();
        loop {
            let lease = self.cache.get(&self.lease);
            let now = Instant::now();
            let next = match self.step(lease.as_deref(), now) {
                Step::Wait(until) => until,
                step => self.hold(&step, lease.as_deref(), now, leading).await,
            };
            let lost = self.renewed.map(|renewed| renewed + RENEWAL_DEADLINE);
            tell(leading, lost.is_some_and(|lost| Instant::now() < lost));
            tokio::select! {
                () = sleep_until(lost.map_or(next, |lost| next.min(lost))) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// Lets the Lease go, so that another replica need not wait for its end.
    pub async fn release(&mut self) {
        let Some(lease) = self.cache.get(&self.lease) else {
            return;
        };
        if self.renewed.take().is_some() && holder(&lease) == self.identity {
            let patch = json!({ "spec": { "holderIdentity": null, "acquireTime": null, "renewTime": null } });
            match self.applier.swap(&self.lease, &lease, patch).await {
                Ok(()) => tracing::info!("the Lease is released"),
                Err(error) => tracing::warn!("{error}"),
            }
        }
    }

    fn step(&mut self, lease: Option<&Value>, now: Instant) -> Step {
        let Some(lease) = lease else {
            self.renewed = self.renewed.filter(|_| self.told_of_missing_namespace);
            return match self.renewed.map(|renewed| renewed + RENEWAL) {
                Some(next) if now < next => Step::Wait(next),
                _ => Step::Create,
            };
        };
        let holder = holder(lease);
        if holder == self.identity {
            return match self.renewed.map(|renewed| renewed + RENEWAL) {
                Some(next) if now < next => Step::Wait(next),
                _ => Step::Hold,
            };
        }
        self.renewed = None;
        if holder.is_empty() {
            return Step::Hold;
        }
        let version = &lease["metadata"]["resourceVersion"];
        if self.seen.0 != *version {
            self.seen = (version.clone(), now);
        }
        let seconds = lease["spec"]["leaseDurationSeconds"].as_u64();
        let over = self.seen.1 + seconds.map_or(LEASE_DURATION, Duration::from_secs);
        if now < over { Step::Wait(over) } else { Step::Hold }
    }

    /// Writes us into the Lease; tells when to look again.
    async fn hold(
        &mut self,
        step: &Step,
        lease: Option<&Value>,
        now: Instant,
        leading: &channel::Sender<bool>,
    ) -> Instant {
        let spec = self.spec(lease);
        let deadline = self.renewed.unwrap_or(now) + RENEWAL_DEADLINE;
        let write = async {
            match lease {
                Some(lease) if *step == Step::Hold => {
                    self.applier
                        .swap(&self.lease, lease, json!({ "spec": spec }))
                        .await
                }
                _ => {
                    self.applier
                        .create(&Desired::with_spec(self.lease.clone(), &json!(spec)))
                        .await
                }
            }
        };
        let written = timeout_at(deadline, write).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) if self.does_without && lease.is_none() && error.is_not_found() => {
                if !std::mem::replace(&mut self.told_of_missing_namespace, true) {
                    tracing::warn!("acting without a Lease: {error}");
                }
            }
            Ok(Err(ApplyError::Outdated { .. })) | Err(_) => return now + RETRY,
            Ok(Err(error)) => {
                tracing::warn!("{error}");
                return now + RETRY;
            }
        }
        if self.renewed.is_none() && !*leading.borrow() {
            tracing::info!(identity = self.identity, "leading");
        }
        self.renewed = Some(now);
        now + RENEWAL
    }

    fn spec(&self, lease: Option<&Value>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let old: LeaseSpec = lease
            .and_then(|lease| serde_json::from_value(lease["spec"].clone()).ok())
            .unwrap_or_default();
        let ours = old.holder_identity.as_ref() == Some(&self.identity);
        let transitions = old.lease_transitions.unwrap_or_default();
        LeaseSpec {
            acquire_time: if ours { old.acquire_time } else { Some(now.clone()) },
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            lease_transitions: Some(if ours {
                transitions
            } else {
                transitions.saturating_add(1)
            }),
            renew_time: Some(now),
            ..LeaseSpec::default()
        }
    }
}

fn holder(lease: &Value) -> &str {
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default()
}

fn tell(leading: &channel::Sender<bool>, now: bool) {
    let changed = leading.send_if_modified(|known| std::mem::replace(known, now) != now);
    if changed && !now {
        tracing::warn!("not leading any more");
    }
}
