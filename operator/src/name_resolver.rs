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
use std::future::pending;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::watch::error::RecvError;
use tokio::sync::{oneshot, watch as channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::apply::{Applier, ApplyError};
use crate::cache::Cache;
use crate::dns::cluster;
use crate::dns::names::DNS_DEFAULT;
use crate::dns::objects::ObjectKey;
use crate::resources::{WATCHED_DNS_PODS, WATCHED_NAME_RESOLVERS, daemon_set_key, feature_gate_key};
use crate::served::Served;
use crate::watch::{self, Listed};

use agenda::{Agenda, Lookup};
use freshness::{Resolved, without_stale};

/// How many names are looked up at the same time.
const LOOKUPS: usize = 16;
/// How long to wait after a write that failed, doubled with each further one.
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(60);

/// Works while this replica leads, the feature gate is on, and there is a DNS
/// DaemonSet; `cache` tells of both. Nothing is watched and nothing kept otherwise.
/// Ends when the senders are gone.
pub async fn run(
    client: Client,
    cache: Arc<Cache>,
    release: String,
    served: channel::Receiver<Option<Served>>,
    mut leads: channel::Receiver<bool>,
) {
    let mut changes = cache.changes();
    loop {
        let leading = *leads.borrow_and_update();
        changes.borrow_and_update();
        let port = leading.then(|| pod_port(&cache, &release)).flatten();
        let work = async {
            match port {
                Some(port) => {
                    tracing::info!(port, "looking up the names of DNSNameResolvers");
                    NameResolver::new(&client, served.clone(), port).work().await;
                }
                None => pending().await,
            }
        };
        let other = async {
            while *leads.borrow() == leading && (!leading || pod_port(&cache, &release) == port) {
                tokio::select! {
                    news = changes.changed() => news?,
                    news = leads.changed() => news?,
                }
            }
            Ok::<_, RecvError>(())
        };
        tokio::select! {
            () = work => {}
            outcome = other => {
                if outcome.is_err() {
                    return;
                }
                if port.is_some() {
                    tracing::info!("no longer looking up the names of DNSNameResolvers");
                }
            }
        }
    }
}

/// The port on which DNS pods are asked, while there is something to do: the
/// feature gate is on, and the DNS DaemonSet is there.
fn pod_port(cache: &Cache, release: &str) -> Option<u16> {
    let gate = cache.get(&feature_gate_key());
    if cluster::name_resolver_namespaces(gate.as_deref(), release).is_empty() {
        return None;
    }
    pods::port(&*cache.get(&daemon_set_key(DNS_DEFAULT))?)
}

struct NameResolver {
    cache: Arc<Cache>,
    changes: channel::Receiver<()>,
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
    fn new(client: &Client, served: channel::Receiver<Option<Served>>, port: u16) -> Self {
        let cache = Arc::new(Cache::default());
        let changes = cache.changes();
        // There is nothing to wait for: what is missing comes soon.
        let listed = || Listed::new(oneshot::channel().0);
        let mut watches = JoinSet::new();
        watches.spawn(watch::follow_where_defined(
            client.clone(),
            WATCHED_NAME_RESOLVERS,
            Arc::clone(&cache),
            served,
            listed(),
        ));
        watches.spawn(watch::follow_always(
            client.clone(),
            WATCHED_DNS_PODS,
            Arc::clone(&cache),
            listed(),
        ));
        Self {
            applier: Applier::new(client.clone(), Arc::clone(&cache)),
            cache,
            changes,
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
                    None => pending().await,
                }
            };
            tokio::select! {
                _ = self.changes.changed() => self.observe(Timestamp::now()),
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
            match write.await {
                Ok(()) => {
                    tracing::debug!(object = %key, "expired addresses removed");
                    written = true;
                }
                // The watch will tell how it is.
                Err(ApplyError::Outdated { .. }) => {}
                Err(error) => {
                    tracing::warn!("{error}");
                    held.write_at = Timestamp::now().checked_add(held.delay).ok();
                    held.delay = held.delay.saturating_mul(2).min(LONGEST_DELAY);
                    // The lookups have waited long enough.
                    break;
                }
            }
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
