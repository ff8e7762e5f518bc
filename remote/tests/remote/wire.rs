//! HTTP/2 over mutual TLS as no client of ours speaks it: with octets for messages, and at
//! any pace.

use std::sync::Arc;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificates::Pair;
use super::door::{Door, SERVER};

/// What a server answered to a call.
#[derive(Debug)]
pub struct Answer {
    /// gRPC's number.
    pub code: u16,
    pub message: String,
    /// The message, without what stands before it.
    pub octets: Vec<u8>,
}

fn config(door: &Door) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(door.servers.certificate.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

async fn connect(door: &Door, mut config: ClientConfig) -> TlsStream<TcpStream> {
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(door.address).await.unwrap();
    let name = ServerName::try_from(SERVER).unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.unwrap()
}

/// A connection of a client with a certificate, on which nothing has been said.
pub async fn tls(door: &Door, pair: &Pair) -> TlsStream<TcpStream> {
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let config = config(door).with_client_auth_cert(vec![certificate], key);
    connect(door, config.unwrap()).await
}

/// A connection of a client that shows no certificate. In TLS 1.3 the server says no after the
/// client has finished.
pub async fn nobody(door: &Door) -> TlsStream<TcpStream> {
    connect(door, config(door).with_no_client_auth()).await
}

/// Waits until the server ends a connection, whatever it says before.
pub async fn is_closed(mut stream: impl AsyncRead + Unpin) -> bool {
    let mut octets = [0; 1024];
    loop {
        match stream.read(&mut octets).await {
            Ok(0) | Err(_) => return true,
            Ok(_) => {}
        }
    }
}

/// A client of HTTP/2 that takes in nothing by itself.
pub async fn http2(door: &Door, pair: &Pair) -> SendRequest<Bytes> {
    let (client, connection) = h2::client::handshake(tls(door, pair).await).await.unwrap();
    // It ends with the client.
    tokio::spawn(async move { connection.await.is_ok() });
    client
}

/// Begins a call: its headers are sent.
pub async fn begin(
    client: &SendRequest<Bytes>,
    path: &str,
    headers: &[(&str, &str)],
) -> (ResponseFuture, SendStream<Bytes>) {
    let uri = format!("https://{SERVER}{path}");
    let mut request = Request::post(uri).body(()).unwrap();
    let all = [("content-type", "application/grpc"), ("te", "trailers")];
    for (name, value) in all.iter().chain(headers) {
        let name = http::HeaderName::try_from(*name).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let mut client = client.clone().ready().await.unwrap();
    client.send_request(request, false).unwrap()
}

/// A message as it goes over the wire.
pub fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat().into()
}

/// Makes a call and takes in all of the answer.
pub async fn call(
    client: &SendRequest<Bytes>,
    path: &str,
    headers: &[(&str, &str)],
    message: &[u8],
) -> Answer {
    let (response, mut stream) = begin(client, path, headers).await;
    stream.send_data(framed(message), true).unwrap();
    let (head, body) = response.await.unwrap().into_parts();
    assert_eq!(head.status, 200);
    finish(&head.headers, body).await
}

/// Takes in the rest of an answer.
pub async fn finish(headers: &HeaderMap, mut body: RecvStream) -> Answer {
    let mut octets = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        octets.extend_from_slice(&data);
    }
    let trailers = body.trailers().await.unwrap().unwrap_or_default();
    let text = |name: &str| {
        let value = trailers.get(name).or_else(|| headers.get(name));
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    if !octets.is_empty() {
        let length = u32::from_be_bytes(octets[1..5].try_into().unwrap());
        assert_eq!((octets[0], length as usize), (0, octets.len() - 5));
        octets.drain(..5);
    }
    Answer {
        code: text("grpc-status").unwrap().parse().unwrap(),
        message: percent_decoded(&text("grpc-message").unwrap_or_default()),
        octets,
    }
}

/// As grpc-message is written.
fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first == b'%' {
            let digits = str::from_utf8(&others[..2]).unwrap();
            octets.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &others[2..];
        } else {
            octets.push(*first);
        }
    }
    String::from_utf8(octets).unwrap()
}
