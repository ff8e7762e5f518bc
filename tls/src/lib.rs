//! Servers' certificates, judged by other rules than the web's.
//!
//! rustls has one place for that and for the check that a server has the key of its
//! certificate. Only the former is anybody's to choose.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// What a server shows, and what it is asked for.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The server's own certificate.
    pub certificate: &'a CertificateDer<'a>,
    /// Those that may lead from it to an authority.
    pub intermediates: &'a [CertificateDer<'a>],
    /// The name that it was asked for.
    pub server_name: &'a ServerName<'a>,
    /// The present time.
    pub now: UnixTime,
    /// How signatures may be made.
    pub algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
}

/// Takes the certificates of which a judge says that they will do, from servers that have
/// the keys of them.
pub struct Verifier<J> {
    provider: Arc<CryptoProvider>,
    judge: J,
}

impl<J: Fn(&Presented<'_>) -> Result<(), Error>> Verifier<J> {
    /// A verifier by that judge.
    pub fn new(provider: Arc<CryptoProvider>, judge: J) -> Self {
        Self { provider, judge }
    }
}

impl<J> fmt::Debug for Verifier<J> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl<J: Fn(&Presented<'_>) -> Result<(), Error> + Send + Sync> ServerCertVerifier for Verifier<J> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        (self.judge)(&Presented {
            certificate,
            intermediates,
            server_name,
            now,
            algorithms: self.provider.signature_verification_algorithms.all,
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
