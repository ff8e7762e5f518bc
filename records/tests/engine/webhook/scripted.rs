//! A webhook provider that answers as a test says, and a client of it.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{ACCEPT, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use records::provider::webhook::{Settings, Webhook};
use records::webhook::MEDIA_TYPE;
use records::{Change, Endpoint, Group, Name, Outcome, Provider as _, ProviderError, Zone};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::endpoint;
use super::listener::Listener;

/// Answers negotiations well, and other requests as a test says.
pub struct Scripted {
    pub listener: Listener,
    /// `METHOD PATH BODY` of each request.
    pub requests: Arc<Mutex<Vec<String>>>,
}

pub type Answer = Response<Full<Bytes>>;

pub fn answer(status: u16, body: &str) -> Answer {
    let answer = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, MEDIA_TYPE);
    answer.body(Full::new(body.to_owned().into())).unwrap()
}

impl Scripted {
    /// Gives answers in turn; the last one for ever.
    pub async fn with(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Arc<Mutex<VecDeque<Answer>>> = Arc::new(Mutex::new(answers.into_iter().collect()));
        Self::by(move |request| {
            if request.starts_with("GET / ") {
                return answer(200, "{}");
            }
            let mut answers = answers.lock().unwrap();
            let last = answers.len() == 1;
            if last {
                answers[0].clone()
            } else {
                answers.pop_front().unwrap()
            }
        })
        .await
    }

    /// Answers by a function of `METHOD PATH BODY`.
    pub async fn by(answers: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, answers) = (Arc::clone(&requests), Arc::new(answers));
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = Listener::answering(any, move |request| {
            let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
            async move {
                let (head, body) = request.into_parts();
                assert_eq!(head.headers[ACCEPT], MEDIA_TYPE);
                assert_eq!(head.headers.contains_key(CONTENT_TYPE), head.method == "POST");
                let body = body.collect().await.unwrap().to_bytes();
                let body = str::from_utf8(&body).unwrap();
                let request = format!("{} {} {body}", head.method, head.uri);
                let answer = answers(&request);
                seen.lock().unwrap().push(request);
                answer
            }
        })
        .await;
        Self { listener, requests }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests but the first one, the negotiation.
    pub fn later_requests(&self) -> Vec<String> {
        self.requests().split_off(1)
    }

    pub fn client(&self) -> Webhook {
        client(&self.listener.url())
    }
}

pub fn settings(url: &str) -> Settings {
    Settings {
        retry_pause: Duration::from_millis(1),
        ..Settings::new(url.parse().unwrap())
    }
}

pub fn client(url: &str) -> Webhook {
    Webhook::new(&settings(url)).unwrap()
}

pub async fn zone(client: &Webhook) -> Zone {
    client.zones().await.unwrap().remove(0)
}

pub async fn read(client: &Webhook) -> Result<Vec<Endpoint>, ProviderError> {
    let zone = zone(client).await;
    let records = client.read(&zone).await?.records;
    Ok(records.iter().collect())
}

/// A group that creates a record.
pub fn creation(name: &str) -> Group {
    Group {
        name: Name::parse(name).unwrap(),
        changes: vec![Change::Create(endpoint(name, "A", "192.0.2.1"))],
    }
}

/// Creates a record at each of some names.
pub async fn apply(client: &Webhook, names: &[&str]) -> Vec<Outcome> {
    let groups: Vec<Group> = names.iter().map(|name| creation(name)).collect();
    let zone = zone(client).await;
    client.apply(&zone, &groups).await
}

/// Answers the first request well, and the next with some bytes; then it closes the connection,
/// or waits for ever.
pub async fn raw(second: &'static [u8], then_close: bool) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: 2\r\n\r\n{{}}");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
        stream.write_all(second).await.unwrap();
        if !then_close {
            std::future::pending::<()>().await;
        }
    });
    url
}

/// An answer that breaks off.
pub const CUT_OFF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[]";
