//! A Secret that is mounted: its keys are files of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::sleep;

use super::access::{Access, InvalidAccess};

/// How often the files are looked at. The kubelet takes about a minute to bring a changed
/// Secret, and a certificate is renewed days before it ends.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// The most octets of a Secret (Kubernetes).
const LARGEST: u64 = 1024 * 1024;

/// Why a folder cannot be used as a Secret.
#[derive(Debug, Error)]
pub enum InvalidFolder {
    /// Something in it cannot be read.
    #[error("{}: {error}", .path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What it holds makes no sense.
    #[error("{}: {error}", .folder.display())]
    Invalid {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        error: InvalidAccess,
    },
}

type Files = BTreeMap<String, Vec<u8>>;

/// What a folder tells, and what it tells later: files are read again every ten seconds for
/// as long as somebody wants to know. While what is there cannot be used, the last that could
/// stays.
pub fn follow(folder: PathBuf) -> Result<watch::Receiver<Access>, InvalidFolder> {
    let files = read(&folder)?;
    let (sender, receiver) = watch::channel(access(&folder, &files)?);
    tokio::spawn(async move {
        let mut seen = files;
        loop {
            tokio::select! {
                () = sleep(LOOK_AGAIN) => {}
                () = sender.closed() => return,
            }
            let read = read(&folder).and_then(|files| {
                if files == seen {
                    return Ok(None);
                }
                seen.clone_from(&files);
                access(&folder, &files).map(Some)
            });
            match read {
                Ok(None) => {}
                Ok(Some(access)) => {
                    tracing::info!("{}: the Secret has changed", folder.display());
                    sender.send_replace(access);
                }
                Err(error) => tracing::warn!("the Secret cannot be used, the last one stays: {error}"),
            }
        }
    });
    Ok(receiver)
}

fn access(folder: &Path, files: &Files) -> Result<Access, InvalidFolder> {
    Access::from_secret(files).map_err(|error| InvalidFolder::Invalid {
        folder: folder.to_owned(),
        error,
    })
}

/// The files of a folder by their names. They are small and local: nobody waits for them.
fn read(folder: &Path) -> Result<Files, InvalidFolder> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| InvalidFolder::Unreadable { path, error }
    };
    let mut files = Files::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // What the kubelet keeps for itself begins so.
        if name.starts_with("..") {
            continue;
        }
        let metadata = fs::metadata(&path).map_err(unreadable(&path))?;
        if metadata.is_file() && metadata.len() <= LARGEST {
            files.insert(name.to_owned(), fs::read(&path).map_err(unreadable(&path))?);
        }
    }
    Ok(files)
}
