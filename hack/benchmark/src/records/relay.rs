//! What stands before a server and counts what it answers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Passes connections on; ended when dropped.
pub struct Relay {
    pub address: SocketAddr,
    octets: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Relay {
    /// Before a server.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let octets = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&octets);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        pass(client, server, &counted).await;
                    }
                });
            }
        });
        Ok(Self {
            address,
            octets,
            task: task.abort_handle(),
        })
    }

    /// How many octets the server has answered since this was last asked.
    pub fn take(&self) -> u64 {
        self.octets.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, server: TcpStream, octets: &AtomicU64) {
    let (mut requests, mut client) = client.into_split();
    let (mut answers, mut server) = server.into_split();
    let upward = tokio::spawn(async move { copy(&mut requests, &mut server).await });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = answers.read(&mut buffer).await {
        octets.fetch_add(count as u64, Ordering::Relaxed);
        if client.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    upward.abort();
}
