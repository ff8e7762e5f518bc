//! What a pass has done.

use super::Figures;
use crate::plan::Refusal;
use crate::verdict::{self, State, Verdict};
use crate::{Change, Group, Outcome, ProviderError, Zone};

/// What a pass has done.
#[derive(Debug, Default)]
pub struct PassResult {
    /// Each zone.
    pub zones: Vec<ZoneResult>,
    /// How many wanted record sets have a zone.
    pub wanted: usize,
    /// Of the wanted record sets that are not in place, why. All others are.
    pub verdicts: Vec<Verdict>,
    /// How many record sets there were.
    pub figures: Figures,
}

/// What was done to a zone.
#[derive(Debug)]
pub struct ZoneResult {
    /// The zone.
    pub zone: Zone,
    /// Each group.
    pub groups: Vec<GroupResult>,
    /// Why nothing was done, if the zone could not be read.
    pub trouble: Option<ProviderError>,
    /// The deletions that were too many.
    pub refused: Option<Refusal>,
}

/// What came of a group.
#[derive(Debug)]
pub struct GroupResult {
    /// The group.
    pub group: Group,
    /// What came of it.
    pub outcome: Outcome,
}

impl PassResult {
    /// Whether everything that is wanted is in place, and nothing else of ours.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.verdicts.is_empty() && self.zones.iter().all(ZoneResult::is_complete)
    }
}

impl ZoneResult {
    /// Whether the zone is as it was to be.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let applied = |result: &GroupResult| matches!(result.outcome, Outcome::Applied { .. });
        self.trouble.is_none() && self.refused.is_none() && self.groups.iter().all(applied)
    }

    /// Of the wanted record sets whose groups were not applied, why.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        self.groups.iter().flat_map(GroupResult::verdicts)
    }
}

impl GroupResult {
    /// Puts groups and outcomes side by side. A group without an outcome is one of which
    /// nobody knows.
    pub(super) fn pair(groups: Vec<Group>, outcomes: Vec<Outcome>) -> Vec<Self> {
        let unknown = || Outcome::Unknown {
            reason: "the provider has not told".into(),
        };
        let outcomes = outcomes
            .into_iter()
            .map(Some)
            .chain(std::iter::repeat_with(|| None));
        groups
            .into_iter()
            .zip(outcomes)
            .map(|(group, outcome)| Self {
                group,
                outcome: outcome.unwrap_or_else(unknown),
            })
            .collect()
    }

    fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        let state = match &self.outcome {
            Outcome::Applied { .. } => None,
            Outcome::Rejected { reason } => Some(State::Rejected {
                reason: verdict::Refusal::Provider,
                message: reason.clone(),
            }),
            Outcome::Conflict { reason }
            | Outcome::Postponed { reason, .. }
            | Outcome::Unknown { reason } => Some(State::Pending {
                reason: reason.clone(),
            }),
        };
        // Whoever wants a record has named itself on it; ownership records have no such label.
        let wanted = self.group.changes.iter().filter_map(Change::after);
        let wanted = wanted.filter(|endpoint| endpoint.resource().is_some());
        wanted.filter_map(move |endpoint| Verdict::of(endpoint, state.clone()?))
    }
}
