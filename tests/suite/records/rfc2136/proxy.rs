//! What stands between a server and its client, and breaks what comes by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, spawn};

/// What happens to the answers of a connection, by octets.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    None,
    /// The connection ends after so many.
    CutAfter(usize),
    /// One is not what it was.
    Change(usize),
}

/// A proxy; stopped when dropped.
pub struct Proxy {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    octets: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Proxy {
    /// Listens at an address for a server at another one.
    pub async fn start(listen: SocketAddr, server: SocketAddr, fault: Fault) -> Self {
        let listener = TcpListener::bind(listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, octets) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let task = spawn({
            let (connections, octets) = (Arc::clone(&connections), Arc::clone(&octets));
            async move {
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    connections.fetch_add(1, Ordering::Relaxed);
                    let stream = TcpStream::connect(server).await.unwrap();
                    spawn(pass(client, stream, fault, Arc::clone(&octets)));
                }
            }
        });
        Self {
            address,
            connections,
            octets,
            task: task.abort_handle(),
        }
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many octets of answers came from the server.
    pub fn octets(&self) -> usize {
        self.octets.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, server: TcpStream, fault: Fault, octets: Arc<AtomicUsize>) {
    let (mut requests, mut client) = client.into_split();
    let (mut answers, mut server) = server.into_split();
    let upward = spawn(async move { copy(&mut requests, &mut server).await });
    let mut buffer = [0; 4096];
    let mut passed = 0;
    while let Ok(count @ 1..) = answers.read(&mut buffer).await {
        octets.fetch_add(count, Ordering::Relaxed);
        let mut end = count;
        match fault {
            Fault::CutAfter(limit) if passed + count > limit => end = limit - passed,
            Fault::Change(place) if (passed..passed + count).contains(&place) => buffer[place - passed] ^= 1,
            Fault::None | Fault::CutAfter(_) | Fault::Change(_) => {}
        }
        passed += count;
        if client.write_all(&buffer[..end]).await.is_err() || end < count {
            break;
        }
    }
    upward.abort();
}
