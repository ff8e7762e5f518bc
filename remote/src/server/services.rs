//! Both protocols on one connection, told apart by the names of their services.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;
use tower_http::timeout::TimeoutBody;

use super::central::Central;
use super::gardener::Gardener;
use super::pacing::pace;
use super::zones::Zones;
use crate::protocol::v1::remote_provider_server::RemoteProviderServer;
use crate::protocol::v2::zone_service_server::ZoneServiceServer;

/// Serves both protocols.
#[derive(Clone)]
pub struct Services {
    gardener: RemoteProviderServer<Gardener>,
    zones: ZoneServiceServer<Zones>,
    patience: Duration,
}

impl Services {
    /// Serves what the central serves.
    #[must_use]
    pub fn new(central: &Arc<Central>) -> Self {
        let limit = central.settings().message_limit;
        let gardener = RemoteProviderServer::new(Gardener::new(Arc::clone(central)));
        let zones = ZoneServiceServer::new(Zones::new(Arc::clone(central)));
        Self {
            gardener: gardener.max_decoding_message_size(limit),
            zones: zones.max_decoding_message_size(limit),
            patience: central.settings().patience,
        }
    }
}

impl Service<http::Request<Body>> for Services {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        const ZONES: &str = ZoneServiceServer::<Zones>::NAME;
        const GARDENER: &str = RemoteProviderServer::<Gardener>::NAME;
        let patience = self.patience;
        let request = request.map(|body| in_time(body, patience));
        let answer = match request.uri().path().split('/').nth(1) {
            Some(ZONES) => self.zones.call(request),
            Some(GARDENER) => self.gardener.call(request),
            _ => Box::pin(async {
                let message = format!("this server has the services {GARDENER} and {ZONES}");
                Ok(Status::unimplemented(message).into_http())
            }),
        };
        Box::pin(answer.map(move |answer| answer.map(|answer| pace(answer, patience))))
    }
}

/// A request that fails when it comes to a halt.
fn in_time(body: Body, patience: Duration) -> Body {
    let body = TimeoutBody::new(patience, body);
    Body::new(body.map_err(move |error| match error.downcast::<Status>() {
        Ok(status) => *status,
        Err(_) => Status::deadline_exceeded(format!("nothing came of the request for {patience:?}")),
    }))
}
