//! The server: answers requests of external-dns from a provider.

use std::fmt::Display;
use std::pin::pin;
use std::sync::{Arc, Mutex as BlockingMutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, Shared};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::header::{ALLOW, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::{DomainFilter, Endpoint, Provider, Zone, ZoneRecords};

use super::application::{self, Failure};
use super::{ADJUST_ENDPOINTS, Body, ChangeSet, MEDIA_TYPE, RECORDS, append, decode};

/// How many zones are read at a time.
const READERS: usize = 8;

/// What a server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which names external-dns shall send; all by default.
    pub filter: DomainFilter,
    /// How long external-dns is kept waiting, from the head of its request on, before it is told
    /// to come again: less than the 15 seconds after which it ends, for the answer takes some.
    pub patience: Duration,
    /// The longest body that is read, in octets. A first change set of 200,000 records and their
    /// ownership records has some 100 million.
    pub body_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            filter: DomainFilter::default(),
            patience: Duration::from_secs(10),
            body_limit: 128 * 1024 * 1024,
        }
    }
}

/// Serves a provider to external-dns.
///
/// It answers requests and listens nowhere. It must run in a Tokio runtime: what it has begun
/// goes on when the client leaves.
pub struct Server {
    provider: Arc<dyn Provider>,
    settings: Settings,
    /// The listing that is under way.
    reading: BlockingMutex<Option<Shared<BoxFuture<'static, Listing>>>>,
    /// Held while changes are made.
    applying: Arc<Mutex<()>>,
}

/// The records of all zones, or why there are none.
type Listing = Result<Arc<[ZoneRecords]>, Failure>;

impl Server {
    /// A server in front of a provider.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, settings: Settings) -> Self {
        Self {
            provider,
            settings,
            reading: BlockingMutex::default(),
            applying: Arc::default(),
        }
    }

    /// Answers a request. `/healthz` tells only that the server lives.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        let deadline = Instant::now() + self.settings.patience;
        let (head, body) = request.into_parts();
        match (head.uri.path(), &head.method) {
            ("/" | "", &Method::GET) => self.negotiate(),
            ("/healthz", &Method::GET) => text(StatusCode::OK, "ok\n"),
            (RECORDS, &Method::GET) => self.records(deadline).await,
            (RECORDS, &Method::POST) => match self.read(body).await {
                Ok(body) => self.change(body, deadline).await,
                Err(refusal) => refusal,
            },
            (ADJUST_ENDPOINTS, &Method::POST) => match self.read(body).await {
                Ok(body) => self.adjust(body, deadline).await,
                Err(refusal) => refusal,
            },
            ("/" | "" | "/healthz", _) => not_allowed("GET"),
            (RECORDS, _) => not_allowed("GET, POST"),
            (ADJUST_ENDPOINTS, _) => not_allowed("POST"),
            _ => text(StatusCode::NOT_FOUND, "there is nothing here\n"),
        }
    }

    fn negotiate(&self) -> Response<Body> {
        match serde_json::to_vec(&self.settings.filter) {
            Ok(filter) => protocol(Body::whole(filter)),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }

    async fn records(&self, deadline: Instant) -> Response<Body> {
        match timeout_at(deadline, self.listing()).await {
            Ok(Ok(zones)) => {
                let zones = Vec::from(&*zones);
                protocol(Body::listing(zones.into_iter().flat_map(|zone| zone.records)))
            }
            Ok(Err(failure)) => failed(failure),
            Err(_) => unfinished("the zones are still being read"),
        }
    }

    /// Joins the listing that is under way, or begins one.
    fn listing(&self) -> Shared<BoxFuture<'static, Listing>> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        match &*reading {
            Some(listing) if listing.peek().is_none() => listing.clone(),
            _ => {
                let listing = read_all(Arc::clone(&self.provider)).boxed().shared();
                tokio::spawn(listing.clone());
                *reading = Some(listing.clone());
                listing
            }
        }
    }

    async fn change(&self, body: Vec<u8>, deadline: Instant) -> Response<Body> {
        let Ok(turn) = Arc::clone(&self.applying).try_lock_owned() else {
            return unfinished("changes that came before are still being made");
        };
        // What was read until now is about to be outdated.
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let provider = Arc::clone(&self.provider);
        let task = tokio::spawn(async move {
            let outcome = match decoded::<ChangeSet>("a change set", body).await {
                Ok(changes) => application::apply(&*provider, changes).await.map_err(failed),
                Err(refusal) => Err(refusal),
            };
            drop(turn);
            outcome
        });
        match timeout_at(deadline, task).await {
            Ok(Ok(Ok(()))) => answer(StatusCode::NO_CONTENT, Body::whole(Bytes::new())),
            Ok(Ok(Err(refusal))) => refusal,
            Ok(Err(error)) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Err(_) => unfinished("the changes are still being made"),
        }
    }

    async fn adjust(&self, body: Vec<u8>, deadline: Instant) -> Response<Body> {
        let adjusted = async {
            let wanted = decoded::<Vec<Endpoint>>("a list of endpoints", body).await?;
            let adjusted = self.provider.adjust(wanted).await;
            adjusted.map_err(|error| failed(Failure::unreadable(error.to_string())))
        };
        match timeout_at(deadline, adjusted).await {
            Ok(Ok(adjusted)) => protocol(Body::listing(adjusted.into_iter())),
            Ok(Err(refusal)) => refusal,
            Err(_) => unfinished("the wanted records are still being adjusted"),
        }
    }

    async fn read<B>(&self, body: B) -> Result<Vec<u8>, Response<Body>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Display,
    {
        let mut body = pin!(body);
        let mut content = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|error| text(StatusCode::BAD_REQUEST, format!("the body broke off: {error}\n")))?;
            if let Some(piece) = frame.data_ref() {
                append(&mut content, piece, self.settings.body_limit)
                    .map_err(|error| text(StatusCode::PAYLOAD_TOO_LARGE, format!("{error}\n")))?;
            }
        }
        Ok(content)
    }
}

