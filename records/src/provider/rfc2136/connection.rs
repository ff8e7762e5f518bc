//! A connection to a server, on which messages have their length before them
//! (RFC 1035, 4.2.2; RFC 7858, 3.3).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hickory_proto::op::Message;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use super::answer::Answer;
use super::failure::Failure;
use super::tsig::{Key, Verifier};

/// How much is read at once, in octets: a message of the longest kind.
const BUFFER: usize = 1 << 16;

/// What messages come and go by.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub(super) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    key: Option<Arc<Key>>,
    patience: Duration,
}

/// A request that is on its way: what its answer is verified with.
pub(super) struct Pending(Option<Verifier>);

impl Connection {
    pub(super) fn new(stream: Box<dyn Stream>, key: Option<Arc<Key>>, patience: Duration) -> Self {
        Self {
            stream: BufReader::with_capacity(BUFFER, stream),
            key,
            patience,
        }
    }

    /// Signs a message and encodes it.
    pub(super) fn prepare(&self, message: &mut Message) -> Result<(Vec<u8>, Pending), Failure> {
        let verifier = match &self.key {
            Some(key) => Some(key.sign(message, now())?),
            None => None,
        };
        Ok((message.to_vec()?, Pending(verifier)))
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        let length = u16::try_from(message.len())
            .map_err(|_| Failure::Malformed(format!("a message of {} octets", message.len())))?;
        let framed = [&length.to_be_bytes()[..], message].concat();
        let sent = timeout(self.patience, async {
            self.stream.write_all(&framed).await?;
            self.stream.flush().await
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::Lost(error.to_string())),
            Err(_) => Err(self.silence()),
        }
    }

    /// Waits for a message, whichever request it answers.
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let received = timeout(self.patience, async {
            let length = self.stream.read_u16().await?;
            let mut message = vec![0; length.into()];
            self.stream.read_exact(&mut message).await?;
            Ok::<_, std::io::Error>(message)
        });
        match received.await {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(error)) => Err(Failure::Lost(error.to_string())),
            Err(_) => Err(self.silence()),
        }
    }

    fn silence(&self) -> Failure {
        Failure::Lost(format!("nothing came for {} s", self.patience.as_secs_f32()))
    }
}

impl Pending {
    /// Reads a message of the answer and verifies it.
    pub(super) fn read(&mut self, message: &[u8]) -> Result<Answer, Failure> {
        let answer = Answer::decode(message)?;
        if let Some(verifier) = &mut self.0 {
            verifier.verify(message, answer.signature.as_ref(), now())?;
        }
        Ok(answer)
    }

    /// Whether the answer may end here: the last message of one is signed.
    pub(super) fn is_settled(&self) -> bool {
        self.0.as_ref().is_none_or(Verifier::is_settled)
    }
}

/// The time since 1970, in seconds.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
