//! Objects, as an API server keeps them: with a history, and without looking at
//! what is in them.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::kinds::Kind;

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub kind: &'static Kind,
    pub namespace: Option<String>,
    pub name: String,
}

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Happened {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub what: &'static str,
    pub id: Id,
    pub version: u64,
    /// The object afterwards; the last one before a deletion.
    pub object: Value,
}

/// A request is refused: the code, the reason, and why.
#[derive(Debug)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
        }
    }

    fn not_found(id: &Id) -> Self {
        let message = format!("{} {:?} not found", id.kind.plural, id.name);
        Self::new(404, "NotFound", message)
    }

    fn conflict(id: &Id, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {:?}: {why}",
            id.kind.plural, id.name
        );
        Self::new(409, "Conflict", message)
    }
}

/// The objects.
#[derive(Clone, Default)]
pub struct Store {
    pub live: BTreeMap<Id, Value>,
    pub version: u64,
    pub history: Vec<Happened>,
    /// Whether `metadata.generation` is kept.
    pub generations: bool,
}

impl Store {
    pub fn get(&self, id: &Id) -> Result<&Value, Refusal> {
        self.live.get(id).ok_or_else(|| Refusal::not_found(id))
    }

    fn counts(&self, id: &Id) -> bool {
        self.generations && id.kind.has_generations()
    }

    /// The objects there were at a version.
    pub fn at(&self, version: u64) -> BTreeMap<Id, Value> {
        if version >= self.version {
            return self.live.clone();
        }
        let mut objects = BTreeMap::new();
        for happened in self.history.iter().filter(|happened| happened.version <= version) {
            match happened.what {
                "DELETED" => objects.remove(&happened.id),
                _ => objects.insert(happened.id.clone(), happened.object.clone()),
            };
        }
        objects
    }

    pub fn create(&mut self, id: &Id, mut object: Value) -> Result<Value, Refusal> {
        if self.live.contains_key(id) {
            let message = format!("{} {:?} already exists", id.kind.plural, id.name);
            return Err(Refusal::new(409, "AlreadyExists", message));
        }
        if id.kind.has_status {
            remove(&mut object, "status");
        }
        let metadata = &mut object["metadata"];
        metadata["name"] = json!(id.name);
        metadata["uid"] = json!(format!("00000000-0000-0000-0000-{:012}", self.version + 1));
        metadata["creationTimestamp"] = now();
        if let Some(namespace) = &id.namespace {
            metadata["namespace"] = json!(namespace);
        }
        if self.counts(id) {
            metadata["generation"] = json!(1);
        }
        Ok(self.put("ADDED", id, object))
    }

    /// Puts an object in as it is, in the place of one that is there.
    pub fn load(&mut self, id: &Id, mut object: Value) {
        if object["metadata"]["uid"].is_null() {
            let uid = format!("00000000-0000-0000-0000-{:012}", self.version + 1);
            object["metadata"]["uid"] = json!(uid);
        }
        if self.counts(id) && object["metadata"]["generation"].is_null() {
            object["metadata"]["generation"] = json!(1);
        }
        let what = if self.live.contains_key(id) {
            "MODIFIED"
        } else {
            "ADDED"
        };
        self.put(what, id, object);
    }

    /// A JSON merge patch (RFC 7386) of an object, or of its status.
    pub fn merge(&mut self, id: &Id, patch: &Value, status: bool) -> Result<Value, Refusal> {
        let mut object = self.get(id)?.clone();
        merge(&mut object, patch);
        self.replace(id, &object, status)
    }

    /// An apply: creates what is not there.
    pub fn apply(&mut self, id: &Id, fields: &Value) -> Result<Value, Refusal> {
        if self.live.contains_key(id) {
            self.merge(id, fields, false)
        } else {
            self.create(id, fields.clone())
        }
    }

    /// Writes an object or its status, provided that it is of the live version.
    pub fn replace(&mut self, id: &Id, wanted: &Value, status: bool) -> Result<Value, Refusal> {
        let live = self.get(id)?.clone();
        let version = &wanted["metadata"]["resourceVersion"];
        if !version.is_null() && *version != live["metadata"]["resourceVersion"] {
            let why =
                "the object has been modified; please apply your changes to the latest version and try again";
            return Err(Refusal::conflict(id, why));
        }
        let mut object = if status { live.clone() } else { wanted.clone() };
        if status {
            set(&mut object, "status", &wanted["status"]);
        } else {
            if id.kind.has_status {
                set(&mut object, "status", &live["status"]);
            }
            // What only the API server writes.
            for field in [
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "deletionTimestamp",
                "generation",
            ] {
                set(&mut object["metadata"], field, &live["metadata"][field]);
            }
        }
        if !has_finalizers(&object) {
            remove(&mut object["metadata"], "finalizers");
            if object["metadata"]["deletionTimestamp"].is_string() {
                // The answer is of the version before the deletion; those who
                // watch are told of the object as it was.
                self.take(id, live);
                return Ok(object);
            }
        }
        if object == live {
            return Ok(live);
        }
        if self.counts(id) && specification(&object) != specification(&live) {
            let generation = live["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = json!(generation + 1);
        }
        Ok(self.put("MODIFIED", id, object))
    }

    /// Deletes an object, or marks it while finalizers hold it. The object where
    /// it stays.
    pub fn delete(&mut self, id: &Id, preconditions: &Value) -> Result<Option<Value>, Refusal> {
        let mut object = self.get(id)?.clone();
        for field in ["uid", "resourceVersion"] {
            let (wanted, found) = (&preconditions[field], &object["metadata"][field]);
            if !wanted.is_null() && wanted != found {
                let why =
                    format!("Precondition failed: {field} in precondition: {wanted}, in object: {found}");
                return Err(Refusal::conflict(id, &why));
            }
        }
        if !has_finalizers(&object) {
            self.take(id, object);
            return Ok(None);
        }
        if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = now();
            object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            if self.counts(id) {
                let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
                object["metadata"]["generation"] = json!(generation + 1);
            }
            object = self.put("MODIFIED", id, object);
        }
        Ok(Some(object))
    }

    fn put(&mut self, what: &'static str, id: &Id, object: Value) -> Value {
        let object = self.record(what, id, object);
        self.live.insert(id.clone(), object.clone());
        object
    }

    fn take(&mut self, id: &Id, object: Value) {
        self.live.remove(id);
        self.record("DELETED", id, object);
    }

    fn record(&mut self, what: &'static str, id: &Id, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        object["apiVersion"] = json!(id.kind.api_version);
        object["kind"] = json!(id.kind.name);
        self.history.push(Happened {
            what,
            id: id.clone(),
            version: self.version,
            object: object.clone(),
        });
        object
    }
}

fn now() -> Value {
    json!(Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn has_finalizers(object: &Value) -> bool {
    object["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|finalizers| !finalizers.is_empty())
}

/// What a change of counts as a new generation.
fn specification(object: &Value) -> Value {
    let mut object = object.clone();
    remove(&mut object, "status");
    remove(&mut object, "metadata");
    object
}

fn remove(object: &mut Value, field: &str) {
    object.as_object_mut().map(|fields| fields.remove(field));
}

fn set(object: &mut Value, field: &str, value: &Value) {
    if value.is_null() {
        remove(object, field);
    } else {
        object[field] = value.clone();
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (key, value) in patch {
        if value.is_null() {
            remove(target, key);
        } else {
            merge(&mut target[key], value);
        }
    }
}
