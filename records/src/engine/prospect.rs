//! What a pass is about to do.

use super::Figures;
use crate::ownership::{self, Rejected};
use crate::plan::{Reason, Refusal, Remark, Step};
use crate::verdict::{self, Rival, State, Verdict};
use crate::{Endpoint, Group, ProviderError, Zone, source};

/// What a pass is about to do.
#[derive(Debug, Default)]
pub struct Prospect {
    /// Each zone of the provider.
    pub zones: Vec<ZoneProspect>,
    /// How many wanted record sets have a zone.
    pub wanted: usize,
    /// Of the wanted record sets that will not be in place after it, why.
    pub verdicts: Vec<Verdict>,
    /// What people may not have meant.
    pub remarks: Vec<source::Remark>,
    /// How many record sets there are.
    pub figures: Figures,
}

/// What is about to be done to a zone.
#[derive(Debug)]
pub struct ZoneProspect {
    /// The zone.
    pub zone: Zone,
    /// How many record sets it holds, those that tell ownership among them.
    pub records: usize,
    /// The changes, in groups that are made whole or not at all.
    pub groups: Vec<Group>,
    /// Why the zone is left as it is, if it could not be read.
    pub trouble: Option<ProviderError>,
    /// The deletions that are too many.
    pub refused: Option<Refusal>,
    /// How many record sets stay because it is not known what is wanted at their names.
    pub held: usize,
    /// What was not planned, and why.
    pub remarks: Vec<Remark>,
    /// What was planned and cannot be written.
    pub rejected: Vec<Rejected>,
}

impl ZoneProspect {
    pub(super) fn new(zone: Zone) -> Self {
        Self {
            zone,
            records: 0,
            groups: Vec::new(),
            trouble: None,
            refused: None,
            held: 0,
            remarks: Vec::new(),
            rejected: Vec::new(),
        }
    }
}

impl Prospect {
    /// Whether the zones are as they are wanted, as far as they could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let idle = |zone: &ZoneProspect| zone.groups.is_empty() && zone.refused.is_none();
        self.zones.iter().all(idle)
    }
}

impl Verdict {
    /// What has become of a wanted record set; none if its name is none.
    #[must_use]
    pub fn of(endpoint: &Endpoint, state: State) -> Option<Self> {
        Some(Self {
            key: endpoint.key().ok()?,
            resource: endpoint.resource().unwrap_or_default().into(),
            state,
        })
    }

    /// What a remark means to who wants the record; none if nobody does.
    pub(super) fn of_remark(remark: &Remark) -> Option<Self> {
        let message = remark.reason.to_string();
        let rejected = |reason| State::Rejected {
            reason,
            message: message.clone(),
        };
        let state = match &remark.reason {
            Reason::OwnedByOther { owner, .. } => State::Conflict {
                with: Rival::Owner(owner.clone()),
            },
            Reason::Outranked { by } => State::Conflict {
                with: Rival::Resource(by.clone().unwrap_or_default()),
            },
            Reason::PolicyForbids {
                step: Step::Delete, ..
            } => return None,
            Reason::PolicyForbids { .. } | Reason::OutsideDomainFilter | Reason::TypeNotManaged => {
                rejected(verdict::Refusal::Settings)
            }
            Reason::BesideOtherTypes | Reason::InvalidName(_) => rejected(verdict::Refusal::Endpoint),
        };
        let endpoint = Endpoint {
            dns_name: remark.dns_name.clone(),
            record_type: remark.record_type.clone(),
            set_identifier: remark.set_identifier.clone(),
            ..Endpoint::default()
        };
        Some(Self {
            key: endpoint.key().ok()?,
            resource: remark.resource.clone().unwrap_or_default(),
            state,
        })
    }

    /// What a refusal by ownership means to who wants the record; none if nobody does.
    pub(super) fn of_rejected(rejected: &Rejected) -> Option<Self> {
        use ownership::Refusal;
        let owner = match &rejected.reason {
            Refusal::Claimed { owner, .. } => Some((!owner.is_empty()).then(|| owner.clone())),
            Refusal::NotOurs { .. } => Some(None),
            _ => None,
        };
        let message = rejected.reason.to_string();
        let state = match (owner, &rejected.reason) {
            (Some(owner), _) => State::Conflict {
                with: Rival::Owner(owner),
            },
            (None, Refusal::HeldBack) => State::Pending { reason: message },
            (None, _) => State::Rejected {
                reason: verdict::Refusal::Endpoint,
                message,
            },
        };
        Self::of(rejected.change.after()?, state)
    }
}
