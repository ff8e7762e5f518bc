//! What a plan leaves as it is although it was asked for.

use std::fmt;

use serde::Serialize;

use super::Policy;
use crate::{Endpoint, RecordType};

/// What was not done for an endpoint, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// The endpoint's owner name, as it spells it.
    pub dns_name: Box<str>,
    /// The endpoint's type.
    pub record_type: RecordType,
    /// The endpoint's set identifier.
    pub set_identifier: Box<str>,
    /// The object that asked for it, if that is known.
    pub resource: Option<Box<str>>,
    /// Why.
    pub reason: Reason,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// A record of the name is not ours.
    OwnedByOther {
        /// The type of that record.
        record_type: RecordType,
        /// Who keeps it, if that is known.
        owner: Option<Box<str>>,
    },
    /// It is a CNAME, and other types are wanted at the name.
    BesideOtherTypes,
    /// Another object asks for the same record, and gets it.
    Outranked {
        /// That object, if it is known.
        by: Option<Box<str>>,
    },
    /// The policy does not let it be done.
    PolicyForbids {
        /// The policy.
        policy: Policy,
        /// What would have been done.
        step: Step,
    },
    /// The name is not one of those that are looked at.
    OutsideDomainFilter,
    /// The type is not one of those that are kept.
    TypeNotManaged,
    /// The name is no domain name, and why.
    InvalidName(String),
}

/// What would have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// A record of the zone would have been updated.
    Update,
    /// A record of the zone would have been deleted.
    Delete,
    /// A record of the zone would have made room for one of another type.
    Replace,
}

impl Remark {
    pub(super) fn new(endpoint: &Endpoint, reason: Reason) -> Self {
        Self {
            dns_name: endpoint.dns_name.clone(),
            record_type: endpoint.record_type.clone(),
            set_identifier: endpoint.set_identifier.clone(),
            resource: endpoint.resource().map(Into::into),
            reason,
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.dns_name, self.record_type)?;
        if !self.set_identifier.is_empty() {
            write!(formatter, " ({})", self.set_identifier)?;
        }
        if let Some(resource) = &self.resource {
            write!(formatter, " of {resource}")?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnedByOther {
                record_type,
                owner: Some(owner),
            } => write!(
                formatter,
                "the {record_type} record of the name belongs to {owner}"
            ),
            Self::OwnedByOther {
                record_type,
                owner: None,
            } => {
                write!(formatter, "the {record_type} record of the name is not ours")
            }
            Self::BesideOtherTypes => formatter.write_str("a CNAME cannot stand beside other types"),
            Self::Outranked { by: Some(resource) } => {
                write!(formatter, "{resource} asks for the same record and has it")
            }
            Self::Outranked { by: None } => {
                formatter.write_str("another endpoint asks for the same record and has it")
            }
            Self::PolicyForbids { policy, step } => {
                let step = match step {
                    Step::Update => "updates",
                    Step::Delete => "deletions",
                    Step::Replace => "a change of type",
                };
                write!(formatter, "the policy {policy} does not let {step} happen")
            }
            Self::OutsideDomainFilter => formatter.write_str("the name is outside the domain filter"),
            Self::TypeNotManaged => formatter.write_str("the type is not among the managed record types"),
            Self::InvalidName(reason) => formatter.write_str(reason),
        }
    }
}
