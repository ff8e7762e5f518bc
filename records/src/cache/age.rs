//! How old is what is known of a zone.

use std::fmt;
use std::time::Duration;

/// A moment of the past, some of them before the process was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// When it was looked at, by the monotonic clock.
    at: Duration,
    /// How old it was then.
    age: Duration,
}

impl Moment {
    /// This moment.
    pub fn now(now: Duration) -> Self {
        Self::of_age(now, Duration::ZERO)
    }

    /// One that is of some age now.
    pub fn of_age(now: Duration, age: Duration) -> Self {
        Self { at: now, age }
    }

    /// How old it is.
    pub fn age(&self, now: Duration) -> Duration {
        self.age.saturating_add(now.saturating_sub(self.at))
    }
}

/// When things happened to a zone. A patch touches nothing but its own time: it never
/// makes the rest of the zone any fresher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// When all of it was read; none if that is not known.
    pub full_read: Option<Moment>,
    /// When the provider last said what it is now; none since it came from disk.
    pub confirmed: Option<Moment>,
    /// When something was last written to it.
    pub patched: Option<Moment>,
}

/// How far a zone is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ZoneState {
    /// Nothing is known.
    Cold,
    /// It was kept from an earlier process, and the provider has not been asked since.
    Restored,
    /// The provider has been asked.
    Live,
    /// Its last full read is too long ago, or at no time that can be true.
    Expired,
}

impl fmt::Display for ZoneState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cold => "cold",
            Self::Restored => "restored",
            Self::Live => "live",
            Self::Expired => "expired",
        })
    }
}

impl Times {
    /// How far a zone of these times is to be believed.
    pub fn state(&self, now: Duration, max_age: Option<Duration>) -> ZoneState {
        let over = |age: Duration| max_age.is_some_and(|max_age| age > max_age);
        match self.full_read {
            None => ZoneState::Expired,
            Some(read) if over(read.age(now)) => ZoneState::Expired,
            Some(_) if self.confirmed.is_none() => ZoneState::Restored,
            Some(_) => ZoneState::Live,
        }
    }

    /// Whether the provider was asked no longer ago than `time`.
    pub fn fresh(&self, now: Duration, time: Duration) -> bool {
        self.confirmed.is_some_and(|confirmed| confirmed.age(now) <= time)
    }
}
