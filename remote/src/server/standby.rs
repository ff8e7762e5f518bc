//! The place of a server that does not serve now: another one does, or it soon will.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::{Service, http};

use super::status;

/// Answers every call as unavailable, and when to come again.
#[derive(Clone, Debug)]
pub struct Standby {
    reason: Arc<str>,
}

impl Standby {
    /// For a reason that passes, in words for people.
    #[must_use]
    pub fn new(reason: &str) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl Service<http::Request<Body>> for Standby {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        ready(Ok(status::unavailable(&*self.reason, status::SOON).into_http()))
    }
}
