//! Wanted records in files: YAML or JSON, several documents, folders.
//!
//! A document is a list of endpoints, an object with the list `endpoints`, or a
//! `DNSEndpoint`, alone or in a list of objects. Of a folder, the files count whose names
//! end with `.yaml`, `.yml` or `.json` and do not begin with a dot; folders in it do not.
//!
//! A file may be read while it is being written. So another content than the one in force
//! counts only once it has been the same in two readings, and so does the absence of a
//! file from its folder; the content in force stays while a file cannot be read or
//! understood. Only the first reading takes all as it is: before it, nothing was in force.

mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io, mem};

use thiserror::Error;

use super::Wanted;

/// How the names of files of a folder end.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Files, and what of them is in force.
#[derive(Debug, Default)]
pub struct Files {
    paths: Vec<PathBuf>,
    /// The folders that have been listed at least once.
    listed: BTreeSet<PathBuf>,
    contents: BTreeMap<PathBuf, File>,
    begun: bool,
}

#[derive(Debug, Default)]
struct File {
    /// The content in force; none while it is not known.
    in_force: Option<(Digest, Wanted)>,
    /// What was there in the last reading, if that is something else.
    seen: Option<Seen>,
}

type Digest = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Content(Digest),
    Nothing,
}

/// What a reading has found.
#[derive(Debug)]
pub struct Reading {
    /// What the contents in force want.
    pub wanted: Wanted,
    /// Whether a content is in force of every file. Otherwise it is not known what else is
    /// wanted, and nothing may be deleted for not being wanted.
    pub complete: bool,
    /// Whether the contents in force are what was found. Otherwise another reading is due,
    /// after a time in which a writer would have gone on.
    pub settled: bool,
    /// The files that cannot be used as they are.
    pub failures: Vec<FileError>,
}

/// A file cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// It could not be read, or the folder not be listed.
    #[error("failed to read {}: {source}", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is neither YAML nor JSON.
    #[error("failed to parse {}: {message}", file.display())]
    Parse {
        /// The file.
        file: PathBuf,
        /// Where and why.
        message: String,
    },
    /// There is nothing in it: it may just have been emptied to be written.
    #[error("{} is empty; that nothing is wanted is said by an empty list, []", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A document is none that lists endpoints.
    #[error("{}: document {document}: {message}", file.display())]
    Document {
        /// The file.
        file: PathBuf,
        /// Which of its documents, counted from 1.
        document: usize,
        /// What it is instead, and what is allowed.
        message: String,
    },
}

impl Files {
    /// Files and folders, none of which has been read.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            ..Self::default()
        }
    }

    /// Reads them all, now.
    pub fn read(&mut self) -> Reading {
        let mut failures = Vec::new();
        let (present, unlisted) = self.list(&mut failures);
        let mut settled = true;
        for path in &present {
            let read = fs::read_to_string(path);
            let file = self.contents.entry(path.clone()).or_default();
            match read {
                Ok(text) => settled &= file.found(path, &text, !self.begun, &mut failures),
                Err(source) => failures.push(FileError::Read {
                    file: path.clone(),
                    source,
                }),
            }
        }
        let of_unlisted = |path: &Path| path.parent().is_some_and(|folder| unlisted.contains(folder));
        self.contents.retain(|path, file| {
            let there = present.contains(path) || of_unlisted(path);
            let gone = !there && file.seen == Some(Seen::Nothing);
            if !there {
                file.seen = Some(Seen::Nothing);
                settled &= gone;
            }
            !gone
        });
        self.begun = true;
        let mut wanted = Wanted::default();
        for (_, content) in self.contents.values().filter_map(|file| file.in_force.as_ref()) {
            wanted.extend(content.clone());
        }
        let known = self.contents.values().all(|file| file.in_force.is_some());
        Reading {
            wanted,
            complete: known && unlisted.iter().all(|folder| self.listed.contains(folder)),
            settled,
            failures,
        }
    }

    /// The files that should be there, and the folders that cannot be listed.
    fn list(&mut self, failures: &mut Vec<FileError>) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
        let (mut present, mut unlisted) = (BTreeSet::new(), BTreeSet::new());
        for path in mem::take(&mut self.paths) {
            if path.is_dir() || self.listed.contains(&path) {
                match files_of(&path) {
                    Ok(files) => {
                        present.extend(files);
                        self.listed.insert(path.clone());
                    }
                    Err(source) => {
                        unlisted.insert(path.clone());
                        failures.push(FileError::Read {
                            file: path.clone(),
                            source,
                        });
                    }
                }
            } else {
                present.insert(path.clone());
            }
            self.paths.push(path);
        }
        (present, unlisted)
    }
}

impl File {
    /// Takes over what was found, if it may be. Tells whether that is in force now or known
    /// to be of no use, so that looking again at once would tell nothing new.
    fn found(&mut self, path: &Path, text: &str, first: bool, failures: &mut Vec<FileError>) -> bool {
        let digest = digest(text);
        if self.in_force.as_ref().is_some_and(|(known, _)| *known == digest) {
            self.seen = None;
            return true;
        }
        let seen = Some(Seen::Content(digest));
        if !first && self.seen != seen {
            self.seen = seen;
            return false;
        }
        self.seen = seen;
        match document::read(path, text) {
            Ok(wanted) => {
                *self = Self {
                    in_force: Some((digest, wanted)),
                    seen: None,
                }
            }
            Err(error) => failures.push(error),
        }
        true
    }
}

fn digest(text: &str) -> Digest {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        let ending = path.extension().and_then(|ending| ending.to_str());
        // A mounted ConfigMap has links to its files.
        if !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending)) && !path.is_dir() {
            files.push(path);
        }
    }
    Ok(files)
}
