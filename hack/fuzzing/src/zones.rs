//! What zones hold, and what a reader knows of it.

use records::Endpoint;
use remote::protocol::gardener::{WITH_ROUTING, endpoints, zone_state};
use remote::protocol::v2::read_zone_response::{Header, Piece};
use remote::protocol::{v1, v2, zones};
use remote::revision::{Digests, Revision};

use super::judgement::{Judge, same};

/// What a reader says that it knows.
pub(super) fn known(judge: &mut Judge<'_>, read: &v2::ReadZoneRequest) -> Result<(), String> {
    revision(judge, "known_revision", &read.known_revision)?;
    match Digests::default().differing("part_digests", &read.part_digests) {
        Ok(_) => {
            judge.accept();
            Ok(())
        }
        Err(fault) => judge.refuse(&fault, &["part_digests"]),
    }
}

/// A revision.
pub(super) fn revision(judge: &mut Judge<'_>, field: &str, octets: &[u8]) -> Result<(), String> {
    match Revision::from_octets(field, octets) {
        Ok(revision) => {
            judge.accept();
            let back = revision.map(Revision::to_octets).unwrap_or_default();
            same("told again", &back.as_slice(), &octets)
        }
        Err(fault) => judge.refuse(&fault, &[field]),
    }
}

/// A piece of a zone.
pub(super) fn piece(judge: &mut Judge<'_>, answer: v2::ReadZoneResponse) -> Result<(), String> {
    match answer.piece {
        Some(Piece::Header(header)) => self::header(judge, header),
        Some(Piece::RecordSets(piece)) => piece
            .record_sets
            .into_iter()
            .try_for_each(|set| record_set(judge, set)),
        None => Ok(()),
    }
}

fn header(judge: &mut Judge<'_>, header: Header) -> Result<(), String> {
    revision(judge, "revision", &header.revision)?;
    let Some(basis) = header.basis.and_then(zones::basis) else {
        return Ok(());
    };
    judge.accept();
    let back = zones::basis(zones::basis_message(&basis));
    same("told again", &back.as_ref(), &Some(&basis))
}

/// A record set of a zone, which may be anything. Who is told it comes to the same revision as
/// who tells it; and it is told as it came, but for how its name and type are written.
pub(super) fn record_set(judge: &mut Judge<'_>, set: v2::RecordSet) -> Result<(), String> {
    let record = zones::endpoint(set.clone());
    judge.accept();
    let told = zones::record_set(&record);
    let back = zones::endpoint(told.clone());
    let revision = |record: &Endpoint| Digests::of([record]).revision();
    if revision(&back) != revision(&record) {
        return Err(format!(
            "told again it is another one:\n{back:?}\nwas\n{record:?}"
        ));
    }
    let plain = |set| v2::RecordSet {
        name: String::new(),
        r#type: String::new(),
        ..set
    };
    same("told again", &plain(told), &plain(set))
}

/// A zone of Gardener's protocol. What can be written is told again as it was told.
pub(super) fn state(judge: &mut Judge<'_>, state: v1::ZoneState) -> Result<(), String> {
    let held: Vec<Endpoint> = endpoints(state).collect();
    for _ in &held {
        judge.accept();
    }
    let sound = held.iter().filter(|record| record.check().is_ok());
    let tell = |records: Vec<&Endpoint>| {
        zone_state(records, WITH_ROUTING, usize::MAX).map_err(|error| error.to_string())
    };
    let told = tell(sound.collect())?;
    let back: Vec<Endpoint> = endpoints(told.clone()).collect();
    same("told again", &tell(back.iter().collect())?, &told)
}
