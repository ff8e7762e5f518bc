//! Our protocol.

mod reading;
mod watching;

use std::sync::Arc;

use futures::stream::BoxStream;
use records::{Endpoint, Fault, Group, Outcome, Provider as _};
use tonic::{Request, Response, Status};

use super::catalogue::NamespaceZone;
use super::central::Central;
use super::pacing::large;
use super::queue::Work;
use super::status;
use crate::protocol::v2::zone_service_server::ZoneService;
use crate::protocol::v2::{
    AdjustRequest, AdjustResponse, ApplyRequest, ApplyResponse, ListZonesRequest, ListZonesResponse,
    ReadZoneRequest, ReadZoneResponse, WatchZonesRequest, WatchZonesResponse, Zone,
};
use crate::protocol::{v2, zones};
use crate::revision::Revision;

/// Serves our protocol.
pub struct Zones {
    central: Arc<Central>,
}

impl Zones {
    /// Serves what the central serves.
    pub(super) fn new(central: Arc<Central>) -> Self {
        Self { central }
    }

    /// Groups as they are made, and what came of those that cannot be.
    fn decode(
        &self,
        zone: &NamespaceZone,
        groups: Vec<v2::Group>,
    ) -> Result<Vec<Result<Work, Outcome>>, Status> {
        let settings = self.central.settings();
        bound("groups", groups.len(), settings.most_groups)?;
        for (place, group) in groups.iter().enumerate() {
            bound(
                &format!("groups[{place}].changes"),
                group.changes.len(),
                settings.most_changes,
            )?;
        }
        let name = &zone.served.zone().name;
        Ok(groups
            .into_iter()
            .map(|group| {
                let group = zones::group(group, name).map_err(|fault| fault.to_string());
                let work =
                    group.and_then(|group: Group| Work::exact(group).map_err(|error| error.to_string()));
                work.map_err(|reason| Outcome::Rejected { reason })
            })
            .collect())
    }
}

/// Whether a list of the request is short enough.
fn bound(field: &str, count: usize, most: usize) -> Result<(), Status> {
    if count <= most {
        return Ok(());
    }
    Err(status::invalid(&Fault {
        field: field.to_owned(),
        value: count.to_string(),
        allowed: format!("at most {most} are allowed"),
    }))
}

#[tonic::async_trait]
impl ZoneService for Zones {
    async fn list_zones(
        &self,
        request: Request<ListZonesRequest>,
    ) -> Result<Response<ListZonesResponse>, Status> {
        let namespace = &request.get_ref().namespace;
        self.central.admit(request.extensions(), namespace)?;
        let found = self.central.namespace(namespace)?;
        self.central
            .metrics()
            .count(namespace, |figures| figures.lists += 1);
        let zones = found.zones().iter().map(|(id, zone)| Zone {
            id: String::from(&**id),
            name: zone.served.zone().name.as_str().to_owned(),
            provider_type: zone.served.account().provider_type().to_owned(),
            private: zone.private,
        });
        Ok(Response::new(ListZonesResponse {
            zones: zones.collect(),
        }))
    }

    type ReadZoneStream = BoxStream<'static, Result<ReadZoneResponse, Status>>;

    async fn read_zone(
        &self,
        request: Request<ReadZoneRequest>,
    ) -> Result<Response<Self::ReadZoneStream>, Status> {
        self.central
            .admit(request.extensions(), &request.get_ref().namespace)?;
        let stream = reading::read(&self.central, request.into_inner()).await?;
        Ok(Response::new(stream))
    }

    type WatchZonesStream = BoxStream<'static, Result<WatchZonesResponse, Status>>;

    async fn watch_zones(
        &self,
        request: Request<WatchZonesRequest>,
    ) -> Result<Response<Self::WatchZonesStream>, Status> {
        let (_, extensions, WatchZonesRequest { namespace }) = request.into_parts();
        self.central.admit(&extensions, &namespace)?;
        let stream = watching::watch(&self.central, extensions, &namespace)?;
        Ok(Response::new(stream))
    }

    async fn apply(&self, request: Request<ApplyRequest>) -> Result<Response<ApplyResponse>, Status> {
        self.central
            .admit(request.extensions(), &request.get_ref().namespace)?;
        let ApplyRequest {
            namespace,
            zone_id,
            groups,
        } = request.into_inner();
        let zone = self.central.zone(&namespace, &zone_id)?;
        let changes = groups.iter().map(|group| group.changes.len()).sum();
        let decoded = self.decode(&zone, groups)?;
        self.central
            .metrics()
            .count(&namespace, |figures| figures.writes += 1);
        let mut outcomes = Vec::with_capacity(decoded.len());
        let works = decoded.into_iter().filter_map(|work| {
            let (work, outcome) = match work {
                Ok(work) => (Some(work), None),
                Err(outcome) => (None, Some(outcome)),
            };
            outcomes.push(outcome);
            work
        });
        let works = works.collect();
        let made = self.central.change(&namespace, &zone, works, changes).await?;
        let mut made = made.into_iter();
        let outcomes = outcomes.into_iter().map(|outcome| {
            let outcome = outcome.or_else(|| made.next());
            outcome.as_ref().map(zones::outcome_message).unwrap_or_default()
        });
        let outcomes = outcomes.collect();
        let state = zone.served.publication().current();
        let revision = state.map_or_else(Vec::new, |state| Revision::to_octets(state.revision()));
        Ok(large(ApplyResponse { outcomes, revision }, None))
    }

    async fn adjust(&self, request: Request<AdjustRequest>) -> Result<Response<AdjustResponse>, Status> {
        self.central
            .admit(request.extensions(), &request.get_ref().namespace)?;
        let AdjustRequest {
            namespace,
            zone_id,
            record_sets,
        } = request.into_inner();
        let zone = self.central.zone(&namespace, &zone_id)?;
        let wanted: Vec<Endpoint> = record_sets.into_iter().map(zones::endpoint).collect();
        let adjusted = zone.served.account().cache().adjust(wanted).await;
        let adjusted = adjusted.map_err(|error| status::of_provider(&error))?;
        let record_sets = adjusted.iter().map(zones::record_set).collect();
        Ok(large(AdjustResponse { record_sets }, None))
    }
}
