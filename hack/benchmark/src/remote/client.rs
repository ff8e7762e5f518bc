//! A client that holds nothing but revisions, so that hundreds fit into one process: it reads
//! and writes as a whole one does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use records::{Group, Outcome};
use remote::client::connect;
use remote::protocol::v2::read_zone_response::{Header, Piece};
use remote::protocol::v2::zone_service_client::ZoneServiceClient;
use remote::protocol::v2::{
    ApplyRequest, ListZonesRequest, ReadZoneRequest, ReadZoneResponse, WatchZonesRequest,
};
use remote::protocol::zones;
use tokio::task::AbortHandle;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::certificates::Pass;

/// The pause before a server that is away, or has no room, is asked again; and how often.
const AGAIN: Duration = Duration::from_millis(200);
const ATTEMPTS: usize = 600;

/// A client of one namespace.
pub struct Client {
    namespace: String,
    server: ZoneServiceClient<Channel>,
    /// The revision that it has of each zone.
    held: BTreeMap<String, Vec<u8>>,
    told: Arc<Told>,
    watching: Option<AbortHandle>,
}

/// The revision that each zone has, as the server told.
#[derive(Default)]
struct Told(Mutex<BTreeMap<String, Vec<u8>>>);

impl Told {
    fn revisions(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Client {
    /// A client that knows nothing yet, and connects when it first asks.
    pub fn new(pass: &Pass, server: SocketAddr) -> Result<Self> {
        Ok(Self {
            namespace: pass.namespace().to_owned(),
            server: ZoneServiceClient::new(connect(&pass.access(server)?)),
            held: BTreeMap::new(),
            told: Arc::default(),
            watching: None,
        })
    }

    /// Whether it has the same of each zone as another client.
    pub fn has_what(&self, other: &Self) -> bool {
        self.held == other.held
    }

    /// Takes over what another client has of each zone.
    pub fn adopt(&mut self, other: &Self) {
        self.held.clone_from(&other.held);
    }

    /// Learns which zones there are.
    pub async fn list(&mut self) -> Result<Vec<String>> {
        let request = ListZonesRequest {
            namespace: self.namespace.clone(),
        };
        let zones = self.server.list_zones(request).await?.into_inner().zones;
        Ok(zones.into_iter().map(|zone| zone.id).collect())
    }

    /// Begins to hear of changes, once the server has told of all zones.
    pub async fn watch(&mut self) -> Result<()> {
        self.rest();
        let request = WatchZonesRequest {
            namespace: self.namespace.clone(),
        };
        let mut stream = self.server.watch_zones(request).await?.into_inner();
        let told = Arc::clone(&self.told);
        let first = stream.message().await?.context("the watch has ended")?;
        let take = move |message: remote::protocol::v2::WatchZonesResponse| {
            let zones = message.zones.into_iter();
            told.revisions()
                .extend(zones.map(|zone| (zone.zone_id, zone.revision)));
        };
        take(first);
        let watching = tokio::spawn(async move {
            while let Ok(Some(message)) = stream.message().await {
                take(message);
            }
        });
        self.watching = Some(watching.abort_handle());
        Ok(())
    }

    /// Hears of changes no more.
    fn rest(&mut self) {
        if let Some(watching) = self.watching.take() {
            watching.abort();
        }
    }

    /// Reads what has changed in the zones of which the server has told something else than it
    /// has; how many record sets that were.
    pub async fn pass(&mut self) -> Result<usize> {
        let told: Vec<String> = self
            .told
            .revisions()
            .iter()
            .filter(|(zone, revision)| self.held.get(*zone) != Some(revision))
            .map(|(zone, _)| zone.clone())
            .collect();
        let mut count = 0;
        for zone in told {
            count += self.read(&zone).await?;
        }
        Ok(count)
    }

    /// Whether it has what the server has told of each zone.
    pub fn is_current(&self) -> bool {
        *self.told.revisions() == self.held
    }

    /// Reads what a zone has become since it was last read; how many record sets were told. A
    /// server that has no room, or is not there, is asked again.
    pub async fn read(&mut self, zone: &str) -> Result<usize> {
        let known = self.held.get(zone).cloned().unwrap_or_default();
        for _ in 0..ATTEMPTS {
            match self.try_read(zone, &known).await {
                Ok((header, count)) => {
                    self.held.insert(zone.to_owned(), header.revision);
                    return Ok(count);
                }
                Err(status) if passes(&status) => tokio::time::sleep(AGAIN).await,
                Err(status) => return Err(status).context("failed to read a zone"),
            }
        }
        bail!("the server has had no room for too long")
    }

    /// Reads all of a zone, and forgets it.
    pub async fn read_whole(&mut self, zone: &str) -> Result<usize> {
        self.held.remove(zone);
        self.read(zone).await
    }

    async fn try_read(&mut self, zone: &str, known: &[u8]) -> Result<(Header, usize), Status> {
        let mut stream = self.open(zone, known).await?;
        let first = stream.message().await?.and_then(|message| message.piece);
        let Some(Piece::Header(header)) = first else {
            return Err(Status::data_loss("a zone was told without a header"));
        };
        let mut count = 0;
        while let Some(message) = stream.message().await? {
            if let Some(Piece::RecordSets(piece)) = message.piece {
                count += piece.record_sets.len();
            }
        }
        Ok((header, count))
    }

    /// Begins to read a zone.
    pub async fn open(&mut self, zone: &str, known: &[u8]) -> Result<Streaming<ReadZoneResponse>, Status> {
        let request = ReadZoneRequest {
            namespace: self.namespace.clone(),
            zone_id: zone.to_owned(),
            known_revision: known.to_vec(),
            ..ReadZoneRequest::default()
        };
        Ok(self.server.read_zone(request).await?.into_inner())
    }

    /// Has changes made, all of them.
    pub async fn apply(&mut self, zone: &str, groups: &[Group]) -> Result<()> {
        let request = ApplyRequest {
            namespace: self.namespace.clone(),
            zone_id: zone.to_owned(),
            groups: groups.iter().map(zones::group_message).collect(),
        };
        let outcomes = self.server.apply(request).await?.into_inner().outcomes;
        ensure!(outcomes.len() == groups.len(), "not every change was answered");
        for outcome in outcomes {
            match zones::outcome(outcome) {
                Outcome::Applied { .. } => {}
                other => bail!("not written: {other:?}"),
            }
        }
        Ok(())
    }
}

fn passes(status: &Status) -> bool {
    // A connection that was cut in the middle of a call is told as one of the others.
    matches!(
        status.code(),
        Code::ResourceExhausted | Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal
    )
}