/// Decodes a body: beside everything else, as that takes a second where there are very many
/// records.
async fn decoded<T>(what: &str, body: Vec<u8>) -> Result<T, Response<Body>>
where
    T: DeserializeOwned + Default + Send + 'static,
{
    match spawn_blocking(move || decode(&body)).await {
        Ok(Ok(content)) => Ok(content),
        Ok(Err(error)) => Err(malformed(what, &error)),
        Err(error) => Err(text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

async fn read_all(provider: Arc<dyn Provider>) -> Listing {
    let zones = provider
        .zones()
        .await
        .map_err(|error| Failure::unreadable(format!("the zones cannot be listed: {error}")))?;
    let reads = zones.into_iter().map(|zone| read(Arc::clone(&provider), zone));
    let records: Vec<ZoneRecords> = stream::iter(reads).buffered(READERS).try_collect().await?;
    Ok(records.into())
}

async fn read(provider: Arc<dyn Provider>, zone: Zone) -> Result<ZoneRecords, Failure> {
    let records = provider.read(&zone).await;
    records.map_err(|error| Failure::unreadable(format!("{} cannot be read: {error}", zone.name)))
}

fn protocol(body: Body) -> Response<Body> {
    with(answer(StatusCode::OK, body), CONTENT_TYPE, MEDIA_TYPE)
}

/// What the client did wrong.
fn malformed(what: &str, error: &serde_json::Error) -> Response<Body> {
    text(
        StatusCode::BAD_REQUEST,
        format!("the body is not {what}: {error}\n"),
    )
}

fn not_allowed(methods: &'static str) -> Response<Body> {
    let answer = text(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{methods} is served here\n"),
    );
    with(answer, ALLOW, methods)
}

/// Tells external-dns to come again.
fn unfinished(reason: &'static str) -> Response<Body> {
    failed(Failure::unreadable(reason.to_owned()))
}

/// external-dns shows only the status, so the reason is told here too.
fn failed(failure: Failure) -> Response<Body> {
    tracing::warn!(
        "answering external-dns with {}: {}",
        failure.status.as_u16(),
        failure.reason
    );
    text(failure.status, failure.reason + "\n")
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    with(
        answer(status, Body::whole(text)),
        CONTENT_TYPE,
        "text/plain; charset=utf-8",
    )
}

fn answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

fn with(mut answer: Response<Body>, name: HeaderName, value: &'static str) -> Response<Body> {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}
