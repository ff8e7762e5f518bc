//! Asking a DNS server, at a steady rate.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a server may take to begin to answer.
const START: Duration = Duration::from_secs(20);
/// More than any answer here has, in bytes.
const ANSWER: usize = 4096;

/// What came back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// With the expected response code.
    pub expected: u32,
    /// With another one, or none within two seconds.
    pub failed: u32,
}

/// A client of one DNS server.
#[derive(Debug)]
pub struct Client {
    socket: UdpSocket,
    id: u16,
}

impl Client {
    /// A client with a socket of its own.
    pub async fn connect(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let socket = socket.context("failed to open a socket")?;
        let connect = socket.connect(server).await;
        connect.with_context(|| format!("failed to use {server}"))?;
        Ok(Self { socket, id: 0 })
    }

    /// Waits until the server answers anything to a question about a name.
    pub async fn wait(&mut self, name: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            if self.ask(name).await.is_ok() {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < START,
                "the DNS server did not answer within {START:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks for each name in turn, `rate` a second.
    pub async fn ask_all(
        &mut self,
        names: impl Iterator<Item = String>,
        rate: u32,
        expected: ResponseCode,
    ) -> Result<Answers> {
        let mut answers = Answers::default();
        let mut ticks = interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for name in names {
            ticks.tick().await;
            match self.ask(&name).await {
                Ok(code) if code == expected => answers.expected += 1,
                _ => answers.failed += 1,
            }
        }
        Ok(answers)
    }

    /// Asks for the address of a name.
    async fn ask(&mut self, name: &str) -> Result<ResponseCode> {
        self.id = self.id.wrapping_add(1);
        let name = Name::from_str(name).with_context(|| format!("failed to ask for {name}"))?;
        let mut message = Message::new(self.id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(name, RecordType::A));
        let bytes = message.to_vec().context("failed to encode a query")?;
        self.socket.send(&bytes).await.context("failed to send a query")?;
        let answer = timeout(PATIENCE, self.answer()).await;
        answer.context("no answer in time")?
    }

    /// The answer to the last question; late answers to others are passed over.
    async fn answer(&self) -> Result<ResponseCode> {
        let mut bytes = [0; ANSWER];
        loop {
            let length = self.socket.recv(&mut bytes).await;
            let length = length.context("failed to receive an answer")?;
            let message = bytes.get(..length).unwrap_or_default();
            let message = Message::from_vec(message).context("failed to decode an answer")?;
            if message.metadata.id == self.id {
                return Ok(message.metadata.response_code);
            }
        }
    }
}
