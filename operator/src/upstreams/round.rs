//! The questions of one upstream, which it is asked in turn.

use std::collections::HashSet;

use super::target::Question;

/// The questions, and how far they are.
#[derive(Clone, Debug, Default)]
pub struct Round {
    questions: Vec<Question>,
    /// Those that have been answered once.
    answered: HashSet<Question>,
    /// Which comes next.
    at: usize,
    /// Whether that one was not answered when it was last asked.
    stuck: bool,
}

impl Round {
    /// Replaces the questions; tells whether there are new ones, which come next. One
    /// that is being asked until it is answered goes before them.
    pub fn follow(&mut self, questions: &[Question]) -> bool {
        if self.questions == questions {
            return false;
        }
        let pending = self.next().filter(|_| self.stuck).cloned();
        let wanted: HashSet<&Question> = questions.iter().collect();
        self.answered.retain(|question| wanted.contains(question));
        self.questions = questions.to_vec();
        let place = |pending| questions.iter().position(|question| *question == pending);
        let pending = pending.and_then(place);
        self.stuck = pending.is_some();
        self.at = pending.or(self.first_new()).unwrap_or(0);
        !self.is_complete()
    }

    /// What to ask now.
    #[must_use]
    pub fn next(&self) -> Option<&Question> {
        self.questions.get(self.at)
    }

    /// Takes in whether a question was answered: if so, the next one is asked, and the
    /// same one again otherwise.
    pub fn note(&mut self, question: &Question, answered: bool) {
        if self.next() != Some(question) {
            return;
        }
        self.stuck = !answered;
        if self.stuck {
            return;
        }
        self.answered.insert(question.clone());
        let after = (self.at + 1) % self.questions.len().max(1);
        self.at = self.first_new().unwrap_or(after);
    }

    /// Whether every question has been answered once.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.answered.len() == self.questions.len()
    }

    fn first_new(&self) -> Option<usize> {
        if self.is_complete() {
            return None;
        }
        self.questions
            .iter()
            .position(|question| !self.answered.contains(question))
    }
}
