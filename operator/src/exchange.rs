//! One question to a DNS server, and what the header of the answer says.
//!
//! The records of an answer are nothing to the operator: they are not even decoded.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::op::{Header, HeaderCounts, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinEncodable, BinEncoder};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UdpSocket;

/// The header of an answer, all that is read of it (RFC 1035, 4.1.1), in octets.
const HEADER: usize = 12;

/// Asks over UDP, once, and waits for the answer: for ever, if none comes. What comes
/// from elsewhere or answers something else is passed over.
pub async fn over_udp(server: SocketAddr, name: &Name, record_type: RecordType) -> io::Result<ResponseCode> {
    let id = rand::random();
    let message = encode(id, name, record_type)?;
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    // Only what comes from there is received.
    socket.connect(server).await?;
    socket.send(&message).await?;
    let mut header = [0; HEADER];
    loop {
        let length = socket.recv(&mut header).await?;
        if let Some(code) = response_code(id, &header[..length]) {
            return Ok(code);
        }
    }
}

/// Asks over a connection, on which a message has its length before it (RFC 1035,
/// 4.2.2; RFC 7858, 3.3). An answer that is none is [`io::ErrorKind::InvalidData`].
pub async fn over_stream(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    name: &Name,
    record_type: RecordType,
) -> io::Result<ResponseCode> {
    let id = rand::random();
    let message = encode(id, name, record_type)?;
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&length.to_be_bytes()[..], &message].concat())
        .await?;
    stream.flush().await?;
    let mut answer = [0; HEADER];
    if usize::from(stream.read_u16().await?) < HEADER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.read_exact(&mut answer).await?;
    response_code(id, &answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn encode(id: u16, name: &Name, record_type: RecordType) -> io::Result<Vec<u8>> {
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
    let query = Query::query(name.clone(), record_type);
    header
        .emit(&mut encoder)
        .and_then(|()| query.emit(&mut encoder))
        .map_err(io::Error::other)?;
    Ok(message)
}

/// What the answer to the question of that number says, if this is one.
fn response_code(id: u16, message: &[u8]) -> Option<ResponseCode> {
    let metadata = Header::from_bytes(message).ok()?.metadata;
    (metadata.id == id && metadata.message_type == MessageType::Response).then_some(metadata.response_code)
}
