//! One pass over the zones: what is wanted becomes what they hold.
//!
//! [`Engine::prospect`] reads and plans, [`Engine::apply`] writes. Between the two, a pass
//! holds the changes alone, not the zones.

mod figures;
mod prospect;
mod result;
mod unsettled;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;

use crate::ownership::Ownership;
use crate::plan::{Guard, Plan, Rules, plan};
use crate::record_list::Builder;
use crate::source::{Wanted, merge};
use crate::verdict::{State, Verdict};
use crate::{Change, Endpoint, Name, Provider, ProviderError, RecordList, Zone};
use unsettled::Unsettled;

pub use figures::Figures;
pub use prospect::{Prospect, ZoneProspect};
pub use result::{GroupResult, PassResult, ZoneResult};

/// Makes the zones of a provider agree with what is wanted.
pub struct Engine {
    provider: Arc<dyn Provider>,
    settings: Settings,
}

/// Whose records are kept, and by which rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How it is told which records are ours.
    pub ownership: Ownership,
    /// Which records are looked at, and what may be done to them.
    pub rules: Rules,
    /// How many records one pass may delete.
    pub guard: Guard,
}

/// What is wanted at the time of a pass.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// What the sources want.
    pub wanted: Wanted,
    /// Sources that could not be read, and why. What they want is not known, so nothing
    /// is deleted.
    pub unread: Vec<String>,
}

/// Names whose records stay because it is not known what is wanted there.
struct Held<'a> {
    all: bool,
    names: &'a BTreeSet<Name>,
}

impl Held<'_> {
    fn has(&self, name: &Name) -> bool {
        self.all || self.names.contains(name)
    }
}

impl Engine {
    /// An engine that has done nothing yet.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, settings: Settings) -> Self {
        Self { provider, settings }
    }

    /// Reads the zones and finds out what is to be done; writes nothing. A zone that
    /// cannot be read is left as it is, and the others go on.
    pub async fn prospect(&self, demand: Demand) -> Result<Prospect, ProviderError> {
        let zones = self.provider.zones().await?;
        let merged = merge(demand.wanted.endpoints);
        let wanted = self.provider.adjust(merged.endpoints).await?;
        let mut figures = Figures::default();
        figures.count_wanted(&wanted);
        let (mut by_zone, outside) = by_zone(&zones, wanted);
        // What is written as it cannot be taken is wanted all the same.
        let rejected = demand.wanted.rejected.iter();
        let names = rejected.filter_map(|rejection| Name::parse(&rejection.dns_name).ok());
        let names = names.collect();
        let held = Held {
            all: !demand.unread.is_empty(),
            names: &names,
        };
        let mut prospect = Prospect {
            remarks: merged.remarks,
            figures,
            verdicts: outside
                .iter()
                .filter_map(|endpoint| Verdict::of(endpoint, State::OutsideZones))
                .collect(),
            ..Prospect::default()
        };
        for zone in zones {
            let wanted = by_zone.remove(&zone).unwrap_or_default();
            prospect.wanted += wanted.len();
            let found = self.look_at(zone, &wanted, &held, &mut prospect).await;
            prospect.zones.push(found);
        }
        Ok(prospect)
    }

    /// What is to be done to one zone.
    async fn look_at(
        &self,
        zone: Zone,
        wanted: &RecordList,
        held: &Held<'_>,
        prospect: &mut Prospect,
    ) -> ZoneProspect {
        let verdicts = &mut prospect.verdicts;
        let mut found = ZoneProspect::new(zone);
        let zone = &found.zone;
        let records = match self.provider.read(zone).await {
            Ok(records) => records.records,
            Err(error) => {
                let reason = format!("the zone {} cannot be read: {error}", zone.name);
                let pending = |endpoint: Endpoint| {
                    let reason = reason.clone();
                    Verdict::of(&endpoint, State::Pending { reason })
                };
                verdicts.extend(wanted.iter().filter_map(pending));
                found.trouble = Some(error);
                return found;
            }
        };
        let Settings {
            ownership,
            rules,
            guard,
        } = &self.settings;
        let mut rules = rules.clone();
        rules.domain_filters.extend(self.provider.domain_filters(zone));
        let rules = &rules;
        let mut holdings = ownership.holdings(zone, &records);
        holdings.repairs.retain(|record| {
            let name = record.name();
            name.is_ok_and(|name| rules.takes(&record.record_type, name.as_str()))
        });
        let packed = holdings.held().map(|record| record.packed);
        prospect.figures.count_held(packed, wanted);
        let Unsettled { current, wanted } = Unsettled::of(&holdings, wanted, rules);
        let mut plan = plan(&current, &wanted, rules);
        let held = hold(&mut plan, held, verdicts);
        let zones = std::slice::from_ref(zone);
        let refusals = guard.check(&mut plan, zones, holdings.records().map(Arc::new), rules);
        let (groups, rejected) = ownership.groups(zone, plan.changes, &holdings);
        verdicts.extend(plan.remarks.iter().filter_map(Verdict::of_remark));
        verdicts.extend(rejected.iter().filter_map(Verdict::of_rejected));
        found.records = records.len();
        found.refused = refusals.into_iter().next();
        found.remarks = plan.remarks;
        found.rejected = rejected;
        found.held = held;
        found.groups = groups;
        found
    }

    /// Makes the changes, zone by zone at the same time, and tells what came of each.
    pub async fn apply(&self, prospect: Prospect) -> PassResult {
        let mut result = PassResult {
            wanted: prospect.wanted,
            verdicts: prospect.verdicts,
            figures: prospect.figures,
            ..PassResult::default()
        };
        let zones = prospect.zones.into_iter();
        let zones = join_all(zones.map(|zone| self.apply_to(zone))).await;
        for zone in zones {
            result.verdicts.extend(zone.verdicts());
            result.zones.push(zone);
        }
        result
    }

    async fn apply_to(&self, prospect: ZoneProspect) -> ZoneResult {
        let ZoneProspect {
            zone,
            groups,
            trouble,
            refused,
            ..
        } = prospect;
        let outcomes = if groups.is_empty() {
            Vec::new()
        } else {
            self.provider.apply(&zone, &groups).await
        };
        ZoneResult {
            zone,
            groups: GroupResult::pair(groups, outcomes),
            trouble,
            refused,
        }
    }
}

