//! Asks CoreDNS pods for a name. What they answer is nothing to us: their plugin
//! `ocp_dnsnameresolver` writes it down.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures::future::join_all;
use hickory_proto::ProtoError;
use hickory_proto::op::{Header, HeaderCounts, MessageType, Metadata, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinEncodable, BinEncoder};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The header of an answer, all that is read of it (RFC 1035, 4.1.1).
const HEADER: usize = 12;

/// A pod was not asked, or has not answered.
#[derive(Debug, thiserror::Error)]
enum QueryError {
    #[error("not a name to ask for: {0}")]
    Name(#[from] ProtoError),
    #[error("{0}")]
    Socket(#[from] io::Error),
    #[error("no answer within {PATIENCE:?}")]
    Silence,
}

/// Asks every one of the pods for the addresses of a name, IPv4 and IPv6, all at
/// the same time. Comes back when all have answered or their time is up, with the
/// number of answers.
pub async fn look_up(name: &str, pods: &[IpAddr], port: u16) -> usize {
    let queries = pods
        .iter()
        .flat_map(|pod| [RecordType::A, RecordType::AAAA].map(|record_type| (*pod, record_type)))
        .map(
            async |(pod, record_type)| match ask(name, record_type, pod, port).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::debug!(name, %record_type, %pod, %error, "failed to look up");
                    false
                }
            },
        );
    let answered = join_all(queries).await;
    answered.into_iter().filter(|answered| *answered).count()
}

async fn ask(name: &str, record_type: RecordType, pod: IpAddr, port: u16) -> Result<(), QueryError> {
    let id = rand::random();
    let message = encode(id, name, record_type)?;
    let any: IpAddr = match pod {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    // Only what comes from there is received.
    socket.connect((pod, port)).await?;
    socket.send(&message).await?;
    let answered = async {
        let mut header = [0; HEADER];
        loop {
            let length = socket.recv(&mut header).await?;
            if is_answer(id, &header[..length]) {
                return Ok(());
            }
        }
    };
    timeout(PATIENCE, answered)
        .await
        .unwrap_or(Err(QueryError::Silence))
}

fn encode(id: u16, name: &str, record_type: RecordType) -> Result<Vec<u8>, ProtoError> {
    let mut metadata = Metadata::new(id, MessageType::Query, OpCode::Query);
    metadata.recursion_desired = true;
    let header = Header {
        metadata,
        counts: HeaderCounts {
            queries: 1,
            ..HeaderCounts::default()
        },
    };
    // Header and question by themselves: a whole message would bring the code for
    // every type of record into the program.
    let mut message = Vec::new();
    let mut encoder = BinEncoder::new(&mut message);
    header.emit(&mut encoder)?;
    Query::query(Name::from_ascii(name)?, record_type).emit(&mut encoder)?;
    Ok(message)
}

fn is_answer(id: u16, message: &[u8]) -> bool {
    Header::from_bytes(message)
        .is_ok_and(|header| header.metadata.id == id && header.metadata.message_type == MessageType::Response)
}
