//! A zone that is served: what is published of it, and who waits to change it.

use std::sync::Arc;
use std::time::Duration;

use records::{Outcome, Provider as _, ProviderError, Zone};
use tokio::sync::Mutex;

use super::account::Account;
use super::publication::{Publication, State};
use super::queue::{Limits, Overload, Queue, Waiting, Work};

/// A zone that is served.
pub struct ServedZone {
    account: Arc<Account>,
    zone: Zone,
    qualified_id: String,
    publication: Publication,
    queue: Queue,
    /// Whoever refreshes holds it, so that what is older is never published after what is
    /// newer.
    refreshing: Mutex<()>,
}

impl ServedZone {
    pub(super) fn new(account: Arc<Account>, zone: Zone, limits: Limits) -> Self {
        Self {
            qualified_id: format!("{}/{}", account.name(), zone.id.0),
            account,
            zone,
            publication: Publication::default(),
            queue: Queue::new(limits),
            refreshing: Mutex::default(),
        }
    }

    /// Which zone.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// What is published of it.
    #[must_use]
    pub fn publication(&self) -> &Publication {
        &self.publication
    }

    /// An id that no other provider's zone has.
    #[must_use]
    pub fn qualified_id(&self) -> &str {
        &self.qualified_id
    }

    /// Where it is.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How long ago the provider said what it holds; none if nothing is known.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.account.cache().age(&self.zone.id)
    }

    /// Publishes what the cache holds, which asks the provider if it has to.
    pub async fn refresh(&self) -> Result<Arc<State>, ProviderError> {
        let _turn = self.refreshing.lock().await;
        let records = self.account.cache().shared(&self.zone).await?;
        Ok(self.publication.publish(&records))
    }

    /// Publishes what the cache holds; while the provider cannot be asked, what was last known
    /// of it, by the process before this one too: the age tells.
    pub async fn latest(&self) -> Result<Arc<State>, ProviderError> {
        let error = match self.refresh().await {
            Ok(state) => return Ok(state),
            Err(error) => error,
        };
        let _turn = self.refreshing.lock().await;
        if let Some(state) = self.publication.current() {
            return Ok(state);
        }
        let known = self.account.cache().known(&self.zone.id).ok_or(error)?;
        Ok(self.publication.publish(&known))
    }

    /// Makes changes when it is the namespace's turn; one outcome for each, in their order.
    /// Who stops waiting takes back what was not begun.
    pub async fn change(
        self: &Arc<Self>,
        namespace: &str,
        works: Vec<Work>,
    ) -> Result<Vec<Outcome>, Overload> {
        if works.is_empty() {
            return Ok(Vec::new());
        }
        let (answers, must_start) = self.queue.push(namespace, works)?;
        if must_start {
            tokio::spawn(work(Arc::clone(self)));
        }
        Ok(answers.all().await)
    }

    /// Begins nothing more: what waits is answered as postponed.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    /// Waits until no batch is being made.
    pub(super) async fn idle(&self) {
        self.queue.idle().await;
    }

    /// Makes the changes of a batch, and answers for each.
    async fn make(&self, batch: Vec<Waiting>) {
        let state = match self.refresh().await {
            Ok(state) => state,
            Err(error) => {
                let reason = format!("the zone cannot be read: {error}");
                let postponed = Outcome::postponed_by(&error, reason);
                for waiting in batch {
                    waiting.answer(postponed.clone());
                }
                return;
            }
        };
        let (mut groups, mut sent) = (Vec::new(), Vec::new());
        for waiting in batch {
            match waiting.work().prepare(&state) {
                Ok(group) => {
                    groups.push(group);
                    sent.push(waiting);
                }
                Err(outcome) => waiting.answer(outcome),
            }
        }
        if groups.is_empty() {
            return;
        }
        let outcomes = self.account.cache().apply(&self.zone, &groups).await;
        // A failure shows at the next read. What was written is told before it is answered.
        let _told = self.refresh().await;
        let missing = std::iter::repeat_with(|| Outcome::Unknown {
            reason: "the provider did not answer for it".to_owned(),
        });
        for (waiting, outcome) in sent.into_iter().zip(outcomes.into_iter().chain(missing)) {
            waiting.answer(outcome);
        }
    }
}

/// Works off the queue, and ends when it is empty.
async fn work(zone: Arc<ServedZone>) {
    while let Some(batch) = zone.queue.next() {
        let start = tokio::time::Instant::now();
        zone.make(batch).await;
        zone.queue.took(start.elapsed());
    }
}
