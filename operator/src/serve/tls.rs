//! Keeps the TLS configuration up to date with the certificate's files and the
//! cluster's profile.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::dns::tls_profile::TlsProfile;

use super::offer::Offer;

/// How often the files are looked at. The kubelet takes about a minute to bring a
/// changed Secret, and a certificate is renewed days before it ends.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Builds a configuration whenever there is another certificate or profile, for as
/// long as it is polled. The first comes when there are both.
pub(super) async fn follow(
    folder: &Path,
    mut profiles: watch::Receiver<Option<TlsProfile>>,
    configs: &watch::Sender<Option<Arc<ServerConfig>>>,
) {
    let mut files = PairFiles::new(folder);
    let mut offer = None;
    let mut pair = None;
    let mut ticks = interval(LOOK_AGAIN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => match files.read() {
                Some(read) => pair = Some(read),
                None => continue,
            },
            Ok(()) = profiles.changed() => {
                offer = profiles.borrow_and_update().as_ref().map(told_offer);
            }
        }
        let (Some(offer), Some(pair)) = (&offer, &pair) else {
            continue;
        };
        match offer.server(Arc::clone(pair)) {
            Ok(config) => {
                configs.send_replace(Some(Arc::new(config)));
            }
            Err(error) => tracing::error!(%error, "failed to set up TLS, the last setting stays"),
        }
    }
}

fn told_offer(profile: &TlsProfile) -> Offer {
    let offer = Offer::of(profile);
    if !offer.remarks.is_empty() {
        tracing::warn!(
            versions = offer.version_names().join(","),
            cipher_suites = offer.suite_names().join(","),
            groups = offer.group_names().join(","),
            "the metrics are not served quite as the cluster's TLS profile says: {}",
            offer.remarks.join("; ")
        );
    }
    offer
}

/// `tls.crt` and `tls.key` of a folder, as the kubelet mounts a Secret.
struct PairFiles {
    certificate: PathBuf,
    key: PathBuf,
    seen: Seen,
}

/// What the last look at the files has shown, so that each change is told once.
#[derive(PartialEq, Eq)]
enum Seen {
    Nothing,
    Unreadable(String),
    Content([u8; 32]),
}

impl PairFiles {
    fn new(folder: &Path) -> Self {
        Self {
            certificate: folder.join("tls.crt"),
            key: folder.join("tls.key"),
            seen: Seen::Nothing,
        }
    }

    /// A pair that was not there at the last look.
    fn read(&mut self) -> Option<Arc<CertifiedKey>> {
        let content = read(&self.certificate).and_then(|certificate| Ok((certificate, read(&self.key)?)));
        let seen = match &content {
            Ok((certificate, key)) => {
                let digests = [Sha256::digest(certificate), Sha256::digest(key)];
                Seen::Content(Sha256::digest(digests.concat()).into())
            }
            Err(error) => Seen::Unreadable(format!("{error:#}")),
        };
        if seen == self.seen {
            return None;
        }
        self.seen = seen;
        let pair = content.and_then(|(certificate, key)| self.decode(&certificate, &key));
        match pair {
            Ok(pair) => {
                tracing::info!("serving with the certificate of {}", self.certificate.display());
                Some(Arc::new(pair))
            }
            // The two files may also have been read from either side of a change.
            Err(error) => {
                tracing::error!("no new certificate to serve metrics with: {error:#}");
                None
            }
        }
    }

    fn decode(&self, certificate: &[u8], key: &[u8]) -> Result<CertifiedKey> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .with_context(|| format!("failed to read a certificate in {}", self.certificate.display()))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .with_context(|| format!("failed to read a private key in {}", self.key.display()))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).with_context(|| {
            format!(
                "failed to use {} with {}",
                self.certificate.display(),
                self.key.display()
            )
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read {}", path.display()))
}
