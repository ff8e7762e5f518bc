//! The server's process, from the outside.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::hosted::Tally;
use super::server::Order;
use crate::process::{Memory, memory};

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
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
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
        let program = std::env::current_exe().context("failed to find this program")?;
        let mut child = Command::new(program)
            .arg("remote-server")
            .arg("--directory")
            .arg(&site.directory)
            .arg(format!("--clients={}", site.clients))
            .arg(format!("--zones={}", site.zones))
            .arg(format!("--records={}", site.records))
            .arg(format!("--since={elapsed}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start the server")?;
        let orders = child.stdin.take().context("the server has no standard input")?;
        let output = child.stdout.take().context("the server has no standard output")?;
        let mut answers = BufReader::new(output).lines();
        let address = hear(&mut answers).await?;
        Ok(Self {
            site,
            child,
            orders,
            answers,
            address,
            elapsed,
        })
    }

    /// Ends it without notice, and starts another one with the cache that it leaves behind.
    pub async fn fail_over(mut self) -> Result<Self> {
        self.child.kill().await.context("failed to end the server")?;
        Self::start_at(self.site.clone(), self.elapsed).await
    }

    /// Lets time pass.
    pub async fn advance(&mut self, seconds: u64) -> Result<Tally> {
        self.elapsed += seconds;
        self.order(Order::Advance(seconds)).await
    }

    /// Has it do something, and waits until it is done.
    pub async fn order(&mut self, order: Order) -> Result<Tally> {
        let line = format!("{}\n", serde_json::to_string(&order)?);
        self.orders
            .write_all(line.as_bytes())
            .await
            .context("failed to give an order to the server")?;
        hear(&mut self.answers).await
    }

    /// Its memory.
    pub fn memory(&self) -> Result<Memory> {
        memory(self.id()?)
    }

    /// Has the kernel forget the most memory that was ever resident.
    pub fn reset_peak(&self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.id()?);
        fs::write(&path, "5").with_context(|| format!("failed to write {path}"))
    }

    fn id(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }
}

async fn hear<T: DeserializeOwned>(answers: &mut Lines<BufReader<ChildStdout>>) -> Result<T> {
    let line = answers.next_line().await.context("failed to hear the server")?;
    let line = line.context("the server has ended")?;
    serde_json::from_str(&line).with_context(|| format!("the server said {line}"))
}
