//! How long answers are kept: `spec.cache`.

use api::{Cache, GoDuration};

use super::Findings;

/// The longest a positive answer is kept when the specification names no limit,
/// in seconds.
pub const DEFAULT_POSITIVE_TTL: u32 = 900;
/// The longest a negative answer is kept when the specification names no limit,
/// in seconds.
pub const DEFAULT_NEGATIVE_TTL: u32 = 30;

/// The limits of the `cache` directive, in seconds, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// For answers with records.
    pub positive: u32,
    /// For NXDOMAIN and NODATA.
    pub negative: u32,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            positive: DEFAULT_POSITIVE_TTL,
            negative: DEFAULT_NEGATIVE_TTL,
        }
    }
}

pub(super) fn check(cache: Option<&Cache>, findings: &mut Findings) -> Option<CacheLimits> {
    let Some(cache) = cache else {
        return Some(CacheLimits::default());
    };
    let positive = limit(
        "spec.cache.positiveTTL",
        cache.positive_ttl.as_ref(),
        DEFAULT_POSITIVE_TTL,
        findings,
    );
    let negative = limit(
        "spec.cache.negativeTTL",
        cache.negative_ttl.as_ref(),
        DEFAULT_NEGATIVE_TTL,
        findings,
    );
    Some(CacheLimits {
        positive: positive?,
        negative: negative?,
    })
}

/// Whole seconds; the default for zero; what a `u32` holds for more than that.
fn limit(field: &str, duration: Option<&GoDuration>, default: u32, findings: &mut Findings) -> Option<u32> {
    let Some(duration) = duration else {
        return Some(default);
    };
    let seconds = duration.round_to_seconds().map_err(|error| error.to_string());
    let seconds = findings.keep(field, &duration.0, seconds)?;
    Some(match u32::try_from(seconds) {
        Ok(0) => default,
        Ok(seconds) => seconds,
        Err(_) => u32::MAX,
    })
}
