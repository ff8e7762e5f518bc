//! What sends batches, and what it remembers between passes.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counting::Counting;
use super::pass::Pass;
use super::quarantine::{Now, Quarantine};
use super::{Counters, Settings, Submit};
use crate::cache::{Clock, SystemClock};
use crate::{Group, Outcome, Zone};

/// Sends batches, and remembers between passes which groups were refused.
pub struct Dispatcher {
    pub(super) settings: Settings,
    clock: Arc<dyn Clock>,
    quarantine: Mutex<Quarantine>,
    pub(super) counting: Counting,
}

impl Dispatcher {
    /// A dispatcher that knows of no bad groups yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            clock: Arc::new(SystemClock::default()),
            quarantine: Mutex::default(),
            counting: Counting::default(),
        }
    }

    /// The same, by another clock: it tells when refused groups are tried again.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What has happened since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counting.read(self.quarantine().len())
    }

    /// Makes the changes of each group, all or none of a group; one outcome for each group,
    /// in their order.
    ///
    /// - Batches go one after the other, with the interval between them. A refused batch is
    ///   searched at once, so that its good groups land in the same pass; the parts of it
    ///   are paced by the provider alone.
    /// - A group that is refused alone is remembered, and for a while rejected without being
    ///   sent. When its time has come, it is sent after all others, and alone.
    /// - Where the provider has been called too often, the batch is sent again after a
    ///   while, within 30 seconds for a pass. If that is not enough, if the provider cannot
    ///   be reached or does not let us, or if two answers in a row are lost, the rest is
    ///   postponed.
    ///
    /// May be dropped at any point. What was sent last may then be written or not.
    pub async fn apply(&self, target: &dyn Submit, zone: &Zone, groups: &[Group]) -> Vec<Outcome> {
        Pass::new(self, target, zone, groups).run().await
    }

    pub(super) fn quarantine(&self) -> MutexGuard<'_, Quarantine> {
        self.quarantine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Now {
        Now {
            monotonic: self.clock.monotonic(),
            wall: self.clock.wall(),
        }
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dispatcher")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
