//! Asks DNS questions over UDP, a new socket for each.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer, as far as tests look at it.
#[derive(Debug)]
pub struct Answer {
    pub code: ResponseCode,
    /// TTLs of the answer section, in seconds.
    pub ttls: Vec<u32>,
    /// TTLs of the authority section, in seconds.
    pub authority_ttls: Vec<u32>,
    /// The serial number of an SOA record in the answer section.
    pub serial: Option<u32>,
}

impl Answer {
    /// The TTL of the only record.
    pub fn ttl(&self) -> u32 {
        assert_eq!(
            (self.code, self.ttls.len()),
            (ResponseCode::NoError, 1),
            "{self:?}"
        );
        self.ttls[0]
    }

    /// The TTL of a negative answer.
    pub fn negative_ttl(&self) -> u32 {
        assert!(self.ttls.is_empty() && self.authority_ttls.len() == 1, "{self:?}");
        self.authority_ttls[0]
    }
}

/// A name server to ask.
#[derive(Clone, Copy, Debug)]
pub struct DnsClient(pub SocketAddr);

impl DnsClient {
    /// Asks for a name, once.
    pub async fn ask(self, name: &str, record_type: RecordType) -> Result<Answer> {
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(
            Name::from_ascii(name).context("the name")?,
            record_type,
        ));
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
            .await
            .context("failed to open a socket")?;
        socket.connect(self.0).await.context("failed to connect")?;
        socket.send(&query.to_vec()?).await.context("failed to send")?;
        let mut buffer = [0; 4096];
        let length = timeout(PATIENCE, socket.recv(&mut buffer))
            .await
            .with_context(|| format!("no answer for {name} within {PATIENCE:?}"))?
            .context("failed to receive")?;
        let answer = Message::from_vec(&buffer[..length]).context("failed to decode the answer")?;
        ensure!(
            answer.metadata.id == query.metadata.id,
            "an answer to something else"
        );
        Ok(Answer {
            code: answer.metadata.response_code,
            ttls: answer.answers.iter().map(|record| record.ttl).collect(),
            authority_ttls: answer.authorities.iter().map(|record| record.ttl).collect(),
            serial: answer.answers.iter().find_map(|record| match &record.data {
                RData::SOA(soa) => Some(soa.serial),
                _ => None,
            }),
        })
    }

    /// Asks for an IPv4 address.
    pub async fn a(self, name: &str) -> Answer {
        self.ask(name, RecordType::A).await.unwrap()
    }
}
