//! This program once more, as a process that does what it is told, and whose memory is its own:
//! orders go over its standard input, one a line, each with an answer.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::process::Stdio;
use std::thread;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use crate::process::{Memory, memory};

/// The process, from the outside; ended when dropped.
pub struct Subprocess {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Subprocess {
    /// Starts it, and hears what it says first.
    pub async fn start<T: DeserializeOwned>(arguments: &[OsString]) -> Result<(Self, T)> {
        let program = std::env::current_exe().context("failed to find this program")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start a process")?;
        let orders = child.stdin.take().context("the process has no standard input")?;
        let output = child
            .stdout
            .take()
            .context("the process has no standard output")?;
        let mut process = Self {
            child,
            orders,
            answers: BufReader::new(output).lines(),
        };
        let first = process.hear().await?;
        Ok((process, first))
    }

    /// Has it do something, and waits until it is done.
    pub async fn order<T: DeserializeOwned>(&mut self, order: &impl Serialize) -> Result<T> {
        let line = format!("{}\n", serde_json::to_string(order)?);
        self.orders
            .write_all(line.as_bytes())
            .await
            .context("failed to give an order to a process")?;
        self.hear().await
    }

    async fn hear<T: DeserializeOwned>(&mut self) -> Result<T> {
        let line = self
            .answers
            .next_line()
            .await
            .context("failed to hear a process")?;
        let line = line.context("the process has ended")?;
        serde_json::from_str(&line).with_context(|| format!("the process said {line}"))
    }

    /// Ends it without notice.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("failed to end a process")
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
        self.child.id().context("the process has ended")
    }
}

/// What such a process is told, until its standard input ends.
pub fn orders() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    // Its own thread: the runtime has none for standard input that could be left behind.
    thread::spawn(move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        lines.map(|line| sender.send(line)).all(|sent| sent.is_ok())
    });
    lines
}

/// Tells something on a line of its own, from inside such a process.
pub fn say(what: &impl Serialize) -> Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, what)?;
    out.write_all(b"\n")?;
    out.flush().context("failed to answer")
}
