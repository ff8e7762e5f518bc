//! How a cache is to behave.

use std::path::PathBuf;
use std::time::Duration;

/// The settings of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How long a zone is served without asking the provider (external-dns's
    /// `--provider-cache-time`). Zero: every read goes through, and nothing is kept.
    pub time: Duration,
    /// Whether what was written is put into the cache, where otherwise every write makes
    /// the zone be read again (`--provider-cache-patch-on-apply`).
    pub patch_on_apply: bool,
    /// Where the cache is kept (`--record-cache-dir`); none is in memory only.
    pub directory: Option<PathBuf>,
    /// How long after its last full read a zone is trusted, however often it was confirmed
    /// or patched since (`--record-cache-max-age`); none is without bound.
    pub max_age: Option<Duration>,
    /// Whether nothing is to be written to the provider (`--dry-run`).
    pub dry_run: bool,
    /// Which server or account the provider stands for. A directory that was kept for
    /// another one is not believed.
    pub identity: String,
}
