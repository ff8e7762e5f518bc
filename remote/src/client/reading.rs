//! A zone in pieces, taken in as they come: beside what is known of the zone there is one
//! piece at a time, and the text of the records.

use std::time::Duration;

use records::record_list::Builder;
use records::{RecordList, Zone};
use tokio::time::timeout;
use tonic::{Response, Status, Streaming};

use super::failure::Failure;
use super::link::{Connection, Link};
use crate::protocol::v2::read_zone_response::{Header, Piece};
use crate::protocol::v2::{ReadZoneRequest, ReadZoneResponse};
use crate::protocol::zones::{Basis, basis, endpoint};
use crate::revision::{Digests, Revision, part};

/// What is known of a zone when it is read.
#[derive(Default)]
pub(super) struct Known {
    /// The revision; none if nothing is known.
    pub revision: Option<Revision>,
    /// The digests of the parts, for a server that does not remember the revision.
    pub digests: Option<Vec<u8>>,
    /// Only these names are wanted.
    pub names: Vec<String>,
}

/// What the server has told of a zone.
pub(super) struct Taken {
    /// What it is told in the place of.
    pub basis: Basis,
    /// What the zone then is.
    pub revision: Revision,
    /// How long ago the server knew it for certain.
    pub age: Duration,
    /// What is there now.
    pub records: RecordList,
    /// The digests of these.
    pub digests: Digests,
}

/// Reads a zone. Where all of it would be told and that is not wanted, nothing is, and what is
/// known does not come to be the revision.
pub(super) async fn read(
    link: &Link,
    limit: Duration,
    zone: &Zone,
    known: Known,
    is_whole_wanted: bool,
) -> Result<Taken, Failure> {
    link.turn().await;
    let connection = link.connection();
    let request = ReadZoneRequest {
        namespace: String::from(&*connection.namespace),
        zone_id: String::from(&*zone.id.0),
        known_revision: known.revision.map(Revision::to_octets).unwrap_or_default(),
        part_digests: known.digests.unwrap_or_default(),
        names: known.names,
        unless_whole: !is_whole_wanted,
    };
    let reading = async {
        let mut client = connection.zones();
        let mut stream = client.read_zone(request).await?.into_inner();
        let Some(header) = header(&mut stream).await? else {
            return Ok(Err("a zone was told without a header"));
        };
        let (Some(basis), Ok(Some(revision))) = (
            header.basis.and_then(basis),
            Revision::from_octets("revision", &header.revision),
        ) else {
            return Ok(Err("the header of a zone cannot be understood"));
        };
        let (records, digests) = pieces(&mut stream).await?;
        Ok(Ok(Taken {
            basis,
            revision,
            age: Duration::from_secs(header.age_seconds),
            records,
            digests,
        }))
    };
    let answer: Option<Result<Result<_, &str>, Status>> = timeout(limit, Box::pin(reading)).await.ok();
    finish(link, &connection, limit, answer)
}

fn finish<T>(
    link: &Link,
    connection: &Connection,
    limit: Duration,
    answer: Option<Result<Result<T, &str>, Status>>,
) -> Result<T, Failure> {
    let answer = answer.map(|answer| answer.map(Response::new));
    let told = link.finished(connection, limit, answer)?;
    told.map_err(|reason| Failure::malformed(reason, &connection.address))
}

async fn header(stream: &mut Streaming<ReadZoneResponse>) -> Result<Option<Header>, Status> {
    let first = stream.message().await?;
    Ok(first.and_then(|message| match message.piece {
        Some(Piece::Header(header)) => Some(header),
        _ => None,
    }))
}

/// All record sets that follow. A stream that is cut off ends with an error.
async fn pieces(stream: &mut Streaming<ReadZoneResponse>) -> Result<(RecordList, Digests), Status> {
    let (mut records, mut digests) = (Builder::default(), Digests::default());
    while let Some(message) = stream.message().await? {
        let Some(Piece::RecordSets(piece)) = message.piece else {
            continue;
        };
        for set in piece.record_sets {
            let record = endpoint(set);
            digests.put_in(part(&record.place()), &record);
            records.push(&record);
        }
    }
    Ok((records.finish(), digests))
}
