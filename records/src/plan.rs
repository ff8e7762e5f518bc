//! The planner: what to change so that the zones hold what is wanted.

mod guard;
mod policy;
mod remark;
mod row;
mod rules;
mod table;

use std::sync::Arc;

use serde::Serialize;

use crate::{Change, Endpoint};
use row::Decisions;
use table::Table;

pub use guard::{Acknowledgement, Guard, InvalidAcknowledgement, Refusal};
pub use policy::{InvalidPolicy, Policy};
pub use remark::{Reason, Remark, Step};
pub use rules::Rules;

/// What to change, and what is left as it is although it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The changes, sorted by name, type and set identifier: whatever belongs to one name
    /// stands together.
    pub changes: Vec<Change>,
    /// What was not done, and why; sorted.
    pub remarks: Vec<Remark>,
}

/// What to change so that the zones hold what is wanted, within the rules.
///
/// `current` is what the zones hold, with the labels that tell who keeps a record;
/// `wanted` has passed [`Endpoint::check`]. The order of neither matters. Once the changes
/// are made (and created records have got the owner of the rules), the next plan changes
/// nothing.
///
/// - Several wants for one record: the one whose object has it already keeps it, else the
///   one with the least targets gets it ([`crate::target::compare`]).
/// - A CNAME beside other types is not wanted ([RFC 1034, section 3.6.2]).
/// - A type is added to a name only if all records of the name (and set identifier) are ours.
/// - An update leaves the TTL alone where none is wanted, and keeps the owner; records of
///   the old owner get the new one.
///
/// [RFC 1034, section 3.6.2]: https://datatracker.ietf.org/doc/html/rfc1034#section-3.6.2
#[must_use]
pub fn plan(current: &[Arc<Endpoint>], wanted: &[Endpoint], rules: &Rules) -> Plan {
    let mut decisions = Decisions::new(rules);
    let table = Table::new(current, wanted, &mut decisions);
    table.for_each_open_row(|row| decisions.decide(row));
    decisions.into_plan()
}
