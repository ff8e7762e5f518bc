//! CA bundles: certificates of authorities that administrators keep in ConfigMaps
//! of `openshift-config`, and their copies where the DNS pods can mount them.

use std::collections::BTreeMap;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;

use crate::dns::config::CaBundleName;
use crate::dns::digest::{digest, revision};

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
    /// The bundle in a ConfigMap, under the name of its source, unless CoreDNS
    /// could not load it; then what is wrong with it.
    pub fn of(name: &CaBundleName, config_map: &Value) -> Result<Self, String> {
        let bundle = Self::unchecked(name, config_map)?;
        bundle.check()?;
        Ok(bundle)
    }

    /// The bundle in a ConfigMap, whatever its certificates are.
    pub fn unchecked(name: &CaBundleName, config_map: &Value) -> Result<Self, String> {
        let data = config_map["data"].as_object();
        let data: BTreeMap<String, String> = data
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        let Some(certificates) = data.get(CA_BUNDLE_KEY) else {
            return Err(if config_map["binaryData"][CA_BUNDLE_KEY].is_string() {
                format!("the key {CA_BUNDLE_KEY} is in binaryData; it must be text, in data")
            } else {
                let keys: Vec<&str> = data.keys().map(String::as_str).collect();
                let keys = if keys.is_empty() {
                    "none".into()
                } else {
                    keys.join(", ")
                };
                format!("it must have the key {CA_BUNDLE_KEY} (its keys: {keys})")
            });
        };
        if certificates.is_empty() {
            return Err(format!("the key {CA_BUNDLE_KEY} is empty"));
        }
        let revision = revision(certificates);
        Ok(Self {
            name: name.clone(),
            data,
            revision,
        })
    }

    /// The certificates, in PEM.
    #[must_use]
    pub fn certificates(&self) -> &str {
        self.data.get(CA_BUNDLE_KEY).map_or("", String::as_str)
    }

    /// What CoreDNS asks for: at least one certificate that can be read.
    pub fn check(&self) -> Result<(), String> {
        let text = self.certificates();
        let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(text.as_bytes())
            .filter_map(Result::ok)
            .collect();
        if certificates.is_empty() {
            return Err(format!(
                "{CA_BUNDLE_KEY} must hold certificates in PEM, and holds none"
            ));
        }
        if certificates
            .iter()
            .any(|der| webpki::anchor_from_trusted_cert(der).is_ok())
        {
            return Ok(());
        }
        Err(format!(
            "{CA_BUNDLE_KEY}: none of its certificates ({}) can be read",
            certificates.len()
        ))
    }

    /// The name of the bundle's source.
    #[must_use]
    pub fn name(&self) -> &CaBundleName {
        &self.name
    }

    /// The name of the bundle's copy in the DNS pods' namespace.
    #[must_use]
    pub fn copy_name(&self) -> String {
        copy_name(&self.name)
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
        format!("{}{}", self.folder_stem(server_name), self.revision)
    }

    /// What the names of all its folders for a server have in common.
    fn folder_stem(&self, server_name: &str) -> String {
        let stem = format!("{server_name}-ca-{}-", self.name);
        if stem.len() + LONGEST_REVISION <= MAX_FILE_NAME {
            return format!("{BUNDLES_FOLDER}{stem}");
        }
        format!("{BUNDLES_FOLDER}ca-{}-", digest(&stem, NAME_DIGITS))
    }

    /// The revision that a folder for a server is of.
    #[must_use]
    pub fn revision_in<'a>(&self, server_name: &str, folder: &'a str) -> Option<&'a str> {
        let revision = folder.strip_prefix(&self.folder_stem(server_name))?;
        let plain = revision.bytes().all(|b| b.is_ascii_hexdigit());
        (plain && !revision.is_empty()).then_some(revision)
    }

    /// Names the folders after another revision, which pods have already.
    pub fn set_revision(&mut self, revision: &str) {
        revision.clone_into(&mut self.revision);
    }

    /// The file in that folder.
    #[must_use]
    pub fn file(&self, server_name: &str) -> String {
        format!("{}/{CA_BUNDLE_KEY}", self.folder(server_name))
    }
}

/// The name of a bundle's copy. Names of ConfigMaps have up to 253 characters, and
/// the prefix needs some of them.
#[must_use]
pub fn copy_name(bundle: &CaBundleName) -> String {
    let name = format!("{COPY_PREFIX}{bundle}");
    if name.len() <= MAX_OBJECT_NAME {
        return name;
    }
    format!("{COPY_PREFIX}{}", digest(&bundle.0, NAME_DIGITS))
}

/// Where the pods find CA bundles, each in a folder of its own.
pub const BUNDLES_FOLDER: &str = "/etc/pki/";
/// The longest name of a ConfigMap (RFC 1123 subdomain), in octets.
const MAX_OBJECT_NAME: usize = 253;
/// The longest name of a file, in octets.
const MAX_FILE_NAME: usize = 255;
/// The most digits of a revision: OpenShift's operator takes a resource version.
const LONGEST_REVISION: usize = 20;
/// The longest name of a volume (RFC 1123 label), in octets.
const MAX_VOLUME_NAME: usize = 63;
/// Digits that tell one bundle from another.
const NAME_DIGITS: usize = 32;

/// The CA bundles that a configuration asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaBundles {
    /// Those that can be used, by the name of their source: of the source, or of
    /// the copy while the source has gone or has become unreadable.
    pub usable: BTreeMap<CaBundleName, CaBundle>,
    /// Those without a source.
    pub missing: Vec<CaBundleName>,
    /// Those whose source cannot be used, and why.
    pub unreadable: Vec<(CaBundleName, String)>,
}

impl CaBundles {
    /// In one word, for programs, what is wrong.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match (self.unreadable.is_empty(), self.missing.is_empty()) {
            (false, _) => "CABundleUnreadable",
            (true, false) => "CABundleMissing",
            (true, true) => "AsExpected",
        }
    }

    /// What is wrong, a line a bundle; nothing when all are well.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let instead = |name: &CaBundleName| {
            if self.usable.contains_key(name) {
                "the copy that was made of it before stays in use"
            } else {
                "the servers are checked against the authorities of the image"
            }
        };
        let missing = self.missing.iter().map(|name| {
            format!(
                "source ca bundle configmap {name} does not exist: {}",
                instead(name)
            )
        });
        let unreadable = self.unreadable.iter().map(|(name, why)| {
            format!(
                "source ca bundle configmap {name} cannot be used: {why}; {}",
                instead(name)
            )
        });
        missing.chain(unreadable).collect()
    }
}
