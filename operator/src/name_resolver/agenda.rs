//! Which names have to be looked up, and when.
//!
//! A name is due when the first of its addresses expires, and at once when it has
//! none and nobody has asked yet. If a lookup leads to nothing new, it is repeated:
//! after [`FIRST_DELAY`], then after twice as long each time. No name goes without
//! a lookup for longer than [`LONGEST_DELAY`].

use std::collections::BTreeMap;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::freshness::Known;

/// How long to wait after a lookup that led to nothing new.
pub const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(10);
/// How long to wait for at most.
pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(30);
/// How many pods are asked for a name with several addresses: each has a cache of
/// its own, and different ones may hold different addresses.
const SEVERAL_PODS: usize = 5;

/// A lookup that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The name, fully qualified.
    pub name: String,
    /// How many pods to ask, at most.
    pub pods: usize,
}

/// The names, and what has been asked.
#[derive(Debug, Default)]
pub struct Agenda {
    names: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    known: Known,
    /// Since when the name is here.
    since: Timestamp,
    /// When a lookup was last sent.
    asked: Option<Timestamp>,
    /// How many lookups have been sent since one led to something new.
    fruitless: u32,
    under_way: bool,
}

impl Agenda {
    /// Replaces the names. What was asked of those that stay is remembered.
    pub fn follow<'a>(&mut self, names: impl IntoIterator<Item = (&'a str, Known)>, now: Timestamp) {
        let mut known: BTreeMap<&str, Known> = BTreeMap::new();
        for (name, seen) in names {
            let held = known.entry(name).or_default();
            *held = held.with(seen);
        }
        self.names.retain(|name, _| known.contains_key(name.as_str()));
        for (name, known) in known {
            match self.names.get_mut(name) {
                Some(entry) => entry.learn(known),
                None => {
                    self.names.insert(name.to_owned(), Entry::new(known, now));
                }
            }
        }
    }

    /// When the next lookup is due, unless all are under way.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.names.values().filter(|entry| !entry.under_way);
        waiting.map(Entry::due).min()
    }

    /// Up to `most` lookups that are due, those first whose time came first. They
    /// count as sent, and are under way until they are [`done`](Self::done).
    pub fn take_due(&mut self, now: Timestamp, most: usize) -> Vec<Lookup> {
        let mut due: Vec<(&String, &mut Entry)> = self
            .names
            .iter_mut()
            .filter(|(_, entry)| !entry.under_way && entry.due() <= now)
            .collect();
        due.sort_by_key(|(_, entry)| entry.due());
        due.truncate(most);
        due.into_iter()
            .map(|(name, entry)| Lookup {
                name: name.clone(),
                pods: entry.send(now),
            })
            .collect()
    }

    /// A lookup has come to its end, with an answer or without.
    pub fn done(&mut self, name: &str) {
        if let Some(entry) = self.names.get_mut(name) {
            entry.under_way = false;
        }
    }
}

impl Entry {
    fn new(known: Known, now: Timestamp) -> Self {
        Self {
            known,
            since: now,
            asked: None,
            fruitless: 0,
            under_way: false,
        }
    }

    fn learn(&mut self, known: Known) {
        self.known = known;
        if self.fresh_until().is_some() {
            self.fruitless = 0;
        }
    }

    /// When the addresses expire, if that is news since the last lookup.
    fn fresh_until(&self) -> Option<Timestamp> {
        let news = |expiry: &Timestamp| self.asked.is_none_or(|asked| *expiry > asked);
        self.known.expiry.filter(news)
    }

    fn due(&self) -> Timestamp {
        let last = self.asked.unwrap_or(self.since);
        let wanted = match (self.fresh_until(), self.asked) {
            (Some(expiry), _) => expiry,
            (None, None) => self.since,
            (None, Some(asked)) => later(asked, delay_after(self.fruitless)),
        };
        wanted.min(later(last, LONGEST_DELAY))
    }

    fn send(&mut self, now: Timestamp) -> usize {
        self.asked = Some(now);
        self.fruitless = self.fruitless.saturating_add(1);
        self.under_way = true;
        match self.known.addresses {
            0 | 1 => 1,
            _ => SEVERAL_PODS,
        }
    }
}

/// How long to wait after so many lookups in a row that led to nothing new.
fn delay_after(fruitless: u32) -> SignedDuration {
    let factor = 2_i32.saturating_pow(fruitless.saturating_sub(1));
    FIRST_DELAY.saturating_mul(factor).min(LONGEST_DELAY)
}

fn later(time: Timestamp, delay: SignedDuration) -> Timestamp {
    time.checked_add(delay).unwrap_or(Timestamp::MAX)
}
