//! TLS to an upstream, with the checks of its certificate that CoreDNS makes.

use std::io;
use std::sync::Arc;

use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use tls::{Presented, Verifier};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Connects to a server that must have a certificate for a name, signed by one of the
/// `authorities` (in PEM).
pub(super) async fn connect(
    stream: TcpStream,
    server_name: &str,
    authorities: Option<&str>,
) -> io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(ring::default_provider());
    let authorities = Authorities::new(authorities);
    let verifier = Verifier::new(Arc::clone(&provider), move |presented: &Presented<'_>| {
        authorities.check(presented)
    });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // A session that is taken up again shows no certificate.
    config.resumption = Resumption::disabled();
    let name = ServerName::try_from(server_name.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Certificates that are trusted. Without any it is not asked who has signed: CoreDNS trusts
/// those of its own image then, which are not known here.
struct Authorities(Option<Known>);

struct Known {
    certificates: Vec<CertificateDer<'static>>,
    roots: RootCertStore,
}

impl Authorities {
    fn new(authorities: Option<&str>) -> Self {
        Self(authorities.map(|pem| {
            let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
                .filter_map(Result::ok)
                .collect();
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates.iter().cloned());
            Known { certificates, roots }
        }))
    }

    /// Checks what a server shows as Go does.
    fn check(&self, presented: &Presented<'_>) -> Result<(), Error> {
        let server = ParsedCertificate::try_from(presented.certificate)?;
        let none = RootCertStore::empty();
        let chain = verify_server_cert_signed_by_trust_anchor(
            &server,
            self.0.as_ref().map_or(&none, |known| &known.roots),
            presented.intermediates,
            presented.now,
            presented.algorithms,
        );
        match chain {
            // These come when the dates have been found right.
            Err(Error::InvalidCertificate(error))
                if is_of_signature(&error) && self.trust_unsigned(presented.certificate) => {}
            chain => chain?,
        }
        verify_server_name(&server, presented.server_name)
    }

    /// Whether the signature on a server's own certificate does not matter: to Go it
    /// does not when the bundle holds that very certificate.
    fn trust_unsigned(&self, server: &CertificateDer<'_>) -> bool {
        let holds = |known: &Known| known.certificates.contains(server);
        self.0.as_ref().is_none_or(holds)
    }
}

/// Whether nothing is wrong but who has signed: nobody known, or the server itself as
/// an authority.
fn is_of_signature(error: &CertificateError) -> bool {
    match error {
        CertificateError::UnknownIssuer => true,
        CertificateError::Other(other) => other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity),
        _ => false,
    }
}
