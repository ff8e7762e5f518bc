//! TLS to a server, as RFC 9103 has it for zone transfers: TLS 1.3, the protocol `dot`.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tls::Verifier;
use tokio_rustls::TlsConnector;

use super::settings::{InvalidSettings, Tls};

/// What makes connections with those authorities and that certificate of ours.
pub(super) fn connector(tls: &Tls) -> Result<TlsConnector, InvalidSettings> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| invalid(&error))?;
    let builder = if tls.skip_verify {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(provider, |_| Ok(()))))
    } else {
        builder.with_root_certificates(authorities(tls.authorities.as_deref())?)
    };
    let mut config = match &tls.client {
        Some((certificates, key)) => {
            let certificates = certificates_of("tls-client-cert", certificates)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| unusable("tls-client-cert-key", key, &error))?;
            builder
                .with_client_auth_cert(certificates, key)
                .map_err(|error| invalid(&error))?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"dot".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, InvalidSettings> {
    let certificates = match file {
        Some(path) => certificates_of("tls-ca", path)?,
        // Some of the system's may be unreadable; the others do.
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(InvalidSettings::Tls(
            "there are no authorities to check servers by".into(),
        ));
    }
    Ok(roots)
}

fn certificates_of(
    field: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, InvalidSettings> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(field, path, &error))
}

fn unusable(field: &'static str, path: &Path, error: &rustls::pki_types::pem::Error) -> InvalidSettings {
    InvalidSettings::File {
        field,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn invalid(error: &rustls::Error) -> InvalidSettings {
    InvalidSettings::Tls(error.to_string())
}
