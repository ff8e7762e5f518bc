//! Wanted record sets as the server's zones would list them. What the server has said of the
//! record sets of a name is kept: it depends on nothing else.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prost::Message as _;
use records::{Endpoint, Zone, ZoneId};

use super::failure::Failure;
use super::link::Link;
use crate::protocol::v2;
use crate::protocol::v2::AdjustRequest;
use crate::protocol::zones::{endpoint, record_set};
use crate::revision::Revision;

/// After so many octets of record sets a call ends.
const OCTETS: usize = 1024 * 1024;

/// What is kept of the server's answers.
#[derive(Default)]
pub(super) struct Adjustments(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// By zone, and by what is wanted of a name.
    answers: HashMap<ZoneId, HashMap<Revision, Answer>>,
    /// Counts the calls; what neither this one nor the one before has needed is forgotten.
    call: u32,
    /// The connection that the answers came over: another may lead to another server.
    connection: u64,
}

/// What becomes of the record sets of a name.
struct Answer {
    /// None if they are listed as they are wanted.
    adjusted: Option<Box<[Endpoint]>>,
    needed: u32,
}

/// The record sets of one name, among those that are wanted.
struct Wish<'a> {
    places: Range<usize>,
    zone: &'a ZoneId,
    /// What the record sets are.
    content: Revision,
}

impl Adjustments {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wanted record sets as these zones would list them; those outside the zones stay as
    /// they are. Asks the server for what is not kept.
    pub async fn adjust(
        &self,
        link: &Link,
        limit: Duration,
        zones: &[Zone],
        mut wanted: Vec<Endpoint>,
    ) -> Result<Vec<Endpoint>, Failure> {
        wanted.sort_by_cached_key(|record| record.place().into_owned());
        let wishes = wishes(zones, &wanted);
        let connection = link.connection().number;
        let unknown = self.unknown(&wishes, connection);
        for some in calls(unknown, &wanted) {
            let zone_id = some.first().map(|wish| String::from(&*wish.zone.0));
            let sets = some
                .iter()
                .flat_map(|wish| &wanted[wish.places.clone()])
                .map(record_set);
            let sets: Vec<v2::RecordSet> = sets.collect();
            let response = link.ask(limit, async |mut client, namespace| {
                let request = AdjustRequest {
                    namespace,
                    zone_id: zone_id.unwrap_or_default(),
                    record_sets: sets,
                };
                client.adjust(request).await
            });
            self.keep(&wanted, &some, response.await?.record_sets);
        }
        Ok(self.answer(wanted, wishes))
    }

