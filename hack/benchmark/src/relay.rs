//! What stands before a server and counts what goes through.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Passes connections on; accepts no more when dropped.
pub struct Relay {
    /// Where clients connect to.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

/// Octets inside TCP: those of TLS count, those of IP and TCP do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Octets {
    /// From the clients.
    pub asked: u64,
    /// From the server.
    pub answered: u64,
}

impl Octets {
    /// In both directions.
    pub fn all(self) -> u64 {
        self.asked + self.answered
    }
}

struct Shared {
    server: Mutex<SocketAddr>,
    asked: AtomicU64,
    answered: AtomicU64,
}

impl Relay {
    /// Before a server.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server: Mutex::new(server),
            asked: AtomicU64::default(),
            answered: AtomicU64::default(),
        });
        let passing = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, Arc::clone(&passing)));
            }
        });
        Ok(Self {
            address,
            shared,
            task: task.abort_handle(),
        })
    }

    /// Leads to another server, from the next connection on.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// How much has gone through since this was last asked.
    pub fn take(&self) -> Octets {
        Octets {
            asked: self.shared.asked.swap(0, Ordering::Relaxed),
            answered: self.shared.answered.swap(0, Ordering::Relaxed),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until one side has gone.
async fn pass(client: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let server = *shared.server.lock().unwrap_or_else(PoisonError::into_inner);
    let server = TcpStream::connect(server).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (requests, client) = client.into_split();
    let (answers, server) = server.into_split();
    tokio::select! {
        passed = copy(requests, server, &shared.asked) => passed,
        passed = copy(answers, client, &shared.answered) => passed,
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    octets: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        octets.fetch_add(count as u64, Ordering::Relaxed);
        to.write_all(&buffer[..count]).await?;
    }
}
