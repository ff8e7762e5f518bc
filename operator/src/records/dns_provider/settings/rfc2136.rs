//! `rfc2136`: one zone at a server that takes dynamic updates (Gardener, `docs/rfc2136`).

use records::Name;
use records::provider::rfc2136::{Algorithm, LoadBalancing, Secret, Settings, TsigKey};

use super::super::secret::{SecretData, Value};
use crate::records::settings::DNS_TIMEOUT;

/// The algorithm of keys that name none.
const ALGORITHM: &str = "hmac-sha256";

/// The settings of the provider; why the Secret makes none.
pub(super) fn settings(data: &SecretData) -> Result<Settings, String> {
    let (host, port) = server(data.required(&["Server"])?)?;
    let name = |value: Value<'_>| {
        Name::parse(value.text)
            .ok()
            .filter(|name| !name.is_root())
            .ok_or_else(|| value.refused("a domain name, such as example.com."))
    };
    let zone = name(data.required(&["Zone"])?)?;
    let key_name = name(data.required(&["TSIGKeyName"])?)?;
    let secret = data.required(&["TSIGSecret"])?;
    let secret = Secret::from_base64(secret.text)
        .map_err(|_| secret.refused_unseen("the secret in base64, as servers have it"))?;
    let algorithm: Algorithm = match data.optional(&["TSIGSecretAlgorithm"])? {
        Some(value) => value
            .text
            .parse()
            .map_err(|_| value.refused("hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384 or hmac-sha512"))?,
        None => ALGORITHM
            .parse()
            .map_err(|_| format!("{ALGORITHM} is not known"))?,
    };
    Ok(Settings {
        hosts: vec![host],
        port,
        zones: vec![zone],
        key: Some(TsigKey {
            name: key_name,
            secret,
            algorithm,
        }),
        min_ttl: 0,
        tls: None,
        load_balancing: LoadBalancing::Disabled,
        timeout: DNS_TIMEOUT,
    })
}

/// A host and its port; 0 is the usual one.
fn server(value: Value<'_>) -> Result<(String, u16), String> {
    let text = value.text;
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':').or(rest.is_empty().then_some(""))),
        // More than one colon is an address of IPv6.
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, Some("")),
        },
    };
    let port = port.and_then(|port| match port {
        "" => Some(0),
        port => port.parse().ok().filter(|port| *port != 0),
    });
    let is_host = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b':'))
    };
    match port {
        Some(port) if is_host(host) => Ok((host.to_owned(), port)),
        _ => Err(value.refused("HOST or HOST:PORT")),
    }
}