    /// The wishes of which nothing is known.
    fn unknown<'a>(&self, wishes: &'a [Wish<'a>], connection: u64) -> Vec<&'a Wish<'a>> {
        let mut kept = self.kept();
        if kept.connection != connection {
            kept.answers.clear();
            kept.connection = connection;
        }
        let is_known = |wish: &&Wish<'_>| {
            let answers = kept.answers.get(wish.zone);
            answers.is_some_and(|answers| answers.contains_key(&wish.content))
        };
        wishes.iter().filter(|wish| !is_known(wish)).collect()
    }

    /// Keeps an answer.
    fn keep(&self, wanted: &[Endpoint], wishes: &[&Wish<'_>], told: Vec<v2::RecordSet>) {
        let mut by_place = HashMap::<String, Vec<Endpoint>>::new();
        for set in told {
            let record = endpoint(set);
            by_place
                .entry(record.place().into_owned())
                .or_default()
                .push(record);
        }
        let mut kept = self.kept();
        let needed = kept.call;
        for wish in wishes {
            let wanted = &wanted[wish.places.clone()];
            let place = wanted.first().map(Endpoint::place).unwrap_or_default();
            let adjusted = by_place.remove(&*place).unwrap_or_default();
            let adjusted = (!same(wanted, &adjusted)).then(|| adjusted.into());
            let answers = kept.answers.entry(wish.zone.clone()).or_default();
            answers.insert(wish.content, Answer { adjusted, needed });
        }
    }

    /// The record sets as they are listed, with the labels of those that they come from.
    fn answer(&self, wanted: Vec<Endpoint>, wishes: Vec<Wish<'_>>) -> Vec<Endpoint> {
        let mut kept = self.kept();
        let kept = &mut *kept;
        let mut answered = Vec::with_capacity(wanted.len());
        let mut wanted = wanted.into_iter();
        let mut place = 0;
        for wish in wishes {
            answered.extend(wanted.by_ref().take(wish.places.start - place));
            place = wish.places.end;
            let group: Vec<Endpoint> = wanted.by_ref().take(wish.places.len()).collect();
            let answers = kept.answers.get_mut(wish.zone);
            let answer = answers.and_then(|answers| answers.get_mut(&wish.content));
            let adjusted = answer.and_then(|answer| {
                answer.needed = kept.call;
                answer.adjusted.as_deref()
            });
            match adjusted {
                None => answered.extend(group),
                Some(adjusted) => answered.extend(adjusted.iter().map(|record| labelled(record, &group))),
            }
        }
        answered.extend(wanted);
        let before = kept.call.saturating_sub(1);
        for answers in kept.answers.values_mut() {
            answers.retain(|_, answer| answer.needed >= before);
        }
        kept.call += 1;
        answered
    }
}

/// The record sets of each name that a zone has, of a list in the order of their places.
fn wishes<'a>(zones: &'a [Zone], wanted: &[Endpoint]) -> Vec<Wish<'a>> {
    let mut wishes = Vec::new();
    let mut start = 0;
    for group in wanted.chunk_by(|one, other| one.place() == other.place()) {
        let places = start..start + group.len();
        start = places.end;
        let name = group.first().and_then(|record| record.name().ok());
        if let Some(zone) = name.and_then(|name| Zone::of(zones, &name)) {
            wishes.push(Wish {
                places,
                zone: &zone.id,
                content: Revision::of(group),
            });
        }
    }
    wishes
}

/// Wishes in as few calls as can be: each is for one zone, and not too large.
fn calls<'a>(mut wishes: Vec<&'a Wish<'a>>, wanted: &[Endpoint]) -> Vec<Vec<&'a Wish<'a>>> {
    wishes.sort_by_key(|wish| wish.zone);
    let mut calls: Vec<Vec<&Wish<'_>>> = Vec::new();
    let mut octets = 0;
    for wish in wishes {
        let sets = wanted[wish.places.clone()].iter();
        let size: usize = sets.map(|record| record_set(record).encoded_len()).sum();
        octets += size;
        match calls.last_mut() {
            Some(call) if call[0].zone == wish.zone && octets <= OCTETS => call.push(wish),
            _ => {
                octets = size;
                calls.push(vec![wish]);
            }
        }
    }
    calls
}

fn same(wanted: &[Endpoint], adjusted: &[Endpoint]) -> bool {
    let is_there = |one: &Endpoint| adjusted.iter().any(|other| other.same_records(one));
    wanted.len() == adjusted.len() && wanted.iter().all(is_there)
}

/// A record set with the labels of the one that it comes from: that of its key, otherwise
/// of its set identifier, otherwise the first.
fn labelled(adjusted: &Endpoint, wanted: &[Endpoint]) -> Endpoint {
    let of_identifier = |record: &&Endpoint| record.set_identifier == adjusted.set_identifier;
    let of_key = |record: &&Endpoint| of_identifier(record) && record.record_type == adjusted.record_type;
    let origin = wanted
        .iter()
        .find(of_key)
        .or_else(|| wanted.iter().find(of_identifier))
        .or(wanted.first());
    Endpoint {
        labels: origin.map(|origin| origin.labels.clone()).unwrap_or_default(),
        ..adjusted.clone()
    }
}
