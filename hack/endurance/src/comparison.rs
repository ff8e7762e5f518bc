//! `hack/soak specs`: many specifications drawn at random, each judged by the operator
//! and by CoreDNS.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Error, Result};
use devcluster::children::Launcher;
use devcluster::programs::COREDNS_SERVER;
use devcluster::state::State;
use devcluster::{Lifetime, Progress};

use crate::coredns::Room;
use crate::specs::{self, Case};
use crate::stricter::RULES;
use crate::verdicts::{Judge, Verdict};

/// How often is told how far it is.
const TELLING: u64 = 500;

/// What came of a comparison.
#[derive(Debug)]
pub struct Comparison {
    /// The first specification's number; each has the next one.
    pub seed: u64,
    /// What was found.
    pub tally: Tally,
    /// How long it took.
    pub took: Duration,
}

/// How many specifications came to each verdict.
#[derive(Debug, Default)]
pub struct Tally {
    /// Those that the operator accepts and CoreDNS serves.
    pub accepted: u64,
    /// Those that both refuse.
    pub refused: u64,
    /// Those refused in which CoreDNS would read something else than was meant.
    pub injections: u64,
    /// Those refused that CoreDNS would serve.
    pub stricter: u64,
    /// The same by the rules that say so; a specification may be of several.
    pub rules: BTreeMap<&'static str, u64>,
    /// Those of two minds.
    pub disagreements: Vec<Disagreement>,
}

/// A specification that the operator and CoreDNS do not agree on.
#[derive(Debug)]
pub struct Disagreement {
    /// Its own seed.
    pub seed: u64,
    /// The specification, as JSON.
    pub spec: String,
    /// What is at odds.
    pub why: String,
}

/// Compares so many specifications, as many at once as there are processors.
pub fn compare(seed: u64, count: u64, progress: &Progress) -> Result<Comparison> {
    let program = COREDNS_SERVER.path(progress)?;
    let state = State::fresh()?;
    let launcher = Launcher::new(state.path(), Lifetime::Process)?;
    let begun = progress.elapsed();
    let work = Work {
        seed,
        count,
        next: AtomicU64::new(0),
        tally: Mutex::default(),
    };
    let rooms = thread::available_parallelism().context("failed to count the processors")?;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..rooms.get())
            .map(|number| {
                let (work, program, launcher) = (&work, &program, &launcher);
                scope.spawn(move || work.run(number, program, launcher, progress))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => Err(Error::msg("a comparison ended in a panic")),
        })
    })?;
    state.remove()?;
    Ok(Comparison {
        seed,
        tally: work.tally.into_inner().unwrap_or_default(),
        took: progress.elapsed().saturating_sub(begun),
    })
}

struct Work {
    seed: u64,
    count: u64,
    next: AtomicU64,
    tally: Mutex<Tally>,
}

impl Work {
    fn run(&self, number: usize, program: &Path, launcher: &Launcher, progress: &Progress) -> Result<()> {
        let room = Room::new(program, launcher, &format!("coredns-{number}"))?;
        let judge = Judge::new(&room)?;
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.count {
                return Ok(());
            }
            if index > 0 && index.is_multiple_of(TELLING) {
                progress.say(format!("{index} of {} specifications", self.count));
            }
            let seed = self.seed.wrapping_add(index);
            let case = specs::draw(seed)?;
            let judged = judge
                .judge(&case)
                .with_context(|| format!("failed to judge the specification of seed {seed}: {}", case.spec));
            // One lost specification must not lose the others.
            let verdict = judged.unwrap_or_else(|error| Verdict::Disagreement(format!("{error:#}")));
            if let Ok(mut tally) = self.tally.lock() {
                tally.add(seed, &case, verdict);
            }
        }
    }
}

impl Tally {
    fn add(&mut self, seed: u64, case: &Case, verdict: Verdict) {
        match verdict {
            Verdict::Accepted => self.accepted += 1,
            Verdict::Refused => self.refused += 1,
            Verdict::Injection => self.injections += 1,
            Verdict::Stricter(rules) => {
                self.stricter += 1;
                for rule in rules {
                    *self.rules.entry(rule).or_default() += 1;
                }
            }
            Verdict::Disagreement(why) => self.disagreements.push(Disagreement {
                seed,
                spec: case.spec.to_string(),
                why,
            }),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        let seconds = self.took.as_secs_f64();
        writeln!(f, "\nseed {}, {seconds:.0} s:", self.seed)?;
        writeln!(f, "{:>8} accepted, and CoreDNS serves them", tally.accepted)?;
        writeln!(f, "{:>8} refused, and CoreDNS refuses them", tally.refused)?;
        writeln!(
            f,
            "{:>8} refused, where CoreDNS would read something else than was meant",
            tally.injections
        )?;
        writeln!(f, "{:>8} refused, and not by CoreDNS:", tally.stricter)?;
        for rule in &RULES {
            let count = tally.rules.get(rule.name).copied().unwrap_or_default();
            writeln!(f, "{count:>16} {}", rule.name)?;
        }
        writeln!(f, "{:>8} disagreements", tally.disagreements.len())?;
        for Disagreement { seed, spec, why } in &tally.disagreements {
            writeln!(f, "\nhack/soak specs --count 1 --seed {seed}\n{spec}\n{why}")?;
        }
        Ok(())
    }
}
