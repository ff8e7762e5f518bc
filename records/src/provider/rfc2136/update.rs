//! A group of changes as one update message (RFC 2136), which a server makes as a whole or
//! not at all, and only if the zone holds what the changes believe.

use std::collections::{BTreeMap, BTreeSet};

use hickory_proto::op::{Message, MessageType, OpCode, Query, UpdateMessage as _};
use hickory_proto::rr::rdata::NULL;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType as WireType};

use super::presentation::{InvalidData, parse_name};
use super::record_data::{TYPES, encode, wire_type};
use super::record_sets::RecordSet;
use crate::{Change, Endpoint, Group, RecordType, target};

/// The most octets of a message (RFC 1035, 4.2.2).
const MAX_MESSAGE: usize = u16::MAX as usize;
/// The octets of the longest signature and the name of its key.
const SIGNATURE: usize = 512;
/// Types that may stand in zones though we do not keep them, and not beside an alias.
const OTHER_TYPES: [WireType; 9] = [
    WireType::CAA,
    WireType::CERT,
    WireType::DS,
    WireType::HTTPS,
    WireType::OPENPGPKEY,
    WireType::SMIMEA,
    WireType::SSHFP,
    WireType::SVCB,
    WireType::TLSA,
];

/// An update and what it writes.
pub(super) struct Update {
    pub message: Message,
    /// As the zone lists it.
    pub written: Vec<Endpoint>,
    /// Whether its conditions hold no longer once it is made. Those of one that changes
    /// nothing but TTLs do: they cannot be compared.
    pub shows: bool,
}

impl Update {
    /// What it takes to be so, without its changes.
    pub(super) fn conditions(&self) -> Message {
        let mut message = self.message.clone();
        message.authorities.clear();
        message
    }
}

/// What must be true of a name and type.
#[derive(Clone, Copy)]
pub(super) enum Existence {
    /// There is a record.
    Any,
    /// There is none.
    None,
}

/// A side of a change, as it is sent.
struct Side {
    name: Name,
    record_type: RecordType,
    wire_type: WireType,
    ttl: u32,
    data: Vec<Vec<u8>>,
}

/// The update that makes the changes of a group, or why there is none.
pub(super) fn update(zone: &Name, group: &Group, min_ttl: u32) -> Result<Update, InvalidData> {
    let mut before = Vec::new();
    let mut after = Vec::new();
    let mut written = Vec::new();
    for change in &group.changes {
        if let Some(endpoint) = change.before() {
            before.push(side(&RecordSet::wanted(endpoint, 0)?)?);
        }
        if let Some(endpoint) = change.after() {
            let set = RecordSet::wanted(endpoint, min_ttl)?;
            after.push(side(&set)?);
            written.push(set.into_endpoint());
        }
    }
    let mut message = empty_update(zone);
    add_prerequisites(&mut message, &before, &after)?;
    add_changes(&mut message, zone, &before, &after)?;
    check_size(&message)?;
    let shows = group.changes.iter().any(|change| match change {
        Change::Create(_) | Change::Delete(_) => true,
        Change::Update { old, new } => !target::same(&old.record_type, &old.targets, &new.targets),
    });
    Ok(Update {
        message,
        written,
        shows,
    })
}

/// An update that asks for nothing and changes nothing.
pub(super) fn empty_update(zone: &Name) -> Message {
    let mut message = Message::new(0, MessageType::Query, OpCode::Update);
    message.add_zone(Query::query(zone.clone(), WireType::SOA));
    message
}

/// The condition that a name has a record of a type, or none (RFC 2136, 2.4.1 and 2.4.3);
/// with the type ANY, of any type (2.4.4 and 2.4.5).
pub(super) fn prerequisite(name: &Name, wire_type: WireType, existence: Existence) -> Record {
    let class = match existence {
        Existence::Any => DNSClass::ANY,
        Existence::None => DNSClass::NONE,
    };
    record(name, class, 0, RData::Update0(wire_type))
}

fn side(set: &RecordSet) -> Result<Side, InvalidData> {
    let unkept = || InvalidData(format!("records of type {} are not kept", set.record_type));
    Ok(Side {
        name: parse_name(&set.name)?,
        wire_type: wire_type(&set.record_type).ok_or_else(unkept)?,
        ttl: set.ttl,
        data: set
            .targets
            .iter()
            .map(|target| encode(&set.record_type, target))
            .collect::<Result<_, _>>()?,
        record_type: set.record_type.clone(),
    })
}

