//! What it takes to make a live object what it should be: one rule for every
//! kind.
//!
//! The operator answers for the fields it sets and leaves the others to whoever
//! set them, among them the API server with its defaults. A list is as long as
//! wanted, its items in the wanted order. A repair is a fixed point: applied, it
//! leaves no difference. A wanted `null` stands for a field that nobody may set.

use serde_json::{Map, Value};

/// Fields whose value is compared as one: whatever else is in it changes its
/// meaning.
const EXACT: [&str; 9] = [
    "data",
    "egress",
    "ingress",
    "matchLabels",
    "nodeSelector",
    "podSelector",
    "rules",
    "selector",
    "tolerations",
];
/// Fields that hold one of several alternatives: mixing the live one with the
/// wanted one would make both invalid.
const ALTERNATIVES: [&str; 3] = ["livenessProbe", "readinessProbe", "volumes"];
/// Maps of text, in which an empty value is one.
const TEXT_MAPS: [&str; 5] = ["annotations", "data", "labels", "matchLabels", "nodeSelector"];

/// What the API server puts into fields that nobody has set.
const DEFAULTS: [(&str, &str); 4] = [
    ("internalTrafficPolicy", "Cluster"),
    ("sessionAffinity", "None"),
    ("terminationGracePeriodSeconds", "30"),
    ("type", "ClusterIP"),
];

/// A live object differs from the wanted one.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// A JSON merge patch (RFC 7386) that mends it.
    pub patch: Value,
    /// The fields that differ, as paths such as `spec.template.spec.tolerations`.
    pub fields: Vec<String>,
}

/// The repair that makes `live` what `desired` says; none when it already is.
#[must_use]
pub fn repair(desired: &Value, live: &Value) -> Option<Repair> {
    let mut fields = Vec::new();
    let patch = Place::root().compare(desired, live, &mut fields)?;
    Some(Repair { patch, fields })
}

/// Where in the object a comparison stands.
#[derive(Clone)]
struct Place {
    path: String,
    key: String,
    /// Whether this is the value of a map of text.
    in_text_map: bool,
}

impl Place {
    fn root() -> Self {
        Self {
            path: String::new(),
            key: String::new(),
            in_text_map: false,
        }
    }

    fn child(&self, key: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self {
            path: format!("{}{dot}{key}", self.path),
            key: key.to_owned(),
            in_text_map: TEXT_MAPS.contains(&self.key.as_str()),
        }
    }

    fn is_exact(&self) -> bool {
        EXACT.contains(&self.key.as_str()) && !self.in_text_map
    }

    /// The merge patch for this place, if one is needed.
    fn compare(&self, desired: &Value, live: &Value, fields: &mut Vec<String>) -> Option<Value> {
        if self.is_exact() {
            if same(desired, live) {
                return None;
            }
            fields.push(self.path.clone());
            return Some(replacement(desired, live));
        }
        match (desired, live) {
            (Value::Object(desired), Value::Object(live)) => self.compare_maps(desired, live, fields),
            (Value::Array(desired), Value::Array(live)) => self.compare_lists(desired, live, fields),
            _ if self.equal(desired, live) => None,
            _ => {
                fields.push(self.path.clone());
                Some(without_nulls(desired))
            }
        }
    }

    /// Whether a field that must be missing is as good as that.
    fn is_unset(&self, found: &Value) -> bool {
        let by_default = |(key, value): &(&str, &str)| {
            let same_number = found.as_i64().is_some_and(|number| value.parse() == Ok(number));
            *key == self.key && (found == value || same_number)
        };
        found.is_null()
            || (!self.in_text_map && (is_empty(found) || *found == false || DEFAULTS.iter().any(by_default)))
    }

    /// Whether two values that are not both maps or both lists are the same: the
    /// API server stores no empty ones.
    fn equal(&self, desired: &Value, live: &Value) -> bool {
        desired == live || (live.is_null() && is_empty(desired) && !self.in_text_map)
    }

