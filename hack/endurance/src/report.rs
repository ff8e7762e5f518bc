//! What came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use benchmark::audit::Requests;
use benchmark::figures::Distribution;

use crate::hand::Absence;
use crate::load::{Failure, Tally};
use crate::vitals::Vitals;

/// How much more memory the operator may have in the last third of the time than
/// in the second, as a share. The first third is for growing up.
const GROWTH: f64 = 0.05;
/// How long after the Service is back the node's proxy may take to notice: it
/// looks once a second.
const PROXY: Duration = Duration::from_secs(3);

/// What came of a soak.
#[derive(Debug)]
pub struct Report {
    /// What changes were drawn from.
    pub seed: u64,
    /// How long changes went on.
    pub changed: Duration,
    /// The changes by kind.
    pub done: BTreeMap<&'static str, u32>,
    /// When the DNS Service was not there.
    pub absences: Vec<Absence>,
    /// What was not as it must be while changes went on.
    pub wrong_changes: Vec<String>,
    /// What the client got.
    pub tally: Tally,
    /// Memory and restarts.
    pub vitals: Vitals,
    /// How long it took after the last change until all was as it should be.
    pub settled_after: Duration,
    /// What is not as it should be in the end.
    pub differences: Vec<String>,
    /// Fields of others that are gone.
    pub lost_marks: Vec<String>,
    /// The operator's requests when nothing happened.
    pub at_rest: Requests,
}

