//! Files that change while the program runs, such as those that the kubelet mounts of a
//! Secret.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// Files that are looked at again and again.
#[derive(Debug)]
pub struct MountedFiles {
    paths: Vec<PathBuf>,
    seen: Seen,
}

/// What the last look at the files has shown, so that each change is told once.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Unreadable(String),
    Content([u8; 32]),
}

impl MountedFiles {
    /// Files that nobody has looked at yet.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            seen: Seen::Nothing,
        }
    }

    /// Where they are.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// What is in them, or why that cannot be read, if it is something else than at the last
    /// look. Files that are changed one after the other may be read from either side of it.
    pub fn look(&mut self) -> Option<anyhow::Result<Vec<Vec<u8>>>> {
        let contents: anyhow::Result<Vec<Vec<u8>>> = self.paths.iter().map(|path| read(path)).collect();
        let seen = match &contents {
            Ok(contents) => {
                let digests = contents.iter().flat_map(Sha256::digest);
                Seen::Content(Sha256::digest(digests.collect::<Vec<u8>>()).into())
            }
            Err(error) => Seen::Unreadable(format!("{error:#}")),
        };
        (seen != self.seen).then(|| {
            self.seen = seen;
            contents
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read {}", path.display()))
}
