//! What the API server does with a DNS on its way in, done offline: unknown
//! fields dropped, defaults filled in, the schema enforced.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value};

use crate::dns::config::{Finding, InvalidSpec};

/// The schema of the DNS resource.
pub struct DnsSchema {
    schema: Value,
    validator: Validator,
}

/// The resource definition is part of the program, and tests compile it, so this
/// is a defect of the program.
#[derive(Debug, thiserror::Error)]
#[error("failed to compile the DNS resource's schema: {0}")]
pub struct SchemaError(String);

/// A DNS as the API server would store it.
pub struct Admitted {
    /// The resource with its defaults.
    pub dns: Value,
    /// Fields the schema does not know, which are dropped.
    pub unknown_fields: Vec<Finding>,
}

impl DnsSchema {
    /// Compiles the schema of the definition that `dns-operator crds` prints.
    pub fn new() -> Result<Self, SchemaError> {
        let schema = api::crds()
            .iter_mut()
            .find(|definition| definition.crd["metadata"]["name"] == "dnses.operator.openshift.io")
            .and_then(|definition| {
                definition
                    .crd
                    .pointer_mut("/spec/versions/0/schema/openAPIV3Schema")
            })
            .map(Value::take)
            .ok_or_else(|| SchemaError("there is no definition of it".into()))?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| SchemaError(error.to_string()))?;
        Ok(Self { schema, validator })
    }

    /// The DNS as it would be stored, or everything the API server would have
    /// against it.
    pub fn admit(&self, dns: Value) -> Result<Admitted, InvalidSpec> {
        let (admitted, findings) = self.look_at(dns);
        if findings.is_empty() {
            Ok(admitted)
        } else {
            Err(InvalidSpec { findings })
        }
    }

    /// The DNS as it would be stored without what the API server refuses, as far as
    /// that can be left out, and everything it has against it.
    #[must_use]
    pub fn look_at(&self, mut dns: Value) -> (Admitted, Vec<Finding>) {
        let mut unknown_fields = Vec::new();
        if let Value::Object(fields) = &mut dns {
            for part in ["spec", "status"] {
                let schema = &self.schema["properties"][part];
                if let Some(value) = fields.get_mut(part) {
                    prune(schema, value, part, &mut unknown_fields);
                }
                fill_in(schema, fields, part);
            }
        }
        let errors = self.validator.iter_errors(&dns);
        let (refused, findings): (Vec<String>, _) = errors
            .map(|error| (error.instance_path().as_str().to_owned(), self.explain(&error)))
            .unzip();
        for pointer in refused {
            leave_out(&mut dns, &pointer);
        }
        let unknown_fields = unknown_fields.into_iter().map(|field| Finding {
            field,
            value: None,
            message: "the API server does not know this field and drops it".into(),
        });
        let unknown_fields = unknown_fields.collect();
        (Admitted { dns, unknown_fields }, findings)
    }
}

impl DnsSchema {
    /// A finding with the field and its value and, where the library only says
    /// that a rule is broken, what the field is for.
    fn explain(&self, error: &ValidationError<'_>) -> Finding {
        let pointer = error.instance_path().as_str();
        let field = field_path(pointer);
        let purpose = match error.kind() {
            ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::Pattern { .. } => {
                self.description(pointer)
            }
            _ => None,
        };
        let (value, message) = match (error.kind(), purpose) {
            (ValidationErrorKind::AnyOf { .. }, Some(purpose)) => {
                (Some(error.instance().to_string()), purpose.to_owned())
            }
            (_, Some(purpose)) => (None, format!("{error}: {purpose}")),
            (_, None) => (None, error.to_string()),
        };
        Finding {
            field,
            value,
            message,
        }
    }

    fn description(&self, pointer: &str) -> Option<&str> {
        let mut schema = &self.schema;
        for segment in pointer.split('/').skip(1) {
            let inside = if schema["type"] == "array" {
                "items"
            } else {
                "properties"
            };
            schema = schema.get(inside)?;
            if inside == "properties" {
                schema = schema.get(segment)?;
            }
        }
        schema["description"].as_str()
    }
}

/// `/spec/servers/0/zones` as people write it: `spec.servers[0].zones`.
fn field_path(pointer: &str) -> String {
    let mut path = String::new();
    for segment in pointer.split('/').skip(1) {
        if segment.bytes().all(|b| b.is_ascii_digit()) {
            path = format!("{path}[{segment}]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(segment);
        }
    }
    if path.is_empty() { "the DNS".into() } else { path }
}

/// Takes a field out. The items of a list stay: others would get their places.
fn leave_out(dns: &mut Value, pointer: &str) {
    if let Some((parent, field)) = pointer.rsplit_once('/')
        && let Some(Value::Object(fields)) = dns.pointer_mut(parent)
    {
        fields.remove(field);
    }
}

/// Drops what the schema does not know.
fn prune(schema: &Value, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let Some(properties) = schema["properties"].as_object() else {
                return;
            };
            fields.retain(|name, value| {
                let path = format!("{path}.{name}");
                match properties.get(name) {
                    Some(schema) => prune(schema, value, &path, unknown),
                    None => unknown.push(path),
                }
                properties.contains_key(name)
            });
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                prune(&schema["items"], item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Fills in the default of a field that is missing or null, and those inside it,
/// and writes whole numbers as such.
fn fill_in(schema: &Value, fields: &mut Map<String, Value>, name: &str) {
    if fields.get(name).is_some_and(Value::is_null) {
        fields.remove(name);
    }
    if !fields.contains_key(name)
        && let Some(default) = schema.get("default")
    {
        fields.insert(name.to_owned(), default.clone());
    }
    if let Some(value) = fields.get_mut(name) {
        fill_in_below(schema, value);
    }
}

fn fill_in_below(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                fill_in(schema, fields, name);
            }
        }
        Value::Array(items) => {
            for item in items {
                fill_in_below(&schema["items"], item);
            }
        }
        Value::Number(number) if schema["type"] == "integer" => {
            if let Some(whole) = number.as_f64().and_then(whole) {
                *value = whole.into();
            }
        }
        _ => {}
    }
}

/// `3.0` is an integer to the API server, which stores it as `3`.
#[expect(clippy::cast_possible_truncation, reason = "the bound is checked")]
fn whole(number: f64) -> Option<i64> {
    /// 2⁵³: every whole number up to here is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}
