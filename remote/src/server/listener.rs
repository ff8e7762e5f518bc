//! Connections: mutual TLS, with bounds on what a stranger can hold.

mod crowd;

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::unfold;
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::server::Connected;

use self::crowd::{Crowd, Place};
use super::credentials::Credentials;
use super::peer::Peer;
use super::transport::transport;

/// The pause when no connection can be accepted, as without free file descriptors.
const BREATH: Duration = Duration::from_secs(1);

/// How long a connection to a server lasts that others stand in for: answers are to arrive,
/// and whoever comes again as it was told is to make another one.
const STANDBY: Duration = Duration::from_secs(1);

/// How many connections there may be, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Handshakes at a time; further strangers wait to be accepted.
    pub handshakes: usize,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// The connections of all clients.
    pub connections: usize,
    /// The connections with one certificate.
    pub of_certificate: usize,
    /// How long a connection lasts. Then it takes no more calls, and the client makes another
    /// one. As long as the client likes when not said.
    pub age: Option<Duration>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            handshakes: 512,
            handshake: Duration::from_secs(5),
            connections: 4096,
            of_certificate: 1024,
            age: None,
        }
    }
}

impl Bounds {
    /// Those of a [`super::Standby`]. A client stays on a connection for as long as it has
    /// it, and would never come to the server that leads.
    #[must_use]
    pub fn of_standby() -> Self {
        Self {
            age: Some(STANDBY),
            ..Self::default()
        }
    }
}

/// Serves the connections that a listener takes until it is told to stop: then it takes no
/// more calls, and ends once those that there are have ended.
pub async fn serve<S>(
    service: S,
    listener: TcpListener,
    credentials: Arc<Credentials>,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) -> io::Result<()>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    transport(bounds.age)
        .serve_with_incoming_shutdown(service, incoming(listener, credentials, bounds).boxed(), stop)
        .await
        .map_err(io::Error::other)
}

/// A connection whose client is known.
#[derive(Debug)]
struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    _place: Place,
}

/// The connections that a listener takes, once their clients are known. Those of strangers
/// end by themselves.
fn incoming(
    listener: TcpListener,
    credentials: Arc<Credentials>,
    bounds: Bounds,
) -> impl Stream<Item = io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(accept(listener, credentials, bounds, sender));
    unfold(receiver, |mut receiver| async move {
        let connection = receiver.recv().await?;
        Some((Ok(connection), receiver))
    })
}

/// Ends when nobody takes the connections any more.
async fn accept(
    listener: TcpListener,
    credentials: Arc<Credentials>,
    bounds: Bounds,
    connections: mpsc::Sender<Connection>,
) {
    let room = Arc::new(Semaphore::new(bounds.handshakes));
    let crowd = Crowd::new(bounds);
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = connections.closed() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let (credentials, connections) = (Arc::clone(&credentials), connections.clone());
        let crowd = Arc::clone(&crowd);
        tokio::spawn(async move {
            match timeout(bounds.handshake, introduce(stream, &credentials, &crowd)).await {
                Ok(Ok(connection)) => {
                    // The server is going down.
                    let _ = connections.send(connection).await;
                }
                Ok(Err(error)) => tracing::info!(%address, %error, "a client was turned away"),
                Err(_) => tracing::info!(%address, "a client did not finish its TLS handshake"),
            }
            drop(place);
        });
    }
}

/// Makes the handshake, and finds out who the client is.
async fn introduce(
    stream: TcpStream,
    credentials: &Credentials,
    crowd: &Arc<Crowd>,
) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    let stream = TlsAcceptor::from(credentials.config()).accept(stream).await?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let chain = chain.iter().map(|certificate| certificate.clone().into_owned());
    let peer = Peer::new(chain.collect(), credentials.trust()).map_err(io::Error::other)?;
    let place = crowd.enter(*peer.fingerprint()).map_err(io::Error::other)?;
    Ok(Connection {
        stream,
        peer,
        _place: place,
    })
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
