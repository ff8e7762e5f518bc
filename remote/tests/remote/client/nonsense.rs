//! A server whose answers make no sense.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use prost::Message;
use records::{Endpoint, Outcome, Provider as _, ProviderError};
use remote::client::{Access, Remote};
use remote::protocol::v2::read_zone_response::header::Basis;
use remote::protocol::v2::read_zone_response::{Header, Piece};
use remote::protocol::zones::{outcome_message, record_set};
use remote::protocol::{v1, v2};
use remote::revision::Revision;
use remote::server::Credentials;
use remote::server::listener::{self, Bounds};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};

use super::super::certificates::Authority;
use super::super::door::{SERVER, pem};
use super::super::world::zone;
use super::stage::{create, host, pair, secret, unhurried, words};

/// A server that gives the same answer to every call of a method, whoever asks for what. It
/// does not know other methods.
#[derive(Clone, Default)]
struct Parrot(Arc<Mutex<BTreeMap<&'static str, Answer>>>);

#[derive(Clone)]
struct Answer {
    messages: Bytes,
    /// Of what comes after them: that is all, or an error.
    status: Status,
    calls: usize,
}

impl Parrot {
    fn says<M: Message>(&self, method: &'static str, messages: &[M], status: Status) {
        let mut octets = Vec::new();
        for message in messages {
            // It is not compressed, and so long.
            let length = u32::try_from(message.encoded_len()).unwrap();
            octets.push(0);
            octets.extend(length.to_be_bytes());
            message.encode(&mut octets).unwrap();
        }
        let answer = Answer {
            messages: octets.into(),
            status,
            calls: 0,
        };
        self.0.lock().unwrap().insert(method, answer);
    }

    fn calls(&self, method: &str) -> usize {
        self.0.lock().unwrap()[method].calls
    }

    /// A client of it.
    async fn client(&self) -> Remote {
        let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
        let credentials = Credentials::new(&pem(&servers.server(SERVER), &clients)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (credentials, bounds) = (Arc::new(credentials), Bounds::default());
        tokio::spawn(listener::serve(
            self.clone(),
            listener,
            credentials,
            bounds,
            pending(),
        ));
        let secret = secret(address, "blue", &pair(&clients, "blue"), &servers);
        Remote::new(
            watch::channel(Access::from_secret(&secret).unwrap()).1,
            unhurried(),
        )
    }
}

impl Service<http::Request<Body>> for Parrot {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut answers = self.0.lock().unwrap();
        let method = request.uri().path().rsplit('/').next().unwrap();
        let Some(answer) = answers.get_mut(method) else {
            let status = Status::unimplemented("nobody has told what to say");
            return Box::pin(ready(Ok(status.into_http())));
        };
        answer.calls += 1;
        let mut trailers = http::HeaderMap::new();
        answer.status.add_header(&mut trailers).unwrap();
        let frames = [Frame::data(answer.messages.clone()), Frame::trailers(trailers)];
        let frames = stream::iter(frames.map(Ok::<_, Infallible>));
        let mut response = http::Response::new(Body::new(StreamBody::new(frames)));
        let kind = http::HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        Box::pin(ready(Ok(response)))
    }
}

fn done() -> Status {
    Status::ok("")
}

fn header(of: &[Endpoint]) -> v2::ReadZoneResponse {
    let header = Header {
        revision: Revision::of(of).to_octets(),
        age_seconds: 0,
        basis: Some(Basis::Whole(v2::Nothing {})),
    };
    v2::ReadZoneResponse {
        piece: Some(Piece::Header(header)),
    }
}

fn piece(records: &[Endpoint]) -> v2::ReadZoneResponse {
    let record_sets = records.iter().map(record_set).collect();
    v2::ReadZoneResponse {
        piece: Some(Piece::RecordSets(v2::RecordSets { record_sets })),
    }
}

#[tokio::test]
async fn a_zone_that_is_not_what_is_said_of_it_is_no_zone() {
    let records = [host(0, "192.0.2.1"), host(1, "192.0.2.1")];
    let other = [host(0, "192.0.2.1"), host(1, "192.0.2.9")];
    let mut strange = header(&records);
    if let Some(Piece::Header(header)) = &mut strange.piece {
        header.basis = None;
    }
    let parrot = Parrot::default();
    let client = parrot.client().await;
    let zone = zone("example.com");
    for (messages, words) in [
        (
            vec![header(&records), piece(&other)],
            "is not what it says that it is",
        ),
        (
            vec![header(&records), piece(&records[..1])],
            "is not what it says that it is",
        ),
        (vec![piece(&records)], "without a header"),
        (vec![], "without a header"),
        (vec![strange, piece(&records)], "cannot be understood"),
    ] {
        parrot.says("ReadZone", &messages, done());
        let error = client.read(&zone).await.unwrap_err();
        assert!(matches!(&error, ProviderError::Malformed(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
    parrot.says("ReadZone", &[header(&records), piece(&records)], done());
    assert!(client.read(&zone).await.unwrap().records.iter().eq(records));
}

/// What nobody has answered for may have been made.
#[tokio::test]
async fn groups_without_an_answer_are_unknown() {
    let parrot = Parrot::default();
    let client = parrot.client().await;
    let zone = zone("example.com");
    let groups = [create(host(0, "192.0.2.1")), create(host(1, "192.0.2.1"))];
    let applied = Outcome::Applied { written: None };
    let told = v2::ApplyResponse {
        outcomes: vec![outcome_message(&applied)],
        revision: Vec::new(),
    };
    parrot.says("Apply", &[told], done());
    assert_eq!(words(&client.apply(&zone, &groups).await), ["applied", "unknown"]);

    let parrot = Parrot::default();
    let client = parrot.client().await;
    let succeeded = v1::ChangeResponse {
        state: v1::change_response::State::Succeeded.into(),
        error_message: String::new(),
    };
    let told = v1::ExecuteResponse {
        change_response: vec![succeeded],
        log_message: Vec::new(),
    };
    parrot.says("Login", &[v1::LoginResponse::default()], done());
    parrot.says("Execute", &[told], done());
    assert_eq!(words(&client.apply(&zone, &groups).await), ["applied", "unknown"]);
}

/// A token that is never taken is renewed once for a call.
#[tokio::test]
async fn a_server_that_takes_no_token_is_given_up() {
    let parrot = Parrot::default();
    let client = parrot.client().await;
    parrot.says("Login", &[v1::LoginResponse::default()], done());
    let refused = Status::unauthenticated("[invalid token] it is unknown");
    parrot.says::<v1::Zones>("GetZones", &[], refused);
    let error = client.zones().await.unwrap_err();
    assert!(matches!(error, ProviderError::Denied(_)), "{error:?}");
    assert_eq!((parrot.calls("Login"), parrot.calls("GetZones")), (2, 2));
}
