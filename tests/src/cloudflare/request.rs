//! What is asked, and what is answered.

use std::collections::BTreeMap;

use http::Method;
use http::request::Parts;
use serde_json::{Value, json};

/// A call, as far as it counts.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub method: Method,
    pub path: Vec<String>,
    pub query: BTreeMap<String, String>,
    pub body: Value,
    /// A token, or an address and a key with a space between.
    pub secret: Option<String>,
}

/// Kinds of calls, as they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The zones, or one of them.
    Zones,
    /// Records were listed.
    List,
    /// A batch.
    Batch,
    /// One record was written.
    Single,
    /// Something about custom hostnames.
    CustomHostnames,
    /// Something about regional hostnames.
    RegionalHostnames,
    /// Something that is not there.
    Other,
}

/// What comes over the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    Whole,
    /// Half of the body.
    CutOff,
    /// Nothing.
    Lost,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub media_type: &'static str,
    pub retry_after: Option<u64>,
    pub body: Vec<u8>,
    pub transfer: Transfer,
}

/// Why something was not done: status, code and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: u32,
    pub message: String,
}

impl Refusal {
    /// Something is wrong with what was sent.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    pub fn with_status(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }
}

impl Request {
    pub fn new(head: &Parts, body: &[u8]) -> Self {
        let path = head.uri.path().trim_start_matches("/client/v4");
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let query = head.uri.query().unwrap_or_default();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let key = header("x-auth-email").zip(header("x-auth-key"));
        Self {
            method: head.method.clone(),
            path: segments.map(decoded).collect(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body: serde_json::from_slice(body).unwrap_or_default(),
            secret: token
                .map(str::to_owned)
                .or_else(|| key.map(|(email, key)| format!("{email} {key}"))),
        }
    }

    /// A parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn kind(&self) -> Kind {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match (path.as_slice(), &self.method) {
            (["zones"] | ["zones", _], _) => Kind::Zones,
            (["zones", _, "dns_records"], &Method::GET) => Kind::List,
            (["zones", _, "dns_records", "batch"], _) => Kind::Batch,
            (["zones", _, "dns_records", ..], _) => Kind::Single,
            (["zones", _, "custom_hostnames", ..], _) => Kind::CustomHostnames,
            (["zones", _, "addressing", "regional_hostnames", ..], _) => Kind::RegionalHostnames,
            _ => Kind::Other,
        }
    }
}

/// A segment of a path without its percent signs.
fn decoded(segment: &str) -> String {
    let pair = format!("x={}", segment.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect()
}

impl Reply {
    /// A result in its envelope.
    pub fn result(result: Result<(Value, Option<Value>), Refusal>) -> Self {
        let (status, body) = match result {
            Ok((result, info)) => {
                let mut body = json!({ "success": true, "errors": [], "messages": [], "result": result });
                if let Some(info) = info {
                    body["result_info"] = info;
                }
                (200, body)
            }
            Err(refusal) => (
                refusal.status,
                json!({
                    "success": false, "messages": [], "result": null,
                    "errors": [{ "code": refusal.code, "message": refusal.message }],
                }),
            ),
        };
        Self {
            status,
            media_type: "application/json",
            retry_after: None,
            body: body.to_string().into_bytes(),
            transfer: Transfer::Whole,
        }
    }

    /// What a proxy says that stands before the API.
    pub fn html(status: u16) -> Self {
        Self {
            status,
            media_type: "text/html",
            retry_after: None,
            body: b"<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head></html>\n".to_vec(),
            transfer: Transfer::Whole,
        }
    }
}
