//! The server's certificate and the authorities of its clients, as they are now.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;

/// HTTP/2, as gRPC has it.
const PROTOCOL: &[u8] = b"h2";

/// A certificate, its key and the authorities of clients, all as PEM: a Secret with the
/// keys `tls.crt`, `tls.key` and `ca.crt`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The server's certificate, and those that lead to its authority.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
    /// Who signs the certificates of clients.
    pub client_authorities: Vec<u8>,
}

impl fmt::Debug for Pem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pem")
    }
}

/// Why credentials cannot be used.
#[derive(Debug, Error)]
pub enum InvalidCredentials {
    /// There is none, or one cannot be read.
    #[error("{field}: {reason}")]
    Unreadable {
        /// The key of the Secret.
        field: &'static str,
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// They don't go together.
    #[error("tls.crt and tls.key cannot be used together: {0}")]
    Pair(#[from] rustls::Error),
}

/// What connections are made with from now on, and whose certificates are believed.
pub struct Credentials {
    trust: Arc<Trust>,
    config: RwLock<Arc<ServerConfig>>,
}

/// Whose client certificates are believed now.
#[derive(Debug)]
pub(super) struct Trust(RwLock<Arc<dyn ClientCertVerifier>>);

impl Trust {
    /// Whether a chain of certificates is believed now.
    pub(super) fn check(&self, chain: &[CertificateDer<'static>]) -> Result<(), rustls::Error> {
        let Some((own, others)) = chain.split_first() else {
            return Err(rustls::Error::NoCertificatesPresented);
        };
        let verifier = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        verifier.verify_client_cert(own, others, UnixTime::now())?;
        Ok(())
    }
}

impl Credentials {
    /// The first ones.
    pub fn new(pem: &Pem) -> Result<Self, InvalidCredentials> {
        let (verifier, config) = build(pem)?;
        Ok(Self {
            trust: Arc::new(Trust(RwLock::new(verifier))),
            config: RwLock::new(config),
        })
    }

    /// Takes over others; when they cannot be used, the last ones stay. Connections that
    /// there are go on, for as long as their clients' certificates are believed.
    pub fn renew(&self, pem: &Pem) -> Result<(), InvalidCredentials> {
        let (verifier, config) = build(pem)?;
        *self.trust.0.write().unwrap_or_else(PoisonError::into_inner) = verifier;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust)
    }
}

fn build(pem: &Pem) -> Result<(Arc<dyn ClientCertVerifier>, Arc<ServerConfig>), InvalidCredentials> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    for authority in certificates("ca.crt", &pem.client_authorities)? {
        roots
            .add(authority)
            .map_err(|error| unreadable("ca.crt", &error))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| unreadable("ca.crt", &error))?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|error| unreadable("tls.key", &error))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::clone(&verifier))
        .with_single_cert(certificates("tls.crt", &pem.certificate)?, key)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // A session that is taken up again outlives the authorities it was made under.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok((verifier, Arc::new(config)))
}

fn certificates(field: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidCredentials> {
    let certificates = CertificateDer::pem_slice_iter(pem);
    let certificates: Vec<_> = certificates
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(field, &error))?;
    if certificates.is_empty() {
        return Err(unreadable(
            field,
            &"it holds no certificate; allowed is PEM with one or more",
        ));
    }
    Ok(certificates)
}

fn unreadable(field: &'static str, reason: &dyn ToString) -> InvalidCredentials {
    InvalidCredentials::Unreadable {
        field,
        reason: reason.to_string(),
    }
}
