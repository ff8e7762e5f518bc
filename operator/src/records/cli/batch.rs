//! How changes are put together, for providers that take many in one call.

use std::time::Duration;

use clap::Args;
use records::batch;

use super::duration;

/// The longest interval. The changes of a pass are many batches, and the next pass waits
/// for them.
const LONGEST_INTERVAL: Duration = Duration::from_secs(600);

/// How changes are put together.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Batches")]
pub struct BatchArgs {
    /// The most operations of one call of the provider, from 1 to 10000. A record and what
    /// tells whose it is are never parted; the provider's own limits hold beside it.
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub batch_change_size: u16,
    /// The time between two such calls, from 0s to 10m.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = interval)]
    pub batch_change_interval: Duration,
}

impl From<&BatchArgs> for batch::Settings {
    fn from(args: &BatchArgs) -> Self {
        Self {
            size: args.batch_change_size.into(),
            interval: args.batch_change_interval,
        }
    }
}

/// The time between two calls.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval > LONGEST_INTERVAL {
        return Err("must be from 0s to 10m".to_owned());
    }
    Ok(interval)
}
