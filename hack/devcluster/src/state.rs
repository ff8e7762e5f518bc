//! State folders: where they lie, who holds them, and how one is cleared.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, anyhow};

use crate::{children, sandbox};

/// The folder of all state folders: `DNS_OPERATOR_STATE`, or one a user in the folder for temporary files.
#[must_use]
pub fn base() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    std::env::var_os("DNS_OPERATOR_STATE").map_or_else(
        || std::env::temp_dir().join(format!("dns-operator-{user}")),
        PathBuf::from,
    )
}

/// The state folder of the cluster that `devcluster up` leaves running.
#[must_use]
pub fn of_up() -> PathBuf {
    base().join("up")
}

/// A state folder that belongs to this process while the value lives.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    lock: PathBuf,
    kept: bool,
    _held: File,
}

impl State {
    /// Takes a folder, and clears it of whatever an earlier owner has left.
    pub fn take(path: &Path) -> Result<Self> {
        let state = Self::hold(path)?;
        clear(path)?;
        fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
        Ok(state)
    }

    /// Takes a folder as it is.
    pub fn hold(path: &Path) -> Result<Self> {
        let parent = path
            .parent()
            .ok_or_else(|| anyhow!("{} cannot be a state folder", path.display()))?;
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        let lock = path.with_extension("lock");
        let held = File::create(&lock).with_context(|| format!("opening {}", lock.display()))?;
        held.try_lock()
            .map_err(|_| anyhow!("another process works with the cluster in {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            lock,
            kept: false,
            _held: held,
        })
    }

    /// Takes a fresh folder of this process.
    pub fn fresh() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::take(&base().join(format!("{}-{number}", std::process::id())))
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder as it is when this value is dropped.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Ends what is recorded in it and removes it; returns the names of the processes ended.
    pub fn remove(mut self) -> Result<Vec<String>> {
        self.kept = true;
        let ended = clear(&self.path)?;
        let _ = fs::remove_file(&self.lock);
        Ok(ended)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if !self.kept {
            if let Err(error) = clear(&self.path) {
                eprintln!("clearing {}: {error:#}", self.path.display());
            }
            let _ = fs::remove_file(&self.lock);
        }
    }
}

fn clear(path: &Path) -> Result<Vec<String>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let ended = children::end_recorded(path)?;
    sandbox::sweep(path)?;
    fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))?;
    Ok(ended)
}

/// Clears the folders whose process has ended without doing so itself. The one
/// of `up` is left alone: its processes outlive the command on purpose.
pub fn clear_abandoned() -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(base()) else {
        return Ok(Vec::new());
    };
    let mut cleared = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path == of_up() || !path.is_dir() {
            continue;
        }
        // A held folder belongs to a process that is alive.
        if let Ok(state) = State::take(&path) {
            state.remove()?;
            cleared.push(path);
        }
    }
    Ok(cleared)
}
