//! When which upstream is probed.
//!
//! Pure: the time and the source of chance go in. Of all targets the one whose time
//! came first is next, and after each probe there is a pause, so the load does not grow
//! with the number of targets: they only come round less often.

use std::collections::BTreeMap;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use rand::{Rng, RngExt as _};

use super::failure::Failure;
use super::round::Round;
use super::target::{Endpoint, Question, Target};
use super::verdict::{History, Verdicts};

/// How long there is at least from one probe to the next, whatever their targets.
pub const PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// How long after a probe the same target is probed again, give or take a fifth: so
/// that a dead upstream is found, and confirmed as such, within half a minute.
pub const INTERVAL: SignedDuration = SignedDuration::from_secs(12);
/// How long after a probe that contradicts the verdict, and while there are questions
/// that were never answered.
pub const SECOND_LOOK: SignedDuration = SignedDuration::from_secs(1);
/// How far the first probes of new targets are spread.
const SPREAD: SignedDuration = SignedDuration::from_secs(2);

/// A probe to make now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whom to ask.
    pub endpoint: Endpoint,
    /// What to ask.
    pub question: Question,
}

/// The targets, and what is known of them.
#[derive(Debug, Default)]
pub struct Schedule {
    entries: BTreeMap<Endpoint, Entry>,
    /// Before this, nothing is probed.
    free: Timestamp,
}

#[derive(Debug)]
struct Entry {
    round: Round,
    due: Timestamp,
    under_way: bool,
    history: History,
}

impl Schedule {
    /// Replaces the targets. What is known of those that stay is kept.
    pub fn follow(&mut self, targets: &[Target], now: Timestamp, random: &mut impl Rng) {
        let mut known = std::mem::take(&mut self.entries);
        for target in targets {
            let mut entry = known.remove(&target.endpoint).unwrap_or_else(|| Entry {
                round: Round::default(),
                due: later(now, up_to(SPREAD, random)),
                under_way: false,
                history: History::default(),
            });
            if entry.round.follow(&target.questions) {
                entry.due = entry.due.min(later(now, up_to(SPREAD, random)));
            }
            self.entries.insert(target.endpoint.clone(), entry);
        }
    }

    /// When there is something to probe, unless all probes are under way.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.entries.values().filter(|entry| !entry.under_way);
        let due = waiting.map(|entry| entry.due).min()?;
        Some(due.max(self.free))
    }

    /// The probe that is due, if there is one. It counts as sent, and is under way
    /// until it is [`done`](Self::done).
    pub fn take_due(&mut self, now: Timestamp) -> Option<Probe> {
        if now < self.free {
            return None;
        }
        let waiting = self
            .entries
            .iter_mut()
            .filter(|(_, entry)| !entry.under_way && entry.due <= now);
        let (endpoint, entry) = waiting.min_by_key(|(_, entry)| entry.due)?;
        let question = entry.round.next()?.clone();
        entry.under_way = true;
        self.free = later(now, PAUSE);
        Some(Probe {
            endpoint: endpoint.clone(),
            question,
        })
    }

    /// Takes in what a probe came to; tells whether a verdict is another now.
    pub fn done(
        &mut self,
        probe: &Probe,
        outcome: Result<(), Failure>,
        now: Timestamp,
        random: &mut impl Rng,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(&probe.endpoint) else {
            return false;
        };
        entry.under_way = false;
        entry.round.note(&probe.question, outcome.is_ok());
        let news = entry.history.note(&probe.question, outcome, now);
        let wait = if entry.history.is_settled(entry.round.is_complete()) {
            (INTERVAL - INTERVAL / 5).saturating_add(up_to(INTERVAL / 5 * 2, random))
        } else {
            SECOND_LOOK
        };
        entry.due = later(now, wait);
        news
    }

    /// What is thought of the targets.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts {
        let entries = self.entries.iter();
        entries
            .map(|(endpoint, entry)| (endpoint.clone(), entry.history.verdict().clone()))
            .collect()
    }
}

fn up_to(most: SignedDuration, random: &mut impl Rng) -> SignedDuration {
    most.mul_f64(random.random())
}

fn later(time: Timestamp, delay: SignedDuration) -> Timestamp {
    time.checked_add(delay).unwrap_or(Timestamp::MAX)
}
