//! A server with its clients.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tempfile::TempDir;

use super::certificates::{Authority, Pass};
use super::client::Client;
use super::process::{Process, Site};
use super::server::namespaces;
use crate::cli::RemoteArgs;
use crate::process::Memory;
use crate::relay::Relay;

/// The namespaces beside those of the crowd.
const OTHERS: u32 = 2;
/// How many clients work at a time where all are to, one after the other.
const AT_A_TIME: usize = 32;

/// A server with its clients.
pub struct Stage {
    /// The server.
    pub server: Process,
    /// The memory of the server before it had read a zone, after that, and when a first client
    /// had come.
    pub begun: [Memory; 3],
    /// What the crowd connects through.
    pub relay: Relay,
    /// What the clients of the crowd show, and after these two others.
    pub passes: Vec<Pass>,
    /// The crowd.
    pub clients: Vec<Client>,
    /// The ids of the zones.
    pub zones: Vec<String>,
    _folder: TempDir,
}

impl Stage {
    /// A server that has read its zones, for so many clients, of which none has come yet.
    pub async fn set_up(args: &RemoteArgs, clients: u32) -> Result<Self> {
        let folder = tempfile::tempdir().context("failed to make a folder")?;
        let authority = Authority::new()?;
        authority.write_server(folder.path())?;
        let all = clients + OTHERS;
        let passes: Vec<Pass> = namespaces(all)
            .map(|namespace| authority.pass(&namespace))
            .collect::<Result<_>>()?;
        let mut server = Process::start(site(args, folder.path(), all)).await?;
        let before = server.memory()?;
        server.advance(0).await?;
        let after = server.memory()?;
        let zones = Client::new(&passes[0], server.address)?.list().await?;
        ensure!(
            zones.len() == usize::try_from(args.zones)?,
            "not every zone is served"
        );
        Ok(Self {
            begun: [before, after, server.memory()?],
            relay: Relay::start(server.address).await?,
            server,
            passes,
            clients: Vec::new(),
            zones,
            _folder: folder,
        })
    }

    /// The pass of one of the two that are not of the crowd.
    pub fn other(&self, number: usize) -> Result<&Pass> {
        let crowd = self.passes.len() - usize::try_from(OTHERS)?;
        self.passes.get(crowd + number).context("there is no such client")
    }

    /// Has the whole crowd connect and watch, with what the first of them has read.
    pub async fn gather(&mut self) -> Result<()> {
        let mut reader = Client::new(self.other(0)?, self.server.address)?;
        for zone in &self.zones {
            reader.read(zone).await?;
        }
        self.begun[2] = self.server.memory()?;
        let crowd = self.passes.len() - usize::try_from(OTHERS)?;
        for pass in &self.passes[..crowd] {
            let mut client = Client::new(pass, self.relay.address)?;
            client.adopt(&reader);
            self.clients.push(client);
        }
        self.watch().await
    }

    /// Has the whole crowd watch.
    pub async fn watch(&mut self) -> Result<()> {
        let watching = self.clients.iter_mut().map(Client::watch);
        stream::iter(watching)
            .buffer_unordered(AT_A_TIME)
            .try_collect::<()>()
            .await
    }

    /// Has the whole crowd read what has changed; how many record sets were told.
    pub async fn pass(&mut self) -> Result<usize> {
        let passes = self.clients.iter_mut().map(Client::pass);
        stream::iter(passes)
            .buffer_unordered(AT_A_TIME)
            .try_fold(0, async |sum, count| Ok(sum + count))
            .await
    }
}

fn site(args: &RemoteArgs, folder: &Path, clients: u32) -> Site {
    Site {
        directory: folder.to_owned(),
        clients,
        zones: args.zones,
        records: args.records,
    }
}
