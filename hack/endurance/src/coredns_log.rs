//! What CoreDNS logs when it cannot take over a Corefile. It goes on with the one
//! before, so that no answer and no restart tells of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What stands in the line of CoreDNS's `reload` plugin.
const RELOAD_FAILED: &str = "reload failed";
/// The beginning of the names of the DNS pods' folders.
const PODS: &str = "openshift-dns_dns-default-";

/// The logs of the DNS pods, as the kubelet keeps them.
#[derive(Debug)]
pub struct Logs {
    folder: PathBuf,
    /// How much of each file was read, in bytes.
    read: BTreeMap<PathBuf, u64>,
}

impl Logs {
    /// The logs of a local cluster with a state folder.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self {
            folder: state.join("pod-logs"),
            read: BTreeMap::new(),
        }
    }

    /// Lines since the last call that tell of a Corefile not taken over.
    pub fn refusals(&mut self) -> Result<Vec<String>> {
        let mut refusals = Vec::new();
        for pod in entries(&self.folder)? {
            let name = pod.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.starts_with(PODS) {
                continue;
            }
            for file in entries(&pod.join("dns"))? {
                let offset = self.read.entry(file.clone()).or_default();
                let lines =
                    read_on(&file, offset).with_context(|| format!("failed to read {}", file.display()))?;
                let told = lines.into_iter().filter(|line| line.contains(RELOAD_FAILED));
                refusals.extend(told.map(|line| format!("{name}: {}", line.trim())));
            }
        }
        Ok(refusals)
    }
}

/// What is in a folder; nothing if it has just gone.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", folder.display())),
    }
}

/// The whole lines of a file from an offset, which it moves on; none if the file
/// has just gone.
fn read_on(file: &Path, offset: &mut u64) -> std::io::Result<Vec<String>> {
    let mut open = match File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    open.seek(SeekFrom::Start(*offset))?;
    let mut reader = BufReader::new(open.by_ref());
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        *offset += line.len() as u64;
        lines.push(String::from_utf8_lossy(&line).into_owned());
        line.clear();
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_once() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("pod-logs/openshift-dns_dns-default-abc_1/dns");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("0.log");
        let mut logs = Logs::new(state.path());
        let refusal = "[ERROR] plugin/reload: Corefile changed but reload failed: no such file\n";
        fs::write(&file, format!("[INFO] Reloading\n{refusal}[INFO] half a li")).unwrap();
        assert_eq!(logs.refusals().unwrap().len(), 1);
        assert_eq!(logs.refusals().unwrap().len(), 0);
        fs::write(
            &file,
            format!("[INFO] Reloading\n{refusal}[INFO] half a line\n{refusal}"),
        )
        .unwrap();
        assert_eq!(logs.refusals().unwrap().len(), 1);
    }
}
