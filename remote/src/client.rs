//! The client: the zones of a server, as a provider.
//!
//! - `access` is what a Secret tells, `mounted_secret` follows one that is mounted.
//! - `link` is the connection: it follows the Secret, keeps the pace, and knows which protocol
//!   the server speaks. Ours is tried first; a server without it is asked by `gardener`, and
//!   after an hour or a lost connection for ours again.
//! - `watching` hears what the server tells by itself, so that a zone that is the same costs
//!   no call.
//! - `reading` takes a zone in, and `comparison` holds it beside what is known: the content
//!   alone tells the revision, so that what is known of a zone is either proven to be all of
//!   it or read.
//! - `applying` and `adjusting` send groups and wanted record sets; `failure` is what it means
//!   when a call fails.

pub mod access;
mod adjusting;
mod applying;
mod comparison;
mod connection;
mod failure;
mod gardener;
mod holdings;
mod link;
mod listing;
pub mod mounted_secret;
mod reading;
mod watching;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use records::pace::Rate;
use records::provider::Confirmation;
use records::{Endpoint, Group, Name, Outcome, Provider, ProviderError, Zone, ZoneRecords};
use tokio::sync::watch;

pub use self::access::Access;
use self::adjusting::Adjustments;
pub use self::connection::connect;
use self::failure::{Failure, Kind};
use self::gardener::Gardener;
use self::holdings::Holdings;
use self::link::Link;
use self::listing::Listing;
use self::reading::Known;
use self::watching::{Told, Watching};
use crate::protocol::zones::Basis;

/// A server that has not heard of a zone for so long is spoken of: its own provider is away.
const OLD: Duration = Duration::from_secs(3600);

/// Which zones of the server are kept.
pub type Selection = Arc<dyn Fn(&Zone) -> bool + Send + Sync>;

/// How a server is used. The defaults of figures are those of Gardener's client.
#[derive(Clone)]
pub struct Settings {
    /// Which of the zones are kept.
    pub zones: Selection,
    /// Whether those that were listed last are listed while the server is away. Who keeps them
    /// by itself is told that it is.
    pub lists_last: bool,
    /// What the client calls itself to servers of Gardener's protocol.
    pub client: String,
    /// How often the server is called.
    pub rate: Rate,
    /// How long it may take to list zones, or to adjust record sets.
    pub zones_limit: Duration,
    /// How long it may take to tell a zone.
    pub state_limit: Duration,
    /// How long it may take to make changes.
    pub execute_limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            zones: Arc::new(|_| true),
            lists_last: true,
            client: "dns-operator".to_owned(),
            rate: Rate {
                burst: 10,
                calls: 9,
                period: Duration::from_secs(1),
            },
            zones_limit: Duration::from_secs(60),
            state_limit: Duration::from_secs(300),
            execute_limit: Duration::from_secs(300),
        }
    }
}

/// The zones of a server, which many clusters share.
pub struct Remote {
    link: Arc<Link>,
    settings: Settings,
    listing: Listing,
    holdings: Holdings,
    adjustments: Adjustments,
    gardener: Gardener,
    told: Arc<Told>,
    watching: OnceLock<Watching>,
}

impl Remote {
    /// A client of the server that a Secret names; another Secret is taken over when there is
    /// one. Nothing is sent before it is first asked.
    #[must_use]
    pub fn new(access: watch::Receiver<Access>, settings: Settings) -> Self {
        Self {
            link: Arc::new(Link::new(access, settings.rate)),
            listing: Listing::default(),
            holdings: Holdings::default(),
            adjustments: Adjustments::default(),
            gardener: Gardener::new(settings.client.clone()),
            told: Arc::default(),
            watching: OnceLock::new(),
            settings,
        }
    }

    /// Whether the server tells by itself what changes: not, when it cannot be reached, and
    /// before it was first asked. One of Gardener's protocol never does.
    #[must_use]
    pub fn is_heard(&self) -> watch::Receiver<bool> {
        self.told.is_heard()
    }

    /// Asks by our protocol, and where the server does not have it by Gardener's.
    async fn ask<T>(
        &self,
        ours: impl Future<Output = Result<T, Failure>> + Send,
        gardeners: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        if !self.link.is_gardeners() {
            match Box::pin(ours).await {
                Err(failure) if failure.kind == Kind::Unimplemented => self.link.take_for_gardeners(),
                answer => return answer,
            }
        }
        Box::pin(gardeners).await
    }

    /// Begins to hear what the server tells.
    fn watch(&self) {
        self.watching
            .get_or_init(|| Watching::start(Arc::clone(&self.link), Arc::clone(&self.told)));
    }

    async fn read_ours(&self, zone: &Zone) -> Result<ZoneRecords, Failure> {
        self.watch();
        let limit = self.settings.state_limit;
        let connection = self.link.connection();
        let taken = reading::read(&self.link, limit, zone, Known::default(), true).await?;
        if taken.basis != Basis::Whole || taken.digests.revision() != taken.revision {
            let reason = format!(
                "what it tells of the zone {} is not what it says that it is",
                zone.name
            );
            return Err(Failure::malformed(reason, &connection.address));
        }
        if taken.age > OLD {
            tracing::warn!(
                "zone {}: the server {} has not heard of it for {:?}",
                zone.name,
                connection.address,
                taken.age
            );
        }
        self.holdings
            .took(zone, connection.number, Some((&taken.records, taken.digests)));
        Ok(ZoneRecords {
            records: taken.records,
            version: Some(comparison::version(taken.revision)),
        })
    }

