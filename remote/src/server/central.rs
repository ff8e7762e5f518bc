//! What both protocols serve from.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use records::cache::Clock;
use records::{Fault, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::{Extensions, Status};

use super::admission::{Admission, Refusal};
use super::catalogue::{Catalogue, Namespace, NamespaceZone};
use super::metrics::{Figures, Metrics};
use super::queue::Work;
use super::quota::{Quota, Quotas};
use super::status::{self, NO_ROOM, SOON};

/// The longest names of namespaces and zones, in octets. Answers repeat them.
const LONGEST_NAME: usize = 253;
/// How many zones are named to a client that asks for another one.
const NAMED_ZONES: usize = 10;
/// What room for answers is counted in, in octets.
const KB: usize = 1024;

/// The bounds of what a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most groups of a call.
    pub most_groups: usize,
    /// The most changes of a group.
    pub most_changes: usize,
    /// The most octets of a message, as Gardener's clients have it.
    pub message_limit: usize,
    /// The most record sets of a piece of a zone.
    pub piece_records: usize,
    /// The octets after which a piece of a zone ends.
    pub piece_octets: usize,
    /// How many zones are read at a time.
    pub most_reads: usize,
    /// The octets of whole zones, as Gardener's clients have them, that are on their way to all
    /// of them.
    pub most_octets: usize,
    /// How long a reader may take nothing, and a request may come to a halt.
    pub patience: Duration,
    /// The least time between two messages to one that watches.
    pub watch_pause: Duration,
    /// How many changes a namespace may ask for; none is any number.
    pub quota: Option<Quota>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            most_groups: 10_000,
            most_changes: 100,
            message_limit: 16 * 1024 * 1024,
            piece_records: 1_000,
            piece_octets: 64 * 1024,
            most_reads: 256,
            most_octets: 256 * 1024 * 1024,
            patience: Duration::from_secs(30),
            watch_pause: Duration::from_millis(200),
            quota: None,
        }
    }
}

/// What both protocols serve from: the zones, who may use them, and what is counted.
pub struct Central {
    catalogue: Arc<Catalogue>,
    admission: Arc<dyn Admission>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    quotas: Quotas,
    metrics: Metrics,
    reads: Arc<Semaphore>,
    /// In kB.
    octets: Arc<Semaphore>,
    /// Whether nothing is begun any more.
    closed: watch::Sender<bool>,
}

impl Central {
    /// Serves the zones of a catalogue to those that are admitted.
    #[must_use]
    pub fn new(
        catalogue: Arc<Catalogue>,
        admission: Arc<dyn Admission>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Arc<Self> {
        Arc::new(Self {
            catalogue,
            admission,
            clock,
            reads: Arc::new(Semaphore::new(settings.most_reads)),
            octets: Arc::new(Semaphore::new(settings.most_octets.div_ceil(KB))),
            settings,
            quotas: Quotas::default(),
            metrics: Metrics::default(),
            closed: watch::Sender::new(false),
        })
    }

    /// What its clients did.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.metrics.figures()
    }

    /// Publishes all zones as their caches hold them, which asks providers where it has to:
    /// so that those who watch learn of what others write.
    pub async fn refresh(&self) {
        let zones = self.catalogue.zones();
        // A zone that cannot be read shows by its age, and does not keep the others waiting.
        join_all(zones.iter().map(|zone| zone.refresh())).await;
    }

    /// Begins nothing more, because the server is going down: changes that wait are answered
    /// as postponed, and streams of revisions end. Batches that are being made go on.
    pub fn close(&self) {
        self.closed.send_replace(true);
        for zone in self.catalogue.zones() {
            zone.close();
        }
    }

