//! What has become of wanted records, told to those who want them.

use std::collections::BTreeMap;

use crate::RecordKey;

/// What has become of one wanted record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which record set.
    pub key: RecordKey,
    /// Who wants it: the value of the label `resource`.
    pub resource: Box<str>,
    /// What has become of it.
    pub state: State,
}

/// What has become of a wanted record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The zone holds it.
    InPlace,
    /// It will be tried, or tried again.
    Pending {
        /// What it waits for.
        reason: String,
    },
    /// It will not be written as it is.
    Rejected {
        /// Who refuses it.
        reason: Refusal,
        /// Why, in their words.
        message: String,
    },
    /// The name, or the record set, is somebody else's.
    Conflict {
        /// Whose.
        with: Rival,
    },
    /// No zone that is kept holds the name.
    OutsideZones,
}

/// Who refuses a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The check of endpoints.
    Endpoint,
    /// The filters or the policy that were asked for.
    Settings,
    /// The provider.
    Provider,
}

/// Who has what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rival {
    /// Another owner; without a name if nobody says whose the record is.
    Owner(Option<Box<str>>),
    /// Another object, by its label `resource`.
    Resource(Box<str>),
    /// Another record set of the same name beside which it cannot be (RFC 1034, section
    /// 3.6.2).
    RecordSet(RecordKey),
}

impl State {
    /// The state in one word, for programs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InPlace => "InPlace",
            Self::Pending { .. } => "Pending",
            Self::Rejected { reason, .. } => match reason {
                Refusal::Endpoint => "InvalidEndpoint",
                Refusal::Settings => "ExcludedBySettings",
                Refusal::Provider => "RejectedByProvider",
            },
            Self::Conflict { with } => match with {
                Rival::Owner(_) => "OwnedByAnother",
                Rival::Resource(_) => "WantedByAnother",
                Rival::RecordSet(_) => "ExcludedByRecord",
            },
            Self::OutsideZones => "OutsideZones",
        }
    }

    /// The state in words, for people; empty where the reason says it all.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::InPlace => String::new(),
            Self::Pending { reason } => reason.clone(),
            Self::Rejected { message, .. } => message.clone(),
            Self::Conflict { with } => match with {
                Rival::Owner(Some(owner)) => format!("the name belongs to the owner {owner:?}"),
                Rival::Owner(None) => "the name has records that nobody is told to own".into(),
                Rival::Resource(resource) => format!("{resource} has it"),
                Rival::RecordSet(key) => format!("the name has a record of type {}", key.record_type),
            },
            Self::OutsideZones => "no zone that is kept holds the name".into(),
        }
    }
}

/// Verdicts by what they are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(BTreeMap<RecordKey, Vec<(Box<str>, State)>>);

impl FromIterator<Verdict> for Verdicts {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut sorted = BTreeMap::<_, Vec<_>>::new();
        for Verdict { key, resource, state } in verdicts {
            sorted.entry(key).or_default().push((resource, state));
        }
        Self(sorted)
    }
}

impl Verdicts {
    /// What has become of a record set that a resource wants. If only others have a verdict
    /// on the key, theirs counts: the record sets were merged into one. But for the verdict
    /// that yet another has the record.
    #[must_use]
    pub fn of(&self, key: &RecordKey, resource: &str) -> Option<&State> {
        let all = self.0.get(key)?;
        let own = all.iter().find(|(other, _)| **other == *resource);
        let outranked = |state: &State| {
            matches!(
                state,
                State::Conflict {
                    with: Rival::Resource(_)
                }
            )
        };
        let shared = || all.iter().find(|(_, state)| !outranked(state));
        own.or_else(shared).map(|(_, state)| state)
    }
}
