//! The cluster's TLS profile (`apiservers.config.openshift.io/cluster`), as
//! kube-rbac-proxy is told it and the operator's own server takes it.

use serde_json::Value;

/// Cipher suites by their IANA names, and the lowest protocol version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsProfile {
    /// For `--tls-cipher-suites`.
    pub cipher_suites: Vec<&'static str>,
    /// For `--tls-min-version`, such as `VersionTLS12`; empty when a custom
    /// profile does not say.
    pub min_version: String,
    /// What a custom profile names and nobody knows.
    pub unknown_ciphers: Vec<String>,
    /// Groups for the key exchange, as a custom profile names them; empty for the
    /// usual ones. kube-rbac-proxy has no argument for them.
    pub groups: Vec<String>,
}

const MODERN: [&str; 3] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

/// OpenSSL's names for the suites that Go knows, in the order of the `Old`
/// profile after those of `Modern`; the first six complete `Intermediate`.
const BY_OPENSSL_NAME: [(&str, &str); 18] = [
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        "ECDHE-ECDSA-AES128-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    ),
    ("ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    ("ECDHE-ECDSA-AES128-SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    ("ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    ("ECDHE-ECDSA-AES256-SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    ("ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    ("AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    ("AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    ("AES128-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
    ("AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
    ("DES-CBC3-SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
];
const INTERMEDIATE_EXTRA: usize = 6;
/// Known by name, but in no profile.
const CUSTOM_ONLY: (&str, &str) = ("ECDHE-RSA-DES-CBC3-SHA", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA");

impl Default for TlsProfile {
    fn default() -> Self {
        Self::intermediate()
    }
}

impl TlsProfile {
    /// The profile in the `spec` of an APIServer. One that is missing, or that
    /// names no suite we know, is `Intermediate`.
    #[must_use]
    pub fn from_api_server_spec(spec: &Value) -> Self {
        let profile = &spec["tlsSecurityProfile"];
        match profile["type"].as_str() {
            Some("Old") => Self::with_extra(BY_OPENSSL_NAME.len(), "VersionTLS10"),
            Some("Modern") => Self::with_extra(0, "VersionTLS13"),
            Some("Custom") if profile["custom"].is_object() => Self::custom(&profile["custom"]),
            _ => Self::intermediate(),
        }
    }

    fn intermediate() -> Self {
        Self::with_extra(INTERMEDIATE_EXTRA, "VersionTLS12")
    }

    fn with_extra(count: usize, min_version: &str) -> Self {
        let extra = BY_OPENSSL_NAME.iter().take(count).map(|(_, iana)| *iana);
        Self {
            cipher_suites: MODERN.into_iter().chain(extra).collect(),
            min_version: min_version.into(),
            unknown_ciphers: Vec::new(),
            groups: Vec::new(),
        }
    }

    fn custom(profile: &Value) -> Self {
        let asked = texts(&profile["ciphers"]);
        let known: Vec<&str> = asked.iter().filter_map(|name| iana_name(name)).collect();
        let unknown = asked.iter().filter(|name| iana_name(name).is_none());
        let unknown_ciphers = unknown.map(ToString::to_string).collect();
        let groups = texts(&profile["groups"]).into_iter().map(Into::into).collect();
        if known.is_empty() && !asked.is_empty() {
            return Self {
                unknown_ciphers,
                groups,
                ..Self::intermediate()
            };
        }
        let min_version = profile["minTLSVersion"].as_str().unwrap_or_default();
        Self {
            cipher_suites: known,
            min_version: min_version.into(),
            unknown_ciphers,
            groups,
        }
    }
}

fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

fn iana_name(openssl_name: &str) -> Option<&'static str> {
    if let Some(modern) = MODERN.into_iter().find(|name| *name == openssl_name) {
        return Some(modern);
    }
    BY_OPENSSL_NAME
        .iter()
        .chain([&CUSTOM_ONLY])
        .find(|(openssl, _)| *openssl == openssl_name)
        .map(|(_, iana)| *iana)
}
