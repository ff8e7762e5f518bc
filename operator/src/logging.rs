//! The operator's own log, whose level follows `spec.operatorLogLevel`.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use api::LogLevel;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

use crate::cache::Cache;
use crate::dns::observe::StoredDns;

/// A handle on the log's level.
pub struct Logging(reload::Handle<LevelFilter, Registry>);

impl Logging {
    /// Starts logging to standard error.
    pub fn start() -> anyhow::Result<Self> {
        let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
        tracing_subscriber::registry()
            .with(filter)
            .with(
                fmt::layer()
                    .with_writer(io::stderr)
                    .with_ansi(io::stderr().is_terminal())
                    .with_target(false),
            )
            .try_init()
            .context("failed to start the log")?;
        Ok(Self(handle))
    }

    /// Sets the level that the DNS resource asks for.
    pub fn follow(&self, cache: &Cache) {
        let wanted = match StoredDns::observe(cache)
            .map(|dns| dns.operator_log_level())
            .unwrap_or_default()
        {
            LogLevel::Normal => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        };
        if self.0.with_current(|level| *level != wanted).unwrap_or(false) {
            // It fails only after the subscriber is gone, which lives as long as
            // the program.
            let _ = self.0.modify(|level| *level = wanted);
            tracing::info!(level = %wanted, "log level set");
        }
    }
}
