//! The servers, and which of them is asked next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::connection::{Connection, Stream};
use super::failure::Failure;
use super::presentation::parse_name;
use super::settings::{InvalidSettings, LoadBalancing, Settings};
use super::tls;
use super::tsig::Key;
use crate::ProviderError;

/// The ports of DNS, in plain text and encrypted (RFC 1035, RFC 7858).
const PORT: u16 = 53;
const TLS_PORT: u16 = 853;

/// Servers of which any will do.
pub(super) struct Servers {
    list: Vec<Server>,
    load_balancing: LoadBalancing,
    /// How often one was chosen so far.
    turns: AtomicUsize,
}

/// One server.
pub(super) struct Server {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    key: Option<Arc<Key>>,
    patience: Duration,
}

impl Servers {
    pub(super) fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let key = match &settings.key {
            Some(key) => Some(Arc::new(Key {
                name: parse_name(key.name.as_str()).map_err(|error| InvalidSettings::Value {
                    field: "rfc2136-tsig-keyname",
                    value: error.0,
                    allowed: "it takes a domain name",
                })?,
                algorithm: key.algorithm,
                secret: key.secret.0.clone(),
            })),
            None => None,
        };
        let tls = settings.tls.as_ref().map(tls::connector).transpose()?;
        let port = match settings.port {
            0 if tls.is_some() => TLS_PORT,
            0 => PORT,
            port => port,
        };
        let servers = settings.hosts.iter().map(|host| {
            Ok(Server {
                tls: match &tls {
                    Some(connector) => Some((connector.clone(), server_name(host)?)),
                    None => None,
                },
                host: host.clone(),
                port,
                key: key.clone(),
                patience: settings.timeout,
            })
        });
        let servers = servers.collect::<Result<Vec<_>, InvalidSettings>>()?;
        if servers.is_empty() {
            return Err(InvalidSettings::Missing("rfc2136-host"));
        }
        Ok(Self {
            list: servers,
            load_balancing: settings.load_balancing,
            turns: AtomicUsize::new(0),
        })
    }

    /// All servers, in the order in which they are to be asked this time.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Server> {
        let count = self.list.len();
        let first = match self.load_balancing {
            LoadBalancing::Disabled => 0,
            LoadBalancing::RoundRobin => self.turns.fetch_add(1, Ordering::Relaxed) % count,
            LoadBalancing::Random => rand::random_range(0..count),
        };
        (0..count).filter_map(move |step| self.list.get((first + step) % count))
    }

    /// Has it done by the first server that does it. Only if none does, it is an error: the
    /// first one's kind, in the words of all.
    pub(super) async fn any<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        operation: impl Fn(Connection) -> F,
    ) -> Result<T, ProviderError> {
        let mut failures: Vec<(&Server, Failure)> = Vec::new();
        for server in self.in_turn() {
            let done = match server.connect().await {
                Ok(connection) => operation(connection).await,
                Err(failure) => Err(failure),
            };
            match done {
                Ok(done) => return Ok(done),
                Err(failure) => failures.push((server, failure)),
            }
        }
        let words: Vec<String> = failures
            .iter()
            .map(|(server, failure)| format!("{}: {failure}", server.address()))
            .collect();
        let words = words.join("; ");
        Err(match failures.first() {
            Some((_, failure)) => failure.told(words),
            None => ProviderError::Unavailable("there is no server to ask".into()),
        })
    }
}

impl Server {
    /// The host and its port.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        let stream = match timeout(self.patience, self.open()).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Failure::Unreachable(error.to_string())),
            Err(_) => {
                let patience = self.patience.as_secs_f32();
                return Err(Failure::Unreachable(format!("no connection within {patience} s")));
            }
        };
        Ok(Connection::new(stream, self.key.clone(), self.patience))
    }

    async fn open(&self) -> std::io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        // A message is written at once, and should leave at once.
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
            None => Box::new(stream),
        })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, InvalidSettings> {
    ServerName::try_from(host.to_owned()).map_err(|_| InvalidSettings::Value {
        field: "rfc2136-host",
        value: host.to_owned(),
        allowed: "with TLS it takes a host name or an address",
    })
}
