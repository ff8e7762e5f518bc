//! Upstreams on loopback that say in every answer who they are and how they were asked.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use devcluster::certificates::Authority;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{SOA, TXT};
use hickory_proto::rr::{Name, RData, Record};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The name in the certificate of all of them.
pub const SERVER_NAME: &str = "stand-in.test";
/// The TTLs they give: longer than most limits, shorter than CoreDNS keeps anything,
/// and in between.
const TTLS: [u32; 3] = [86_400, 1, 60];

/// One upstream.
#[derive(Clone, Copy, Debug)]
pub struct StandIn {
    /// Where it serves plain DNS, over UDP and TCP.
    pub plain: SocketAddr,
    /// Where it serves DNS over TLS.
    pub tls: SocketAddr,
}

/// Some upstreams. They end with the runtime that they were started in.
pub struct StandIns {
    /// Each of them.
    pub all: Vec<StandIn>,
    /// The authority that signed their certificate.
    pub authority: String,
    _tasks: JoinSet<()>,
}

/// Who answered, and how it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Where it was asked.
    pub address: String,
    /// `udp`, `tcp` or `tls`.
    pub protocol: String,
    /// The TTL that it gave, in seconds.
    pub ttl: u32,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.address, self.protocol, self.ttl)
    }
}

impl Identity {
    /// Reads what a record says.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let RData::TXT(text) = &record.data else {
            return None;
        };
        let text = String::from_utf8(text.txt_data.first()?.to_vec()).ok()?;
        let mut words = text.split(' ').map(ToOwned::to_owned);
        Some(Self {
            address: words.next()?,
            protocol: words.next()?,
            ttl: words.next()?.parse().ok()?,
        })
    }
}

impl StandIns {
    /// Starts so many.
    pub async fn start(count: usize) -> Result<Self> {
        let authority = Authority::new()?;
        let pair = authority.server(&[SERVER_NAME])?;
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())?;
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let mut tasks = JoinSet::new();
        let mut all = Vec::new();
        while all.len() < count {
            let any = (Ipv4Addr::LOCALHOST, 0);
            let tcp = TcpListener::bind(any).await.context("failed to listen")?;
            let plain = tcp.local_addr().context("failed to find a port")?;
            // Somebody else may have that port of UDP.
            let Ok(udp) = UdpSocket::bind(plain).await else {
                continue;
            };
            let secure = TcpListener::bind(any).await.context("failed to listen")?;
            let tls = secure.local_addr().context("failed to find a port")?;
            tasks.spawn(serve_udp(udp, plain));
            tasks.spawn(serve_tcp(tcp, plain));
            tasks.spawn(serve_tls(secure, tls, acceptor.clone()));
            all.push(StandIn { plain, tls });
        }
        Ok(Self {
            all,
            authority: authority.certificate().to_owned(),
            _tasks: tasks,
        })
    }
}

async fn serve_udp(socket: UdpSocket, address: SocketAddr) {
    let mut buffer = [0; 1500];
    while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
        if let Some(answer) = answer(&buffer[..length], address, "udp") {
            // A client that has gone asks no more.
            let _ = socket.send_to(&answer, client).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, address: SocketAddr) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_stream(stream, address, "tcp"));
    }
}

async fn serve_tls(listener: TcpListener, address: SocketAddr, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve_stream(stream, address, "tls").await;
            }
        });
    }
}

/// Answers until the client goes.
async fn serve_stream(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
    protocol: &'static str,
) {
    while let Ok(length) = stream.read_u16().await {
        let mut query = vec![0; length.into()];
        if stream.read_exact(&mut query).await.is_err() {
            return;
        }
        let Some(answer) = answer(&query, address, protocol) else {
            return;
        };
        let mut framed = u16::try_from(answer.len())
            .unwrap_or_default()
            .to_be_bytes()
            .to_vec();
        framed.extend(answer);
        if stream.write_all(&framed).await.is_err() {
            return;
        }
    }
}

/// An answer, or a denial for every other name.
fn answer(query: &[u8], address: SocketAddr, protocol: &str) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?;
    let name = question.name();
    let ttl = TTLS[name.len() % TTLS.len()];
    let identity = Identity {
        address: address.to_string(),
        protocol: protocol.to_owned(),
        ttl,
    };
    let text = RData::TXT(TXT::new(vec![identity.to_string()]));
    let record = Record::from_rdata(name.clone(), ttl, text);
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.metadata.recursion_desired = query.metadata.recursion_desired;
    answer.add_query(question.clone());
    if (name.len() / TTLS.len()).is_multiple_of(2) {
        answer.add_answer(record);
    } else {
        answer.metadata.response_code = ResponseCode::NXDomain;
        let soa = SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, ttl);
        answer.add_authority(Record::from_rdata(Name::root(), ttl, RData::SOA(soa)));
        answer.add_additional(record);
    }
    answer.to_vec().ok()
}
