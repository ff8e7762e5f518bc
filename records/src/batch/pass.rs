//! One pass over the changes of a zone.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::sleep;

use super::dispatcher::Dispatcher;
use super::packing::{Bounds, Queue};
use super::patience::Patience;
use super::quarantine::Standing;
use super::search::{Piece, Search};
use super::{Answer, Submission, Submit, Weight};
use crate::{Endpoint, Group, Outcome, Zone};

/// So many lost answers in a row are an outage.
const OUTAGE: u32 = 2;
/// The most refused groups that one pass tries again, as long as none of them lands.
const RETRIES: usize = 10;

/// Whether to go on; otherwise what comes of the rest, which is postponed.
type Flow = ControlFlow<Outcome>;

/// The changes of a zone on their way.
pub(super) struct Pass<'a> {
    dispatcher: &'a Dispatcher,
    target: &'a dyn Submit,
    zone: &'a Zone,
    groups: &'a [Group],
    weights: Vec<Weight>,
    outcomes: Vec<Option<Outcome>>,
    /// They only get narrower, so that packing again comes to an end.
    bounds: Bounds,
    patience: Patience,
    /// Lost answers in a row.
    lost: u32,
    /// The time to wait before the next batch.
    pause: Duration,
}

impl<'a> Pass<'a> {
    /// No group has an outcome yet.
    pub fn new(
        dispatcher: &'a Dispatcher,
        target: &'a dyn Submit,
        zone: &'a Zone,
        groups: &'a [Group],
    ) -> Self {
        Self {
            dispatcher,
            target,
            zone,
            groups,
            weights: vec![Weight::default(); groups.len()],
            outcomes: vec![None; groups.len()],
            bounds: Bounds::new(dispatcher.settings.size, target.limits(zone)),
            patience: Patience::default(),
            lost: 0,
            pause: Duration::ZERO,
        }
    }

