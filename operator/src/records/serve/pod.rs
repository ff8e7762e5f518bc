//! The pod that the server runs in: its label tells a Service which of several pods leads.
//!
//! The label is kept as the role says for as long as the server runs, and nothing waits for
//! it but the end: an API server that is away stops neither the serving nor a term. No other
//! pod is touched.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch as channel};
use tokio::time::{Instant, sleep_until, timeout};

use crate::apply::Applier;
use crate::cache::Cache;
use crate::dns::objects::ObjectKey;
use crate::resources::{pod, pod_key};
use crate::watch::{self, Listed};

/// The label of the pod whose server leads, and its value. Other pods do not have it.
const LABEL: &str = "dns.gardener.cloud/central-role";
const LEADER: &str = "leader";
/// How long to wait before the same is written again, after a failure or because others have
/// undone it.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the end waits for the label.
const LAST_LABEL: Duration = Duration::from_secs(5);

/// The pod, where there is one.
pub struct Pod {
    place: Option<Place>,
    /// What the label is to tell.
    leads: channel::Sender<bool>,
    /// Whether it does, as far as is known.
    tells: channel::Sender<bool>,
}

struct Place {
    namespace: String,
    key: ObjectKey,
    client: Client,
    cache: Arc<Cache>,
    applier: Applier,
}

impl Pod {
    /// The server is in no pod.
    pub fn none() -> Self {
        Self {
            place: None,
            leads: channel::Sender::new(false),
            tells: channel::Sender::new(true),
        }
    }

    /// A pod of a namespace. Its server does not lead yet.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        let cache = Arc::new(Cache::default());
        let place = Place {
            namespace: namespace.into(),
            key: pod_key(namespace, name),
            applier: Applier::new(client.clone(), Arc::clone(&cache)),
            client,
            cache,
        };
        Self {
            place: Some(place),
            ..Self::none()
        }
    }

    /// From now on the server leads, or does not.
    pub fn leads(&self, leads: bool) {
        self.leads.send_replace(leads);
        self.tells.send_replace(self.place.is_none());
    }

    /// Keeps the label as the role says, for as long as it is polled.
    pub async fn keep(&self) {
        let Some(place) = &self.place else {
            return pending().await;
        };
        // The cache says when it is filled.
        let (listed, _) = oneshot::channel();
        tokio::select! {
            () = watch::follow_always(
                place.client.clone(),
                pod(&place.namespace, &place.key.name),
                Arc::clone(&place.cache),
                Listed::new(listed),
            ) => {}
            () = self.repair(place) => {}
        }
    }

    /// Waits until the label is as the role says, but not for long.
    pub async fn settled(&self) {
        let mut tells = self.tells.subscribe();
        if timeout(LAST_LABEL, tells.wait_for(|tells| *tells)).await.is_err() {
            tracing::warn!("the pod's label may not be what it should");
        }
    }

    async fn repair(&self, place: &Place) {
        let mut leads = self.leads.subscribe();
        let mut changes = place.cache.changes();
        // What was written last, and when the same may be written again.
        let mut written: Option<(bool, Instant)> = None;
        // A write that was not answered may have been made all the same.
        let mut in_doubt = false;
        loop {
            let leader = *leads.borrow_and_update();
            let wrong = place.tells(leader).is_some_and(|tells| in_doubt || !tells);
            self.tells.send_replace(!wrong);
            let not_before = written.filter(|(role, _)| *role == leader).map(|(_, time)| time);
            if wrong && not_before.is_none_or(|time| time <= Instant::now()) {
                in_doubt = !place.write(leader).await;
                written = Some((leader, Instant::now() + PAUSE));
                continue;
            }
            tokio::select! {
                _ = leads.changed() => {}
                _ = changes.changed() => {}
                () = sleep_until(not_before.unwrap_or_else(Instant::now)), if wrong => {}
            }
        }
    }
}

impl Place {
    /// Whether the label is as the role says; none if the pod is not there, as far as is known.
    fn tells(&self, leader: bool) -> Option<bool> {
        let pod = self.cache.get(&self.key)?;
        Some(pod["metadata"]["labels"][LABEL] == value(leader))
    }

    /// Whether the API server has taken it.
    async fn write(&self, leader: bool) -> bool {
        let labels = json!({ LABEL: value(leader) });
        let outcome = self.applier.set_labels(&self.key, &labels).await;
        if let Err(error) = &outcome {
            tracing::warn!("{error}");
        }
        outcome.is_ok()
    }
}

/// The label's value; null where there is none.
fn value(leader: bool) -> Value {
    leader.then_some(LEADER).into()
}
