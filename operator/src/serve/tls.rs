//! Keeps the TLS configuration up to date with the certificate's files and the
//! cluster's profile.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::dns::tls_profile::TlsProfile;
use crate::mounted_files::MountedFiles;

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
struct PairFiles(MountedFiles);

impl PairFiles {
    fn new(folder: &Path) -> Self {
        Self(MountedFiles::new(vec![
            folder.join("tls.crt"),
            folder.join("tls.key"),
        ]))
    }

    /// A pair that was not there at the last look.
    fn read(&mut self) -> Option<Arc<CertifiedKey>> {
        let contents = self.0.look()?;
        match contents.and_then(|contents| self.decode(&contents)) {
            Ok(pair) => {
                let certificate = self.0.paths().first().map(|path| path.display().to_string());
                tracing::info!(
                    "serving with the certificate of {}",
                    certificate.unwrap_or_default()
                );
                Some(Arc::new(pair))
            }
            // The two files may also have been read from either side of a change.
            Err(error) => {
                tracing::error!("no new certificate to serve metrics with: {error:#}");
                None
            }
        }
    }

    fn decode(&self, contents: &[Vec<u8>]) -> Result<CertifiedKey> {
        let ([certificate_file, key_file], [certificate, key]) = (self.0.paths(), contents) else {
            bail!("a certificate and its key are two files");
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .with_context(|| format!("failed to read a certificate in {}", certificate_file.display()))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .with_context(|| format!("failed to read a private key in {}", key_file.display()))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).with_context(|| {
            format!(
                "failed to use {} with {}",
                certificate_file.display(),
                key_file.display()
            )
        })
    }
}
