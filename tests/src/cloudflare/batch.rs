//! Batches: all of one or nothing.

use serde_json::{Value, json};

use super::account::Stamp;
use super::record::Record;
use super::request::Refusal;
use super::zone::{Undo, Zone};

/// Makes the operations of a batch in the server's order. The first that fails takes back
/// all before it, and is the only one that is told.
pub(super) fn run(zone: &mut Zone, sent: &Value, stamp: &mut Stamp) -> Result<Value, Refusal> {
    let mut undo = Vec::new();
    let mut told = json!({ "deletes": [], "patches": [], "puts": [], "posts": [] });
    for list in ["deletes", "patches", "puts", "posts"] {
        for operation in operations(sent, list) {
            match make(zone, list, operation, stamp) {
                Ok((back, record)) => {
                    undo.push(back);
                    if let Some(list) = told[list].as_array_mut() {
                        list.push(record.told(&zone.name));
                    }
                }
                Err(refusal) => {
                    for (id, record) in undo.into_iter().rev() {
                        zone.replace(id, record);
                    }
                    return Err(refusal);
                }
            }
        }
    }
    Ok(told)
}

/// How many operations a batch has.
pub(super) fn size(sent: &Value) -> usize {
    let lists = ["deletes", "patches", "puts", "posts"];
    lists.iter().map(|list| operations(sent, list).len()).sum()
}

fn operations<'a>(sent: &'a Value, list: &str) -> &'a [Value] {
    sent.get(list)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Makes one operation; what takes it back, and the record that it was about.
pub(super) fn make(
    zone: &mut Zone,
    list: &str,
    sent: &Value,
    stamp: &mut Stamp,
) -> Result<(Undo, Record), Refusal> {
    let id = sent.get("id").and_then(Value::as_str).unwrap_or_default();
    if list == "deletes" {
        let record = zone.record(id)?.clone();
        return Ok((zone.remove(id)?, record));
    }
    let mut record = match list {
        "posts" => stamp.new_record(),
        "puts" => {
            let old = zone.record(id)?;
            Record {
                id: old.id.clone(),
                created_on: old.created_on.clone(),
                ..Record::plain("", "", "")
            }
        }
        _ => zone.record(id)?.clone(),
    };
    record = record.changed(sent, &zone.name)?;
    record.modified_on = stamp.time();
    let undo = zone.put(record.clone())?;
    Ok((undo, record))
}