impl Report {
    /// What was wrong, a line each; none when all was well.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = self.wrong_changes.clone();
        let (_, counted) = self.failures();
        wrong.extend(Tally::failures_by_reason(&counted));
        if self.tally.answered.is_empty() {
            wrong.push("no question was answered".into());
        }
        wrong.extend(self.vitals.restarts.iter().cloned());
        wrong.extend(self.vitals.refusals.iter().cloned());
        if self.vitals.operator_pods.len() != 1 {
            wrong.push(format!(
                "the operator had several pods: {:?}",
                self.vitals.operator_pods
            ));
        }
        wrong.extend(self.vitals.blind.iter().cloned());
        let growth = self.growth();
        // Without a measurement nothing is shown.
        if growth.is_nan() || growth > GROWTH {
            wrong.push(format!(
                "the operator's memory grew by {:.1} % from the second third to the last",
                growth * 100.0
            ));
        }
        wrong.extend(self.differences.iter().cloned());
        wrong.extend(self.lost_marks.iter().cloned());
        if self.at_rest.but_leases() > 0 {
            wrong.push(format!(
                "the operator was not quiet in the end: {:?}",
                self.at_rest.answered
            ));
        }
        wrong
    }

    /// The failures while the Service was away, and the others. Without a Service
    /// the node's proxy passes no packet on, whatever the operator does.
    fn failures(&self) -> (Vec<Failure>, Vec<Failure>) {
        let away = |failure: &Failure| {
            self.absences
                .iter()
                .any(|absence| (absence.from..absence.until + PROXY).contains(&failure.asked))
        };
        self.tally.failures.iter().cloned().partition(away)
    }

    fn growth(&self) -> f64 {
        let third = self.changed / 3;
        let second = self.vitals.median(third, third * 2);
        self.vitals.median(third * 2, self.changed) / second - 1.0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum: u32 = self.done.values().sum();
        let seconds = self.changed.as_secs_f64();
        writeln!(
            f,
            "\nseed {}: {sum} changes in {seconds:.0} s ({:.1} a second)",
            self.seed,
            f64::from(sum) / seconds
        )?;
        for (kind, count) in &self.done {
            writeln!(f, "  {count:>6} {kind}")?;
        }
        self.show_answers(f)?;
        self.show_memory(f)?;
        writeln!(
            f,
            "pods: {} DNS pods one after the other, {} containers started again, {} Corefiles not taken over",
            self.vitals.dns_pods.len(),
            self.vitals.restarts.len(),
            self.vitals.refusals.len()
        )?;
        writeln!(
            f,
            "end: as it should be after {:.1} s; then {} requests but watches, {} for the Lease",
            self.settled_after.as_secs_f64(),
            self.at_rest.but_leases(),
            self.at_rest.of_leases()
        )?;
        let wrong = self.wrong();
        if wrong.is_empty() {
            return writeln!(f, "all well");
        }
        writeln!(f, "\nWRONG:")?;
        wrong.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl Report {
    fn show_answers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (away, counted) = self.failures();
        let latency = Distribution::milliseconds(&self.tally.answered);
        writeln!(
            f,
            "questions: {} answered, {} of them asked twice, {} failed; median {:.1} ms, 99th percentile {:.1} ms, longest {:.1} ms",
            self.tally.answered.len(),
            self.tally.asked_again,
            counted.len(),
            latency.median(),
            latency.percentile(99),
            latency.percentile(100)
        )?;
        if !self.absences.is_empty() {
            let longest = self
                .absences
                .iter()
                .map(|absence| absence.until - absence.from)
                .max();
            writeln!(
                f,
                "  the DNS Service was deleted {} times and was back within {:.0} ms; {} questions failed then \
                 and are not counted",
                self.absences.len(),
                longest.unwrap_or_default().as_secs_f64() * 1e3,
                away.len()
            )?;
        }
        Ok(())
    }

    fn show_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = |at: Duration| self.vitals.median(at, at + Duration::from_secs(5));
        let last = self.changed.saturating_sub(Duration::from_secs(5));
        let megabytes = |kilobytes: f64| kilobytes * 1024.0 / 1e6;
        writeln!(
            f,
            "operator's resident memory: {:.2} MB at the start, {:.2} after a minute, {:.2} at the end, {:.2} at most; \
             {:+.1} % from the second third to the last",
            megabytes(near(Duration::ZERO)),
            megabytes(near(Duration::from_secs(60).min(last))),
            megabytes(near(last)),
            megabytes(f64::from(self.vitals.peak)),
            self.growth() * 100.0
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A report of a soak in which all was well.
    fn report() -> Report {
        let resident = (0..90).map(|second| (Duration::from_secs(second), 10_000));
        Report {
            seed: 1,
            changed: Duration::from_secs(90),
            done: BTreeMap::from([("edits", 1800)]),
            absences: Vec::new(),
            wrong_changes: Vec::new(),
            tally: Tally {
                asked_again: 0,
                answered: vec![Duration::from_millis(1); 4500],
                failures: Vec::new(),
            },
            vitals: Vitals {
                resident: resident.collect(),
                operator_pods: ["dns-operator-1".to_owned()].into(),
                ..Vitals::default()
            },
            settled_after: Duration::from_secs(1),
            differences: Vec::new(),
            lost_marks: Vec::new(),
            at_rest: Requests::default(),
        }
    }

    fn wrong(change: impl FnOnce(&mut Report)) -> String {
        let mut report = report();
        change(&mut report);
        report.wrong().join("\n")
    }

    #[test]
    fn nothing_is_wrong_when_all_is_well() {
        assert_eq!(wrong(|_| {}), "");
        assert!(report().to_string().ends_with("all well\n"));
    }

    #[test]
    fn a_failure_counts_unless_the_service_was_away() {
        let now = Instant::now();
        let failure = |asked| Failure {
            asked,
            name: "a.test.".into(),
            why: "ServFail".into(),
        };
        let absence = Absence {
            from: now,
            until: now + Duration::from_millis(20),
        };
        let while_away = wrong(|report| {
            report.absences.push(absence);
            report.tally.failures.push(failure(now + Duration::from_secs(1)));
        });
        assert_eq!(while_away, "");
        let later = wrong(|report| {
            report.absences.push(absence);
            report.tally.failures.push(failure(now + Duration::from_secs(4)));
        });
        assert_eq!(later, "1 times ServFail, such as a.test.");
        assert_eq!(
            wrong(|report| report.tally.answered.clear()),
            "no question was answered"
        );
    }

    #[test]
    fn memory_may_not_grow_late() {
        let grow = |since: u64| {
            wrong(|report| {
                for (at, resident) in &mut report.vitals.resident {
                    if at.as_secs() >= since {
                        *resident += 600;
                    }
                }
            })
        };
        assert_eq!(grow(20), "");
        assert!(grow(60).contains("6.0 %"), "{}", grow(60));
        assert!(wrong(|report| report.vitals.resident.clear()).contains("memory"));
    }

    #[test]
    fn only_the_lease_may_be_renewed_at_rest() {
        let with = |what: &str| {
            wrong(|report| {
                report.at_rest.answered.insert(what.into(), 1);
            })
        };
        assert_eq!(with("update leases"), "");
        assert!(with("patch dnses/status").contains("not quiet"));
    }
}
