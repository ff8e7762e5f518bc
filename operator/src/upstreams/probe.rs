//! One probe: one question, over the transport that CoreDNS uses.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::failure::Failure;
use super::target::{Endpoint, Question, Transport};
use super::tls;
use crate::exchange;

/// How long a probe may take in all, a connection and its handshake included. CoreDNS
/// itself waits two seconds for an answer.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Asks a server, once.
pub async fn probe(endpoint: &Endpoint, question: &Question) -> Result<(), Failure> {
    let answer = timeout(PATIENCE, ask(endpoint, question)).await;
    answer.unwrap_or(Err(Failure::Timeout))
}

async fn ask(endpoint: &Endpoint, question: &Question) -> Result<(), Failure> {
    let Question { name, record_type } = question;
    let code = match &endpoint.transport {
        Transport::Udp => exchange::over_udp(endpoint.address, name, *record_type).await?,
        Transport::Tcp => {
            let stream = TcpStream::connect(endpoint.address).await?;
            exchange::over_stream(stream, name, *record_type).await?
        }
        Transport::Tls {
            server_name,
            authorities,
        } => {
            let stream = TcpStream::connect(endpoint.address).await?;
            let stream = tls::connect(stream, server_name, authorities.as_deref()).await?;
            exchange::over_stream(stream, name, *record_type).await?
        }
    };
    Failure::of_code(code)
}
