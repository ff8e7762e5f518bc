//! What was measured.

use std::time::Duration;

use serde::Serialize;

use crate::audit::Requests;

/// Measurements of one thing, sorted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Distribution(Vec<f64>);

impl Distribution {
    /// Measurements in any order.
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Durations, in milliseconds.
    pub fn milliseconds(durations: &[Duration]) -> Self {
        Self::new(durations.iter().copied().map(milliseconds).collect())
    }

    /// Durations, in seconds.
    pub fn seconds(durations: &[Duration]) -> Self {
        Self::new(durations.iter().map(Duration::as_secs_f64).collect())
    }

    /// The smallest of the values that so many percent of them do not exceed.
    /// NaN when nothing was measured.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// The middle one.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The values, the smallest first.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }
}

/// A duration in milliseconds.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// What a program did for a number of edits.
#[derive(Clone, Debug, Serialize)]
pub struct Edits {
    /// How many.
    pub count: u32,
    /// From edit to ConfigMap.
    pub latency_ms: Distribution,
    /// The processor time of all of them.
    pub processor_ms: f64,
    /// The requests for all of them.
    pub requests: Requests,
    /// Resident memory after them.
    pub resident_kb: u32,
}

/// What a program did by itself in a while.
#[derive(Clone, Debug, Serialize)]
pub struct Rest {
    /// How long it was left alone.
    pub seconds: u32,
    /// Its requests.
    pub requests: Requests,
    /// Its processor time.
    pub processor_ms: f64,
    /// Resident memory at the end.
    pub resident_kb: u32,
    /// Of that, heap and stacks; the rest is text of the program and its libraries.
    pub anonymous_kb: u32,
    /// The most memory that was ever resident.
    pub peak_kb: u32,
}

/// What a program did while nodes reported.
#[derive(Clone, Debug, Serialize)]
pub struct Heartbeats {
    /// How many reports there were.
    pub count: u32,
    /// Its requests.
    pub requests: Requests,
    /// Its processor time.
    pub processor_ms: f64,
}

/// Everything about a program with a number of nodes.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// What it is called.
    pub subject: &'static str,
    /// How many nodes there were.
    pub nodes: u32,
    /// From the first start on a cluster that had nothing until the Corefile.
    pub first_start_s: Option<f64>,
    /// From later starts until the Corefile.
    pub starts_s: Distribution,
    /// Edits that it followed.
    pub edits: Edits,
    /// Edits that the bare client followed, in turn with those.
    pub bare: Edits,
    /// Left alone.
    pub rest: Rest,
    /// Beside nodes that report; none without nodes.
    pub heartbeats: Option<Heartbeats>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred = Distribution::new((1..=100).rev().map(f64::from).collect());
        let is = |value: f64, wanted: f64| (value - wanted).abs() < f64::EPSILON;
        assert!(is(hundred.values()[0], 1.0));
        assert!(is(hundred.median(), 50.0));
        assert!(is(hundred.percentile(99), 99.0));
        assert!(is(Distribution::new(vec![7.0]).percentile(99), 7.0));
        assert!(Distribution::default().median().is_nan());
    }
}
