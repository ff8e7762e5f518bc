//! Keeps the addresses in DNSNameResolver objects fresh, for as long as the feature
//! gate `DNSNameResolver` is on.
//!
//! Others enforce rules on the addresses a name has, and learn them from these
//! objects. CoreDNS's plugin `ocp_dnsnameresolver` writes down what it answers, but
//! only when somebody asks. So the operator asks, whenever addresses expire, and
//! takes away those that no answer has confirmed. When to do what is decided by
//! [`freshness`] and [`agenda`], which are pure.

pub mod agenda;
pub mod freshness;
pub mod pods;
pub mod query;

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::apply::{Applier, ApplyError};
use crate::cache::Cache;
use crate::dns::cluster;
use crate::dns::names::DNS_DEFAULT;
use crate::dns::objects::ObjectKey;
use crate::resources::{WATCHED_FOR_NAME_RESOLVER, daemon_set_key, feature_gate_key};

use agenda::{Agenda, Lookup};
use freshness::{Resolved, without_stale};

/// How many names are looked up at the same time.
const LOOKUPS: usize = 16;
/// How long a write may take: the client repeats a refused request for minutes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait after a write that failed, doubled with each further one.
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(60);

/// The port on which DNS pods are asked, while there is something to do: the
/// feature gate is on, and the DNS DaemonSet is there.
#[must_use]
pub fn pod_port(cache: &Cache, release_version: &str) -> Option<u16> {
    let gate = cache.get(&feature_gate_key());
    if cluster::name_resolver_namespaces(gate.as_deref(), release_version).is_empty() {
        return None;
    }
    pods::port(&*cache.get(&daemon_set_key(DNS_DEFAULT))?)
}

