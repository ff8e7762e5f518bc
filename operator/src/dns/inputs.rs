//! What the objects depend on beside the DNS resource: the cluster's facts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::dns::config::CaBundleName;
use crate::dns::tls_profile::TlsProfile;
use crate::images::Images;

/// The cluster's facts, read before anything is decided.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The images of the pods.
    pub images: Images,
    /// The address of the DNS service; none while it is not known.
    pub service_address: Option<IpAddr>,
    /// The domain of services and pods.
    pub cluster_domain: String,
    /// The CA bundles at hand, by the name of their source.
    pub ca_bundles: BTreeMap<CaBundleName, CaBundle>,
    /// How the metrics are served.
    pub tls_profile: TlsProfile,
    /// Namespaces the `ocp_dnsnameresolver` plugin watches; empty while its
    /// feature gate is off.
    pub name_resolver_namespaces: Vec<String>,
    /// Whether the Service asks for topology aware hints.
    pub topology_hints: bool,
    /// The uid of the DNS resource, for owner references.
    pub owner_uid: String,
}

/// The domain of services and pods when nobody says otherwise.
pub const DEFAULT_CLUSTER_DOMAIN: &str = "cluster.local";
/// Where DNSNameResolver objects live on OpenShift.
pub const NAME_RESOLVER_NAMESPACE: &str = "openshift-ovn-kubernetes";

/// Certificates of authorities, from a ConfigMap of `openshift-config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaBundle {
    name: CaBundleName,
    /// All keys of the ConfigMap.
    data: BTreeMap<String, String>,
    /// The first eight hexadecimal digits of the certificates' SHA-256.
    revision: String,
}

/// What the name of a bundle's copy starts with.
pub const COPY_PREFIX: &str = "ca-";
/// The key that holds the certificates.
pub const CA_BUNDLE_KEY: &str = "ca-bundle.crt";

impl CaBundle {
    /// The bundle in a ConfigMap's data, unless that has no certificates.
    #[must_use]
    pub fn new(name: CaBundleName, data: BTreeMap<String, String>) -> Option<Self> {
        let certificates = data.get(CA_BUNDLE_KEY).filter(|text| !text.is_empty())?;
        let revision = revision(certificates);
        Some(Self { name, data, revision })
    }

    /// The name of the bundle's source.
    #[must_use]
    pub fn name(&self) -> &CaBundleName {
        &self.name
    }

    /// The name of the bundle's copy in the DNS pods' namespace.
    #[must_use]
    pub fn copy_name(&self) -> String {
        format!("{COPY_PREFIX}{}", self.name)
    }

    /// What the copy holds.
    #[must_use]
    pub fn data(&self) -> &BTreeMap<String, String> {
        &self.data
    }

    /// A name for the pods' volume. Names of ConfigMaps may be longer than a
    /// volume's, and have dots: those are told by a digest instead.
    #[must_use]
    pub fn volume_name(&self) -> String {
        let name = self.copy_name();
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if plain && name.len() <= MAX_VOLUME_NAME {
            return name;
        }
        format!("ca-{}", digest(&self.name.0, NAME_DIGITS))
    }

    /// The folder in the pods under which a forwarder finds the bundle. It
    /// changes with the certificates and with nothing else.
    #[must_use]
    pub fn folder(&self, server_name: &str) -> String {
        format!("/etc/pki/{server_name}-ca-{}-{}", self.name, self.revision)
    }

    /// The file in that folder.
    #[must_use]
    pub fn file(&self, server_name: &str) -> String {
        format!("{}/{CA_BUNDLE_KEY}", self.folder(server_name))
    }
}

/// The longest name of a volume (RFC 1123 label), in octets.
const MAX_VOLUME_NAME: usize = 63;
/// Digits that tell one content from another.
const REVISION_DIGITS: usize = 8;
/// Digits that tell one bundle from another.
const NAME_DIGITS: usize = 32;

/// Tells one content from another: the first eight hexadecimal digits of its
/// SHA-256.
#[must_use]
pub fn revision(text: &str) -> String {
    digest(text, REVISION_DIGITS)
}

/// The first hexadecimal digits of a text's SHA-256.
fn digest(text: &str, digits: usize) -> String {
    let mut hex = format!("{:x}", Sha256::digest(text.as_bytes()));
    hex.truncate(digits);
    hex
}
