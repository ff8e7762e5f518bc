//! Zones on DNS servers that take dynamic updates (RFC 2136), such as Knot and BIND.
//!
//! A zone is read by a whole transfer (AXFR), and confirmed by an incremental one (IXFR).
//! Every update has what the zone is believed to hold as its prerequisites, so that what
//! somebody else wrote is never overwritten. But for one thing: prerequisites do not
//! compare TTLs, so a TTL that somebody else has set may be.

mod answer;
mod apply;
mod confirmation;
mod connection;
mod exchange;
mod failure;
mod lookup;
mod presentation;
mod record_data;
mod record_sets;
mod servers;
mod settings;
mod tls;
mod transfer;
mod tsig;
mod update;

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use hickory_proto::rr::Name as WireName;

use self::presentation::parse_name;
use self::servers::Servers;
use self::transfer::Transferred;
use super::set_identifiers::without_idle_identifiers;
use super::{Confirmation, Provider, ProviderError};
use crate::{Endpoint, Group, Name, Outcome, Zone, ZoneId, ZoneRecords};

pub use self::settings::{Algorithm, InvalidSettings, LoadBalancing, Secret, Settings, Tls, TsigKey};

/// DNS servers that take dynamic updates.
pub struct Rfc2136 {
    servers: Servers,
    zones: Vec<Zone>,
    min_ttl: u32,
}

impl Rfc2136 {
    /// The servers of some settings. Reads the files of TLS; connects to nobody.
    pub fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        if settings.zones.is_empty() {
            return Err(InvalidSettings::Missing("rfc2136-zone"));
        }
        let zones: BTreeSet<&Name> = settings.zones.iter().collect();
        let zone = |name: &Name| Zone {
            id: ZoneId(name.to_string().into()),
            name: name.clone(),
        };
        Ok(Self {
            servers: Servers::new(settings)?,
            zones: zones.into_iter().map(zone).collect(),
            min_ttl: settings.min_ttl,
        })
    }

    async fn read_zone(&self, zone: &Zone) -> Result<ZoneRecords, ProviderError> {
        let name = wire_name(&zone.name)?;
        let transferred = self
            .servers
            .any(|connection| transfer::whole(connection, name.clone()));
        let (soa, records) = transferred.await?;
        Ok(ZoneRecords {
            records,
            version: Some(confirmation::version(&soa)),
        })
    }

    async fn read_single(&self, zone: &Zone, names: &[Name]) -> Result<Vec<Endpoint>, ProviderError> {
        let apex = wire_name(&zone.name)?;
        let mut asked = Vec::with_capacity(names.len());
        for name in names.iter().collect::<BTreeSet<_>>() {
            let wire = wire_name(name)?;
            asked.push((presentation::name_text(&wire).into(), wire));
        }
        let found = self
            .servers
            .any(|connection| lookup::read_names(connection, apex.clone(), &asked));
        if let Some(found) = found.await? {
            return Ok(found);
        }
        let records = self.read_zone(zone).await?.records;
        let names: BTreeSet<&str> = asked.iter().map(|(text, _): &(Box<str>, _)| &**text).collect();
        let at_names = records
            .iter()
            .filter(|endpoint| names.contains(&*endpoint.dns_name));
        Ok(at_names.map(|endpoint| Endpoint::clone(endpoint)).collect())
    }

    async fn confirm_zone(&self, zone: &Zone, known: &ZoneRecords) -> Result<Confirmation, ProviderError> {
        let Some(before) = known.version.as_ref().and_then(confirmation::state) else {
            return Ok(Confirmation::ReadAgain);
        };
        let name = wire_name(&zone.name)?;
        let transferred = self
            .servers
            .any(|connection| transfer::since(connection, name.clone(), before.serial));
        let transferred: Transferred = transferred.await?;
        Ok(confirmation::confirm(known, &before, transferred))
    }
}

impl Provider for Rfc2136 {
    fn name(&self) -> &'static str {
        "rfc2136"
    }

    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>> {
        Box::pin(async { Ok(self.zones.clone()) })
    }

    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>> {
        Box::pin(self.read_zone(zone))
    }

    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(self.read_single(zone, names))
    }

    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>> {
        Box::pin(self.confirm_zone(zone, known))
    }

    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            match parse_name(zone.name.as_str()) {
                Ok(name) => apply::apply(&self.servers, &name, groups, self.min_ttl).await,
                Err(error) => {
                    let rejected = Outcome::Rejected { reason: error.0 };
                    vec![rejected; groups.len()]
                }
            }
        })
    }

    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>> {
        Box::pin(async move {
            let wanted = without_idle_identifiers(wanted).into_iter();
            let adjusted = wanted.map(|endpoint| record_sets::adjusted(endpoint, self.min_ttl));
            Ok(adjusted.collect())
        })
    }
}

fn wire_name(name: &Name) -> Result<WireName, ProviderError> {
    parse_name(name.as_str()).map_err(|error| ProviderError::NoSuchZone(error.0))
}
