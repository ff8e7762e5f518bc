//! An HTTP client that tells which certificate it was shown.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: String,
    /// The server's certificate, where there was TLS.
    pub certificate: Option<Vec<u8>>,
}

impl Answer {
    /// Whether the body has a line.
    pub fn has(&self, line: &str) -> bool {
        self.body.lines().any(|other| other == line)
    }

    /// The lines of the body with a beginning.
    pub fn lines_of<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = &'a str> {
        self.body.lines().filter(move |line| line.starts_with(beginning))
    }
}

/// Gets a path on a connection of its own.
pub async fn get(
    address: &str,
    path: &str,
    token: Option<&str>,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Answer> {
    let stream = TcpStream::connect(address).await.context("failed to connect")?;
    let Some(config) = tls else {
        return ask(stream, path, token).await;
    };
    let name = ServerName::try_from("localhost").context("a name")?;
    let stream = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .context("failed to shake hands")?;
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates
        .and_then(|chain| chain.first())
        .map(|first| first.to_vec());
    let answer = ask(stream, path, token).await?;
    Ok(Answer {
        certificate,
        ..answer
    })
}

async fn ask<S>(stream: S, path: &str, token: Option<&str>) -> Result<Answer>
where
    TokioIo<S>: Read + Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get(path).header(HOST, "localhost");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.map_or("", |value| value.to_str().unwrap_or_default());
    let content_type = content_type.to_owned();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok(Answer {
        status,
        content_type,
        body: String::from_utf8(body.to_vec())?,
        certificate: None,
    })
}
