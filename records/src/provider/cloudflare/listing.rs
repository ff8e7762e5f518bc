//! Lists: zones, records, and what of them can be told from numbers. A list that was cut
//! off is never taken for a whole one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Cloudflare;
use super::attributes::{NameProperties, has_custom_hostnames, has_region};
use super::envelope::{Failure, ResultInfo};
use super::record::{self, Told, ZoneRecord};
use crate::{Endpoint, Name, ProviderError, Zone, ZoneId};

/// The most zones or custom hostnames that Cloudflare lists on one page.
const PER_PAGE: u32 = 50;
/// How often a list is read that changes while it is read.
const TRIES: u32 = 2;
/// More names than this are read one by one only where the whole zone has more pages.
const SINGLE_NAMES: usize = 5;

/// A zone as Cloudflare tells it.
#[derive(Debug, Deserialize)]
struct ToldZone {
    id: Box<str>,
    name: Box<str>,
    #[serde(default)]
    plan: ToldPlan,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToldPlan {
    is_subscribed: Option<bool>,
}

/// What is remembered of a zone.
#[derive(Clone, Debug)]
pub(super) struct ZoneFacts {
    pub name: Name,
    /// Whether somebody pays for it.
    pub paid: bool,
    /// How many records it had when they were last listed.
    pub records: Option<usize>,
    /// The most operations of a batch.
    pub operations: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct CustomHostname {
    pub id: Box<str>,
    pub hostname: Box<str>,
    #[serde(default)]
    pub custom_origin_server: Option<Box<str>>,
}

#[derive(Debug, Deserialize)]
struct RegionalHostname {
    hostname: Box<str>,
    #[serde(default)]
    region_key: Box<str>,
}

/// What names of a zone have beside their records; none of a feature that is off.
#[derive(Debug, Default)]
struct Hostnames {
    custom: BTreeMap<Box<str>, Vec<Box<str>>>,
    regions: Option<BTreeMap<Box<str>, Box<str>>>,
}

impl Cloudflare {
    /// The zones that are kept. One that is asked for by its id and that we may not see is
    /// passed over: the others go on.
    pub(super) async fn list_zones(&self) -> Result<Vec<Zone>, ProviderError> {
        let ids = &self.settings.zone_ids;
        let told = if ids.is_empty() {
            self.list::<ToldZone>(&["zones"], &[], PER_PAGE, |zone| &zone.id)
                .await?
        } else {
            let mut told = Vec::new();
            let mut failed = None;
            for id in ids {
                match self.exchange.get::<ToldZone>(&["zones", id], &[]).await {
                    Ok((zone, _)) => told.push(zone),
                    Err(failure @ (Failure::Denied(_) | Failure::NoSuchZone(_))) => {
                        tracing::warn!("zone {id} is left alone: {failure}");
                        failed = Some(failure);
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
            if let Some(failure) = failed.filter(|_| told.is_empty()) {
                return Err(failure.into());
            }
            told
        };
        let mut zones = Vec::with_capacity(told.len());
        for ToldZone { id, name, plan } in told {
            let name = Name::parse(&name).map_err(|error| ProviderError::Malformed(error.to_string()))?;
            let zone = Zone { id: ZoneId(id), name };
            self.note_zone(&zone, plan.is_subscribed.unwrap_or(false));
            zones.push(zone);
        }
        Ok(zones)
    }

    /// All record sets of a zone.
    pub(super) async fn list_records(&self, zone: &Zone) -> Result<Vec<Endpoint>, Failure> {
        let path = ["zones", &zone.id.0, "dns_records"];
        let told = self
            .list::<Told>(&path, &[], self.settings.per_page, |told| told.id())
            .await?;
        self.note_records(zone, told.len());
        self.sets(zone, told, None).await
    }

    /// The record sets at some names.
    pub(super) async fn list_names(&self, zone: &Zone, names: &[Name]) -> Result<Vec<Endpoint>, Failure> {
        let names: BTreeSet<&Name> = names.iter().collect();
        let per_page = usize::try_from(self.settings.per_page).unwrap_or(usize::MAX);
        let records = self.facts(zone).and_then(|facts| facts.records);
        let pages = records.map_or(usize::MAX, |records| records.div_ceil(per_page));
        if names.len() > pages.max(SINGLE_NAMES) {
            let mut sets = self.list_records(zone).await?;
            sets.retain(|set| set.name().is_ok_and(|name| names.contains(&name)));
            return Ok(sets);
        }
        let path = ["zones", &zone.id.0, "dns_records"];
        let mut told = Vec::new();
        for name in &names {
            let query = [("name.exact", name.as_str())];
            let found = self.list::<Told>(&path, &query, self.settings.per_page, |told| told.id());
            told.extend(found.await?);
        }
        self.sets(zone, told, Some(&names)).await
    }

    async fn sets(
        &self,
        zone: &Zone,
        told: Vec<Told>,
        names: Option<&BTreeSet<&Name>>,
    ) -> Result<Vec<Endpoint>, Failure> {
        let hostnames = self.hostnames(zone).await?;
        let records: Vec<ZoneRecord> = told.into_iter().map(ZoneRecord::from).collect();
        let mut sets = record::sets(records, |name, record_type| {
            let name = Name::parse(name).map_or_else(|_| name.into(), |name| Box::from(name.as_str()));
            let custom = hostnames
                .custom
                .get(&name)
                .filter(|_| has_custom_hostnames(record_type));
            let regions = hostnames.regions.as_ref().filter(|_| has_region(record_type));
            NameProperties {
                custom_hostnames: custom.map(|all| all.join(",").into()).unwrap_or_default(),
                region: regions.map(|regions| regions.get(&name).cloned().unwrap_or_default()),
            }
        });
        if let Some(names) = names {
            sets.retain(|set| set.name().is_ok_and(|name| names.contains(&name)));
        }
        Ok(sets)
    }

    async fn hostnames(&self, zone: &Zone) -> Result<Hostnames, Failure> {
        let mut hostnames = Hostnames::default();
        if self.settings.custom_hostnames.is_some() {
            for custom in self.list_custom_hostnames(zone, &[]).await? {
                if let Some(origin) = custom.custom_origin_server {
                    let all = hostnames.custom.entry(origin).or_default();
                    all.push(custom.hostname);
                    all.sort_unstable();
                }
            }
        }
        if self.settings.region_key.is_some() {
            let path = ["zones", &zone.id.0, "addressing", "regional_hostnames"];
            let (all, _) = self.exchange.get::<Vec<RegionalHostname>>(&path, &[]).await?;
            let regions = all.into_iter().map(|told| (told.hostname, told.region_key));
            hostnames.regions = Some(regions.collect());
        }
        Ok(hostnames)
    }

    /// The custom hostnames of a zone that a query asks for.
    pub(super) async fn list_custom_hostnames(
        &self,
        zone: &Zone,
        query: &[(&str, &str)],
    ) -> Result<Vec<CustomHostname>, Failure> {
        let path = ["zones", &zone.id.0, "custom_hostnames"];
        self.list(&path, query, PER_PAGE, |custom: &CustomHostname| &custom.id)
            .await
    }

    /// All pages of a list. One whose pages do not make up what Cloudflare counts has
    /// changed meanwhile, or was cut off: it is read once more.
    async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        per_page: u32,
        id: impl Fn(&T) -> &str,
    ) -> Result<Vec<T>, Failure> {
        let mut counts = (0, 0);
        for _ in 0..TRIES {
            let (items, total) = self.pages(path, query, per_page).await?;
            let distinct: BTreeSet<&str> = items.iter().map(&id).collect();
            counts = (distinct.len(), total);
            if counts.0 == total && items.len() == total {
                return Ok(items);
            }
        }
        Err(Failure::Unreadable(format!(
            "its list {} has {} entries of {} that it counts",
            path.join("/"),
            counts.0,
            counts.1
        )))
    }

    /// The pages of a list until there are as many entries as Cloudflare counts, and that
    /// number.
    async fn pages<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        per_page: u32,
    ) -> Result<(Vec<T>, usize), Failure> {
        let per_page = per_page.to_string();
        let mut items = Vec::new();
        let mut total = None;
        for page in 1_u32.. {
            let page = page.to_string();
            let query = [query, &[("per_page", &per_page), ("page", &page)]].concat();
            let (found, info) = self.exchange.get::<Vec<T>>(path, &query).await?;
            let Some(ResultInfo { total_count }) = info else {
                return Err(Failure::Unreadable(format!(
                    "its list {} does not say how long it is",
                    path.join("/")
                )));
            };
            let ended = found.is_empty();
            items.extend(found);
            if ended || items.len() >= total_count || total.is_some_and(|total| total != total_count) {
                return Ok((items, total_count));
            }
            total = Some(total_count);
        }
        Ok((items, total.unwrap_or_default()))
    }
}
