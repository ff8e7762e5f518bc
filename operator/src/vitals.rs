//! What the operator tells of itself while it works.

use std::sync::Arc;
use std::time::Instant;

use crate::dns::Outcome;
use crate::health::Health;
use crate::metrics::Metrics;

/// Handles on what is served over HTTP.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// For the kubelet.
    pub health: Arc<Health>,
    /// For Prometheus.
    pub metrics: Arc<Metrics>,
}

impl Vitals {
    /// A pass over the objects begins.
    #[must_use]
    pub fn pass_begins(&self) -> Instant {
        let now = Instant::now();
        self.health.pass_begun(now);
        now
    }

    /// The pass that has begun then has ended.
    pub fn pass_ended(&self, begun: Instant, outcome: &Outcome) {
        self.health.pass_ended();
        self.metrics.reconciled(outcome, begun.elapsed());
    }
}
