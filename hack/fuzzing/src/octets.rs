//! Octets at random, and those of messages of which some octets are others.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::messages::valid;

/// The most octets of those at random.
const LONGEST: usize = 300;
/// The most octets of a message that are others.
const MUTATIONS: usize = 6;

/// Something done to octets.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Repeat(Index),
    CutOff(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    // Those that mean much where numbers and lengths are, or in names.
    let octet = prop_oneof![
        any::<u8>(),
        select(vec![
            0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, b'.', b'*', b'\\', b'"', b'\t', b' '
        ])
    ];
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), octet.clone()).prop_map(|(place, octet)| Mutation::Set(place, octet)),
        2 => (place(), octet).prop_map(|(place, octet)| Mutation::Insert(place, octet)),
        2 => place().prop_map(Mutation::Remove),
        1 => place().prop_map(Mutation::Repeat),
        1 => place().prop_map(Mutation::CutOff),
    ]
}

fn mutated(mut octets: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        if octets.is_empty() {
            break;
        }
        let length = octets.len();
        match mutation {
            Mutation::Set(place, octet) => octets[place.index(length)] = *octet,
            Mutation::Insert(place, octet) => octets.insert(place.index(length), *octet),
            Mutation::Remove(place) => drop(octets.remove(place.index(length))),
            Mutation::Repeat(place) => octets.extend_from_within(place.index(length)..),
            Mutation::CutOff(place) => octets.truncate(place.index(length)),
        }
    }
    octets
}

/// Octets at random.
pub fn random() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..LONGEST)
}

/// Octets that are nearly a message of some kind.
pub fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let mutations = vec(mutation(), 0..MUTATIONS);
    (select(valid()), mutations).prop_map(|(octets, mutations)| mutated(octets, &mutations))
}

/// Either.
pub fn any_octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => random(), 4 => nearly()]
}
