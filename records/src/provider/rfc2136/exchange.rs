//! Many requests on one connection, without waiting for one answer before the next request.

use std::collections::HashMap;

use hickory_proto::op::Message;

use super::answer::{Answer, id};
use super::connection::{Connection, Pending};
use super::failure::Failure;

/// How many requests may be unanswered: few enough for their answers to find room on the
/// way while nobody reads them.
const WINDOW: usize = 256;

/// A series of requests, by their place in it.
pub(super) struct Exchange {
    connection: Connection,
    count: usize,
    /// Those that are not answered, by the number of the message.
    unanswered: HashMap<u16, (usize, Pending)>,
}

impl Exchange {
    pub(super) fn new(connection: Connection, count: usize) -> Self {
        Self {
            connection,
            count,
            unanswered: HashMap::new(),
        }
    }

    /// Sends the request of each place, and hands on the answers as they come. A failure of
    /// the connection ends it: those that were sent and not answered are handed it too, those
    /// that were not sent are not.
    pub(super) async fn run(
        mut self,
        request: impl Fn(usize) -> Option<Message> + Send,
        mut answered: impl FnMut(usize, Result<Answer, Failure>) + Send,
    ) -> Result<(), Failure> {
        let mut next = 0;
        // Numbers that cannot be guessed, and differ while they are in use.
        let start: u16 = rand::random();
        let result = loop {
            if next < self.count && self.unanswered.len() < WINDOW {
                let number = u16::try_from(next % (1 << 16)).unwrap_or_default();
                let sent = match request(next) {
                    Some(message) => self.send(next, start.wrapping_add(number), message).await,
                    None => Ok(()),
                };
                next += 1;
                if let Err(failure) = sent {
                    break Err(failure);
                }
            } else if self.unanswered.is_empty() {
                break Ok(());
            } else {
                match self.receive().await {
                    Ok((place, answer)) => answered(place, answer),
                    Err(failure) => break Err(failure),
                }
            }
        };
        if let Err(failure) = &result {
            for (_, (place, _)) in self.unanswered {
                answered(place, Err(failure.clone()));
            }
        }
        result
    }

    async fn send(&mut self, place: usize, number: u16, mut message: Message) -> Result<(), Failure> {
        message.metadata.id = number;
        let (message, pending) = self.connection.prepare(&mut message)?;
        // Before it is sent: of one that fails on the way nobody knows how far it came.
        self.unanswered.insert(number, (place, pending));
        self.connection.send(&message).await
    }

    async fn receive(&mut self) -> Result<(usize, Result<Answer, Failure>), Failure> {
        let message = self.connection.receive().await?;
        let request = id(&message).and_then(|number| self.unanswered.remove(&number));
        let Some((place, mut pending)) = request else {
            return Err(Failure::Malformed("it answers what was not asked".into()));
        };
        Ok((place, pending.read(&message)))
    }
}