/// Works while `port` holds the port on which DNS pods are asked. Nothing is
/// watched and nothing kept while it holds none. Ends when its sender is dropped.
pub async fn run(client: Client, mut port: watch::Receiver<Option<u16>>) {
    loop {
        let present = *port.borrow_and_update();
        let work = async {
            match present {
                Some(port) => {
                    tracing::info!(port, "looking up the names of DNSNameResolvers");
                    NameResolver::new(client.clone(), port).work().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = work => {}
            changed = port.changed() => {
                if changed.is_err() {
                    return;
                }
                if present.is_some() {
                    tracing::info!("no longer looking up the names of DNSNameResolvers");
                }
            }
        }
    }
}

struct NameResolver {
    cache: Arc<Cache>,
    applier: Applier,
    port: u16,
    objects: BTreeMap<ObjectKey, Held>,
    agenda: Agenda,
    /// The names that are being looked up, as they come to an end.
    lookups: JoinSet<String>,
    _watches: JoinSet<()>,
}

/// A DNSNameResolver as it was last seen.
struct Held {
    value: Arc<Value>,
    resolved: Resolved,
    /// When addresses have to be taken away; not any more once that was tried and the
    /// object is known to be another by now.
    write_at: Option<Timestamp>,
    /// How long to wait after a write that fails.
    delay: SignedDuration,
}

impl From<Arc<Value>> for Held {
    fn from(value: Arc<Value>) -> Self {
        let resolved = Resolved::of(&value);
        Self {
            value,
            write_at: resolved.stale_at,
            resolved,
            delay: FIRST_DELAY,
        }
    }
}

impl NameResolver {
    fn new(client: Client, port: u16) -> Self {
        let cache = Arc::new(Cache::default());
        let mut watches = JoinSet::new();
        for scope in WATCHED_FOR_NAME_RESOLVER {
            // There is nothing to wait for: what is missing comes soon.
            let (listed, _) = oneshot::channel();
            watches.spawn(crate::watch::follow(
                client.clone(),
                scope,
                Arc::clone(&cache),
                listed,
            ));
        }
        Self {
            applier: Applier::new(client, Arc::clone(&cache)),
            cache,
            port,
            objects: BTreeMap::new(),
            agenda: Agenda::default(),
            lookups: JoinSet::new(),
            _watches: watches,
        }
    }

    async fn work(mut self) {
        loop {
            self.remove_stale().await;
            let any_pods = self.look_up(Timestamp::now());
            let wake = self.next_wake(any_pods);
            let wait = async {
                match wake {
                    Some(wake) => {
                        let wait = Timestamp::now().duration_until(wake);
                        sleep(Duration::try_from(wait).unwrap_or_default()).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.cache.changed() => self.observe(Timestamp::now()),
                Some(ended) = self.lookups.join_next() => {
                    // Only a defect ends one otherwise; its name is not asked again.
                    if let Ok(name) = ended {
                        self.agenda.done(&name);
                    }
                }
                () = wait => {}
            }
        }
    }

    /// Takes over how the objects are by now.
    fn observe(&mut self, now: Timestamp) {
        let live = self.cache.of_kind("DNSNameResolver");
        let mut before = mem::take(&mut self.objects);
        for value in live {
            let Some(key) = ObjectKey::from_value(&value) else {
                continue;
            };
            let held = before
                .remove(&key)
                .filter(|held| Arc::ptr_eq(&held.value, &value))
                .unwrap_or_else(|| value.into());
            self.objects.insert(key, held);
        }
        let names = self.objects.values().flat_map(|held| &held.resolved.names);
        self.agenda
            .follow(names.map(|(name, known)| (name.as_str(), *known)), now);
    }

    /// Takes away addresses whose grace is over.
    async fn remove_stale(&mut self) {
        let now = Timestamp::now();
        let mut written = false;
        for (key, held) in &mut self.objects {
            if held.write_at.is_none_or(|time| now < time) {
                continue;
            }
            held.write_at = None;
            let Some(names) = without_stale(&held.value, now) else {
                continue;
            };
            let status = json!({ "resolvedNames": names });
            let write = self.applier.patch_status_of(key, &held.value, status);
            let failure = match timeout(WRITE_TIMEOUT, write).await {
                Ok(Ok(())) => {
                    tracing::debug!(object = %key, "expired addresses removed");
                    written = true;
                    continue;
                }
                // The watch will tell how it is.
                Ok(Err(ApplyError::Outdated { .. })) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("gave up writing the status of {key} after {WRITE_TIMEOUT:?}"),
            };
            tracing::warn!("{failure}");
            held.write_at = Timestamp::now().checked_add(held.delay).ok();
            held.delay = held.delay.saturating_mul(2).min(LONGEST_DELAY);
            // The lookups have waited long enough.
            break;
        }
        if written {
            self.observe(Timestamp::now());
        }
    }

    /// Starts the lookups that are due, as far as there is room for them. Tells
    /// whether there is a pod to ask.
    fn look_up(&mut self, now: Timestamp) -> bool {
        if self.agenda.next_due().is_none_or(|due| now < due) {
            return true;
        }
        let pods = pods::dns_pods(&self.cache.of_kind("EndpointSlice"));
        if pods.is_empty() {
            return false;
        }
        for lookup in self.agenda.take_due(now, LOOKUPS - self.lookups.len()) {
            let Lookup { name, pods: most } = lookup;
            let (pods, port) = (pods::some_of(&pods, most), self.port);
            self.lookups.spawn(async move {
                if query::look_up(&name, &pods, port).await == 0 {
                    tracing::warn!(name, ?pods, port, "no DNS pod has answered for a name");
                }
                name
            });
        }
        true
    }

    /// When there will be something to do, if nothing happens before.
    fn next_wake(&self, any_pods: bool) -> Option<Timestamp> {
        let may_ask = any_pods && self.lookups.len() < LOOKUPS;
        let lookup = may_ask.then(|| self.agenda.next_due()).flatten();
        let removal = self.objects.values().filter_map(|held| held.write_at).min();
        [lookup, removal].into_iter().flatten().min()
    }
}
