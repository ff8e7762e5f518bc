//! Durations as people write them in a DNS resource.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What OpenShift's schema admits as a duration: `0`, or decimal numbers with a
/// unit, one after the other. The two micro signs are U+00B5 and U+03BC.
pub const DURATION_PATTERN: &str = r"^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+)$";

/// A duration in the notation of Go's `time.ParseDuration`, kept as it was
/// typed: a user's text is never written back in another form.
///
/// Decoding accepts any text, so that one bad value cannot hide the rest of the
/// resource; [`GoDuration::round_to_seconds`] judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GoDuration(pub String);

/// The text is not a duration that [`DURATION_PATTERN`] admits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `0` or numbers with a unit of ns, us, ms, s, m or h, such as `30s` or `1h30m`")]
pub struct DurationError;

/// One unit of time, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
];
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Digits after the point that count. Ten to this power, times the nanoseconds
/// of an hour, fits a `u128`; later digits are worth less than 10⁻¹¹ ns.
const FRACTION_DIGITS: u32 = 24;

/// A duration as whole nanoseconds and the part below one, in units of
/// 10⁻²⁴ ns: decimal arithmetic, since a binary fraction would round
/// `0.49999999999999999s` up.
#[derive(Default)]
struct Sum {
    nanos: u128,
    below: u128,
}

impl Sum {
    fn add(&mut self, whole: &str, fraction: &str, unit: u64) {
        let one = 10u128.pow(FRACTION_DIGITS);
        self.nanos = self
            .nanos
            .saturating_add(digits(whole).saturating_mul(unit.into()));
        let counted = &fraction[..fraction.len().min(FRACTION_DIGITS as usize)];
        // A slice of at most 24 digits has a length that fits.
        #[expect(clippy::cast_possible_truncation, reason = "at most 24")]
        let missing = FRACTION_DIGITS - counted.len() as u32;
        self.below += digits(counted) * 10u128.pow(missing) * u128::from(unit);
        self.nanos = self.nanos.saturating_add(self.below / one);
        self.below %= one;
    }

    fn is_whole_seconds(&self) -> bool {
        self.nanos.is_multiple_of(NANOS_PER_SECOND.into()) && self.below == 0
    }

    fn round_to_seconds(&self) -> u128 {
        let second = u128::from(NANOS_PER_SECOND);
        self.nanos / second + u128::from(self.nanos % second >= second / 2)
    }
}

/// The value of a run of ASCII digits, saturating: far past any TTL already.
fn digits(text: &str) -> u128 {
    text.bytes().fold(0, |value: u128, digit| {
        value.saturating_mul(10).saturating_add((digit - b'0').into())
    })
}

/// Splits leading ASCII digits off; at least one is needed.
fn split_digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

impl GoDuration {
    /// The duration in seconds, rounded half away from zero. Values beyond
    /// `u64` saturate: the caller caps them at what its field can hold.
    pub fn round_to_seconds(&self) -> Result<u64, DurationError> {
        let sum = self.parse()?;
        Ok(u64::try_from(sum.round_to_seconds()).unwrap_or(u64::MAX))
    }

    /// The duration to the nanosecond, rounded down.
    pub fn to_duration(&self) -> Result<std::time::Duration, DurationError> {
        let nanos = self.parse()?.nanos;
        let second = u128::from(NANOS_PER_SECOND);
        let seconds = u64::try_from(nanos / second).unwrap_or(u64::MAX);
        let below = u32::try_from(nanos % second).unwrap_or_default();
        Ok(std::time::Duration::new(seconds, below))
    }

    /// Whether the duration is a number of whole seconds, so that rounding leaves it
    /// as it is.
    pub fn is_whole_seconds(&self) -> Result<bool, DurationError> {
        Ok(self.parse()?.is_whole_seconds())
    }

    fn parse(&self) -> Result<Sum, DurationError> {
        let mut sum = Sum::default();
        let mut rest = self.0.as_str();
        if rest == "0" {
            return Ok(sum);
        }
        loop {
            let (whole, after) = split_digits(rest).ok_or(DurationError)?;
            let (fraction, after) = match after.strip_prefix('.') {
                Some(point) => split_digits(point).ok_or(DurationError)?,
                None => ("", after),
            };
            // A unit ends where the next number starts.
            let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            let (_, unit) = UNITS
                .iter()
                .find(|(unit, _)| *unit == name)
                .ok_or(DurationError)?;
            sum.add(whole, fraction, *unit);
            if after.is_empty() {
                return Ok(sum);
            }
            rest = after;
        }
    }
}

impl JsonSchema for GoDuration {
    fn schema_name() -> Cow<'static, str> {
        "GoDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": DURATION_PATTERN })
    }

    fn inline_schema() -> bool {
        true
    }
}
