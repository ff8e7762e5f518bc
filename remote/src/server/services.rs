//! Both protocols on one connection, told apart by the names of their services.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;

use super::central::Central;
use super::gardener::Gardener;
use super::zones::Zones;
use crate::protocol::v1::remote_provider_server::RemoteProviderServer;
use crate::protocol::v2::zone_service_server::ZoneServiceServer;

/// Serves both protocols.
#[derive(Clone)]
pub struct Services {
    gardener: RemoteProviderServer<Gardener>,
    zones: ZoneServiceServer<Zones>,
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
        match request.uri().path().split('/').nth(1) {
            Some(ZONES) => self.zones.call(request),
            Some(GARDENER) => self.gardener.call(request),
            _ => Box::pin(async {
                let message = format!("this server has the services {GARDENER} and {ZONES}");
                Ok(Status::unimplemented(message).into_http())
            }),
        }
    }
}
