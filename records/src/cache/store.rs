//! What is kept of zones beyond the life of the process.

mod file;
mod row;

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

pub use self::file::FileStore;
use crate::{RecordList, Zone, ZoneId, ZoneVersion};

/// Keeps zones. Every call is durable once it has returned, and done whole or not at all.
pub trait Store: Send {
    /// All that is kept. What cannot be read is set aside, with a message.
    fn load(&mut self) -> Result<Vec<StoredZone>, StoreError>;

    /// Keeps what has changed of a zone. A part of a zone that is not kept is an error: it
    /// would be taken for all of it.
    fn write(&mut self, zone: &Zone, write: &ZoneWrite) -> Result<(), StoreError>;

    /// The zones that the provider listed last; none if that is not kept.
    fn load_list(&mut self) -> Result<Option<StoredList>, StoreError> {
        Ok(None)
    }

    /// Keeps which zones the provider has, if the store does that.
    fn write_list(&mut self, _list: &StoredList) -> Result<(), StoreError> {
        Ok(())
    }

    /// Forgets a zone.
    fn remove(&mut self, zone: &ZoneId) -> Result<(), StoreError>;

    /// Takes care that nothing of what is kept will ever be read again, even where there
    /// is no space left to write.
    fn discard(&mut self) -> Result<(), StoreError>;
}

/// Why something could not be kept.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// Somebody else uses the directory.
    #[error("the record cache {} is in use by another process: one at a time uses a directory", .0.display())]
    InUse(PathBuf),
    /// The file or its directory cannot be read or written.
    #[error("the record cache {}: {reason}", .path.display())]
    Failed {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// A zone as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredZone {
    /// Which zone.
    pub zone: Zone,
    /// The state that the provider called it.
    pub version: Option<ZoneVersion>,
    /// When what happened.
    pub times: StoredTimes,
    /// Its names.
    pub rows: Vec<(Box<str>, Row)>,
}

/// The zones of a provider as they were kept: all that it listed, read or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredList {
    /// The zones.
    pub zones: Vec<Zone>,
    /// When they were listed, by the wall clock (since 1970).
    pub listed: Duration,
}

/// When things happened, by the wall clock (since 1970).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredTimes {
    /// All of the zone was read; none if that is not known.
    pub full_read: Option<Duration>,
    /// Something was written to it.
    pub patched: Option<Duration>,
    /// This was kept.
    pub stored: Duration,
}

/// What is kept of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its record sets.
    pub records: RecordList,
    /// Whether somebody was about to write to it, and nobody knows what came of that.
    pub doubtful: bool,
    /// Whether it is newer than the version of the zone.
    pub patched: bool,
}

/// What has changed of a zone since it was last kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneWrite {
    /// The state that the provider calls it.
    pub version: Option<ZoneVersion>,
    /// When what happened.
    pub times: StoredTimes,
    /// Whether the rows are all that there are, and others go.
    pub whole: bool,
    /// The names that have changed.
    pub rows: Vec<(Box<str>, Row)>,
}

impl Row {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && !self.doubtful && !self.patched
    }
}
