//! Where we differ from OpenShift's operator on purpose, and a test that both
//! sides of each difference are as it says.
//!
//! The lists are `tests/cases/*-differences.yaml`: a reason, the number of the
//! defect in OpenShift's operator, and for each case the places that differ, as
//! JSON pointers without the first slash, with what stands there instead: a value,
//! `null` for nothing, or `as in: CASE` for what the reference has there in another
//! case.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// Places and what stands there; `null` where nothing does.
pub type Places = BTreeMap<String, Value>;

/// A reason to differ.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// The defect that is mended, such as `W12`; `design` where it is no defect.
    defect: String,
    /// What is done instead, and why.
    why: String,
    /// By case.
    cases: BTreeMap<String, Places>,
}

/// The differences of one list.
#[derive(Debug)]
pub struct Differences {
    reasons: Vec<Reason>,
}

impl Differences {
    /// Reads a list from `tests/cases/`.
    pub fn load(file: &str) -> Result<Self> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases").join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let reasons: Vec<Reason> =
            serde_saphyr::from_str(&text).with_context(|| format!("failed to decode {file}"))?;
        for reason in &reasons {
            ensure!(!reason.why.is_empty(), "{}: no reason in {file}", reason.defect);
        }
        Ok(Self { reasons })
    }

    /// The places in which a case is to differ.
    #[must_use]
    pub fn of(&self, case: &str) -> Places {
        let reasons = self.reasons.iter();
        reasons
            .filter_map(|reason| reason.cases.get(case))
            .flat_map(Clone::clone)
            .collect()
    }

    /// The names of the cases that are listed.
    #[must_use]
    pub fn cases(&self) -> Vec<&str> {
        let reasons = self.reasons.iter();
        reasons
            .flat_map(|reason| reason.cases.keys().map(String::as_str))
            .collect()
    }

    /// Compares what the reference answers with what we do; nothing when they
    /// differ exactly as listed, in every place that is listed and no other. `other`
    /// is what the reference answers in another case.
    #[must_use]
    pub fn mismatch(
        &self,
        case: &str,
        reference: &Value,
        ours: &Value,
        other: impl Fn(&str) -> Value,
    ) -> Option<String> {
        let mut listed = self.of(case);
        for (pointer, value) in &mut listed {
            if let Some(name) = value["as in"].as_str() {
                *value = at(&other(name), pointer);
            }
        }
        let found = compare(reference, ours);
        let place = |pointer: &String| {
            format!(
                "  {pointer}\n    reference: {}\n    ours:      {}\n    listed:    {}\n",
                at(reference, pointer),
                at(ours, pointer),
                listed.get(pointer).map_or("-".into(), ToString::to_string),
            )
        };
        let wrong: String = found
            .keys()
            .chain(listed.keys().filter(|pointer| !found.contains_key(*pointer)))
            .filter(|pointer| found.get(*pointer) != listed.get(*pointer))
            .map(place)
            .collect();
        (!wrong.is_empty()).then(|| {
            let reasons = self
                .reasons
                .iter()
                .filter(|reason| reason.cases.contains_key(case));
            let reasons: Vec<String> = reasons
                .map(|reason| format!("{}: {}", reason.defect, reason.why.trim()))
                .collect();
            format!("{case} ({})\n{wrong}", reasons.join("; "))
        })
    }
}

fn at(value: &Value, pointer: &str) -> Value {
    value.pointer(&format!("/{pointer}")).cloned().unwrap_or_default()
}

/// The places where two values differ, with what `ours` has there.
fn compare(reference: &Value, ours: &Value) -> Places {
    let mut places = Places::new();
    collect(String::new(), reference, ours, &mut places);
    places
}

fn collect(pointer: String, reference: &Value, ours: &Value, places: &mut Places) {
    let below = |key: &str| {
        let slash = if pointer.is_empty() { "" } else { "/" };
        format!("{pointer}{slash}{}", key.replace('~', "~0").replace('/', "~1"))
    };
    match (reference, ours) {
        (Value::Object(reference), Value::Object(ours)) => {
            for (key, value) in reference {
                collect(below(key), value, ours.get(key).unwrap_or(&Value::Null), places);
            }
            for (key, value) in ours.iter().filter(|(key, _)| !reference.contains_key(*key)) {
                collect(below(key), &Value::Null, value, places);
            }
        }
        (Value::Array(reference), Value::Array(ours)) if reference.len() == ours.len() => {
            for (index, (reference, ours)) in reference.iter().zip(ours).enumerate() {
                collect(below(&index.to_string()), reference, ours, places);
            }
        }
        _ if reference == ours => {}
        _ => {
            places.insert(pointer, ours.clone());
        }
    }
}
