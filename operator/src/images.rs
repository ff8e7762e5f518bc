//! The images of the operand's containers, from the environment.

use std::env::{self, VarError};

/// Pull specifications of the images the operator runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// CoreDNS: `IMAGE`.
    pub coredns: String,
    /// The OpenShift command line, for its shell and `dig`:
    /// `OPENSHIFT_CLI_IMAGE`.
    pub openshift_cli: String,
    /// The proxy in front of CoreDNS's metrics: `KUBE_RBAC_PROXY_IMAGE`.
    pub kube_rbac_proxy: String,
}

/// A variable the operator cannot do without.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {name} must hold the pull specification of {what}")]
pub struct MissingImage {
    name: &'static str,
    what: &'static str,
}

const COREDNS: (&str, &str) = ("IMAGE", "the CoreDNS image");
const OPENSHIFT_CLI: (&str, &str) = ("OPENSHIFT_CLI_IMAGE", "the OpenShift command line image");
const KUBE_RBAC_PROXY: (&str, &str) = ("KUBE_RBAC_PROXY_IMAGE", "the kube-rbac-proxy image");

impl Images {
    /// The images of the environment, all of which must be there.
    pub fn from_env() -> Result<Self, MissingImage> {
        let read = |(name, what)| variable(name).ok_or(MissingImage { name, what });
        Ok(Self {
            coredns: read(COREDNS)?,
            openshift_cli: read(OPENSHIFT_CLI)?,
            kube_rbac_proxy: read(KUBE_RBAC_PROXY)?,
        })
    }

    /// The images of the environment, with placeholders that say which variable
    /// would be used.
    #[must_use]
    pub fn from_env_or_placeholders() -> Self {
        Self::from_env_or(None, None, None)
    }

    /// The images of the environment, or else these: of CoreDNS, the command line and
    /// the proxy; placeholders for those that are not known either.
    #[must_use]
    pub fn from_env_or(
        coredns: Option<String>,
        openshift_cli: Option<String>,
        kube_rbac_proxy: Option<String>,
    ) -> Self {
        let read = |(name, _), known| variable(name).or(known).unwrap_or_else(|| format!("${{{name}}}"));
        Self {
            coredns: read(COREDNS, coredns),
            openshift_cli: read(OPENSHIFT_CLI, openshift_cli),
            kube_rbac_proxy: read(KUBE_RBAC_PROXY, kube_rbac_proxy),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    match env::var(name) {
        Ok(value) if !value.is_empty() => Some(value),
        Ok(_) | Err(VarError::NotPresent | VarError::NotUnicode(_)) => None,
    }
}
