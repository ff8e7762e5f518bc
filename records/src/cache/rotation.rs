//! Rolling confirmation: zones are read again one by one, each before it is too old to be
//! trusted, so that they never all have to be read at once.

use std::sync::Arc;
use std::time::Duration;

use super::Cached;
use super::zone::CachedZone;
use crate::{ProviderError, ZoneId};

impl Cached {
    /// How long until the next zone has its turn to be read again; none where nothing is
    /// kept, or may be kept without bound.
    #[must_use]
    pub fn next_confirmation(&self) -> Option<Duration> {
        let now = self.now();
        let (step, oldest) = self.oldest(now)?;
        let since_turn = now.saturating_sub(self.last_turn());
        let age = oldest.age.unwrap_or(Duration::MAX);
        Some(step.saturating_sub(since_turn.min(age)))
    }

    /// Reads the zone again that was not read for the longest time, whatever its age, and
    /// tells which one; none if there is none. One that fails waits for its next turn.
    pub async fn confirm_one(&self) -> Option<(ZoneId, Result<(), ProviderError>)> {
        let now = self.now();
        let (_, oldest) = self.oldest(now)?;
        self.take_turn(now, &oldest.zone.zone.id);
        let mut unsaved = oldest.zone.turn.lock().await;
        let read = self.read_again(&oldest.zone, &mut unsaved).await;
        if read.is_ok() {
            self.keep(&oldest.zone, &mut unsaved).await;
        }
        Some((oldest.zone.zone.id.clone(), read))
    }

    /// The time between two turns, and the zone whose turn it is. Each zone has its turn
    /// every nine tenths of the age, so that it does not come to be too old by the wait.
    fn oldest(&self, now: Duration) -> Option<(Duration, Oldest)> {
        let max_age = self.settings.max_age?;
        let (mut count, mut oldest): (u32, Option<Oldest>) = (0, None);
        for zone in self.known_zones() {
            let age = {
                let knowledge = zone.knowledge();
                if knowledge.records.is_none() {
                    continue;
                }
                knowledge.times.full_read.map(|read| read.age(now))
            };
            // A zone that could not be read has had its turn all the same.
            let tried = self.tried(&zone.zone.id).map(|tried| now.saturating_sub(tried));
            let waited = tried.unwrap_or(Duration::MAX).min(age.unwrap_or(Duration::MAX));
            count = count.saturating_add(1);
            if oldest.as_ref().is_none_or(|oldest| waited > oldest.waited) {
                oldest = Some(Oldest { zone, age, waited });
            }
        }
        Some(((max_age / 10).saturating_mul(9) / count.max(1), oldest?))
    }
}

/// The zone that has waited longest for its turn.
struct Oldest {
    zone: Arc<CachedZone>,
    age: Option<Duration>,
    waited: Duration,
}
