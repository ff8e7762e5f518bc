//! Counts the requests to the API server.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use prometheus_client::encoding::EncodeLabelSet;
use tower::{Layer, Service};

use super::Metrics;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub(super) verb: Verb,
    pub(super) code: Code,
}

label! {
    /// The method, in the API server's own words for it; `WATCH` is a GET that
    /// stays open.
    pub(super) enum Verb {
        Get = "GET",
        Watch = "WATCH",
        Post = "POST",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
        Other = "other",
    }
}

label! {
    /// The answer's class, apart from two that tell of themselves: a conflict, and
    /// an API server that has too much to do. `error` is no answer.
    pub(super) enum Code {
        Success = "2xx",
        Conflict = "409",
        TooManyRequests = "429",
        ClientError = "4xx",
        ServerError = "5xx",
        Other = "other",
        Error = "error",
    }
}

impl Verb {
    fn of<B>(request: &Request<B>) -> Self {
        let watches = || {
            let mut pairs = request.uri().query().unwrap_or_default().split('&');
            pairs.any(|pair| matches!(pair, "watch=true" | "watch=1"))
        };
        match *request.method() {
            Method::GET if watches() => Self::Watch,
            Method::GET => Self::Get,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            _ => Self::Other,
        }
    }
}

impl Code {
    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            _ if status.is_success() => Self::Success,
            _ if status.is_client_error() => Self::ClientError,
            _ if status.is_server_error() => Self::ServerError,
            _ => Self::Other,
        }
    }
}

/// A layer around kube's client that counts what goes through.
#[derive(Clone)]
pub struct CountRequests(pub Arc<Metrics>);

/// A client that counts.
#[derive(Clone)]
pub struct Counting<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S> Layer<S> for CountRequests {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Counting {
            inner,
            metrics: Arc::clone(&self.0),
        }
    }
}

impl<S, B> Service<Request<Body>> for Counting<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    B: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let verb = Verb::of(&request);
        let metrics = Arc::clone(&self.metrics);
        let answer = self.inner.call(request);
        answer
            .inspect(move |answer| {
                let code = match answer {
                    Ok(response) => Code::of(response.status()),
                    Err(_) => Code::Error,
                };
                metrics.requested(verb, code);
            })
            .boxed()
    }
}
