//! `remote`: the zones of a central server (Gardener, GEP "Remote DNSProvider").

use records::pace::Rate;
use remote::client::access::{Access, InvalidAccess};

use super::super::secret::{SecretData, SecretName};

/// A client of a central server that is not there yet.
#[derive(Debug)]
pub struct Settings {
    /// Where the server is, and what is shown to it.
    pub access: Access,
    /// What the whole Secret is known by: it may change while the account stays.
    pub secret: String,
    /// How often the server may be called.
    pub rate: Rate,
}

/// The settings of the client; why the Secret makes none.
pub(super) fn settings(data: &SecretData, limit: Option<Rate>) -> Result<Settings, String> {
    let access = Access::from_secret(data.values()).map_err(|error| match error {
        InvalidAccess::Missing(key) => format!("{key} is missing"),
        invalid @ InvalidAccess::Invalid { .. } => invalid.to_string(),
    })?;
    Ok(Settings {
        access,
        secret: super::digest(data.entries(), None, None),
        rate: limit.unwrap_or(remote::client::Settings::default().rate),
    })
}

/// What tells such an account from another one. Who cannot write a Secret has no share in
/// what its certificate lets in, so its name is among it.
pub(super) fn identity<'a>(settings: &'a Settings, secret: &'a SecretName) -> [(&'static str, &'a [u8]); 4] {
    [
        ("secret namespace", secret.namespace.as_bytes()),
        ("secret", secret.name.as_bytes()),
        ("address", settings.access.address().as_bytes()),
        ("namespace", settings.access.namespace.as_bytes()),
    ]
}