/// Everything that makes the update compare before it writes.
///
/// A server passes over an alias that is added where other records are, and other records
/// that are added where an alias is, and says that all is well (RFC 2136, 3.4.2.2). So it is
/// a condition that there is nothing of the kind.
fn add_prerequisites(message: &mut Message, before: &[Side], after: &[Side]) -> Result<(), InvalidData> {
    for side in before {
        for data in &side.data {
            // All of the set, and nothing but the set (RFC 2136, 2.4.2).
            message.add_pre_requisite(record(&side.name, DNSClass::IN, 0, rdata(side.wire_type, data)));
        }
    }
    let created = |side: &&Side| {
        !before
            .iter()
            .any(|old| old.name == side.name && old.wire_type == side.wire_type)
    };
    let mut absent: BTreeMap<Name, BTreeSet<WireType>> = BTreeMap::new();
    for side in after.iter().filter(created) {
        let types_before: Vec<_> = before.iter().filter(|old| old.name == side.name).collect();
        let absent = absent.entry(side.name.clone()).or_default();
        if side.record_type == RecordType::Cname {
            if after
                .iter()
                .any(|other| other.name == side.name && other.wire_type != side.wire_type)
            {
                return Err(InvalidData(format!(
                    "{}: a CNAME has no other records beside it",
                    side.name
                )));
            }
            let all = TYPES.iter().map(|(_, wire_type)| *wire_type).chain(OTHER_TYPES);
            let others = all.filter(|wire_type| types_before.iter().all(|old| old.wire_type != *wire_type));
            if types_before.is_empty() {
                absent.insert(WireType::ANY);
            } else {
                absent.extend(others);
            }
        } else {
            absent.insert(side.wire_type);
            if types_before.is_empty() {
                absent.insert(WireType::CNAME);
            }
        }
    }
    for (name, types) in absent {
        for wire_type in types {
            message.add_pre_requisite(prerequisite(&name, wire_type, Existence::None));
        }
    }
    Ok(())
}

/// What goes, and then what comes: an alias must be gone before what replaces it comes.
fn add_changes(
    message: &mut Message,
    zone: &Name,
    before: &[Side],
    after: &[Side],
) -> Result<(), InvalidData> {
    // A server never deletes all name servers of a zone (RFC 2136, 3.4.2.3): of these, the
    // new ones come first.
    let is_apex_ns = |side: &&Side| side.name == *zone && side.record_type == RecordType::Ns;
    for side in before.iter().filter(|side| !is_apex_ns(side)) {
        message.add_update(record(
            &side.name,
            DNSClass::ANY,
            0,
            RData::Update0(side.wire_type),
        ));
    }
    for side in after {
        for data in &side.data {
            let data = rdata(side.wire_type, data);
            message.add_update(record(&side.name, DNSClass::IN, side.ttl, data));
        }
    }
    for side in before.iter().filter(is_apex_ns) {
        let Some(new) = after.iter().find(is_apex_ns) else {
            return Err(InvalidData(format!("{zone}: a zone must have name servers")));
        };
        for data in side.data.iter().filter(|data| !new.data.contains(data)) {
            message.add_update(record(&side.name, DNSClass::NONE, 0, rdata(side.wire_type, data)));
        }
    }
    Ok(())
}

/// A group is made as a whole, so it cannot be split.
fn check_size(message: &Message) -> Result<(), InvalidData> {
    let octets = |record: &Record| record.name.len() + 10 + data_octets(&record.data);
    let sections = message.answers.iter().chain(&message.authorities);
    let size: usize = sections.map(octets).sum::<usize>() + SIGNATURE;
    if size > MAX_MESSAGE {
        return Err(InvalidData(format!(
            "the changes of the name take {size} octets in one message; at most {MAX_MESSAGE} are allowed"
        )));
    }
    Ok(())
}

fn data_octets(data: &RData) -> usize {
    match data {
        RData::Unknown { rdata, .. } => rdata.anything.len(),
        _ => 0,
    }
}

fn rdata(wire_type: WireType, data: &[u8]) -> RData {
    RData::Unknown {
        code: wire_type,
        rdata: NULL::with(data.to_vec()),
    }
}

fn record(name: &Name, class: DNSClass, ttl: u32, data: RData) -> Record {
    let mut record = Record::from_rdata(name.clone(), ttl, data);
    record.dns_class = class;
    record
}
