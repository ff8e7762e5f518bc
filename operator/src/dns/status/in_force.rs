//! Which configuration is in force.

use api::{CorefileStatus, EffectiveCache, EffectiveTtl, GoDuration, SpecInForce, TtlReason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::dns::config::{DEFAULT_NEGATIVE_TTL, DEFAULT_POSITIVE_TTL};
use crate::dns::digest::sha256;
use crate::dns::notice::Published;

/// CoreDNS raises a shorter TTL of an upstream to this, in seconds (its cache
/// plugin's `MINTTL`).
pub const COREDNS_FLOOR: u32 = 5;

/// The Corefile in the cluster, and what is known of where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct InForce<'a> {
    /// The Corefile.
    pub corefile: &'a str,
    /// When its ConfigMap was last written, if that is known.
    pub written: Option<Timestamp>,
    /// The generation that this replica rendered it from, if it did.
    pub rendered_from: Option<i64>,
    /// What the status says of the Corefile that was in force.
    pub old: Option<&'a CorefileStatus>,
    /// The `spec` of the DNS as it is stored.
    pub spec: &'a Value,
    /// Whether this replica rendered the Corefile from that specification.
    pub is_current: bool,
    /// Whether it is refused.
    pub refused: bool,
    /// Whether the operator is told to keep its hands off.
    pub unmanaged: bool,
}

impl InForce<'_> {
    /// What to say of the Corefile.
    #[must_use]
    pub fn corefile(&self, now: Timestamp) -> CorefileStatus {
        let sha256 = sha256(self.corefile);
        let known = self.old.filter(|old| old.sha256 == sha256);
        // Without a status to compare with, it is as old as its ConfigMap.
        let published_time = match (known, self.old) {
            (Some(known), _) => known.published_time.clone(),
            (None, Some(_)) => Time(now),
            (None, None) => Time(self.written.unwrap_or(now)),
        };
        CorefileStatus {
            generation: self.rendered_from.or(known.and_then(|known| known.generation)),
            published_time,
            sha256,
            spec_in_force: self.state(),
        }
    }

    fn state(&self) -> SpecInForce {
        if self.unmanaged {
            SpecInForce::Unmanaged
        } else if self.refused {
            SpecInForce::LastGood
        } else if self.is_current {
            SpecInForce::Current
        } else {
            SpecInForce::Pending
        }
    }

    /// How long the Corefile has answers kept.
    #[must_use]
    pub fn cache(&self) -> EffectiveCache {
        let (positive, negative) = Published::limits(self.corefile);
        let limit = |field: &str, seconds: Option<u32>, default| {
            let typed = self.spec["cache"][field].as_str();
            let typed = typed.map(|text| GoDuration(text.into()));
            seconds.map(|seconds| self.limit(seconds, typed.as_ref(), default))
        };
        EffectiveCache {
            negative_ttl: limit("negativeTTL", negative, DEFAULT_NEGATIVE_TTL),
            positive_ttl: limit("positiveTTL", positive, DEFAULT_POSITIVE_TTL),
        }
    }

    fn limit(&self, seconds: u32, typed: Option<&GoDuration>, default: u32) -> EffectiveTtl {
        let (reason, message) = match typed {
            _ if self.state() != SpecInForce::Current => {
                let wanted = typed.map_or_else(|| "the default".into(), |typed| typed.0.clone());
                let message = format!("the specification asks for {wanted}, and is not in force");
                (TtlReason::NotInForce, Some(message))
            }
            None => (
                TtlReason::Default,
                Some(format!("not set: the default of {default} seconds")),
            ),
            Some(typed) => explained(seconds, typed, default),
        };
        EffectiveTtl {
            message,
            minimum_seconds: seconds.min(COREDNS_FLOOR),
            reason,
            seconds,
        }
    }
}

/// Why what was typed has become this many seconds.
fn explained(seconds: u32, typed: &GoDuration, default: u32) -> (TtlReason, Option<String>) {
    // A text that is no duration is refused before.
    let rounded = typed.round_to_seconds().unwrap_or_default();
    let whole = typed.is_whole_seconds().unwrap_or_default();
    if rounded == 0 {
        let how = if whole { "is" } else { "rounds to" };
        let message = format!("{} {how} zero: the default of {default} seconds", typed.0);
        return (TtlReason::Default, Some(message));
    }
    if rounded > u64::from(seconds) {
        let message = format!("{} is more than the longest TTL that DNS has", typed.0);
        return (TtlReason::Capped, Some(message));
    }
    if !whole {
        let message = format!("{} is rounded to whole seconds", typed.0);
        return (TtlReason::Rounded, Some(message));
    }
    let short = (seconds < COREDNS_FLOOR).then(|| {
        format!(
            "shorter than CoreDNS's floor of {COREDNS_FLOOR} seconds: every answer is kept as long as this"
        )
    });
    (TtlReason::AsSpecified, short)
}
