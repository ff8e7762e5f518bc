//! What must be told of DNS servers to keep zones there.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use thiserror::Error;

use crate::Name;

/// Where zones are kept by dynamic updates (RFC 2136), with what keys.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers, by name or address: the primary, or several that all take updates for
    /// it (`--rfc2136-host`).
    pub hosts: Vec<String>,
    /// Their port; 0 for 53, or 853 with TLS (`--rfc2136-port`).
    pub port: u16,
    /// The zones to keep (`--rfc2136-zone`).
    pub zones: Vec<Name>,
    /// The key that is shared with the servers; none if they let anyone in from our address
    /// (`--rfc2136-insecure`).
    pub key: Option<TsigKey>,
    /// The least TTL to write, in seconds, and that of records that come without one
    /// (`--rfc2136-min-ttl`).
    pub min_ttl: u32,
    /// Whether and how connections are encrypted (`--rfc2136-use-tls`); none for plain TCP.
    pub tls: Option<Tls>,
    /// Which server is asked first (`--rfc2136-load-balancing-strategy`).
    pub load_balancing: LoadBalancing,
    /// How long to wait for a connection, and for each message of an answer.
    pub timeout: Duration,
}

/// A key for transaction signatures (RFC 8945).
#[derive(Clone, Debug)]
pub struct TsigKey {
    /// Its name, as the servers know it (`--rfc2136-tsig-keyname`).
    pub name: Name,
    /// What is shared (`--rfc2136-tsig-secret`).
    pub secret: Secret,
    /// The algorithm (`--rfc2136-tsig-secret-alg`).
    pub algorithm: Algorithm,
}

/// What nobody else may know. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) Box<[u8]>);

/// An algorithm for message authentication codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1, for old servers.
    HmacSha1,
    /// SHA-2 of 224 bits.
    HmacSha224,
    /// SHA-2 of 256 bits.
    HmacSha256,
    /// SHA-2 of 384 bits.
    HmacSha384,
    /// SHA-2 of 512 bits.
    HmacSha512,
}

/// How connections are encrypted (RFC 9103: TLS 1.3).
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// The file with the authorities that sign for the servers, in PEM; the system's if
    /// there is none (`--tls-ca`).
    pub authorities: Option<PathBuf>,
    /// The files with our own certificate and its key, in PEM (`--tls-client-cert`,
    /// `--tls-client-cert-key`).
    pub client: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate will do (`--rfc2136-skip-tls-verify`).
    pub skip_verify: bool,
}

/// Which of several servers is asked first; the others follow in their order if it fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadBalancing {
    /// Always the first one.
    #[default]
    Disabled,
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
}

/// What is wrong with settings.
#[derive(Debug, Error)]
pub enum InvalidSettings {
    /// A list that must have something in it.
    #[error("{0}: at least one is required")]
    Missing(&'static str),
    /// A value that is none of those that are allowed.
    #[error("{field}: {value:?} is not allowed; {allowed}")]
    Value {
        /// The flag.
        field: &'static str,
        /// What it was given.
        value: String,
        /// What it takes.
        allowed: &'static str,
    },
    /// A secret that cannot be read. It is not repeated.
    #[error("rfc2136-tsig-secret: the value is not in base64")]
    Secret,
    /// A file that cannot be used.
    #[error("{field}: {}: {reason}", path.display())]
    File {
        /// The flag.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Authorities, certificate and key that do not go together.
    #[error("tls: {0}")]
    Tls(String),
}

impl Secret {
    /// The secret that is written in base64, as in configurations of servers.
    pub fn from_base64(text: &str) -> Result<Self, InvalidSettings> {
        let secret = BASE64_STANDARD
            .decode(text.trim())
            .map_err(|_| InvalidSettings::Secret)?;
        Ok(Self(secret.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl FromStr for Algorithm {
    type Err = InvalidSettings;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        Ok(match bare.as_str() {
            "hmac-sha1" => Self::HmacSha1,
            "hmac-sha224" => Self::HmacSha224,
            "hmac-sha256" => Self::HmacSha256,
            "hmac-sha384" => Self::HmacSha384,
            "hmac-sha512" => Self::HmacSha512,
            _ => {
                return Err(InvalidSettings::Value {
                    field: "rfc2136-tsig-secret-alg",
                    value: text.to_owned(),
                    allowed: "it takes hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384 and hmac-sha512",
                });
            }
        })
    }
}

impl FromStr for LoadBalancing {
    type Err = InvalidSettings;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "disabled" => Self::Disabled,
            "round-robin" => Self::RoundRobin,
            "random" => Self::Random,
            _ => {
                return Err(InvalidSettings::Value {
                    field: "rfc2136-load-balancing-strategy",
                    value: text.to_owned(),
                    allowed: "it takes disabled, round-robin and random",
                });
            }
        })
    }
}
