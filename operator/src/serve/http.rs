//! The HTTP server: bounds on what a client can hold, and the few fixed paths of the
//! operator.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::health::Health;
use crate::metrics::{self, Metrics};

use super::authorization::{Authorization, Verdict};

/// Connections at a time; others wait. A handful of scrapers is all there are.
const CONNECTIONS: usize = 32;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take for the head of a request, also between two
/// requests: longer than the usual minute between two scrapes.
const HEAD: Duration = Duration::from_secs(75);
/// The pause when no connection can be accepted, as without free file descriptors.
const BREATH: Duration = Duration::from_secs(1);

/// Answers requests.
pub(crate) trait Respond: Send + Sync + 'static {
    /// The body of its answers.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// Answers a request.
    fn respond(&self, request: Request<Incoming>) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// What is served on a port.
pub(super) enum Site {
    /// `/healthz` and `/readyz`.
    Health(Arc<Health>),
    /// `/metrics`, for those who are allowed to read it where that is asked.
    Metrics(Arc<Metrics>, Option<Authorization>),
}

/// The TLS configuration for new connections.
pub(crate) type TlsConfigs = watch::Receiver<Option<Arc<ServerConfig>>>;

/// Serves for ever.
pub(crate) async fn serve<R: Respond>(
    listener: TcpListener,
    site: Arc<R>,
    tls: Option<TlsConfigs>,
) -> anyhow::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&room).acquire_owned().await?;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let config = tls.as_ref().map(|configs| configs.borrow().clone());
        let site = Arc::clone(&site);
        tokio::spawn(async move {
            match config {
                None => converse(stream, site).await,
                Some(Some(config)) => converse_privately(stream, config, site).await,
                // Nothing to serve with, so nothing is said in the open.
                Some(None) => {}
            }
            drop(place);
        });
    }
}

async fn converse_privately<R: Respond>(stream: TcpStream, config: Arc<ServerConfig>, site: Arc<R>) {
    match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, site).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took longer than {HANDSHAKE:?}"),
    }
}

async fn converse<S, R: Respond>(stream: S, site: Arc<R>)
where
    TokioIo<S>: Read + Write + Unpin,
{
    let service = service_fn(|request: Request<Incoming>| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.respond(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// The longest head of a request, in octets; a token has a few hundred. The server
/// wants at least this much.
const MAX_HEAD: usize = 16 * 1024;

impl Respond for Site {
    type Body = Full<Bytes>;

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.answer(&request).await
    }
}

impl Site {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return with_header(
                text(StatusCode::METHOD_NOT_ALLOWED, "only GET is served"),
                ALLOW,
                "GET",
            );
        }
        match (self, request.uri().path()) {
            (Self::Health(health), "/healthz") => told(health.liveness(Instant::now()).map(|()| "ok")),
            (Self::Health(health), "/readyz") => told(health.readiness()),
            (Self::Metrics(metrics, guard), "/metrics") => {
                let refusal = match guard {
                    Some(guard) => refusal(guard, request).await,
                    None => None,
                };
                refusal.unwrap_or_else(|| show(metrics))
            }
            _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

/// Why a request is not answered; none if it is.
async fn refusal<B>(guard: &Authorization, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    let unknown = || {
        with_header(
            text(
                StatusCode::UNAUTHORIZED,
                "a bearer token of the cluster is needed",
            ),
            WWW_AUTHENTICATE,
            "Bearer",
        )
    };
    let Some(token) = bearer_token(request) else {
        return Some(unknown());
    };
    match guard.check(token, Instant::now()).await {
        Verdict::Allowed => None,
        Verdict::Unknown => Some(unknown()),
        Verdict::Forbidden { user } => Some(text(
            StatusCode::FORBIDDEN,
            format!("{user:?} may not get the path /metrics"),
        )),
        Verdict::Undecided => Some(text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the API server could not be asked",
        )),
    }
}

/// The token of RFC 6750, section 2.1.
fn bearer_token<B>(request: &Request<B>) -> Option<&str> {
    let (scheme, token) = request
        .headers()
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn show(metrics: &Metrics) -> Response<Full<Bytes>> {
    match metrics.text() {
        Ok(metrics) => with_header(text(StatusCode::OK, metrics), CONTENT_TYPE, metrics::CONTENT_TYPE),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn told(outcome: Result<impl Into<Bytes>, String>) -> Response<Full<Bytes>> {
    match outcome {
        Ok(words) => text(StatusCode::OK, words),
        Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    with_header(response, CONTENT_TYPE, "text/plain; charset=utf-8")
}

pub(crate) fn with_header(
    mut response: Response<Full<Bytes>>,
    name: HeaderName,
    value: &'static str,
) -> Response<Full<Bytes>> {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}
