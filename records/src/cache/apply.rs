//! Writing: what is looked at before the provider is called, and what comes of its answers.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Cached;
use super::age::{Moment, ZoneState};
use super::snapshot::{self, ByName};
use super::zone::{CachedZone, Unsaved};
use crate::provider::Operation;
use crate::{Group, InvalidName, Name, Outcome};

/// Groups on their way, each with the names that it touches and its outcome so far.
struct Batch<'a> {
    groups: &'a [Group],
    names: Vec<BTreeSet<Name>>,
    outcomes: Vec<Option<Outcome>>,
}

/// Names that are being written to. If nobody waits for the answer any more, they are
/// doubtful.
struct InFlight<'a> {
    zone: &'a CachedZone,
    names: BTreeSet<Name>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let names = std::mem::take(&mut self.names);
        self.zone.knowledge().doubtful.extend(names);
    }
}

impl<'a> Batch<'a> {
    fn new(groups: &'a [Group]) -> Self {
        let mut batch = Self {
            groups,
            names: Vec::new(),
            outcomes: Vec::new(),
        };
        for group in groups {
            let (names, outcome) = match touched(group) {
                Ok(names) => (names, None),
                Err(error) => (
                    BTreeSet::new(),
                    Some(Outcome::Rejected {
                        reason: error.to_string(),
                    }),
                ),
            };
            batch.names.push(names);
            batch.outcomes.push(outcome);
        }
        batch
    }

    /// The groups without an outcome, by their place.
    fn open(&self) -> Vec<usize> {
        (0..self.groups.len())
            .filter(|place| self.outcomes[*place].is_none())
            .collect()
    }

    /// Answers the open groups for which there is an answer.
    fn answer(&mut self, answer: impl Fn(&Group, &BTreeSet<Name>) -> Option<Outcome>) {
        for place in self.open() {
            self.outcomes[place] = answer(&self.groups[place], &self.names[place]);
        }
    }

    /// The names that the open groups touch.
    fn touched(&self) -> BTreeSet<Name> {
        self.open()
            .into_iter()
            .flat_map(|place| self.names[place].iter().cloned())
            .collect()
    }

    /// The open groups.
    fn sent(&self) -> Cow<'a, [Group]> {
        let open = self.open();
        if open.len() == self.groups.len() {
            return Cow::Borrowed(self.groups);
        }
        open.into_iter().map(|place| self.groups[place].clone()).collect()
    }

    /// What came of all groups; nobody knows of those that were not answered.
    fn finish(self) -> Vec<Outcome> {
        self.outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(unanswered))
            .collect()
    }
}

impl Cached {
    /// Has the provider make the changes, and puts what came of them into the zone.
    pub(super) async fn change(&self, zone: &CachedZone, groups: &[Group]) -> Vec<Outcome> {
        let mut batch = Batch::new(groups);
        let mut unsaved = zone.turn.lock().await;
        self.confirm_before_destroying(zone, &mut unsaved, &mut batch)
            .await;
        self.settle_touched(zone, &mut unsaved, &mut batch).await;
        check(zone, &mut batch);
        if !batch.open().is_empty()
            && let Err(reason) = self.announce(zone, &mut unsaved, &batch.touched()).await
        {
            let postponed = Outcome::postponed(reason);
            batch.answer(|_, _| Some(postponed.clone()));
        }
        if !batch.open().is_empty() {
            self.send(zone, &mut unsaved, &mut batch).await;
        }
        if unsaved.on_disk {
            self.keep(zone, &mut unsaved).await;
        }
        let outcomes = batch.finish();
        self.counters.count_conflicts(&outcomes);
        outcomes
    }

    /// Deletes and overwrites wait until a zone that is not certain has been confirmed.
    async fn confirm_before_destroying(
        &self,
        zone: &CachedZone,
        unsaved: &mut Unsaved,
        batch: &mut Batch<'_>,
    ) {
        let state = zone.knowledge().state(self.now(), &self.settings);
        let destroys = batch
            .open()
            .into_iter()
            .any(|place| batch.groups[place].destroys());
        if state == ZoneState::Live || !destroys {
            return;
        }
        if let Err(error) = self.refresh(zone, unsaved).await {
            let reason =
                format!("nothing is deleted before the zone, which is {state}, is confirmed: {error}");
            let postponed = Outcome::postponed_by(&error, reason);
            batch.answer(|group, _| group.destroys().then(|| postponed.clone()));
        }
    }

