//! Changes, and what came of them.

use records::{Change, Endpoint, Outcome};
use remote::protocol::gardener::{self, Action, Kind, change_request};
use remote::protocol::{v1, v2, zones};

use super::judgement::{Judge, same};

/// The fields of a change of Gardener's that a refusal may name, where it is not that there is
/// no change at all.
const CHANGE: [&str; 6] = [
    "action",
    "change.dns_name",
    "change.record_type",
    "change.record_set",
    "change.set_identifier",
    "change.routing_policy",
];

/// A change of Gardener's protocol. The client's encoder tells the server the same.
pub(super) fn gardeners(judge: &mut Judge<'_>, request: v1::ChangeRequest) -> Result<(), String> {
    let action = match gardener::action(request, &judge.zone) {
        Ok(action) => action,
        Err(fault) if fault.field == "change" => return judge.refuse(&fault, &["change"]),
        Err(fault) => return judge.refuse(&fault, &CHANGE),
    };
    judge.accept();
    let told = change_request(&change(&action), &action.update_group);
    let told = told.map_err(|fault| format!("{action:?} cannot be told: {fault}"))?;
    let back = gardener::action(told, &judge.zone);
    let back = back.map_err(|fault| format!("{action:?} is refused when told again: {fault}"))?;
    let is_same = (back.kind, &back.key, &back.update_group)
        == (action.kind, &action.key, &action.update_group)
        && gardener::same(&back.record, &action.record);
    if is_same {
        return Ok(());
    }
    Err(format!(
        "told again it is another one:\n{back:?}\nwas\n{action:?}"
    ))
}

/// The change as the client that asks for it knows it.
fn change(action: &Action) -> Change {
    let record = action.record.clone();
    match action.kind {
        Kind::Create => Change::Create(record),
        Kind::Update => Change::Update {
            old: Endpoint::default(),
            new: record,
        },
        Kind::Delete => Change::Delete(record),
    }
}

/// A group of our protocol.
pub(super) fn ours(judge: &mut Judge<'_>, message: v2::Group) -> Result<(), String> {
    let group = match zones::group(message, &judge.zone) {
        Ok(group) => group,
        Err(fault) => return judge.refuse(&fault, &["name", "changes"]),
    };
    judge.accept();
    let back = zones::group(zones::group_message(&group), &judge.zone);
    let back = back.map_err(|fault| format!("{group:?} is refused when told again: {fault}"))?;
    same("told again", &back, &group)
}

/// What came of a group. Names are told in their canonical form.
pub(super) fn outcome(judge: &mut Judge<'_>, message: v2::Outcome) -> Result<(), String> {
    let mut outcome = zones::outcome(message);
    judge.accept();
    let back = zones::outcome(zones::outcome_message(&outcome));
    if let Outcome::Applied {
        written: Some(written),
    } = &mut outcome
    {
        for record in written {
            if let Ok(name) = record.name() {
                record.dns_name = name.as_str().into();
            }
        }
    }
    same("told again", &back, &outcome)
}