/// The wanted records of each zone, and those that no zone has.
fn by_zone(zones: &[Zone], wanted: Vec<Endpoint>) -> (BTreeMap<Zone, RecordList>, Vec<Endpoint>) {
    let mut found = BTreeMap::<&Zone, Builder>::new();
    let mut outside = Vec::new();
    for endpoint in wanted {
        let zone = endpoint.name().ok().and_then(|name| Zone::of(zones, &name));
        match zone {
            Some(zone) => found.entry(zone).or_default().push(&endpoint),
            None => outside.push(endpoint),
        }
    }
    let found = found.into_iter();
    let found = found.map(|(zone, wanted)| (zone.clone(), wanted.finish()));
    (found.collect(), outside)
}

/// Takes the deletions at held names out of a plan, and with them what was to come in
/// their place: all changes of such a name. How many record sets stay for that.
fn hold(plan: &mut Plan, held: &Held<'_>, verdicts: &mut Vec<Verdict>) -> usize {
    let name = |change: &Change| {
        let side = change.before().or(change.after())?;
        side.name().ok()
    };
    let is_deletion = |change: &&Change| matches!(change, Change::Delete(_));
    let deletions = plan.changes.iter().filter(is_deletion).filter_map(name);
    let names: BTreeSet<Name> = deletions.filter(|name| held.has(name)).collect();
    if names.is_empty() {
        return 0;
    }
    let mut count = 0;
    plan.changes.retain(|change| {
        if !name(change).is_some_and(|name| names.contains(&name)) {
            return true;
        }
        count += usize::from(change.before().is_some());
        let reason = "records of the name would have to go, and what is wanted there is not known".into();
        let pending = change
            .after()
            .and_then(|endpoint| Verdict::of(endpoint, State::Pending { reason }));
        verdicts.extend(pending);
        false
    });
    count
}
