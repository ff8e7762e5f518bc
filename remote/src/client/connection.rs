//! The connection to a server.

use std::io;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use super::access::Access;

/// How long a connection may take to be made, its handshake included.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a connection on which nothing is heard is tried, and for how long: a watch is
/// silent for hours, and a cut wire is too.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that is made when it is first needed, and again whenever it is lost.
#[must_use]
pub fn connect(access: &Access) -> Channel {
    let (config, name) = (access.config.clone(), access.server_name.clone());
    let connector = service_fn(move |address: Uri| {
        let (tls, name) = (TlsConnector::from(config.clone()), name.clone());
        async move {
            let host = address.host().unwrap_or_default();
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let port = address.port_u16().unwrap_or_default();
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            Ok::<_, io::Error>(TokioIo::new(tls.connect(name, stream).await?))
        }
    });
    Endpoint::from(access.address.clone())
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_with_connector_lazy(connector)
}
