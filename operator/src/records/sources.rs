//! All sources of a command: files, and objects of a cluster.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::jiff::Timestamp;
use records::engine::{Demand, PassResult};
use records::source::file::{FileError, Files};
use records::verdict::{State, Verdict, Verdicts};
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::cli::{ClusterSource, SourceArgs};
use super::dns_endpoint::StatusWriter;
use super::source::{self, DnsEndpointObject, DnsEndpoints, wanted};
use crate::run::client_config;

/// How long the objects of a cluster may take to be listed, before the first pass.
const LISTING: Duration = Duration::from_secs(30);
/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// All that wants records.
pub struct Sources {
    files: Files,
    /// What the files said last.
    demand: Demand,
    cluster: Option<Cluster>,
}

/// The objects of a cluster.
struct Cluster {
    endpoints: Arc<DnsEndpoints>,
    changes: channel::Receiver<()>,
    writer: StatusWriter,
    /// The objects that the last demand was made of.
    read: Vec<Arc<DnsEndpointObject>>,
    following: JoinHandle<()>,
}

impl Sources {
    /// Begins to follow the sources.
    pub async fn open(args: &SourceArgs) -> anyhow::Result<Self> {
        let cluster = if args.sources.contains(&ClusterSource::Crd) {
            Some(Cluster::open(args).await?)
        } else {
            anyhow::ensure!(
                !args.files.is_empty(),
                "--file or --source: at least one is required"
            );
            None
        };
        Ok(Self {
            files: Files::new(args.files.clone()),
            demand: Demand::default(),
            cluster,
        })
    }

    /// Ends when the objects in a cluster are known, and at the latest after half a minute.
    pub async fn listed(&mut self) -> anyhow::Result<()> {
        match &mut self.cluster {
            Some(cluster) => cluster.listed().await,
            None => Ok(()),
        }
    }

    /// Whether the objects in a cluster are known.
    pub fn are_listed(&self) -> bool {
        let cluster = self.cluster.as_ref();
        cluster.is_none_or(|cluster| cluster.endpoints.snapshot().is_some())
    }

    /// What is wanted now.
    pub fn read(&mut self) -> Demand {
        self.look_at_files();
        let mut demand = self.demand.clone();
        if let Some(cluster) = &mut self.cluster {
            match cluster.endpoints.snapshot() {
                Some(objects) => {
                    demand.wanted.extend(wanted(&objects));
                    cluster.read = objects;
                }
                None => demand
                    .unread
                    .push("DNSEndpoints: they have not been listed yet".into()),
            }
        }
        demand
    }

    /// Reads the files; whether they say something else than before.
    fn look_at_files(&mut self) -> bool {
        let reading = self.files.read();
        let mut unread: Vec<String> = reading.failures.iter().map(FileError::to_string).collect();
        if !reading.complete && unread.is_empty() {
            unread.push("a file has not been the same in two readings yet".into());
        }
        let changed = reading.wanted != self.demand.wanted;
        self.demand = Demand {
            wanted: reading.wanted,
            unread,
        };
        changed
    }

    /// Ends when something else is wanted than at the last reading.
    pub async fn changed(&mut self) {
        loop {
            let told = async {
                if let Some(cluster) = &mut self.cluster
                    && cluster.changes.changed().await.is_ok()
                {
                    return;
                }
                std::future::pending::<()>().await;
            };
            if timeout(LOOK, told).await.is_ok() || self.look_at_files() {
                return;
            }
        }
    }

    /// Tells the objects of the last reading what has become of their records.
    pub async fn tell(&mut self, result: &PassResult) {
        let known: Verdicts = result.verdicts.iter().cloned().collect();
        self.tell_each(|verdict| known.of(&verdict.key, &verdict.resource).cloned())
            .await;
    }

    /// Tells the objects of the last reading that a pass over their records could not be
    /// begun.
    pub async fn tell_all(&mut self, reason: &str) {
        self.tell_each(|_| {
            Some(State::Pending {
                reason: reason.into(),
            })
        })
        .await;
    }

    /// What nothing is known of is in place.
    async fn tell_each(&mut self, known: impl Fn(&Verdict) -> Option<State>) {
        let Some(cluster) = &mut self.cluster else {
            return;
        };
        let wanted = cluster.read.iter().flat_map(|object| &object.wanted.endpoints);
        let all = wanted.filter_map(|endpoint| {
            let in_place = Verdict::of(endpoint, State::InPlace)?;
            let state = known(&in_place).unwrap_or(State::InPlace);
            Some(Verdict { state, ..in_place })
        });
        let verdicts: Verdicts = all.collect();
        let written = cluster
            .writer
            .write(&cluster.read, &verdicts, Timestamp::now())
            .await;
        if let Err(error) = written {
            tracing::warn!("{error}");
        }
    }
}

impl Cluster {
    async fn open(args: &SourceArgs) -> anyhow::Result<Self> {
        let config = client_config(args.kubeconfig.as_deref()).await?;
        let client = kube::Client::try_from(config).context("failed to set up the client")?;
        let endpoints = Arc::new(DnsEndpoints::default());
        let changes = endpoints.changes();
        let following = tokio::spawn(source::follow(
            client.clone(),
            args.objects.clone(),
            Arc::clone(&endpoints),
        ));
        Ok(Self {
            endpoints,
            changes,
            writer: StatusWriter::new(client),
            read: Vec::new(),
            following,
        })
    }

    async fn listed(&mut self) -> anyhow::Result<()> {
        let listed = async {
            while self.endpoints.snapshot().is_none() {
                if self.changes.changed().await.is_err() {
                    sleep(LISTING).await;
                }
            }
        };
        timeout(LISTING, listed)
            .await
            .context("--source=crd: the DNSEndpoints could not be listed in 30 s")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.following.abort();
    }
}
