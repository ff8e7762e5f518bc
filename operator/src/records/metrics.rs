//! What is counted of external records, for Prometheus: with external-dns's names where it
//! counts the same (`docs/external-records.md` has them all).

mod batches;
mod cache;
mod passes;

use std::fmt;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;
use records::Provider;
use records::cache::Cached;

use crate::health::Health;
use crate::metrics;
use crate::serve::http::{Respond, text as plain, with_header};

use batches::BatchCollector;
use cache::CacheCollector;
pub use passes::{Pass, PassMetrics};

/// What is served beside the work: `/metrics`, and for the kubelet's probes `/healthz` and
/// `/readyz`.
#[derive(Debug)]
pub struct Site {
    registry: Registry,
    health: Arc<Health>,
}

impl Site {
    /// Tells of a cache, the batches of the provider behind it, and the program.
    #[must_use]
    pub fn new(cache: Arc<Cached>, health: Arc<Health>) -> Self {
        let mut registry = Registry::default();
        let provider: Arc<dyn Provider> = Arc::clone(&cache) as _;
        registry.register_collector(Box::new(BatchCollector(provider)));
        registry.register_collector(Box::new(CacheCollector(cache)));
        metrics::register_program(&mut registry);
        Self { registry, health }
    }

    /// Tells of passes too, which are counted on what this gives.
    #[must_use]
    pub fn with_passes(mut self) -> (Self, PassMetrics) {
        let passes = PassMetrics::register(&mut self.registry);
        (self, passes)
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry)?;
        Ok(encoded)
    }
}

impl Respond for Site {
    type Body = Full<Bytes>;

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            // One thread serves and works: that it answers tells that it goes on.
            (&Method::GET, "/healthz") => plain(StatusCode::OK, "ok"),
            (&Method::GET, "/readyz") => match self.health.readiness() {
                Ok(()) => plain(StatusCode::OK, "ok"),
                Err(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, reason),
            },
            (&Method::GET, "/metrics") => match self.text() {
                Ok(body) => with_header(plain(StatusCode::OK, body), CONTENT_TYPE, metrics::CONTENT_TYPE),
                Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            },
            _ => plain(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

/// A counter for each value of a label.
fn family<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    counts: impl IntoIterator<Item = (&'a str, u64)>,
) -> Result<(), fmt::Error> {
    let kind = ConstCounter::new(0u64).metric_type();
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (value, count) in counts {
        ConstCounter::new(count).encode(metric.encode_family(&[(label, value)])?)?;
    }
    Ok(())
}
