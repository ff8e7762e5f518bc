//! What the operator's own server offers in a TLS handshake: of the cluster's
//! profile, that which rustls has.

use std::sync::Arc;

use rustls::crypto::ring::{self, DEFAULT_CIPHER_SUITES, DEFAULT_KX_GROUPS};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

use crate::dns::tls_profile::TlsProfile;

/// What is offered, and what of the profile is not.
#[derive(Debug)]
pub struct Offer {
    suites: Vec<SupportedCipherSuite>,
    versions: Vec<&'static SupportedProtocolVersion>,
    groups: Vec<&'static dyn SupportedKxGroup>,
    /// For people: where it differs from the profile. Empty where it does not.
    pub remarks: Vec<String>,
}

impl Offer {
    /// The part of a profile that rustls has. Where nothing is left of something,
    /// that of the profile `Intermediate` stands in for it.
    #[must_use]
    pub fn of(profile: &TlsProfile) -> Self {
        let mut remarks = Vec::new();
        let versions = versions(&profile.min_version, &mut remarks);
        let suites = suites(profile, &versions, &mut remarks);
        let groups = groups(&profile.groups, &mut remarks);
        Self {
            suites,
            versions,
            groups,
            remarks,
        }
    }

    /// The IANA names of the cipher suites on offer.
    #[must_use]
    pub fn suite_names(&self) -> Vec<String> {
        self.suites.iter().copied().map(iana_name).collect()
    }

    /// The protocol versions on offer, such as `TLSv1_3`.
    #[must_use]
    pub fn version_names(&self) -> Vec<&'static str> {
        let names = self.versions.iter().map(|version| version.version.as_str());
        names.map(Option::unwrap_or_default).collect()
    }

    /// The names of the groups on offer, such as `X25519`.
    #[must_use]
    pub fn group_names(&self) -> Vec<&'static str> {
        let names = self.groups.iter().map(|group| group.name().as_str());
        names.map(Option::unwrap_or_default).collect()
    }

    /// A server with this offer and a certificate.
    pub fn server(&self, pair: Arc<CertifiedKey>) -> Result<ServerConfig, rustls::Error> {
        let provider = CryptoProvider {
            cipher_suites: self.suites.clone(),
            kx_groups: self.groups.clone(),
            ..ring::default_provider()
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&self.versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Scrapers keep their connections; sessions to resume would only take memory,
        // and outlive the profile they were made under.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

fn versions(minimum: &str, remarks: &mut Vec<String>) -> Vec<&'static SupportedProtocolVersion> {
    match minimum {
        "VersionTLS13" => return vec![&TLS13],
        // A profile that does not say gets what Go's TLS begins with.
        "VersionTLS12" | "" => {}
        lower => remarks.push(format!("the minimum version is VersionTLS12 and not {lower:?}")),
    }
    vec![&TLS13, &TLS12]
}

fn suites(
    profile: &TlsProfile,
    versions: &[&'static SupportedProtocolVersion],
    remarks: &mut Vec<String>,
) -> Vec<SupportedCipherSuite> {
    let usable = |suite: &SupportedCipherSuite| versions.contains(&suite.version());
    let mut dropped: Vec<&str> = profile.unknown_ciphers.iter().map(String::as_str).collect();
    let mut suites = Vec::new();
    for name in &profile.cipher_suites {
        match DEFAULT_CIPHER_SUITES
            .iter()
            .find(|suite| iana_name(**suite) == *name)
        {
            Some(suite) if suites.contains(suite) => {}
            Some(suite) => suites.push(*suite),
            None => dropped.push(name),
        }
    }
    if !dropped.is_empty() {
        remarks.push(format!("without the cipher suites {}", dropped.join(", ")));
    }
    if suites.iter().any(usable) {
        return suites;
    }
    // All that rustls has are those of `Intermediate`.
    remarks.push("no cipher suite is left, so those of Intermediate are offered".into());
    DEFAULT_CIPHER_SUITES.to_vec()
}

/// By their names in TLS's registry, whatever the case.
fn groups(names: &[String], remarks: &mut Vec<String>) -> Vec<&'static dyn SupportedKxGroup> {
    let mut groups: Vec<&'static dyn SupportedKxGroup> = Vec::new();
    let mut dropped = Vec::new();
    for name in names {
        let known = DEFAULT_KX_GROUPS.iter().find(|group| {
            let known = group.name().as_str().unwrap_or_default();
            known.eq_ignore_ascii_case(name)
        });
        match known {
            Some(group) if groups.iter().any(|other| other.name() == group.name()) => {}
            Some(group) => groups.push(*group),
            None => dropped.push(name.as_str()),
        }
    }
    if !dropped.is_empty() {
        remarks.push(format!("without the groups {}", dropped.join(", ")));
    }
    if groups.is_empty() {
        if !dropped.is_empty() {
            remarks.push("no group is left, so X25519, secp256r1 and secp384r1 are offered".into());
        }
        return DEFAULT_KX_GROUPS.to_vec();
    }
    groups
}

/// rustls calls the suites of TLS 1.3 by another prefix.
fn iana_name(suite: SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    name.replacen("TLS13_", "TLS_", 1)
}
