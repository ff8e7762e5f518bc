//! What people are told of the upstreams. Pure, and the same words for as long as
//! nothing changes.

use k8s_openapi::jiff::Unit;

use super::target::Target;
use super::verdict::{Trouble, Verdict, Verdicts};

/// How many failing upstreams are named.
const NAMED: usize = 20;
/// How many fields are named that have the same upstream.
const FIELDS: usize = 3;

/// What there is to say of the upstreams in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Report {
    /// None is probed.
    #[default]
    Nothing,
    /// Not every one has been probed, and none is known to fail.
    Pending,
    /// All answer.
    Healthy,
    /// A line for each that fails, in the order of the specification; the last one
    /// may stand for several.
    Failing(Vec<String>),
}

impl Report {
    /// Draws it from the verdicts. `told` is what was told before, by this replica or
    /// another: an upstream that still fails has done so since then.
    #[must_use]
    pub fn of(targets: &[Target], verdicts: &Verdicts, told: &str) -> Self {
        if targets.is_empty() {
            return Self::Nothing;
        }
        let mut lines = Vec::new();
        let mut more = 0;
        let mut known = true;
        for target in targets {
            match verdicts.get(&target.endpoint) {
                Some(Verdict::Healthy) => {}
                Some(Verdict::Failing(_)) if lines.len() == NAMED => more += 1,
                Some(Verdict::Failing(trouble)) => lines.push(line(target, trouble, told)),
                Some(Verdict::Unknown) | None => known = false,
            }
        }
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        match (lines.is_empty(), known) {
            (false, _) => Self::Failing(lines),
            (true, true) => Self::Healthy,
            (true, false) => Self::Pending,
        }
    }
}

fn line(target: &Target, trouble: &Trouble, told: &str) -> String {
    let Trouble {
        since,
        failure,
        question,
    } = trouble;
    let (named, others) = target.fields.split_at(target.fields.len().min(FIELDS));
    let mut fields = named.join(", ");
    if !others.is_empty() {
        fields = format!("{fields} and {} more", others.len());
    }
    let what = format!(
        "{fields}: {}: {}: {failure}, asked for '{question}', since ",
        target.endpoint,
        failure.reason()
    );
    if let Some(line) = told.lines().find(|line| line.starts_with(&what)) {
        return line.to_owned();
    }
    let since = since.round(Unit::Second).unwrap_or(*since);
    format!("{what}{since}")
}
