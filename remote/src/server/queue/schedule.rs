//! Whose turn it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use records::{Name, Outcome};
use tokio::sync::mpsc;

use super::Work;

/// What came of a group, with its place among those that the client asked for.
pub(super) type Answer = (usize, Outcome);

/// A group that waits.
pub struct Waiting {
    work: Work,
    place: usize,
    answers: mpsc::UnboundedSender<Answer>,
}

/// The groups that wait, by namespace, and the namespaces in the order of their turns.
#[derive(Default)]
pub(super) struct Schedule {
    turns: VecDeque<Box<str>>,
    waiting: BTreeMap<Box<str>, VecDeque<Waiting>>,
    count: usize,
}

impl Waiting {
    /// What is to be done.
    pub(in super::super) fn work(&self) -> &Work {
        &self.work
    }

    /// Tells the client, if it still waits.
    pub(in super::super) fn answer(self, outcome: Outcome) {
        // A client that does not wait any more wants no answer.
        let _told = self.answers.send((self.place, outcome));
    }
}

impl Schedule {
    /// How many groups wait.
    pub fn waiting(&self) -> usize {
        self.count
    }

    /// How many groups of a namespace wait.
    pub fn waiting_of(&self, namespace: &str) -> usize {
        self.waiting.get(namespace).map_or(0, VecDeque::len)
    }

    /// Puts groups behind those of the namespace that wait already.
    pub fn push(&mut self, namespace: &str, works: Vec<Work>, answers: &mpsc::UnboundedSender<Answer>) {
        self.count += works.len();
        let queue = self.waiting.entry(namespace.into()).or_default();
        if queue.is_empty() {
            self.turns.push_back(namespace.into());
        }
        queue.extend(works.into_iter().enumerate().map(|(place, work)| Waiting {
            work,
            place,
            answers: answers.clone(),
        }));
    }

    /// Takes out all of them.
    pub fn take(&mut self) -> impl Iterator<Item = Waiting> + use<> {
        std::mem::take(self).waiting.into_values().flatten()
    }

    /// Takes out groups in turns until they have so many changes. Groups that touch one name are never in one
    /// batch: the second is to see what came of the first, and waits with all behind it.
    pub fn batch(&mut self, most: usize) -> Vec<Waiting> {
        let (mut batch, mut held) = (Vec::new(), Vec::new());
        let mut touched: BTreeSet<Name> = BTreeSet::new();
        let mut changes = 0;
        while changes < most {
            let Some(namespace) = self.turns.pop_front() else {
                break;
            };
            let Some(queue) = self.waiting.get_mut(&namespace) else {
                continue;
            };
            let before = queue.len();
            while queue.front().is_some_and(|next| next.answers.is_closed()) {
                queue.pop_front();
            }
            self.count -= before - queue.len();
            if queue
                .front()
                .is_some_and(|next| !next.work.names().is_disjoint(&touched))
            {
                held.push(namespace);
                continue;
            }
            if let Some(next) = queue.pop_front() {
                self.count -= 1;
                changes += next.work.changes();
                touched.extend(next.work.names().iter().cloned());
                batch.push(next);
            }
            if queue.is_empty() {
                self.waiting.remove(&namespace);
            } else {
                self.turns.push_back(namespace);
            }
        }
        for namespace in held.into_iter().rev() {
            self.turns.push_front(namespace);
        }
        batch
    }
}
