//! A provider that is called at a pace.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Confirmation, Provider, ProviderError};
use crate::batch::Counters;
use crate::pace::{Pace, Rate};
use crate::{DomainFilter, Endpoint, Group, Name, Outcome, Zone, ZoneRecords};

/// A provider whose reads and writes take turns: for one that has no pace of its own. A read
/// or a write is one turn, however many messages it takes; what such a provider knows by
/// itself, its list of zones among it, is none.
pub struct Paced {
    provider: Arc<dyn Provider>,
    pace: Pace,
}

impl Paced {
    /// Calls `provider` no more often than that.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, rate: Rate) -> Self {
        Self {
            provider,
            pace: Pace::new(rate),
        }
    }
}

impl Provider for Paced {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        self.provider.zones()
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        async {
            self.pace.turn().await;
            self.provider.read(zone).await
        }
        .boxed()
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        async {
            self.pace.turn().await;
            self.provider.read_names(zone, names).await
        }
        .boxed()
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        async {
            self.pace.turn().await;
            self.provider.confirm(zone, known).await
        }
        .boxed()
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        async {
            self.pace.turn().await;
            self.provider.apply(zone, groups).await
        }
        .boxed()
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        self.provider.adjust(wanted)
    }

    fn domain_filters(&self, zone: &Zone) -> Vec<DomainFilter> {
        self.provider.domain_filters(zone)
    }

    fn batches(&self) -> Option<Counters> {
        self.provider.batches()
    }
}
