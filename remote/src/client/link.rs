//! The connection to the server as the Secret has it now, and which protocol it speaks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use records::pace::{Pace, Rate};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::access::Access;
use super::connection::connect;
use super::failure::{Failure, Kind};
use crate::protocol::v2::zone_service_client::ZoneServiceClient;

/// How long a server that has Gardener's protocol only is taken for one.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);
/// The most octets of a message that is read: a zone of Gardener's protocol, or the names of
/// all that has changed.
pub(super) const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

/// The connection to the server. All calls are made over it, at one pace.
pub(super) struct Link {
    current: Mutex<Current>,
    pace: Pace,
}

struct Current {
    access: watch::Receiver<Access>,
    connection: Connection,
    /// Since when the server is known to have Gardener's protocol only.
    gardener: Option<Instant>,
}

/// A connection with one Secret.
#[derive(Clone)]
pub(super) struct Connection {
    pub channel: Channel,
    /// The namespace that is used on the server's side.
    pub namespace: Arc<str>,
    /// The server's address, for messages.
    pub address: Arc<str>,
    /// Tells it from the others.
    pub number: u64,
}

impl Connection {
    fn new(access: &Access, number: u64) -> Self {
        Self {
            channel: connect(access),
            namespace: access.namespace.as_str().into(),
            address: access.address().into(),
            number,
        }
    }

    /// A client for our protocol.
    pub fn zones(&self) -> ZoneServiceClient<Channel> {
        ZoneServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_LIMIT)
    }
}

impl Link {
    /// A connection that is made with the first call, and anew with another Secret.
    pub fn new(mut access: watch::Receiver<Access>, rate: Rate) -> Self {
        let connection = Connection::new(&access.borrow_and_update(), 0);
        Self {
            current: Mutex::new(Current {
                access,
                connection,
                gardener: None,
            }),
            pace: Pace::new(rate),
        }
    }

    /// What there is with the Secret as it is now.
    fn current(&self) -> MutexGuard<'_, Current> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody may be there any more who could tell of another Secret.
        if current.access.has_changed().unwrap_or(false) {
            let number = current.connection.number + 1;
            let connection = Connection::new(&current.access.borrow_and_update(), number);
            current.connection = connection;
            current.gardener = None;
        }
        current
    }

    /// The connection now.
    pub fn connection(&self) -> Connection {
        self.current().connection.clone()
    }

    /// Ends when there is another Secret than the connection has.
    pub async fn secret_changed(&self) {
        let mut access = self.current().access.clone();
        if access.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the server is taken to have Gardener's protocol only.
    pub fn is_gardeners(&self) -> bool {
        let gardener = self.current().gardener;
        gardener.is_some_and(|since| since.elapsed() < LOOK_AGAIN)
    }

    /// Takes note that it has Gardener's protocol only.
    pub fn take_for_gardeners(&self) {
        self.current().gardener = Some(Instant::now());
    }

    /// Waits until the next call may be made.
    pub async fn turn(&self) {
        self.pace.turn().await;
    }

    /// What has become of a call. After a lost connection it may be another server, which is
    /// asked for our protocol first.
    pub fn finished<T>(
        &self,
        connection: &Connection,
        limit: Duration,
        answer: Option<Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        let failure = match answer {
            Some(Ok(response)) => return Ok(response.into_inner()),
            Some(Err(status)) => Failure::of(&status, &connection.address),
            None => Failure::timeout(limit, &connection.address),
        };
        match failure.kind {
            Kind::Throttled(Some(pause)) => self.pace.pause(pause),
            Kind::Unavailable => self.current().gardener = None,
            _ => {}
        }
        Err(failure)
    }

    /// Makes a call of our protocol.
    pub async fn ask<T, F>(
        &self,
        limit: Duration,
        call: impl FnOnce(ZoneServiceClient<Channel>, String) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.turn().await;
        let connection = self.connection();
        let call = Box::pin(call(connection.zones(), String::from(&*connection.namespace)));
        let answer = timeout(limit, call).await.ok();
        self.finished(&connection, limit, answer)
    }
}
