//! A zone in pieces. What a reader is told is one state, whatever changes meanwhile; of it,
//! the server holds no more than two pieces for a reader.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{BoxStream, unfold};
use prost::Message as _;
use records::{Endpoint, Name};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;
use tonic::Status;

use super::super::catalogue::NamespaceZone;
use super::super::central::Central;
use super::super::publication::{Basis, State};
use super::super::status::{self, NO_ROOM};
use crate::protocol::v2::read_zone_response::{Header, Piece};
use crate::protocol::v2::{ReadZoneRequest, ReadZoneResponse, RecordSets};
use crate::protocol::zones::{basis_message, record_set};
use crate::revision::Revision;

/// How many pieces wait for a reader.
const PIECES: usize = 2;

/// What the task that reads sends.
enum Sent {
    Piece(ReadZoneResponse),
    /// Without it, the pieces are not all.
    End,
}

/// Begins to tell a zone.
pub(super) async fn read(
    central: &Arc<Central>,
    request: ReadZoneRequest,
) -> Result<BoxStream<'static, Result<ReadZoneResponse, Status>>, Status> {
    let namespace = &*request.namespace;
    let zone = central.zone(namespace, &request.zone_id)?;
    let known = Revision::from_octets("known_revision", &request.known_revision)
        .map_err(|fault| status::invalid(&fault))?;
    let room = Arc::clone(central.reads()).try_acquire_owned().map_err(|_| {
        central
            .metrics()
            .count(namespace, |figures| figures.overloads += 1);
        let most = central.settings().most_reads;
        status::exhausted(format!("{most} zones are being read, which is the most"), NO_ROOM)
    })?;
    let state = zone.served.latest().await;
    let state = state.map_err(|error| status::of_provider(&error))?;
    let differing = state
        .digests()
        .differing("part_digests", &request.part_digests)
        .map_err(|fault| status::invalid(&fault))?;
    let basis = if request.names.is_empty() {
        zone.served.publication().since(&state, known, differing)
    } else {
        Basis::Names(places(request.names))
    };
    let header = header(&zone, &state, &basis);
    let basis = match basis {
        Basis::Whole if request.unless_whole => Basis::Names(BTreeSet::new()),
        basis => basis,
    };
    central.metrics().count(namespace, |figures| {
        figures.reads += 1;
        figures.whole_reads += u64::from(basis == Basis::Whole);
    });
    let telling = Telling {
        header,
        state,
        basis,
        central: Arc::clone(central),
        namespace: namespace.to_owned(),
    };
    let (sender, receiver) = mpsc::channel(PIECES);
    tokio::spawn(telling.run(sender, room));
    Ok(unfold(Some(receiver), next).boxed())
}

/// Where names stand in a zone.
fn places(names: Vec<String>) -> BTreeSet<Box<str>> {
    let names = names.into_iter();
    names
        .map(|name| Name::parse(&name).map_or_else(|_| name.into(), |name| name.as_str().into()))
        .collect()
}

fn header(zone: &NamespaceZone, state: &State, basis: &Basis) -> Header {
    Header {
        revision: state.revision().to_octets(),
        age_seconds: zone.served.age().unwrap_or_default().as_secs(),
        basis: Some(basis_message(basis)),
    }
}

/// The record sets that are told, one at a time.
fn told<'a>(state: &'a State, basis: &'a Basis) -> Box<dyn Iterator<Item = Endpoint> + Send + 'a> {
    match basis {
        Basis::Whole => Box::new(state.records().iter()),
        Basis::Names(names) => Box::new(names.iter().flat_map(|name| state.at(name))),
        Basis::Parts(parts) => Box::new(state.of_parts(parts)),
    }
}

/// What one reader is told.
struct Telling {
    header: Header,
    state: Arc<State>,
    basis: Basis,
    central: Arc<Central>,
    namespace: String,
}

impl Telling {
    /// Sends all pieces as the reader takes them; gives up on one who takes nothing.
    async fn run(mut self, pieces: mpsc::Sender<Sent>, room: OwnedSemaphorePermit) {
        let header = std::mem::take(&mut self.header);
        if !self
            .send(&pieces, Sent::Piece(response(Piece::Header(header))))
            .await
        {
            return;
        }
        let settings = self.central.settings();
        let mut piece = RecordSets::default();
        let mut octets = 0;
        for record in told(&self.state, &self.basis) {
            let set = record_set(&record);
            octets += set.encoded_len();
            piece.record_sets.push(set);
            if octets >= settings.piece_octets || piece.record_sets.len() >= settings.piece_records {
                octets = 0;
                if !self.send_records(&pieces, std::mem::take(&mut piece)).await {
                    return;
                }
            }
        }
        if piece.record_sets.is_empty() || self.send_records(&pieces, piece).await {
            self.send(&pieces, Sent::End).await;
        }
        drop(room);
    }

    async fn send_records(&self, pieces: &mpsc::Sender<Sent>, piece: RecordSets) -> bool {
        self.central.metrics().count(&self.namespace, |figures| {
            figures.records += piece.record_sets.len() as u64;
        });
        self.send(pieces, Sent::Piece(response(Piece::RecordSets(piece))))
            .await
    }

    async fn send(&self, pieces: &mpsc::Sender<Sent>, piece: Sent) -> bool {
        matches!(
            timeout(self.central.settings().patience, pieces.send(piece)).await,
            Ok(Ok(()))
        )
    }
}

fn response(piece: Piece) -> ReadZoneResponse {
    ReadZoneResponse { piece: Some(piece) }
}

/// The next piece. A stream that is broken off ends with an error.
async fn next(
    receiver: Option<mpsc::Receiver<Sent>>,
) -> Option<(Result<ReadZoneResponse, Status>, Option<mpsc::Receiver<Sent>>)> {
    let mut receiver = receiver?;
    match receiver.recv().await {
        Some(Sent::Piece(piece)) => Some((Ok(piece), Some(receiver))),
        Some(Sent::End) => None,
        None => {
            let status = Status::deadline_exceeded("the zone was read too slowly");
            Some((Err(status), None))
        }
    }
}
