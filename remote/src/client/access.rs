//! Where a server is, and what is shown to it: a Secret, as Gardener has it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tonic::transport::Uri;

/// Each value under the key that Gardener documents, and under the one that it takes too.
const ENDPOINT: [&str; 2] = ["REMOTE_ENDPOINT", "remoteEndpoint"];
const NAMESPACE: [&str; 2] = ["NAMESPACE", "namespace"];
const CERTIFICATE: [&str; 2] = ["CLIENT_CERT", "tls.crt"];
const KEY: [&str; 2] = ["CLIENT_KEY", "tls.key"];
const AUTHORITIES: [&str; 2] = ["SERVER_CA_CERT", "ca.crt"];
const SERVER_NAME: [&str; 2] = ["OVERRIDE_SERVER_NAME", "overrideServerName"];

/// Where a server is, and what is shown to it.
#[derive(Clone)]
pub struct Access {
    /// The server's address and port.
    pub(super) address: Uri,
    /// The namespace that is used on the server's side.
    pub namespace: String,
    /// The name that the server's certificate must have.
    pub(super) server_name: ServerName<'static>,
    pub(super) config: Arc<ClientConfig>,
}

/// What is wrong with a Secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidAccess {
    /// A key is missing or empty.
    #[error("{0}: it is missing")]
    Missing(&'static str),
    /// A value cannot be used.
    #[error("{key}: {reason}")]
    Invalid {
        /// The key of the Secret.
        key: &'static str,
        /// What is wrong, and what is allowed. Never the value of a private key.
        reason: String,
    },
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Access")
            .field("address", &self.address)
            .field("namespace", &self.namespace)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// What a Secret tells.
    pub fn from_secret(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, InvalidAccess> {
        let secret = Secret(data);
        let endpoint = secret
            .text(ENDPOINT)?
            .ok_or(InvalidAccess::Missing(ENDPOINT[0]))?;
        let address = address(endpoint)?;
        let namespace = secret
            .text(NAMESPACE)?
            .ok_or(InvalidAccess::Missing(NAMESPACE[0]))?;
        let server_name = match secret.text(SERVER_NAME)? {
            Some(name) => server_name(SERVER_NAME[0], name)?,
            None => server_name(ENDPOINT[0], address.host().unwrap_or_default())?,
        };
        Ok(Self {
            namespace: namespace.to_owned(),
            server_name,
            config: Arc::new(secret.config()?),
            address,
        })
    }

    /// The server's address and port, for messages.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address
            .authority()
            .map_or("", |authority| authority.as_str())
    }
}

struct Secret<'a>(&'a BTreeMap<String, Vec<u8>>);

impl Secret<'_> {
    fn octets(&self, keys: [&'static str; 2]) -> Option<&[u8]> {
        let mut values = keys.iter().filter_map(|key| self.0.get(*key));
        values.find(|value| !value.is_empty()).map(Vec::as_slice)
    }

    /// Without the space around it that editors leave behind.
    fn text(&self, keys: [&'static str; 2]) -> Result<Option<&str>, InvalidAccess> {
        let Some(octets) = self.octets(keys) else {
            return Ok(None);
        };
        let text = str::from_utf8(octets).map_err(|error| invalid(keys[0], &error))?;
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    fn config(&self) -> Result<ClientConfig, InvalidAccess> {
        let certificate = self
            .octets(CERTIFICATE)
            .ok_or(InvalidAccess::Missing(CERTIFICATE[0]))?;
        let key = self.octets(KEY).ok_or(InvalidAccess::Missing(KEY[0]))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| invalid(KEY[0], &"it is not a private key in PEM"))?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(CERTIFICATE[0], &error))?
            .with_root_certificates(self.roots()?)
            .with_client_auth_cert(certificates(CERTIFICATE[0], certificate)?, key)
            .map_err(|error| invalid(CERTIFICATE[0], &error))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }

    /// Those of the Secret, otherwise the system's.
    fn roots(&self) -> Result<RootCertStore, InvalidAccess> {
        let mut roots = RootCertStore::empty();
        match self.octets(AUTHORITIES) {
            Some(pem) => {
                for authority in certificates(AUTHORITIES[0], pem)? {
                    roots
                        .add(authority)
                        .map_err(|error| invalid(AUTHORITIES[0], &error))?;
                }
            }
            // Some of the system's may be unreadable; the others do.
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(InvalidAccess::Missing(AUTHORITIES[0]));
        }
        Ok(roots)
    }
}

/// The scheme is not for TLS, which is made below HTTP/2.
fn address(endpoint: &str) -> Result<Uri, InvalidAccess> {
    let uri = Uri::try_from(format!("http://{endpoint}")).map_err(|error| {
        let reason = format!("{endpoint:?} cannot be used: {error}; allowed is HOST:PORT");
        InvalidAccess::Invalid {
            key: ENDPOINT[0],
            reason,
        }
    })?;
    if uri.port_u16().is_none() || uri.path() != "/" || uri.query().is_some() {
        let reason = format!("{endpoint:?} cannot be used; allowed is HOST:PORT");
        return Err(InvalidAccess::Invalid {
            key: ENDPOINT[0],
            reason,
        });
    }
    Ok(uri)
}

fn server_name(key: &'static str, name: &str) -> Result<ServerName<'static>, InvalidAccess> {
    // A URI has brackets around an IPv6 address.
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(bare.to_owned())
        .map_err(|error| invalid(key, &format!("{name:?} cannot be the name of a server: {error}")))
}

fn certificates(key: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidAccess> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(key, &error))?;
    if certificates.is_empty() {
        return Err(invalid(key, &"it holds no certificate in PEM"));
    }
    Ok(certificates)
}

fn invalid(key: &'static str, reason: &dyn ToString) -> InvalidAccess {
    InvalidAccess::Invalid {
        key,
        reason: reason.to_string(),
    }
}
