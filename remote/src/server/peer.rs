//! Whom a client's certificate stands for.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::admission::Refusal;
use super::credentials::Trust;

/// What stands before the namespace in the path of a URI, as SPIFFE identities of
/// Kubernetes have it: `spiffe://example.org/ns/garden-a/sa/dns`.
const NAMESPACE_SEGMENT: &str = "ns";

/// Whom the certificate of a connection stands for. The listener puts it into the
/// extensions of each request.
#[derive(Clone, Debug)]
pub struct Peer {
    certificate: Arc<Certificate>,
    trust: Arc<Trust>,
}

#[derive(Debug)]
struct Certificate {
    /// The certificate, and those that lead to its authority.
    chain: Vec<CertificateDer<'static>>,
    fingerprint: [u8; 32],
    /// `*` is all of them.
    namespaces: Vec<Box<str>>,
}

/// Why nobody knows whom a certificate stands for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidCertificate {
    /// There is none.
    #[error("the client shows no certificate")]
    Missing,
    /// It is not one.
    #[error("the client certificate cannot be read: {0}")]
    Malformed(String),
}

impl Peer {
    /// The peer that shows these certificates, its own first.
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        trust: Arc<Trust>,
    ) -> Result<Self, InvalidCertificate> {
        let own = chain.first().ok_or(InvalidCertificate::Missing)?;
        let namespaces = namespaces(own)?;
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, own).as_ref());
        let certificate = Certificate {
            chain,
            fingerprint,
            namespaces,
        };
        Ok(Self {
            certificate: Arc::new(certificate),
            trust,
        })
    }

    /// The SHA-256 of its certificate.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.certificate.fingerprint
    }

    /// Whether it may use a namespace now. Connections last longer than certificates and
    /// authorities, so each call asks.
    pub fn admit(&self, namespace: &str) -> Result<(), Refusal> {
        let certificate = &self.certificate;
        let granted = certificate
            .namespaces
            .iter()
            .any(|granted| **granted == *"*" || **granted == *namespace);
        if !granted {
            let granted = match certificate.namespaces.join(", ") {
                none if none.is_empty() => "no namespace".to_owned(),
                some => some,
            };
            return Err(Refusal::Namespace(format!(
                "the client certificate is for {granted}, not for the namespace {namespace:?}"
            )));
        }
        self.trust.check(&certificate.chain).map_err(|error| {
            Refusal::Namespace(format!("the client certificate is not valid any more: {error}"))
        })
    }
}

/// The namespaces that a certificate stands for: those of its URIs, otherwise the first
/// label of its common name.
fn namespaces(certificate: &CertificateDer<'_>) -> Result<Vec<Box<str>>, InvalidCertificate> {
    let malformed = |error: &dyn ToString| InvalidCertificate::Malformed(error.to_string());
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| malformed(&error))?;
    let names = parsed
        .subject_alternative_name()
        .map_err(|error| malformed(&error))?;
    let uris = names.iter().flat_map(|names| &names.value.general_names);
    let mut namespaces: Vec<Box<str>> = uris
        .filter_map(|name| match name {
            GeneralName::URI(uri) => namespace_of_uri(uri),
            _ => None,
        })
        .collect();
    if namespaces.is_empty() {
        let common_names = parsed.subject().iter_common_name();
        let labels = common_names.filter_map(|name| name.as_str().ok()?.split('.').next());
        // With several names nobody can tell which one counts.
        let labels: Vec<&str> = labels.filter(|label| !label.is_empty()).collect();
        if let [label] = labels[..] {
            namespaces.push(label.into());
        }
    }
    namespaces.sort_unstable();
    namespaces.dedup();
    Ok(namespaces)
}

fn namespace_of_uri(uri: &str) -> Option<Box<str>> {
    let (_, rest) = uri.split_once("://")?;
    let mut segments = rest.split('/').skip(1);
    (segments.next()? == NAMESPACE_SEGMENT).then_some(())?;
    // A URI never stands for all namespaces.
    let namespace = segments.next().filter(|name| !name.is_empty() && *name != "*")?;
    Some(namespace.into())
}
