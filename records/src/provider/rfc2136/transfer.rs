//! Zone transfers: whole (AXFR, RFC 5936) and incremental (IXFR, RFC 1995).

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record, RecordType as WireType};

use super::answer::{Data, Resource, Soa};
use super::connection::Connection;
use super::failure::Failure;
use super::record_sets::RecordSets;
use crate::{RecordList, RecordType};

/// What a transfer brought, with the state that the zone is in.
pub(super) enum Transferred {
    /// All record sets.
    Whole(Soa, RecordList),
    /// What has changed, oldest first.
    Deltas(Soa, Vec<Delta>),
    /// Nothing but the state.
    State(Soa),
    /// Nothing: the server has no incremental transfers.
    Unsupported,
}

/// A record that came or went.
pub(super) struct Delta {
    pub added: bool,
    pub name: Box<str>,
    pub record_type: RecordType,
    /// In seconds.
    pub ttl: u32,
    pub target: Box<str>,
}

/// Reads a whole zone.
pub(super) async fn whole(connection: Connection, zone: Name) -> Result<(Soa, RecordList), Failure> {
    let message = request(zone, WireType::AXFR);
    match run(connection, message, Transfer::new(None)).await? {
        Transferred::Whole(soa, records) => Ok((soa, records)),
        _ => Err(malformed("it is not a whole zone")),
    }
}

/// Reads what has changed since a state.
pub(super) async fn since(connection: Connection, zone: Name, serial: u32) -> Result<Transferred, Failure> {
    let mut message = request(zone.clone(), WireType::IXFR);
    // Only the serial number matters.
    let known = SOA::new(Name::root(), Name::root(), serial, 0, 0, 0, 0);
    message
        .authorities
        .push(Record::from_rdata(zone, 0, RData::SOA(known)));
    match run(connection, message, Transfer::new(Some(serial))).await {
        Err(Failure::Refused(ResponseCode::NotImp | ResponseCode::FormErr)) => Ok(Transferred::Unsupported),
        transferred => transferred,
    }
}

fn request(zone: Name, record_type: WireType) -> Message {
    let mut message = Message::new(rand::random(), MessageType::Query, OpCode::Query);
    message.add_query(Query::query(zone, record_type));
    message
}

async fn run(
    mut connection: Connection,
    mut message: Message,
    mut transfer: Transfer,
) -> Result<Transferred, Failure> {
    let id = message.metadata.id;
    let (message, mut pending) = connection.prepare(&mut message)?;
    connection.send(&message).await?;
    loop {
        let message = connection.receive().await?;
        let answer = pending.read(&message)?;
        if super::answer::id(&message) != Some(id) {
            return Err(malformed("it answers something else"));
        }
        if answer.response_code != ResponseCode::NoError {
            return Err(Failure::Refused(answer.response_code));
        }
        for record in answer.records {
            transfer.take(record)?;
        }
        if let Some(transferred) = transfer.end() {
            // The end is as true as the signature of the message that it came in.
            return if pending.is_settled() {
                Ok(transferred)
            } else {
                Err(malformed("its last message is not signed"))
            };
        }
    }
}

fn malformed(why: &str) -> Failure {
    Failure::Malformed(why.into())
}

/// A transfer as far as it has come. It ends with the state of the zone that it began with.
struct Transfer {
    /// The serial number since when changes were asked for.
    since: Option<u32>,
    /// The state that the zone is in.
    state: Option<Soa>,
    progress: Progress,
}

enum Progress {
    /// Nothing came yet, or the state of the zone only.
    Opened,
    /// All records are coming.
    Whole(RecordSets),
    /// Changes are coming: those that lead to a serial number are additions.
    Removing(Vec<Delta>),
    Adding(Vec<Delta>, u32),
    Ended(Box<Transferred>),
}

impl Transfer {
    fn new(since: Option<u32>) -> Self {
        Self {
            since,
            state: None,
            progress: Progress::Opened,
        }
    }

    /// Takes the next record.
    fn take(&mut self, record: Resource) -> Result<(), Failure> {
        let Some(state) = self.state.clone() else {
            let Data::Soa(soa) = record.data else {
                return Err(malformed("it does not begin with an SOA record"));
            };
            self.state = Some(soa);
            return Ok(());
        };
        let progress = std::mem::replace(&mut self.progress, Progress::Opened);
        self.progress = match record.data {
            Data::Soa(soa) => self.take_state(progress, state, &soa)?,
            Data::Kept(record_type, target) => {
                let (name, ttl) = (record.name, record.ttl);
                let delta = |added, name, target| Delta {
                    added,
                    name,
                    record_type: record_type.clone(),
                    ttl,
                    target,
                };
                match progress {
                    Progress::Opened => {
                        let mut sets = RecordSets::default();
                        sets.add(name, record_type, ttl, target);
                        Progress::Whole(sets)
                    }
                    Progress::Whole(mut sets) => {
                        sets.add(name, record_type, ttl, target);
                        Progress::Whole(sets)
                    }
                    Progress::Removing(mut deltas) => {
                        deltas.push(delta(false, name, target));
                        Progress::Removing(deltas)
                    }
                    Progress::Adding(mut deltas, serial) => {
                        deltas.push(delta(true, name, target));
                        Progress::Adding(deltas, serial)
                    }
                    Progress::Ended(_) => return Err(malformed("it goes on after its end")),
                }
            }
            Data::Other => match progress {
                Progress::Opened => Progress::Whole(RecordSets::default()),
                Progress::Ended(_) => return Err(malformed("it goes on after its end")),
                other => other,
            },
        };
        Ok(())
    }

    /// Takes an SOA record that is not the first one.
    fn take_state(&self, progress: Progress, state: Soa, soa: &Soa) -> Result<Progress, Failure> {
        let ends = soa.serial == state.serial;
        Ok(match progress {
            // Changes begin with the state that they lead away from.
            Progress::Opened if self.since == Some(soa.serial) && !ends => Progress::Removing(Vec::new()),
            Progress::Opened if ends => {
                Progress::Ended(Box::new(Transferred::Whole(state, RecordList::default())))
            }
            Progress::Whole(sets) if ends => {
                let records = sets.into_endpoints().collect();
                Progress::Ended(Box::new(Transferred::Whole(state, records)))
            }
            Progress::Removing(deltas) => Progress::Adding(deltas, soa.serial),
            Progress::Adding(deltas, serial) if ends && serial == state.serial => {
                Progress::Ended(Box::new(Transferred::Deltas(state, deltas)))
            }
            Progress::Adding(deltas, serial) if serial == soa.serial => Progress::Removing(deltas),
            Progress::Ended(_) => return Err(malformed("it goes on after its end")),
            Progress::Opened | Progress::Whole(_) | Progress::Adding(..) => {
                return Err(malformed("an SOA record stands where none belongs"));
            }
        })
    }

    /// What came, if that was all. Called after each message.
    fn end(&mut self) -> Option<Transferred> {
        match std::mem::replace(&mut self.progress, Progress::Opened) {
            Progress::Ended(transferred) => Some(*transferred),
            Progress::Opened => {
                // A server that is not ahead has nothing to say but where it is (RFC 1995,
                // section 2). One that is ahead has only begun.
                let state = self.state.as_ref()?;
                let since = self.since?;
                (!is_after(state.serial, since)).then(|| Transferred::State(state.clone()))
            }
            other => {
                self.progress = other;
                None
            }
        }
    }
}

/// Whether a serial number comes after another one (RFC 1982, section 3.2).
fn is_after(serial: u32, other: u32) -> bool {
    let distance = serial.wrapping_sub(other);
    distance != 0 && distance < 1 << 31
}
