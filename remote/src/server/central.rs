//! What both protocols serve from.

use std::sync::Arc;
use std::time::Duration;

use records::Outcome;
use records::cache::Clock;
use tokio::sync::Semaphore;
use tonic::{Extensions, Status};

use super::admission::{Admission, Refusal};
use super::catalogue::{Catalogue, Namespace, NamespaceZone};
use super::metrics::{Figures, Metrics};
use super::queue::Work;
use super::quota::{Quota, Quotas};
use super::status;

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
    /// How long a reader may take nothing.
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
            settings,
            quotas: Quotas::default(),
            metrics: Metrics::default(),
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
        for zone in self.catalogue.zones() {
            // A zone that cannot be read shows by its age.
            let _told = zone.refresh().await;
        }
    }

    /// Waits until no batch is being made. Who goes away takes back what was not begun, so
    /// once nobody is connected this takes one batch at most.
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

    pub(super) fn reads(&self) -> &Arc<Semaphore> {
        &self.reads
    }

    /// Counts a call that is refused.
    pub(super) fn denied(&self, refusal: Refusal) -> Refusal {
        self.metrics.deny();
        refusal
    }

    /// Whether a client may use a namespace, which may have no zones.
    pub(super) fn admit(&self, extensions: &Extensions, namespace: &str) -> Result<(), Status> {
        let admitted = self.admission.admit(extensions, namespace);
        admitted.map_err(|refusal| self.denied(refusal).to_status())
    }

    /// The zones of a namespace.
    pub(super) fn namespace(&self, name: &str) -> Result<Arc<Namespace>, Status> {
        self.catalogue.namespace(name).ok_or_else(|| no_namespace(name))
    }

    /// A zone of a namespace.
    pub(super) fn zone(&self, namespace: &str, id: &str) -> Result<NamespaceZone, Status> {
        let zones = self.namespace(namespace)?;
        zones.zone(id).cloned().ok_or_else(|| {
            Status::not_found(format!(
                "zone {id:?} not found in the namespace {namespace:?}: it has {}",
                zones.zones().keys().cloned().collect::<Vec<_>>().join(", ")
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

/// No provider is there for a namespace.
pub(super) fn no_namespace(name: &str) -> Status {
    Status::not_found(format!("namespace {name:?} not found or no providers available"))
}