    fn compare_maps(
        &self,
        desired: &Map<String, Value>,
        live: &Map<String, Value>,
        fields: &mut Vec<String>,
    ) -> Option<Value> {
        let mut patch = Map::new();
        for (key, wanted) in desired {
            let place = self.child(key);
            let found = live.get(key).unwrap_or(&Value::Null);
            if wanted.is_null() {
                if !place.is_unset(found) {
                    fields.push(place.path);
                    patch.insert(key.clone(), Value::Null);
                }
            } else if let Some(mended) = place.compare(wanted, found, fields) {
                patch.insert(key.clone(), mended);
            }
        }
        (!patch.is_empty()).then_some(Value::Object(patch))
    }

    /// A merge patch replaces lists whole, so one that differs is built anew from
    /// the live items of the same names.
    fn compare_lists(&self, desired: &[Value], live: &[Value], fields: &mut Vec<String>) -> Option<Value> {
        let mut differing = Vec::new();
        for (index, wanted) in desired.iter().enumerate() {
            let place = Self {
                path: format!("{}[{index}]", self.path),
                ..self.clone()
            };
            let found = live.get(index).unwrap_or(&Value::Null);
            // The items of a list have no key of their own: only the list has.
            let place = Self {
                key: String::new(),
                ..place
            };
            place.compare(wanted, found, &mut differing);
        }
        if desired.len() != live.len() {
            differing = vec![self.path.clone()];
        }
        if differing.is_empty() {
            return None;
        }
        fields.append(&mut differing);
        if ALTERNATIVES.contains(&self.key.as_str()) {
            return Some(Value::Array(desired.to_vec()));
        }
        let items = desired.iter().map(|wanted| match named(live, wanted) {
            Some(found) => overlay(found, wanted),
            None => without_nulls(wanted),
        });
        Some(Value::Array(items.collect()))
    }
}

/// The live item of the same name.
fn named<'a>(live: &'a [Value], wanted: &Value) -> Option<&'a Value> {
    let name = wanted.get("name")?;
    live.iter().find(|item| item.get("name") == Some(name))
}

/// The live value with the wanted fields in it.
fn overlay(live: &Value, desired: &Value) -> Value {
    let (Value::Object(live), Value::Object(desired)) = (live, desired) else {
        return without_nulls(desired);
    };
    let mut merged = live.clone();
    for (key, wanted) in desired {
        let value = match merged.get(key) {
            _ if wanted.is_null() => {
                merged.remove(key);
                continue;
            }
            Some(found) if !EXACT.contains(&key.as_str()) && !ALTERNATIVES.contains(&key.as_str()) => {
                overlay(found, wanted)
            }
            _ => without_nulls(wanted),
        };
        merged.insert(key.clone(), value);
    }
    Value::Object(merged)
}

/// Whether two values mean the same: what is empty may as well be missing.
fn same(desired: &Value, live: &Value) -> bool {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => {
            let missing = Value::Null;
            desired
                .iter()
                .all(|(key, value)| same(value, live.get(key).unwrap_or(&missing)))
                && live
                    .iter()
                    .all(|(key, value)| desired.contains_key(key) || is_empty(value))
        }
        (Value::Array(desired), Value::Array(live)) => {
            desired.len() == live.len() && desired.iter().zip(live).all(|(a, b)| same(a, b))
        }
        _ => desired == live || (is_empty(desired) && is_empty(live)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A JSON merge patch (RFC 7386) that leaves exactly the wanted value: what else is
/// there is taken away.
#[must_use]
pub fn replacement(desired: &Value, live: &Value) -> Value {
    let (Value::Object(desired), Value::Object(live)) = (desired, live) else {
        return desired.clone();
    };
    let surplus = live.keys().filter(|key| !desired.contains_key(*key));
    let mut patch: Map<String, Value> = surplus.map(|key| (key.clone(), Value::Null)).collect();
    for (key, wanted) in desired {
        patch.insert(
            key.clone(),
            replacement(wanted, live.get(key).unwrap_or(&Value::Null)),
        );
    }
    Value::Object(patch)
}

/// The wanted value as it is created: without the fields that must be missing.
#[must_use]
pub fn without_nulls(desired: &Value) -> Value {
    match desired {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}
