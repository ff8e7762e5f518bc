//! Answers that are kept for a while.

use std::collections::BTreeMap;
use std::time::Instant;

/// A SHA-256 of what was asked about, so that no token is kept.
pub type Digest = [u8; 32];

/// Answers by the digest of what was asked, each with a time until which it holds.
#[derive(Debug)]
pub struct Memory<V> {
    capacity: usize,
    answers: BTreeMap<Digest, (Instant, V)>,
}

impl<V: Clone> Memory<V> {
    /// A memory for at most so many answers.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            answers: BTreeMap::new(),
        }
    }

    /// An answer that still holds.
    #[must_use]
    pub fn get(&self, question: &Digest, now: Instant) -> Option<V> {
        let (until, answer) = self.answers.get(question)?;
        (now < *until).then(|| answer.clone())
    }

    /// Keeps an answer. Where there is no room, the one goes that would go next.
    pub fn put(&mut self, question: Digest, answer: V, now: Instant, until: Instant) {
        self.answers.retain(|_, (until, _)| now < *until);
        if self.answers.len() >= self.capacity && !self.answers.contains_key(&question) {
            let next = self.answers.iter().min_by_key(|(_, (until, _))| *until);
            if let Some(next) = next.map(|(question, _)| *question) {
                self.answers.remove(&next);
            }
        }
        self.answers.insert(question, (until, answer));
    }

    /// How many answers are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether no answer is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}
