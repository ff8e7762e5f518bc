//! The wire between the clients and the server: it leads elsewhere, is cut and counts.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What goes through between the clients and the server.
pub struct Wire {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where it leads; nowhere: who connects is let go at once.
    target: Mutex<Option<SocketAddr>>,
    /// Octets from the clients, and from the server.
    sent: AtomicU64,
    received: AtomicU64,
    /// After so many octets from the server, its connection is cut.
    most: AtomicU64,
    /// Counts the cuts.
    cuts: watch::Sender<u64>,
}

impl Wire {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: Mutex::new(Some(target)),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            most: AtomicU64::new(u64::MAX),
            cuts: watch::Sender::new(0),
        });
        tokio::spawn(forward(listener, Arc::clone(&shared)));
        Self { address, shared }
    }

    /// Leads somewhere else, or nowhere, from the next connection on.
    pub fn lead_to(&self, target: Option<SocketAddr>) {
        *self.shared.target.lock().unwrap() = target;
    }

    pub fn target(&self) -> Option<SocketAddr> {
        *self.shared.target.lock().unwrap()
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts the connection over which so many octets have come from the server since the
    /// octets were last counted.
    pub fn cut_after(&self, octets: u64) {
        self.shared.most.store(octets, Ordering::Relaxed);
    }

    /// Octets that went through since the last time: from the clients, and from the server.
    pub fn octets(&self) -> (u64, u64) {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        (take(&self.shared.sent), take(&self.shared.received))
    }
}

async fn forward(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let target = *shared.target.lock().unwrap();
        let Some(target) = target else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut cuts = shared.cuts.subscribe();
            let unbounded = AtomicU64::new(u64::MAX);
            let Ok(server) = TcpStream::connect(target).await else {
                return;
            };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::select! {
                () = copy(&mut from_client, &mut to_server, &shared.sent, &unbounded) => {}
                () = copy(&mut from_server, &mut to_client, &shared.received, &shared.most) => {}
                _ = cuts.changed() => {}
            }
        });
    }
}

async fn copy(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, counter: &AtomicU64, most: &AtomicU64) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        let so_far = counter.fetch_add(count as u64, Ordering::Relaxed);
        if so_far > most.load(Ordering::Relaxed) {
            return;
        }
    }
}
