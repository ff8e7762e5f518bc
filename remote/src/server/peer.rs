//! Whom a client's certificate stands for.

/// Whom the certificate of a connection stands for. The listener puts it into the
/// extensions of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// The namespaces that it may use; `*` is all of them.
    pub namespaces: Vec<Box<str>>,
}

impl Peer {
    /// Whether it may use a namespace.
    #[must_use]
    pub fn may_use(&self, namespace: &str) -> bool {
        self.namespaces
            .iter()
            .any(|granted| **granted == *"*" || **granted == *namespace)
    }
}
