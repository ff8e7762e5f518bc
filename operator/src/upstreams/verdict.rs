//! From single probes to a verdict: one lost datagram is nothing, and neither is one
//! answer of a server that mostly fails.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

use super::failure::Failure;
use super::target::{Endpoint, Question};

/// How many failures in a row it takes to call an upstream failing.
pub const FAILURES: u32 = 3;
/// How many answers in a row it takes to call it healthy again.
pub const ANSWERS: u32 = 2;

/// The verdicts by endpoint.
pub type Verdicts = BTreeMap<Endpoint, Verdict>;

/// What is thought of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Too little is known.
    #[default]
    Unknown,
    /// It answers.
    Healthy,
    /// It does not.
    Failing(Trouble),
}

/// What is wrong with an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// When it failed for the first time.
    pub since: Timestamp,
    /// Why it fails.
    pub failure: Failure,
    /// What it was asked.
    pub question: Question,
}

/// The probes of one upstream so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    verdict: Verdict,
    /// How many answers there were in a row, the last of them just now.
    answers: u32,
    /// The failures in a row, if the last probe failed.
    failures: Option<Failures>,
}

#[derive(Clone, Debug)]
struct Failures {
    since: Timestamp,
    count: u32,
    /// How many of the last ones are for the same reason, to the same question.
    alike: u32,
    last: Option<(Failure, Question)>,
}

impl History {
    /// What is thought now.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Whether the last probe agrees with the verdict; `complete` when every question has
    /// been answered.
    #[must_use]
    pub fn is_settled(&self, complete: bool) -> bool {
        match &self.verdict {
            Verdict::Unknown => false,
            Verdict::Healthy => self.failures.is_none() && complete,
            Verdict::Failing(_) => self.failures.is_some(),
        }
    }

    /// Takes in what a probe came to; tells whether that changes the verdict.
    pub fn note(&mut self, question: &Question, outcome: Result<(), Failure>, now: Timestamp) -> bool {
        match outcome {
            Ok(()) => self.answered(),
            Err(failure) => self.failed(question, failure, now),
        }
    }

    fn answered(&mut self) -> bool {
        self.answers = self.answers.saturating_add(1);
        self.failures = None;
        let enough = match self.verdict {
            Verdict::Unknown => true,
            Verdict::Healthy => false,
            Verdict::Failing(_) => self.answers >= ANSWERS,
        };
        if enough {
            self.verdict = Verdict::Healthy;
        }
        enough
    }

    fn failed(&mut self, question: &Question, failure: Failure, now: Timestamp) -> bool {
        self.answers = 0;
        let failures = self.failures.get_or_insert(Failures {
            since: now,
            count: 0,
            alike: 0,
            last: None,
        });
        let this = (failure, question.clone());
        let again = failures.last.as_ref() == Some(&this);
        failures.count = failures.count.saturating_add(1);
        failures.alike = if again {
            failures.alike.saturating_add(1)
        } else {
            1
        };
        let since = match &self.verdict {
            Verdict::Failing(known) if known.failure == this.0 && known.question == this.1 => None,
            // Reasons that take turns are not told each time.
            Verdict::Failing(known) => (failures.alike >= FAILURES).then_some(known.since),
            Verdict::Unknown | Verdict::Healthy => (failures.count >= FAILURES).then_some(failures.since),
        };
        failures.last = Some(this.clone());
        let Some(since) = since else {
            return false;
        };
        let (failure, question) = this;
        self.verdict = Verdict::Failing(Trouble {
            since,
            failure,
            question,
        });
        true
    }
}