    /// Doubtful names that are to be written to are read first.
    async fn settle_touched(&self, zone: &CachedZone, unsaved: &mut Unsaved, batch: &mut Batch<'_>) {
        let (doubtful, known) = {
            let knowledge = zone.knowledge();
            (
                knowledge.doubtful.clone(),
                knowledge.records.is_some() && !knowledge.reset,
            )
        };
        if !known || batch.touched().is_disjoint(&doubtful) {
            return;
        }
        if let Err(error) = self.settle(zone, unsaved).await {
            let reason = format!("what stands at the name is in doubt, and it cannot be read: {error}");
            let postponed = Outcome::postponed_by(&error, reason);
            batch.answer(|_, names| (!names.is_disjoint(&doubtful)).then(|| postponed.clone()));
        }
    }

    /// Keeps on disk which names are about to be written to. If that is not possible, no
    /// disk may tell of the zone any more; if that is not possible either, nothing is
    /// written.
    async fn announce(
        &self,
        zone: &CachedZone,
        unsaved: &mut Unsaved,
        names: &BTreeSet<Name>,
    ) -> Result<(), String> {
        self.catch_up(unsaved);
        if !unsaved.on_disk || self.keep_with(zone, unsaved, names).await.is_ok() {
            return Ok(());
        }
        self.catch_up(unsaved);
        if !unsaved.on_disk {
            return Ok(());
        }
        let discarded = self.persistence.discard().await;
        self.catch_up(unsaved);
        discarded.map_err(|error| {
            format!("what is about to be written cannot be noted, nor the old notes be thrown away: {error}")
        })
    }

    /// Calls the provider with the open groups, and takes in what it answers.
    async fn send(&self, zone: &CachedZone, unsaved: &mut Unsaved, batch: &mut Batch<'_>) {
        let mut flight = InFlight {
            zone,
            names: batch.touched(),
        };
        let sent = batch.sent();
        self.calls.count(Operation::Apply);
        self.counters.apply_call();
        let answers = self.provider.apply(&zone.zone, &sent).await;
        let places = batch.open();
        let answers = answers.into_iter().chain(std::iter::repeat_with(unanswered));
        for (place, answer) in places.iter().zip(answers) {
            batch.outcomes[*place] = Some(answer);
        }
        unsaved.names.append(&mut flight.names);
        self.take_in(zone, batch, &places);
    }

    /// Puts outcomes into the zone: what was applied in place of what was there, and doubt
    /// about what nobody knows.
    fn take_in(&self, zone: &CachedZone, batch: &Batch<'_>, places: &[usize]) {
        let mut knowledge = zone.knowledge();
        let Some(known) = knowledge.records.clone() else {
            return;
        };
        knowledge.reset |= !self.settings.patch_on_apply;
        let mut names = ByName::new();
        let (mut applied, mut doubtful) = (BTreeSet::new(), BTreeSet::new());
        for place in places {
            let touched = batch.names[*place].iter().cloned();
            match &batch.outcomes[*place] {
                Some(Outcome::Applied { written }) => {
                    snapshot::patch(&mut names, &known.records, &batch.groups[*place], written.clone());
                    applied.extend(touched);
                    self.counters.patch();
                }
                Some(Outcome::Rejected { .. } | Outcome::Postponed { .. }) => {}
                Some(Outcome::Conflict { .. } | Outcome::Unknown { .. }) | None => doubtful.extend(touched),
            }
        }
        knowledge.doubtful.extend(doubtful);
        if !self.settings.patch_on_apply {
            knowledge.doubtful.extend(applied);
            return;
        }
        if !applied.is_empty() {
            knowledge.put(names);
            knowledge.patched.extend(applied);
            knowledge.times.patched = Some(Moment::now(self.now()));
        }
    }
}

/// Answers the groups that do not go with what the zone is known to hold: who wants them
/// has seen another state of it.
fn check(zone: &CachedZone, batch: &mut Batch<'_>) {
    let known = {
        let knowledge = zone.knowledge();
        if knowledge.reset {
            None
        } else {
            knowledge.records.clone()
        }
    };
    let Some(known) = known else { return };
    batch.answer(|group, _| {
        let reason = group
            .changes
            .iter()
            .find_map(|change| snapshot::disagreement(&known.records, change))?;
        Some(Outcome::Conflict { reason })
    });
}

/// All names that a group touches, those of its ownership records among them.
fn touched(group: &Group) -> Result<BTreeSet<Name>, InvalidName> {
    let sides = group
        .changes
        .iter()
        .flat_map(|change| [change.before(), change.after()]);
    let mut names: BTreeSet<Name> = sides
        .flatten()
        .map(crate::Endpoint::name)
        .collect::<Result<_, _>>()?;
    names.insert(group.name.clone());
    Ok(names)
}

/// The outcome of a group for which the provider has no answer.
fn unanswered() -> Outcome {
    Outcome::Unknown {
        reason: "the provider did not answer for it".to_owned(),
    }
}
