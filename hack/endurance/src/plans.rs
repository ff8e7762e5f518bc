//! `hack/soak plans`: what the record engine plans, compared with what external-dns does.
//!
//! [`cases`] drawn at random go through both planners. Each plans a name by itself, so a
//! difference is brought down to one name, and from there to as little as shows it.
//! [`kinds`] lists where the engine differs on purpose.

pub mod cases;
pub mod changes;
pub mod kinds;
mod planner;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result};
use devcluster::Progress;

use cases::Case;
use changes::{Changes, Row};
use kinds::{KINDS, Side};
use planner::Planner;

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Plans {
    /// What it was drawn from.
    pub seed: u64,
    /// How many cases there were.
    pub cases: u64,
    /// How many names were planned alike, with something to do.
    pub alike: u64,
    /// How many names were planned differently, by the titles of the kinds.
    pub listed: BTreeMap<&'static str, u64>,
    /// Differences that are not listed, each with the least case that shows it.
    pub disagreements: Vec<String>,
}

impl fmt::Display for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nseed {}: {} cases", self.seed, self.cases)?;
        writeln!(f, "{:>8} names planned alike", self.alike)?;
        for (title, count) in &self.listed {
            writeln!(f, "{count:>8} listed: {title}")?;
        }
        writeln!(f, "{:>8} disagreements", self.disagreements.len())?;
        for disagreement in &self.disagreements {
            writeln!(f, "\n{disagreement}")?;
        }
        Ok(())
    }
}

/// What is to be said of a case.
enum Verdict {
    Alike,
    /// All that differs is of these kinds.
    Listed(BTreeSet<&'static str>),
    /// Something is of none.
    Unlisted {
        theirs: Changes,
        ours: Changes,
    },
}

/// Has both planners plan so many cases, those of the numbers from `seed` on.
pub fn compare(seed: u64, count: u64, progress: &Progress) -> Result<Plans> {
    let mut external_dns = Planner::start(progress)?;
    let mut plans = Plans {
        seed,
        cases: count,
        ..Plans::default()
    };
    for number in 0..count {
        let case = Case::draw(seed.wrapping_add(number));
        let (theirs, ours) = both(&mut external_dns, &case)?;
        for row in theirs.rows().union(&ours.rows()) {
            if theirs.of(row) == ours.of(row) {
                plans.alike += 1;
                continue;
            }
            let case = case.only(row);
            match judge(&mut external_dns, &case)? {
                Verdict::Alike => plans.disagreements.push(format!(
                    "the names of case {} are not planned each by itself: {row:?}",
                    seed.wrapping_add(number)
                )),
                Verdict::Listed(titles) => {
                    for title in titles {
                        *plans.listed.entry(title).or_default() += 1;
                    }
                }
                Verdict::Unlisted { .. } => {
                    plans.disagreements.push(least(&mut external_dns, case)?);
                }
            }
        }
    }
    Ok(plans)
}

/// What external-dns plans, and what the engine does.
fn both(external_dns: &mut Planner, case: &Case) -> Result<(Changes, Changes)> {
    let ours = records::plan(&case.held(), &case.desired, &case.rules()).changes;
    Ok((external_dns.plan(case)?, Changes::new(ours)))
}

fn judge(external_dns: &mut Planner, case: &Case) -> Result<Verdict> {
    let (theirs, ours) = both(external_dns, case)?;
    Ok(match explained(case, &theirs, &ours) {
        None => Verdict::Unlisted { theirs, ours },
        Some(titles) if titles.is_empty() => Verdict::Alike,
        Some(titles) => Verdict::Listed(titles),
    })
}

/// Which kinds explain all changes that one side alone has; none if there is one that no kind
/// does.
fn explained(case: &Case, theirs: &Changes, ours: &Changes) -> Option<BTreeSet<&'static str>> {
    let only_theirs = theirs.without(ours).map(|change| (Side::Theirs, change));
    let only_ours = ours.without(theirs).map(|change| (Side::Ours, change));
    let kind = |(side, change)| KINDS.iter().find(|kind| (kind.explains)(case, side, change));
    let changes = only_theirs.chain(only_ours);
    changes.map(|change| Some(kind(change)?.title)).collect()
}

/// A case that is told apart, without all that it differs without as well.
fn least(external_dns: &mut Planner, mut case: Case) -> Result<String> {
    let mut found = judge(external_dns, &case)?;
    'smaller: loop {
        for smaller in case.smaller() {
            let verdict = judge(external_dns, &smaller)?;
            if matches!(verdict, Verdict::Unlisted { .. }) {
                (case, found) = (smaller, verdict);
                continue 'smaller;
            }
        }
        break;
    }
    let case = serde_json::to_string(&case).context("writing a case")?;
    let (theirs, ours) = match &found {
        Verdict::Unlisted { theirs, ours } => (theirs.to_string(), ours.to_string()),
        _ => Default::default(),
    };
    Ok(format!("{case}\nexternal-dns:\n{theirs}the engine:\n{ours}"))
}

impl Case {
    /// What of it is about one row.
    fn only(&self, row: &Row) -> Self {
        let mut case = self.clone();
        let is_of = |endpoint: &records::Endpoint| changes::row_of(endpoint) == *row;
        case.current.retain(is_of);
        case.desired.retain(is_of);
        case
    }
}
