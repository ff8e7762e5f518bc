//! Events on the DNS: what `oc describe dns.operator/default` shows.
//!
//! They are told apart from the work, which neither waits for them nor fails with
//! them. The same one again counts up instead of making another; good news waits
//! for a moment in which nothing more comes, so that a burst of edits makes one
//! Event; and there are never more than a client may send.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::cache::Cache;
use crate::dns::notice::Notice;
use crate::dns::objects::ObjectKey;
use crate::resources::default_dns_key;

/// What the Events say they come from.
const COMPONENT: &str = "cluster-dns-operator";
/// How long good news waits for more of its kind.
const QUIET: Duration = Duration::from_secs(5);
/// How many notices may wait to be told; more are only logged.
const WAITING: usize = 64;
/// How many Events may come at once, and how long it takes until another one may.
const BURST: NonZeroU32 = NonZeroU32::new(25).unwrap();
const REFILL: Duration = Duration::from_secs(30);

/// Where notices go. Cheap to clone.
#[derive(Clone)]
pub struct Events(mpsc::Sender<Notice>);

impl Events {
    /// Tells people, and the log.
    pub fn tell(&self, notice: Notice) {
        if notice.warning {
            tracing::warn!(reason = notice.reason, "{}", notice.note);
        } else {
            tracing::info!(reason = notice.reason, "{}", notice.note);
        }
        if let Err(error) = self.0.try_send(notice) {
            tracing::debug!(%error, "no Event for this");
        }
    }
}

/// Publishes what is told through [`Events`].
pub struct Publisher {
    client: Client,
    cache: Arc<Cache>,
    reporter: Reporter,
    notices: mpsc::Receiver<Notice>,
    /// By reason and object: the last note, and what counts its repetitions.
    series: BTreeMap<(&'static str, Option<ObjectKey>), (String, Recorder)>,
    /// Good news that waits, and until when.
    waiting: BTreeMap<(&'static str, Option<ObjectKey>), (Instant, Notice)>,
    limit: DefaultDirectRateLimiter,
}

/// A place to tell notices to, and what publishes them under a replica's name.
#[must_use]
pub fn channel(client: Client, cache: Arc<Cache>, identity: &str) -> (Events, Publisher) {
    let (sender, notices) = mpsc::channel(WAITING);
    // The period is not zero, the only one without a quota.
    let quota = Quota::with_period(REFILL).unwrap_or(Quota::per_minute(BURST));
    let publisher = Publisher {
        client,
        cache,
        reporter: Reporter {
            controller: COMPONENT.into(),
            instance: Some(identity.to_owned()),
        },
        notices,
        series: BTreeMap::new(),
        waiting: BTreeMap::new(),
        limit: RateLimiter::direct(quota.allow_burst(BURST)),
    };
    (Events(sender), publisher)
}

impl Publisher {
    /// Publishes for as long as somebody may tell something.
    pub async fn run(mut self) {
        loop {
            let due = self.waiting.values().map(|(until, _)| *until).min();
            tokio::select! {
                notice = self.notices.recv() => match notice {
                    Some(notice) if notice.warning => self.publish(notice).await,
                    Some(notice) => {
                        let key = (notice.reason, notice.related.clone());
                        self.waiting.insert(key, (Instant::now() + QUIET, notice));
                    }
                    None => return,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.publish_waiting().await;
                }
            }
        }
    }

    async fn publish_waiting(&mut self) {
        let now = Instant::now();
        let waiting = std::mem::take(&mut self.waiting);
        for (key, (until, notice)) in waiting {
            if until <= now {
                self.publish(notice).await;
            } else {
                self.waiting.insert(key, (until, notice));
            }
        }
    }

    async fn publish(&mut self, notice: Notice) {
        if self.limit.check().is_err() {
            tracing::debug!(reason = notice.reason, "too many Events: this one is only logged");
            return;
        }
        let key = (notice.reason, notice.related.clone());
        let fresh = || {
            (
                notice.note.clone(),
                Recorder::new(self.client.clone(), self.reporter.clone()),
            )
        };
        let series = self.series.entry(key).or_insert_with(fresh);
        // A recorder counts by reason alone and would keep the first note.
        if series.0 != notice.note {
            *series = (
                notice.note.clone(),
                Recorder::new(self.client.clone(), self.reporter.clone()),
            );
        }
        let event = Event {
            type_: if notice.warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: notice.reason.into(),
            note: Some(notice.note),
            action: notice.action.into(),
            secondary: notice.related.as_ref().map(|key| reference(&self.cache, key)),
        };
        let dns = reference(&self.cache, &default_dns_key());
        if let Err(error) = series.1.publish(&event, &dns).await {
            tracing::warn!(reason = notice.reason, %error, "failed to publish an Event");
        }
    }
}

fn reference(cache: &Cache, key: &ObjectKey) -> ObjectReference {
    let live = cache.get(key);
    ObjectReference {
        api_version: Some(key.api_version.clone()),
        kind: Some(key.kind.clone()),
        name: Some(key.name.clone()),
        namespace: key.namespace.clone(),
        uid: live.and_then(|live| live["metadata"]["uid"].as_str().map(Into::into)),
        ..ObjectReference::default()
    }
}
