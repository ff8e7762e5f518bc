//! Where to listen.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::str::FromStr;

use anyhow::Context as _;
use tokio::net::TcpListener;

/// An address to listen on, as the flags of OpenShift's operator have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindAddress {
    /// Not to be served at all: empty, or `0`.
    Off,
    /// One address. Port 0 is any free one.
    At(SocketAddr),
    /// A port on every address: `:9393`.
    Everywhere(u16),
}

impl FromStr for BindAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = || {
            "must be an address with a port such as 127.0.0.1:60000 or [::1]:60000, a port on every \
             address such as :60000, or 0 for none"
                .to_owned()
        };
        let port = |port: &str| port.parse().map_err(|_| allowed());
        if let "" | "0" = text {
            return Ok(Self::Off);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::At(address));
        }
        match text.rsplit_once(':') {
            Some(("", digits)) => Ok(Self::Everywhere(port(digits)?)),
            Some(("localhost", digits)) => Ok(Self::At((Ipv4Addr::LOCALHOST, port(digits)?).into())),
            _ => Err(allowed()),
        }
    }
}

impl BindAddress {
    /// Whether nothing is to be served.
    #[must_use]
    pub fn is_off(self) -> bool {
        self == Self::Off
    }

    /// Listens there; none if nothing is to be served.
    pub fn listen(self) -> anyhow::Result<Option<TcpListener>> {
        match self {
            Self::Off => Ok(None),
            Self::At(address) => {
                let listener = bind(address).with_context(|| format!("failed to listen on {address}"))?;
                Ok(Some(listener))
            }
            Self::Everywhere(port) => {
                // A socket of IPv6 takes IPv4 as well, where there is IPv6.
                let listener = bind((Ipv6Addr::UNSPECIFIED, port).into())
                    .or_else(|_| bind((Ipv4Addr::UNSPECIFIED, port).into()))
                    .with_context(|| format!("failed to listen on port {port}"))?;
                Ok(Some(listener))
            }
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
