//! The server's process, from the outside.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

use super::hosted::Tally;
use super::server::Order;
use super::subprocess::Subprocess;
use crate::process::Memory;

/// What a server is begun with.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where its certificates and its cache are.
    pub directory: PathBuf,
    /// How many clients may use it.
    pub clients: u32,
    /// How many zones there are.
    pub zones: u32,
    /// How many record sets each zone has at first.
    pub records: u32,
}

/// A server that runs; ended when dropped.
pub struct Process {
    site: Site,
    subprocess: Subprocess,
    /// Where it serves.
    pub address: SocketAddr,
    /// The simulated seconds that have passed.
    elapsed: u64,
}

impl Process {
    /// Starts a server.
    pub async fn start(site: Site) -> Result<Self> {
        Self::start_at(site, 0).await
    }

    async fn start_at(site: Site, elapsed: u64) -> Result<Self> {
        let arguments: [OsString; 7] = [
            "remote-server".into(),
            "--directory".into(),
            site.directory.clone().into(),
            format!("--clients={}", site.clients).into(),
            format!("--zones={}", site.zones).into(),
            format!("--records={}", site.records).into(),
            format!("--since={elapsed}").into(),
        ];
        let (subprocess, address) = Subprocess::start(&arguments).await?;
        Ok(Self {
            site,
            subprocess,
            address,
            elapsed,
        })
    }

    /// Ends it without notice, and starts another one with the cache that it leaves behind.
    pub async fn fail_over(self) -> Result<Self> {
        self.subprocess.kill().await?;
        Self::start_at(self.site.clone(), self.elapsed).await
    }

    /// Lets time pass.
    pub async fn advance(&mut self, seconds: u64) -> Result<Tally> {
        self.elapsed += seconds;
        self.order(Order::Advance(seconds)).await
    }

    /// Has it do something, and waits until it is done.
    pub async fn order(&mut self, order: Order) -> Result<Tally> {
        self.subprocess.order(&order).await
    }

    /// Its memory.
    pub fn memory(&self) -> Result<Memory> {
        self.subprocess.memory()
    }

    /// Has the kernel forget the most memory that was ever resident.
    pub fn reset_peak(&self) -> Result<()> {
        self.subprocess.reset_peak()
    }
}