    /// Sends all groups that may be sent.
    pub async fn run(mut self) -> Vec<Outcome> {
        self.weigh();
        let (free, due) = self.screen();
        let mut flow = self.send(free).await;
        if flow.is_continue() {
            flow = self.try_again(due).await;
        }
        let postponed = flow
            .break_value()
            .unwrap_or_else(|| Outcome::postponed("it was not sent"));
        self.outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(|| postponed.clone()))
            .collect()
    }

    /// Finds out what the groups weigh. Some cannot be sent at all.
    fn weigh(&mut self) {
        for (place, group) in self.groups.iter().enumerate() {
            match self.target.weigh(self.zone, group) {
                Ok(weight) => self.weights[place] = weight,
                Err(outcome) => self.outcomes[place] = Some(outcome),
            }
        }
    }

    /// The groups that may be sent: those that go together, and refused ones whose time has
    /// come, those that have waited longest first.
    fn screen(&mut self) -> (Vec<usize>, Vec<usize>) {
        let (mut free, mut due, mut held_back) = (Vec::new(), Vec::new(), 0);
        let now = self.dispatcher.now();
        let mut quarantine = self.dispatcher.quarantine();
        quarantine.begin_pass(self.zone);
        for (place, group) in self.groups.iter().enumerate() {
            if self.outcomes[place].is_some() {
                continue;
            }
            match quarantine.standing(self.zone, group, now) {
                Standing::Free => free.push(place),
                Standing::Held(outcome) => {
                    held_back += 1;
                    self.outcomes[place] = Some(outcome);
                }
                Standing::Due(outcome, since) => {
                    self.outcomes[place] = Some(outcome);
                    due.push((since, place));
                }
            }
        }
        let counting = &self.dispatcher.counting;
        counting.count(|counters| counters.held_back += held_back);
        due.sort_unstable();
        (free, due.into_iter().map(|(_, place)| place).collect())
    }

    /// Sends groups in batches.
    async fn send(&mut self, places: Vec<usize>) -> Flow {
        let mut queue = Queue::new(places.into_iter().map(|place| (place, self.weights[place])));
        while !queue.is_empty() {
            self.bounds = self.bounds.narrowed(self.target.limits(self.zone));
            let batch = queue.next_batch(&self.bounds);
            for (place, excess) in batch.excess {
                let reason = excess.to_string();
                self.outcomes[place] = Some(Outcome::Rejected { reason });
            }
            if batch.places.is_empty() {
                continue;
            }
            if !self.pause.is_zero() {
                sleep(self.pause).await;
            }
            self.pause = self.dispatcher.settings.interval;
            self.settle(batch.places, &mut queue).await?;
        }
        Flow::Continue(())
    }

    /// Sends refused groups again, each alone. When one lands, the others may do so too, and
    /// go together.
    async fn try_again(&mut self, due: Vec<usize>) -> Flow {
        let mut due = due.into_iter();
        for place in due.by_ref().take(RETRIES) {
            self.send(vec![place]).await?;
            if matches!(self.outcomes[place], Some(Outcome::Applied { .. })) {
                return self.send(due.collect()).await;
            }
        }
        Flow::Continue(())
    }

    /// Sends one batch, and parts of it as long as it is refused.
    async fn settle(&mut self, places: Vec<usize>, queue: &mut Queue) -> Flow {
        let mut search = Search::new(places);
        while let Some(piece) = search.next() {
            match self.submit(&piece.places).await {
                Submission::Applied(written) => {
                    search.landed(&piece);
                    self.land(&piece.places, written);
                }
                Submission::Refused { reason, named } => self.refused(&mut search, piece, reason, named),
                Submission::Oversized { reason } => {
                    self.bounds = self.bounds.narrowed(self.target.limits(self.zone));
                    let weights = piece.places.iter().map(|place| self.weights[*place]);
                    let weight = weights.fold(Weight::default(), Weight::plus);
                    if self.bounds.excess(weight).is_some() {
                        let open = piece.places.into_iter().chain(search.into_open());
                        queue.put_back(open.map(|place| (place, self.weights[place])).collect());
                        return Flow::Continue(());
                    }
                    self.unfit(&mut search, piece, reason);
                }
                Submission::Throttled { reason, retry_after } => {
                    return Flow::Break(Outcome::Postponed {
                        reason,
                        throttled: true,
                        retry_after,
                    });
                }
                Submission::Postponed { reason } => return Flow::Break(Outcome::postponed(reason)),
                Submission::Unknown { reason } => self.lose(&piece.places, &reason)?,
            }
        }
        Flow::Continue(())
    }

    /// Sends a batch, and again after a while if the provider has been called too often.
    async fn submit(&mut self, places: &[usize]) -> Submission {
        let batch: Vec<&Group> = places.iter().map(|place| &self.groups[*place]).collect();
        let counting = &self.dispatcher.counting;
        loop {
            let submission = self.target.submit(self.zone, &batch).await;
            let answer = Answer::from(&submission);
            counting.count(|counters| *counters.batches.entry(answer).or_default() += 1);
            if answer != Answer::Unknown {
                self.lost = 0;
            }
            let Submission::Throttled { retry_after, .. } = submission else {
                self.patience.taken();
                return submission;
            };
            let Some(wait) = self.patience.wait(retry_after) else {
                return submission;
            };
            counting.count(|counters| {
                counters.waits += 1;
                counters.waited += wait;
            });
            sleep(wait).await;
        }
    }

    fn land(&mut self, places: &[usize], written: Vec<Option<Vec<Endpoint>>>) {
        let written = written.into_iter().chain(std::iter::repeat_with(|| None));
        for (place, written) in places.iter().zip(written) {
            self.conclude(*place, Outcome::Applied { written });
        }
    }

    /// Takes the bad groups out of a refused batch, if the provider has told which they
    /// are. Otherwise they are searched for.
    fn refused(
        &mut self,
        search: &mut Search,
        piece: Piece,
        reason: String,
        mut named: Vec<(usize, Outcome)>,
    ) {
        named.retain(|(at, _)| *at < piece.places.len());
        if !named.is_empty() {
            let mut left: Vec<Option<usize>> = piece.places.iter().copied().map(Some).collect();
            for (at, outcome) in named {
                if let Some(place) = left[at].take() {
                    self.conclude(place, outcome);
                }
            }
            search.again(left.into_iter().flatten().collect());
        } else if let [place] = piece.places[..] {
            search.found();
            self.conclude(place, Outcome::Rejected { reason });
        } else {
            self.dispatcher.counting.count(|counters| counters.splits += 1);
            search.refused(piece);
        }
    }

    /// Halves a batch that is too heavy by no limit that is known.
    fn unfit(&mut self, search: &mut Search, piece: Piece, reason: String) {
        if let [place] = piece.places[..] {
            self.conclude(place, Outcome::Rejected { reason });
        } else {
            self.dispatcher.counting.count(|counters| counters.splits += 1);
            search.halve(piece);
        }
    }

    /// Gives a group its outcome, and remembers it if it was refused.
    fn conclude(&mut self, place: usize, outcome: Outcome) {
        let (zone, group) = (self.zone, &self.groups[place]);
        let outcome = match outcome {
            Outcome::Rejected { reason } => {
                tracing::warn!(zone = %zone.name, name = %group.name, "rejected by the provider: {reason}");
                let now = self.dispatcher.now();
                self.dispatcher.quarantine().refuse(zone, group, reason, now)
            }
            applied @ Outcome::Applied { .. } => {
                self.dispatcher.quarantine().forget(zone, &group.name);
                applied
            }
            other => other,
        };
        self.outcomes[place] = Some(outcome);
    }

    /// Nobody knows what was written.
    fn lose(&mut self, places: &[usize], reason: &str) -> Flow {
        for place in places {
            let reason = reason.to_owned();
            self.outcomes[*place] = Some(Outcome::Unknown { reason });
        }
        self.lost += 1;
        if self.lost < OUTAGE {
            return Flow::Continue(());
        }
        Flow::Break(Outcome::postponed(format!(
            "the answers to {OUTAGE} batches in a row were lost: {reason}"
        )))
    }
}