    /// Waits until no batch is being made. Who goes away takes back what was not begun, so
    /// once nobody is connected, or it is closed, this takes one batch at most.
    pub async fn idle(&self) {
        for zone in self.catalogue.zones() {
            zone.idle().await;
        }
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(super) fn admission(&self) -> &dyn Admission {
        &*self.admission
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether nothing is begun any more.
    pub(super) fn closed(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    pub(super) fn reads(&self) -> &Arc<Semaphore> {
        &self.reads
    }

    /// Room for an answer of so many octets.
    pub(super) fn room(&self, namespace: &str, octets: usize) -> Result<OwnedSemaphorePermit, Status> {
        let count = u32::try_from(octets.div_ceil(KB)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.octets).try_acquire_many_owned(count);
        room.map_err(|_| {
            self.metrics.count(namespace, |figures| figures.overloads += 1);
            let most = self.settings.most_octets;
            status::exhausted(
                format!("zones of {most} octets are being read, which is the most"),
                NO_ROOM,
            )
        })
    }

    /// Counts a call that is refused.
    pub(super) fn denied(&self, refusal: Refusal) -> Refusal {
        self.metrics.deny();
        refusal
    }

    /// Whether a client may use a namespace, which may have no zones.
    pub(super) fn admit(&self, extensions: &Extensions, namespace: &str) -> Result<(), Status> {
        check_length("namespace", namespace)?;
        let admitted = self.admission.admit(extensions, namespace);
        admitted.map_err(|refusal| self.denied(refusal).to_status())
    }

    /// The zones of a namespace.
    pub(super) fn namespace(&self, name: &str) -> Result<Arc<Namespace>, Status> {
        self.catalogue.namespace(name).ok_or_else(|| self.absent(name))
    }

    /// Why there are no zones of a namespace.
    pub(super) fn absent(&self, name: &str) -> Status {
        if self.catalogue.is_awaited(name) {
            let message = format!(
                "the zones of the namespace {name:?} are not known yet: a provider could not list them"
            );
            return status::unavailable(message, SOON);
        }
        no_namespace(name)
    }

    /// A zone of a namespace.
    pub(super) fn zone(&self, namespace: &str, id: &str) -> Result<NamespaceZone, Status> {
        check_length("zone_id", id)?;
        let zones = self.namespace(namespace)?;
        zones.zone(id).cloned().ok_or_else(|| {
            let ids = zones.zones().keys();
            let mut named = ids.take(NAMED_ZONES).cloned().collect::<Vec<_>>().join(", ");
            if let Some(more) = zones.zones().len().checked_sub(NAMED_ZONES + 1) {
                named = format!("{named} and {} more", more + 1);
            }
            Status::not_found(format!(
                "zone {id:?} not found in the namespace {namespace:?}: it has {named}"
            ))
        })
    }

    /// Has changes made, unless the namespace asks for too much.
    pub(super) async fn change(
        &self,
        namespace: &str,
        zone: &NamespaceZone,
        works: Vec<Work>,
        changes: usize,
    ) -> Result<Vec<Outcome>, Status> {
        let overload = |message: String, retry_after| {
            self.metrics.count(namespace, |figures| figures.overloads += 1);
            status::exhausted(message, retry_after)
        };
        if *self.closed.borrow() {
            return Err(status::going_down());
        }
        if let Some(quota) = self.settings.quota
            && let Err(wait) = self
                .quotas
                .take(quota, namespace, changes, self.clock.monotonic())
        {
            let message = format!(
                "the namespace {namespace:?} may ask for one change every {:?}, {} at once",
                quota.interval, quota.burst
            );
            return Err(overload(message, wait));
        }
        let outcomes = zone.served.change(namespace, works).await;
        let outcomes = outcomes.map_err(|error| overload(error.to_string(), error.retry_after))?;
        self.metrics.count_outcomes(namespace, &outcomes);
        Ok(outcomes)
    }
}

/// Whether a name is short enough to be repeated.
pub(super) fn check_length(field: &str, name: &str) -> Result<(), Status> {
    if name.len() <= LONGEST_NAME {
        return Ok(());
    }
    Err(status::invalid(&Fault {
        field: field.to_owned(),
        value: format!("{} octets", name.len()),
        allowed: format!("at most {LONGEST_NAME} are allowed"),
    }))
}

/// No provider is there for a namespace.
pub(super) fn no_namespace(name: &str) -> Status {
    Status::not_found(format!("namespace {name:?} not found or no providers available"))
}
