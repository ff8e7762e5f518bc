//! The records of one zone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Plan;
use super::record::Record;
use super::request::Refusal;

/// One zone.
#[derive(Debug)]
pub(super) struct Zone {
    pub id: String,
    pub name: String,
    pub plan: Plan,
    pub records: BTreeMap<String, Record>,
    by_name: BTreeMap<String, BTreeSet<String>>,
    /// By id: hostname, origin and what else was sent.
    pub custom_hostnames: BTreeMap<String, Value>,
    pub regions: BTreeMap<String, String>,
}

/// What takes a change back: the record of that id as it was.
pub(super) type Undo = (String, Option<Record>);

impl Zone {
    pub fn new(id: &str, name: &str, plan: Plan) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            plan,
            records: BTreeMap::new(),
            by_name: BTreeMap::new(),
            custom_hostnames: BTreeMap::new(),
            regions: BTreeMap::new(),
        }
    }

    /// The records at a name.
    pub fn at(&self, name: &str) -> impl Iterator<Item = &Record> {
        let ids = self.by_name.get(name).into_iter().flatten();
        ids.filter_map(|id| self.records.get(id))
    }

    /// The record of an id.
    pub fn record(&self, id: &str) -> Result<&Record, Refusal> {
        self.records
            .get(id)
            .ok_or_else(|| Refusal::with_status(404, 81_044, "Record does not exist."))
    }

    /// Puts a record in the place of the one with its id, if nothing is in its way.
    pub fn put(&mut self, record: Record) -> Result<Undo, Refusal> {
        self.check_beside(&record)?;
        Ok(self.replace(record.id.clone(), Some(record)))
    }

    /// Takes a record away.
    pub fn remove(&mut self, id: &str) -> Result<Undo, Refusal> {
        self.record(id)?;
        Ok(self.replace(id.to_owned(), None))
    }

    /// Makes the record of an id another one, whatever is in its way.
    pub fn replace(&mut self, id: String, record: Option<Record>) -> Undo {
        let old = self.records.remove(&id);
        if let Some(old) = &old
            && let Some(ids) = self.by_name.get_mut(&old.name)
        {
            ids.remove(&id);
        }
        if let Some(record) = record {
            let ids = self.by_name.entry(record.name.clone()).or_default();
            ids.insert(id.clone());
            self.records.insert(id.clone(), record);
        }
        (id, old)
    }

    fn check_beside(&self, record: &Record) -> Result<(), Refusal> {
        let is_address = |record_type: &str| matches!(record_type, "A" | "AAAA");
        for other in self.at(&record.name).filter(|other| other.id != record.id) {
            let (new, old) = (record.record_type.as_str(), other.record_type.as_str());
            if new == old
                && record.content.eq_ignore_ascii_case(&other.content)
                && record.priority == other.priority
            {
                return Err(Refusal::new(81_058, "An identical record already exists."));
            }
            if new == "CNAME" && (is_address(old) || old == "CNAME") {
                return Err(Refusal::new(
                    81_053,
                    "An A, AAAA, or CNAME record with that host already exists.",
                ));
            }
            if is_address(new) && old == "CNAME" {
                return Err(Refusal::new(
                    81_054,
                    "A CNAME record with that host already exists.",
                ));
            }
            if (new == "NS") != (old == "NS") {
                return Err(Refusal::new(81_056, "NS records with that host already exist."));
            }
        }
        Ok(())
    }
}
