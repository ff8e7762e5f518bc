//! The upstreams' health.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::upstreams::failure::Failure;
use crate::upstreams::verdict::{Verdict, Verdicts};

/// How many upstreams have a series of their own; a specification may name thousands.
const SHOWN: usize = 100;

/// What is counted of upstreams.
#[derive(Clone, Debug)]
pub(super) struct UpstreamMetrics {
    healthy: Family<UpstreamLabels, Gauge>,
    probes: Family<ProbeLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamLabels {
    upstream: String,
    transport: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProbeLabels {
    result: ProbeResult,
}

label! {
    enum ProbeResult {
        Answered = "answered",
        Timeout = "timeout",
        ConnectionRefused = "connection_refused",
        ConnectionClosed = "connection_closed",
        Unreachable = "unreachable",
        Certificate = "certificate",
        Tls = "tls",
        Malformed = "malformed",
        ResponseCode = "response_code",
    }
}

impl ProbeResult {
    fn of(failure: Option<&Failure>) -> Self {
        match failure {
            None => Self::Answered,
            Some(Failure::Timeout) => Self::Timeout,
            Some(Failure::ConnectionRefused) => Self::ConnectionRefused,
            Some(Failure::ConnectionClosed) => Self::ConnectionClosed,
            Some(Failure::Unreachable(_)) => Self::Unreachable,
            Some(
                Failure::CertificateExpired
                | Failure::CertificateNotYetValid
                | Failure::WrongServerName
                | Failure::UnknownAuthority,
            ) => Self::Certificate,
            Some(Failure::Tls(_)) => Self::Tls,
            Some(Failure::Malformed) => Self::Malformed,
            Some(Failure::ResponseCode(_)) => Self::ResponseCode,
        }
    }
}

impl UpstreamMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            healthy: Family::default(),
            probes: Family::default(),
        };
        registry.register(
            "dns_operator_upstream_healthy",
            "Whether an upstream of the configuration in force answers the operator's probes",
            metrics.healthy.clone(),
        );
        registry.register(
            "dns_operator_upstream_probes",
            "Probes of upstreams, by what came of them",
            metrics.probes.clone(),
        );
        for &result in ProbeResult::ALL {
            metrics.probes.get_or_create(&ProbeLabels { result }).inc_by(0);
        }
        metrics
    }

    pub(super) fn probed(&self, failure: Option<&Failure>) {
        let result = ProbeResult::of(failure);
        self.probes.get_or_create(&ProbeLabels { result }).inc();
    }

    /// Shows these upstreams and no others; one that is reached in several ways over
    /// TLS is healthy when all of them are.
    pub(super) fn show(&self, verdicts: &Verdicts) {
        self.healthy.clear();
        let known = verdicts.iter().filter_map(|(endpoint, verdict)| match verdict {
            Verdict::Unknown => None,
            Verdict::Healthy => Some((endpoint, 1)),
            Verdict::Failing(_) => Some((endpoint, 0)),
        });
        for (endpoint, healthy) in known.take(SHOWN) {
            let labels = UpstreamLabels {
                upstream: endpoint.address.to_string(),
                transport: endpoint.transport.as_str().to_lowercase(),
            };
            let gauge = self.healthy.get(&labels).map(|gauge| gauge.get());
            let healthy = gauge.unwrap_or(1).min(healthy);
            self.healthy.get_or_create(&labels).set(healthy);
        }
    }
}
