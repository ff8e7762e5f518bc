//! Requests as they are read, and answers as they are written.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::store::Refusal;

/// The body of an answer.
pub type Answer = UnsyncBoxBody<Bytes, io::Error>;

/// A request that was read.
pub struct Call {
    method: Method,
    pub path: String,
    pub query: BTreeMap<String, String>,
    is_apply: bool,
    pub body: Value,
}

impl Call {
    /// Reads a request.
    pub async fn read(request: Request<Body>) -> io::Result<Self> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(io::Error::other)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let query: BTreeMap<String, String> = query.into_owned().collect();
        Ok(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            is_apply: parts
                .headers
                .get("content-type")
                .is_some_and(|mime| mime == "application/apply-patch+yaml"),
            query,
            body,
        })
    }

    pub fn verb(&self, name: Option<&str>) -> &'static str {
        match (&self.method, name) {
            (&Method::GET, _) if self.query.get("watch").is_some_and(|on| on == "true") => "watch",
            (&Method::GET, None) => "list",
            (&Method::GET, Some(_)) => "get",
            (&Method::POST, _) => "create",
            (&Method::PATCH, _) if self.is_apply => "apply",
            (&Method::PATCH, _) => "patch",
            (&Method::PUT, _) => "update",
            (&Method::DELETE, _) => "delete",
            _ => "other",
        }
    }

    pub fn is_read(&self) -> bool {
        self.method == Method::GET
    }
}

/// What a call is answered with.
pub enum Served {
    Object(u16, Value),
    Events(UnboundedReceiver<Value>),
}

pub fn respond(answer: Result<Served, Refusal>) -> Response<Answer> {
    let (code, body) = match answer {
        Ok(Served::Object(code, object)) => (code, whole(&object)),
        Ok(Served::Events(receiver)) => {
            let events = stream::unfold(receiver, async |mut receiver| {
                let event = receiver.recv().await?;
                let line = Bytes::from(format!("{event}\n"));
                Some((Ok(http_body::Frame::data(line)), receiver))
            });
            (200, StreamBody::new(events.boxed()).boxed_unsync())
        }
        Err(refusal) => (refusal.code, whole(&status(&refusal))),
    };
    Response::builder()
        .status(code)
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

fn whole(object: &Value) -> Answer {
    let never = |never: Infallible| match never {};
    Full::from(object.to_string()).map_err(never).boxed_unsync()
}

pub fn status(refusal: &Refusal) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": refusal.message, "reason": refusal.reason, "code": refusal.code,
    })
}
