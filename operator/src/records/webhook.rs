//! `dns-operator records webhook`: a provider, with the cache before it, for external-dns.

use std::sync::Arc;

use anyhow::Context as _;
use hyper::body::Incoming;
use hyper::{Request, Response};
use records::webhook::{Body, Server, Settings};
use tokio::net::TcpListener;

use super::backend::Backend;
use super::cli::WebhookArgs;
use super::daemon::stopped;
use crate::health::Health;
use crate::serve::http::{self, Respond};

struct Site(Server);

impl Respond for Site {
    type Body = Body;

    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        self.0.respond(request).await
    }
}

/// Serves until it is told to stop.
pub async fn serve(args: &WebhookArgs) -> anyhow::Result<()> {
    // Listening comes first: external-dns gives up after some seconds.
    let listener = TcpListener::bind(args.webhook_address)
        .await
        .context("--webhook-address")?;
    let metrics = TcpListener::bind(args.metrics_address)
        .await
        .context("--metrics-address")?;
    let kubeconfig = args.kubeconfig.as_deref();
    let backend = Backend::open(&args.provider, &args.cache, kubeconfig, false).await?;
    tracing::info!(
        "serving the webhook protocol on http://{}",
        listener.local_addr()?
    );
    tracing::info!("serving metrics on http://{}", metrics.local_addr()?);
    let health = Arc::new(Health::default());
    // There is no source to be listed.
    health.listed();
    let counted = Arc::new(backend.site(health));
    let server = Server::new(backend.provider(), Settings::default());
    tokio::select! {
        outcome = http::serve(listener, Arc::new(Site(server)), None) => outcome,
        outcome = http::serve(metrics, counted, None) => outcome,
        () = backend.confirming() => Ok(()),
        () = stopped() => Ok(()),
    }
}
