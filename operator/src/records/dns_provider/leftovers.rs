//! Cache folders of accounts that went away while nobody followed DNSProviders.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use records::cache::store::FileStore;
use tokio::task::spawn_blocking;

use super::finding::Finding;
use super::object::DnsProviderObject;
use super::settings::{TYPES, is_account_name};

/// The cache folders that were there at the start and of which nobody knows yet whose they are.
pub(super) struct Leftovers {
    /// Where caches are kept; none once there is nothing to do there any more.
    directory: Option<PathBuf>,
    /// The names of the folders; none before they were looked for.
    folders: Option<BTreeSet<String>>,
}

impl Leftovers {
    /// Those below a directory, if there is one.
    pub fn of(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            folders: None,
        }
    }

    /// Removes what belongs to no account, once everything has been found out that can be. A
    /// DNSProvider whose account is not known may yet have a folder of its type.
    pub async fn clear(&mut self, findings: &[(&Arc<DnsProviderObject>, Finding)]) {
        let Some(directory) = self.directory.clone() else {
            return;
        };
        let mut folders = match self.folders.take() {
            Some(folders) => folders,
            None => candidates(directory.clone()).await,
        };
        for account in findings.iter().flat_map(|(_, finding)| finding.accounts()) {
            folders.remove(&account.name);
        }
        let unknown = findings.iter().filter(|(_, finding)| finding.account.is_none());
        let unknown: BTreeSet<Option<&str>> = unknown.map(|(object, _)| type_of(object)).collect();
        let (kept, free) = folders.into_iter().partition(|folder| {
            let is_of = |kind: &str| folder.starts_with(&format!("{kind}-"));
            unknown.iter().any(|unknown| unknown.is_none_or(is_of))
        });
        let (kept, free): (BTreeSet<String>, BTreeSet<String>) = (kept, free);
        if kept.is_empty() {
            self.directory = None;
        }
        self.folders = Some(kept);
        if !free.is_empty() {
            let removing = spawn_blocking(move || free.iter().for_each(|name| remove(&directory, name)));
            if let Err(error) = removing.await {
                tracing::warn!("cache folders that nobody uses: {error}");
            }
        }
    }
}

/// The type of a DNSProvider, as far as it can be told.
fn type_of(object: &DnsProviderObject) -> Option<&str> {
    let kind = object.spec.as_ref().ok()?.provider_type.as_deref()?;
    TYPES.contains(&kind).then_some(kind)
}

/// The folders that have names of accounts.
async fn candidates(directory: PathBuf) -> BTreeSet<String> {
    let look = move || -> io::Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name().into_string().ok();
            found.extend(name.filter(|name| is_account_name(name)));
        }
        Ok(found)
    };
    // Without a directory there is nothing in it.
    spawn_blocking(look)
        .await
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default()
}

/// Removes a folder, if it holds the cache of an account of its name and nothing else, and
/// nobody uses it.
fn remove(directory: &Path, name: &str) {
    let folder = directory.join(name);
    let shown = folder.display();
    match FileStore::identity(&folder) {
        Ok(identity) if identity.split_whitespace().next_back() == Some(name) => {}
        Ok(identity) => {
            tracing::warn!("{shown} is left as it is: it was kept for {identity:?}");
            return;
        }
        Err(error) => {
            tracing::warn!("{shown} is left as it is: {error}");
            return;
        }
    }
    match FileStore::remove_directory(&folder) {
        Ok(()) => {
            tracing::info!("{shown} is removed: it was the cache of an account that no DNSProvider has");
        }
        Err(error) => tracing::warn!("{shown}: {error}"),
    }
}