    /// By the revision: what is known is digested, and only what differs is told.
    async fn confirm_ours(&self, zone: &Zone, known: &ZoneRecords) -> Result<Confirmation, Failure> {
        self.watch();
        let held = self.holdings.digest(zone, &known.records).await;
        let revision = held.revision();
        let connection = self.link.connection().number;
        let told = self.told.revision(&zone.id);
        if told == Some(revision) && self.holdings.is_recent(zone, connection) {
            return Ok(comparison::same(revision));
        }
        // What the server has told it remembers, as a rule, and after its restart the zone may
        // be what it was. Otherwise it says so, and is told the digests.
        let version = known.version.as_ref().and_then(comparison::revision);
        let attempts = [
            version.map(|revision| Known {
                revision: Some(revision),
                ..Known::default()
            }),
            Some(Known {
                revision: Some(revision),
                digests: Some(held.to_octets()),
                ..Known::default()
            }),
        ];
        for attempt in attempts.into_iter().flatten() {
            let is_whole_wanted = attempt.digests.is_some();
            let limit = self.settings.state_limit;
            let taken = reading::read(&self.link, limit, zone, attempt, is_whole_wanted).await?;
            if let Some(confirmation) = comparison::compare(&known.records, &held, taken) {
                self.holdings.took(zone, connection, None);
                return Ok(confirmation);
            }
        }
        Ok(Confirmation::ReadAgain)
    }

    async fn read_names_ours(&self, zone: &Zone, names: &[Name]) -> Result<Vec<Endpoint>, Failure> {
        let known = Known {
            names: names.iter().map(|name| name.as_str().to_owned()).collect(),
            ..Known::default()
        };
        let limit = self.settings.state_limit;
        let taken = reading::read(&self.link, limit, zone, known, true).await?;
        let is_wanted = |record: &Endpoint| record.name().is_ok_and(|name| names.contains(&name));
        Ok(taken.records.into_iter().filter(is_wanted).collect())
    }

    async fn adjusted(&self, wanted: Vec<Endpoint>) -> Result<Vec<Endpoint>, Failure> {
        let zones = self.last_list().await?;
        if self.link.is_gardeners() {
            return Ok(gardener::adjust(wanted));
        }
        let limit = self.settings.zones_limit;
        self.adjustments.adjust(&self.link, limit, &zones, wanted).await
    }

    /// The zones; while the server is away, those that it listed last.
    async fn last_list(&self) -> Result<Arc<[Zone]>, Failure> {
        let listed = self.list().await;
        listed.or_else(|failure| self.listing.instead(failure))
    }

    /// The zones.
    async fn list(&self) -> Result<Arc<[Zone]>, Failure> {
        self.watch();
        let (link, limit) = (&self.link, self.settings.zones_limit);
        let number = self.told.list(link.connection().number);
        if !link.is_gardeners()
            && let Some(zones) = self.listing.known(number)
        {
            return Ok(zones);
        }
        let ours = listing::list(link, limit);
        let zones = self.ask(ours, self.gardener.zones(link, limit)).await?;
        Ok(self.listing.take(zones, &self.settings.zones, number))
    }
}

impl Provider for Remote {
    fn name(&self) -> &'static str {
        "remote"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        async {
            let zones = if self.settings.lists_last {
                self.last_list().await
            } else {
                self.list().await
            };
            Ok(zones?.to_vec())
        }
        .boxed()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        async {
            let gardeners = async {
                let limit = self.settings.state_limit;
                let records = self.gardener.read(&self.link, limit, &zone.id).await?;
                Ok(ZoneRecords {
                    records,
                    version: None,
                })
            };
            let read = self.ask(self.read_ours(zone), gardeners).await;
            Ok(read.map_err(|failure| self.holdings.with_age(zone, failure))?)
        }
        .boxed()
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        async move {
            let limit = self.settings.state_limit;
            let gardeners = self.gardener.read_names(&self.link, limit, &zone.id, names);
            Ok(self.ask(self.read_names_ours(zone, names), gardeners).await?)
        }
        .boxed()
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        async move {
            let gardeners = async { Ok(Confirmation::ReadAgain) };
            let confirmed = self.ask(self.confirm_ours(zone, known), gardeners).await;
            Ok(confirmed.map_err(|failure| self.holdings.with_age(zone, failure))?)
        }
        .boxed()
    }

    fn compares(&self) -> bool {
        true
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            if groups.is_empty() {
                return Vec::new();
            }
            let (link, limit) = (&self.link, self.settings.execute_limit);
            let gardeners = async { Ok(self.gardener.apply(link, limit, zone, groups).await) };
            let outcomes = self
                .ask(applying::apply(link, limit, zone, groups), gardeners)
                .await;
            outcomes.unwrap_or_else(|failure| vec![failure.outcome(); groups.len()])
        }
        .boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        async move { Ok(self.adjusted(wanted).await?) }.boxed()
    }
}
