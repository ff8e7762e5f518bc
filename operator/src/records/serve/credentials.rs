//! The server's certificate and its clients' authorities, as the files have them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use remote::server::credentials::Pem;
use remote::server::{Credentials, Tokens};
use tokio::sync::watch as channel;
use tokio::time::sleep;

use crate::mounted_files::MountedFiles;

/// How often the files are looked at. The kubelet takes about a minute to bring a changed
/// Secret.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What connections are made with.
pub struct Secrets {
    /// What the listener has.
    pub connections: Arc<Credentials>,
    pem: channel::Sender<Pem>,
}

impl Secrets {
    /// Tokens that another server with the same key takes too.
    pub fn tokens(&self) -> Tokens {
        Tokens::new(&self.pem.borrow().key)
    }
}

/// The files of a folder.
pub struct CredentialFiles {
    folder: String,
    files: MountedFiles,
    secrets: Arc<Secrets>,
}

impl CredentialFiles {
    /// Reads them for the first time.
    pub fn open(folder: &Path) -> anyhow::Result<(Self, Arc<Secrets>)> {
        let names = ["tls.crt", "tls.key", "ca.crt"];
        let mut files = MountedFiles::new(names.map(|name| folder.join(name)).into());
        let contents = files.look().unwrap_or_else(|| Ok(Vec::new()));
        let pem = pem(contents.context("--tls-dir")?)?;
        let folder = folder.display().to_string();
        let connections = Credentials::new(&pem).with_context(|| format!("--tls-dir: {folder}"))?;
        let secrets = Arc::new(Secrets {
            connections: Arc::new(connections),
            pem: channel::Sender::new(pem),
        });
        let files = Self {
            folder,
            files,
            secrets: Arc::clone(&secrets),
        };
        Ok((files, secrets))
    }

    /// Takes over what is new, for as long as it is polled. What cannot be used is logged once,
    /// and the last that could be stays.
    pub async fn follow(mut self) {
        loop {
            sleep(LOOK_AGAIN).await;
            let Some(contents) = self.files.look() else {
                continue;
            };
            match contents.and_then(|contents| self.renew(contents)) {
                Ok(()) => tracing::info!("serving with the new certificates of {}", self.folder),
                // The files may also have been read from either side of a change.
                Err(error) => tracing::error!(
                    "--tls-dir: {}: no new certificates, the last ones stay: {error:#}",
                    self.folder
                ),
            }
        }
    }

    fn renew(&self, contents: Vec<Vec<u8>>) -> anyhow::Result<()> {
        let pem = pem(contents)?;
        self.secrets.connections.renew(&pem)?;
        self.secrets.pem.send_replace(pem);
        Ok(())
    }
}

fn pem(contents: Vec<Vec<u8>>) -> anyhow::Result<Pem> {
    let [certificate, key, client_authorities] = <[Vec<u8>; 3]>::try_from(contents)
        .map_err(|contents| anyhow::anyhow!("{} files instead of three", contents.len()))?;
    Ok(Pem {
        certificate,
        key,
        client_authorities,
    })
}
