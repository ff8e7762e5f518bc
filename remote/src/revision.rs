//! Revisions of zones. The content alone tells the revision: any two servers with the same
//! content tell the same one, after a restart and after a failover too.
//!
//! Each record set has a digest, the first 128 bits of SHA-256 over its canonical encoding;
//! the revision is the sum of the digests. So a change costs what it changes, and the order
//! of records, targets and properties does not matter. The sums of 256 parts are kept as
//! well: who holds another state finds out by them which parts of it differ. Labels are no
//! content: zones have no place for them.
//!
//! Sums tell apart what happens to be different. They are no proof against somebody who is
//! free to choose the records of a whole zone, and can deceive nobody but its readers.

use std::borrow::Borrow;

use std::fmt;
use std::str::FromStr;

use records::{Endpoint, Fault};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// How many parts a zone has.
pub const PARTS: usize = 256;
/// The octets of a digest.
const OCTETS: usize = 16;

/// A state of a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Revision(u128);

/// The digests of a zone: of its parts, and of all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    whole: u128,
    parts: Box<[u128; PARTS]>,
}

/// The part that a name is in: the first octet of the SHA-256 of its text, in lower case and
/// without a final dot.
#[must_use]
pub fn part(name: &str) -> u8 {
    Sha256::digest(name)[0]
}

/// A text that is none of a revision.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a revision is written as 32 hexadecimal digits")]
pub struct InvalidRevision;

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl FromStr for Revision {
    type Err = InvalidRevision;

    fn from_str(text: &str) -> Result<Self, InvalidRevision> {
        let is_revision = text.len() == 2 * OCTETS && !text.starts_with('+');
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_revision);
        number.map(Self).ok_or(InvalidRevision)
    }
}

impl Revision {
    /// That of a zone that holds these record sets.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Endpoint>) -> Self {
        let digests = records.into_iter().map(digest);
        Self(digests.fold(0, u128::wrapping_add))
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn to_octets(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    /// What came over the wire; none where the field is empty.
    pub fn from_octets(field: &str, octets: &[u8]) -> Result<Option<Self>, Fault> {
        if octets.is_empty() {
            return Ok(None);
        }
        match octets.try_into() {
            Ok(octets) => Ok(Some(Self(u128::from_be_bytes(octets)))),
            Err(_) => Err(length_fault(field, octets.len(), OCTETS)),
        }
    }
}

impl Default for Digests {
    fn default() -> Self {
        Self {
            whole: 0,
            parts: Box::new([0; PARTS]),
        }
    }
}

impl Digests {
    /// Those of record sets.
    pub fn of(records: impl IntoIterator<Item: Borrow<Endpoint>>) -> Self {
        let mut digests = Self::default();
        for record in records {
            let record: &Endpoint = record.borrow();
            digests.put_in(part(&record.place()), record);
        }
        digests
    }

    /// Puts in a record set, which is in this part.
    pub fn put_in(&mut self, part: u8, record: &Endpoint) {
        let digest = digest(record);
        let sum = &mut self.parts[usize::from(part)];
        *sum = sum.wrapping_add(digest);
        self.whole = self.whole.wrapping_add(digest);
    }

    /// Takes out a record set that is in, in this part.
    pub fn take_out(&mut self, part: u8, record: &Endpoint) {
        let digest = digest(record);
        let sum = &mut self.parts[usize::from(part)];
        *sum = sum.wrapping_sub(digest);
        self.whole = self.whole.wrapping_sub(digest);
    }

    /// The revision of a zone with these digests.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision(self.whole)
    }

    /// The digests of the parts as they go over the wire.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        self.parts.iter().flat_map(|sum| sum.to_be_bytes()).collect()
    }

    /// The parts in which somebody holds another state, by the digests that came over the
    /// wire; none where the field is empty.
    pub fn differing(&self, field: &str, octets: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if octets.is_empty() {
            return Ok(None);
        }
        if octets.len() != PARTS * OCTETS {
            return Err(length_fault(field, octets.len(), PARTS * OCTETS));
        }
        let differing = (0..=u8::MAX)
            .zip(octets.chunks_exact(OCTETS))
            .filter(|(part, theirs)| self.parts[usize::from(*part)].to_be_bytes() != **theirs);
        Ok(Some(differing.map(|(part, _)| part).collect()))
    }
}

/// The digest of a record set: over its name, type, set identifier, TTL, targets and
/// properties, each with its length before it and the lists in order.
fn digest(record: &Endpoint) -> u128 {
    let mut hash = Sha256::new();
    text(&mut hash, &record.place());
    text(&mut hash, record.record_type.as_str());
    text(&mut hash, &record.set_identifier);
    hash.update(record.ttl.map_or(0, u32::from).to_be_bytes());
    let mut targets: Vec<&str> = record.targets.iter().map(|target| &**target).collect();
    targets.sort_unstable();
    count(&mut hash, targets.len());
    for target in targets {
        text(&mut hash, target);
    }
    let mut properties: Vec<_> = record.provider_specific.iter().collect();
    properties.sort_unstable();
    count(&mut hash, properties.len());
    for property in properties {
        text(&mut hash, &property.name);
        text(&mut hash, &property.value);
    }
    let mut octets = [0; OCTETS];
    octets.copy_from_slice(&hash.finalize()[..OCTETS]);
    u128::from_be_bytes(octets)
}

fn text(hash: &mut Sha256, text: &str) {
    count(hash, text.len());
    hash.update(text);
}

fn count(hash: &mut Sha256, count: usize) {
    hash.update((count as u64).to_be_bytes());
}

fn length_fault(field: &str, octets: usize, allowed: usize) -> Fault {
    Fault {
        field: field.to_owned(),
        value: format!("{octets} octets"),
        allowed: format!("it must be empty or of {allowed} octets"),
    }
}
