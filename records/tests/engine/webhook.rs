//! The webhook protocol, from both sides.

mod both_sides;
mod changes;
mod client_reads;
mod client_writes;
pub mod listener;
mod requests;
mod scripted;
mod zones;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use records::webhook::{Body, Server, Settings};
use serde_json::Value;

use crate::fixtures::record as endpoint;
use zones::Zones;

/// A server in front of some zones.
fn server(zones: &Arc<Zones>) -> Server {
    Server::new(Arc::clone(zones) as _, Settings::default())
}

fn request(method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path);
    request.body(Full::new(body.into())).unwrap()
}

/// The status and the text of an answer.
async fn read(answer: Response<Body>) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn get(server: &Server, path: &str) -> (u16, String) {
    read(server.respond(request(Method::GET, path, "")).await).await
}

async fn post(server: &Server, path: &str, body: impl Into<Bytes>) -> (u16, String) {
    read(server.respond(request(Method::POST, path, body)).await).await
}

/// Posts a change set.
async fn change(server: &Server, changes: Value) -> (u16, String) {
    post(server, "/records", changes.to_string()).await
}

/// Waits until something is so.
async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
}
