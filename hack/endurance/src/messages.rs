//! `hack/soak messages`: messages that no client would send, for the decoders of the remote
//! provider and for a [`live`] server.

mod live;

use std::cell::Cell;
use std::fmt;

use anyhow::{Context as _, Result, anyhow};
use devcluster::Progress;
use fuzzing::octets::any_octets;
use fuzzing::{Tally, judge};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tokio::runtime::Runtime;

use live::{Answers, Live, MOST_GROWTH};

/// Of so many messages one goes to the server, in every call there is.
const SHARE: u64 = 50;
/// After so many messages it is told how it goes.
const TELL: u64 = 100_000;
/// After so many that something is wrong with, no more are drawn.
const ENOUGH: usize = 10;

/// What came of messages.
#[derive(Debug, Default)]
pub struct Messages {
    /// What they were drawn from.
    pub seed: u64,
    /// How many there were.
    pub count: u64,
    /// What became of them in the decoders.
    pub tally: Tally,
    /// How often the server answered with each code, by its name.
    pub answers: Answers,
    /// By how many kB memory grew while the server answered.
    pub growth: u32,
    /// What was wrong, each with the least message that shows it.
    pub wrong: Vec<String>,
}

impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nseed {}: {} messages", self.seed, self.count)?;
        let tally = &self.tally;
        for (count, what) in [
            (tally.decoded, "times a message of some kind"),
            (tally.undecodable, "times none"),
            (tally.accepted, "parts of them accepted"),
            (tally.refused, "parts of them refused"),
            (self.answers.values().sum(), "calls answered by a server over TLS"),
        ] {
            writeln!(f, "{count:>10} {what}")?;
        }
        for (code, count) in &self.answers {
            writeln!(f, "{count:>10}   {code}")?;
        }
        writeln!(f, "{:>10} kB more memory after them", self.growth)?;
        writeln!(f, "{:>10} wrong", self.wrong.len())?;
        for wrong in &self.wrong {
            writeln!(f, "\n{wrong}")?;
        }
        Ok(())
    }
}

/// Draws so many messages, those of the numbers from `seed` on, and hands each to all decoders;
/// some go to a server too, which must answer and stay within its memory.
pub fn send(seed: u64, count: u64, progress: &Progress) -> Result<Messages> {
    let runtime = Runtime::new().context("failed to start the runtime")?;
    let live = runtime.block_on(Live::start())?;
    let mut messages = Messages {
        seed,
        ..Messages::default()
    };
    let drawn = any_octets();
    for place in 0..count {
        let number = seed.wrapping_add(place);
        let mut runner = runner(number);
        let tree = drawn
            .new_tree(&mut runner)
            .map_err(|reason| anyhow!("failed to draw a message: {reason}"))?;
        if place.is_multiple_of(SHARE) {
            let answered = runtime.block_on(live.call_all(&tree.current(), &mut messages.answers));
            if let Err(wrong) = answered {
                messages.wrong.push(told(number, &wrong, &tree.current()));
            }
        }
        let tally = Cell::new(Tally::default());
        let judged = runner.run_one(tree, |octets| {
            tally.set(judge(&octets).map_err(TestCaseError::fail)?);
            Ok(())
        });
        match judged {
            Ok(_) => messages.tally += tally.get(),
            Err(TestError::Fail(reason, least)) => {
                messages.wrong.push(told(number, reason.message(), &least));
            }
            Err(TestError::Abort(reason)) => return Err(anyhow!("failed to judge a message: {reason}")),
        }
        messages.count += 1;
        if messages.count.is_multiple_of(TELL) {
            progress.say(format!(
                "{} messages, {} wrong",
                messages.count,
                messages.wrong.len()
            ));
        }
        if messages.wrong.len() >= ENOUGH {
            break;
        }
    }
    messages.growth = live.growth()?;
    if messages.growth > MOST_GROWTH {
        messages.wrong.push(format!(
            "memory grew by {} kB, and {MOST_GROWTH} kB are the most",
            messages.growth
        ));
    }
    Ok(messages)
}

/// What draws the message of a number, the same each time.
fn runner(number: u64) -> TestRunner {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

fn told(number: u64, wrong: &str, least: &[u8]) -> String {
    format!("--seed {number} --count 1: {wrong}\nthe least message that shows it: {least:02x?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood_or_refused_and_a_server_answers() {
        let messages = send(1, 2_000, &Progress::hidden()).unwrap();
        assert!(messages.wrong.is_empty(), "{messages}");
        assert_eq!(messages.count, 2_000);
        let Tally {
            decoded,
            undecodable,
            accepted,
            refused,
        } = messages.tally;
        // Every fate is among them.
        assert!(
            decoded.min(undecodable).min(accepted).min(refused) > 100,
            "{messages}"
        );
        assert!(messages.answers["Ok"] > 0, "{messages}");
    }
}
