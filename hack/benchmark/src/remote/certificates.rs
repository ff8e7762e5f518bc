//! An authority, and what it signs for the server and for each client.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use remote::client::Access;
use remote::server::credentials::Pem;

/// The name in the server's certificate.
const SERVER: &str = "dns.central.test";
/// The files that the server has, as in a Secret.
const FILES: [&str; 3] = ["tls.crt", "tls.key", "ca.crt"];

/// An authority for servers and clients.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a client shows to the server, wherever that is.
pub struct Pass {
    namespace: String,
    secret: BTreeMap<String, Vec<u8>>,
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "benchmark");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Self {
            certificate: parameters.self_signed(&key)?.pem(),
            issuer: Issuer::new(parameters, key),
        })
    }

    /// Puts what the server needs into a folder.
    pub fn write_server(&self, folder: &Path) -> Result<()> {
        let mut parameters = CertificateParams::new([SERVER.to_owned()])?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = self.sign(&parameters)?;
        for (file, content) in FILES.into_iter().zip([&certificate, &key, &self.certificate]) {
            let path = folder.join(file);
            fs::write(&path, content).with_context(|| format!("failed to write {}", path.display()))?;
        }
        Ok(())
    }

    /// What the client of a namespace shows.
    pub fn pass(&self, namespace: &str) -> Result<Pass> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, namespace);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.sign(&parameters)?;
        let values = [
            ("NAMESPACE", namespace),
            ("CLIENT_CERT", &certificate),
            ("CLIENT_KEY", &key),
            ("SERVER_CA_CERT", &self.certificate),
            ("OVERRIDE_SERVER_NAME", SERVER),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
        Ok(Pass {
            namespace: namespace.to_owned(),
            secret: values.into(),
        })
    }

    fn sign(&self, parameters: &CertificateParams) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        Ok((
            parameters.signed_by(&key, &self.issuer)?.pem(),
            key.serialize_pem(),
        ))
    }
}

impl Pass {
    /// The namespace of the client.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Access to a server at an address.
    pub fn access(&self, server: SocketAddr) -> Result<Access> {
        Ok(Access::from_secret(&self.secret(server))?)
    }

    /// Puts the Secret for a server at an address into a folder, as it is mounted.
    pub fn write_client(&self, folder: &Path, server: SocketAddr) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        for (key, value) in self.secret(server) {
            let path = folder.join(key);
            fs::write(&path, value).with_context(|| format!("failed to write {}", path.display()))?;
        }
        Ok(())
    }

    fn secret(&self, server: SocketAddr) -> BTreeMap<String, Vec<u8>> {
        let mut secret = self.secret.clone();
        secret.insert("REMOTE_ENDPOINT".to_owned(), server.to_string().into_bytes());
        secret
    }
}

/// What [`Authority::write_server`] has put into a folder.
pub fn read_server(folder: &Path) -> Result<Pem> {
    let read = |file: &str| {
        let path = folder.join(file);
        fs::read(&path).with_context(|| format!("failed to read {}", path.display()))
    };
    let [certificate, key, client_authorities] = FILES.map(read);
    Ok(Pem {
        certificate: certificate?,
        key: key?,
        client_authorities: client_authorities?,
    })
}
