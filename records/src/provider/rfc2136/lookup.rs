//! What stands at single names.
//!
//! Each type is asked for by itself, all at once over one connection: a server need not
//! answer a question for all types in full (RFC 8482). Answers alone do not tell a name
//! from one that a wildcard stands for, so the server is asked for the name itself too:
//! by an update that has the name as its prerequisite and changes nothing.

use std::collections::HashMap;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode, UpdateMessage as _};
use hickory_proto::rr::{Name, RecordType as WireType};

use super::answer::{Answer, Data};
use super::connection::Connection;
use super::exchange::Exchange;
use super::failure::Failure;
use super::record_data::TYPES;
use super::record_sets::RecordSets;
use super::update::{Existence, empty_update, prerequisite};
use crate::Endpoint;

/// What the zone has at some names; none if it takes a transfer to tell: the names are at
/// or below those of zones that are delegated, of which servers tell only where to ask.
pub(super) async fn read_names(
    connection: Connection,
    zone: Name,
    names: &[(Box<str>, Name)],
) -> Result<Option<Vec<Endpoint>>, Failure> {
    let mut messages = Vec::new();
    for (_, name) in names {
        messages.push(existence(&zone, name));
        for (_, record_type) in &TYPES {
            let mut message = Message::new(0, MessageType::Query, OpCode::Query);
            message.add_query(Query::query(name.clone(), *record_type));
            messages.push(message);
        }
    }
    let mut answers: HashMap<usize, Answer> = HashMap::with_capacity(messages.len());
    let mut failure = None;
    Exchange::new(connection, messages.len())
        .run(
            |place| messages.get(place).cloned(),
            |place, answer| match answer {
                Ok(answer) => drop(answers.insert(place, answer)),
                Err(error) => failure = Some(error),
            },
        )
        .await?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let mut sets = RecordSets::default();
    for (number, (text, _)) in names.iter().enumerate() {
        let first = number * (TYPES.len() + 1);
        let Some(exists) = answers.remove(&first) else {
            return Err(Failure::Lost("answers are missing".into()));
        };
        match exists.response_code {
            ResponseCode::NoError => {}
            ResponseCode::NXDomain => continue,
            other => return Err(Failure::Refused(other)),
        }
        for place in first + 1..=first + TYPES.len() {
            let Some(answer) = answers.remove(&place) else {
                return Err(Failure::Lost("answers are missing".into()));
            };
            if answer.response_code != ResponseCode::NoError {
                return Err(Failure::Refused(answer.response_code));
            }
            if !answer.authoritative {
                return Ok(None);
            }
            add(&mut sets, text, place - first - 1, answer);
        }
    }
    Ok(Some(sets.into_endpoints().collect()))
}

/// Takes the records of the name and type that were asked for, not those that an alias
/// leads to.
fn add(sets: &mut RecordSets, name: &str, type_place: usize, answer: Answer) {
    let asked = TYPES.get(type_place).map(|(record_type, _)| record_type);
    for record in answer.records {
        if let Data::Kept(record_type, target) = record.data
            && *record.name == *name
            && Some(&record_type) == asked
        {
            sets.add(record.name, record_type, record.ttl, target);
        }
    }
}

/// Asks whether a name has any record.
fn existence(zone: &Name, name: &Name) -> Message {
    let mut message = empty_update(zone);
    message.add_pre_requisite(prerequisite(name, WireType::ANY, Existence::Any));
    message
}
