//! Asks CoreDNS pods for a name. What they answer is nothing to us: their plugin
//! `ocp_dnsnameresolver` writes it down.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures::future::join_all;
use hickory_proto::ProtoError;
use hickory_proto::rr::{Name, RecordType};
use tokio::time::timeout;

use crate::exchange;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

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
    let name = Name::from_ascii(name)?;
    let answer = exchange::over_udp((pod, port).into(), &name, record_type);
    match timeout(PATIENCE, answer).await {
        Ok(answered) => Ok(answered.map(drop)?),
        Err(_) => Err(QueryError::Silence),
    }
}
