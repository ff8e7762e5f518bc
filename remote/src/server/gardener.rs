//! Gardener's protocol.
//!
//! What its own server gets wrong is mended: each change is answered by itself and in its
//! order, whatever becomes of the others, and also where it cannot be understood; a provider
//! that is asked too often shows as THROTTLED; errors have codes. What its clients look for
//! in texts is still there.

mod execution;

use std::sync::Arc;

use prost::Message as _;
use tonic::{Extensions, Request, Response, Status};

use self::execution::Execution;
use super::admission::Session;
use super::catalogue::NamespaceZone;
use super::central::{Central, check_length};
use super::pacing::large;
use super::status;
use crate::protocol::gardener::{WITH_ROUTING, zone_state};
use crate::protocol::v1;
use crate::protocol::v1::remote_provider_server::RemoteProvider;
use crate::protocol::v1::{
    ExecuteRequest, ExecuteResponse, GetZoneStateRequest, GetZonesRequest, LoginRequest, LoginResponse,
    ZoneState,
};

/// Serves Gardener's protocol.
pub struct Gardener {
    central: Arc<Central>,
}

impl Gardener {
    /// Serves what the central serves.
    pub(super) fn new(central: Arc<Central>) -> Self {
        Self { central }
    }

    /// What a call's token stands for.
    fn session(&self, extensions: &Extensions, token: &str) -> Result<Session, Status> {
        let session = self.central.admission().session(extensions, token);
        session.map_err(|refusal| self.central.denied(refusal).to_gardener())
    }

    /// A zone of the namespace.
    fn zone(&self, session: &Session, id: &str) -> Result<NamespaceZone, Status> {
        check_length("zoneid", id)?;
        self.central.zone(&session.namespace, id)
    }
}

#[tonic::async_trait]
impl RemoteProvider for Gardener {
    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let login = request.get_ref();
        check_length("namespace", &login.namespace)?;
        check_length("cliendID", &login.cliend_id)?;
        let session = Session {
            namespace: login.namespace.clone(),
            client: login.cliend_id.clone(),
            protocol_version: login.client_protocol_version,
        };
        let token = self.central.admission().login(request.extensions(), &session);
        let token = token.map_err(|refusal| self.central.denied(refusal).to_gardener())?;
        if self.central.catalogue().namespace(&session.namespace).is_none() {
            return Err(self.central.absent(&session.namespace));
        }
        self.central
            .metrics()
            .count(&session.namespace, |figures| figures.logins += 1);
        Ok(Response::new(LoginResponse {
            token,
            server_protocol_version: WITH_ROUTING,
        }))
    }

    async fn get_zones(&self, request: Request<GetZonesRequest>) -> Result<Response<v1::Zones>, Status> {
        let session = self.session(request.extensions(), &request.get_ref().token)?;
        let namespace = self.central.namespace(&session.namespace)?;
        self.central
            .metrics()
            .count(&session.namespace, |figures| figures.lists += 1);
        let zones = namespace.zones().iter().map(|(id, zone)| {
            let forwarded = zone.forwarded.iter();
            v1::Zone {
                id: String::from(&**id),
                provider_type: zone.served.account().provider_type().to_owned(),
                key: String::from(&*zone.served.zone().id.0),
                domain: zone.served.zone().name.as_str().to_owned(),
                forwarded_domain: forwarded.map(|name| name.as_str().to_owned()).collect(),
                private_zone: zone.private,
            }
        });
        Ok(Response::new(v1::Zones {
            zone: zones.collect(),
        }))
    }

    /// Always as the cache may serve it now: the message cannot tell how old a zone is.
    async fn get_zone_state(
        &self,
        request: Request<GetZoneStateRequest>,
    ) -> Result<Response<ZoneState>, Status> {
        let session = self.session(request.extensions(), &request.get_ref().token)?;
        let zone = self.zone(&session, &request.get_ref().zoneid)?;
        let state = zone.served.refresh().await;
        let state = state.map_err(|error| status::of_provider(&error))?;
        let records = state.records();
        self.central.metrics().count(&session.namespace, |figures| {
            figures.reads += 1;
            figures.whole_reads += 1;
            figures.records += records.len() as u64;
        });
        let limit = self.central.settings().message_limit;
        let state = zone_state(records, session.protocol_version, limit)
            .map_err(|error| Status::resource_exhausted(error.to_string()))?;
        let room = self.central.room(&session.namespace, state.encoded_len())?;
        Ok(large(state, Some(room)))
    }

    async fn execute(&self, request: Request<ExecuteRequest>) -> Result<Response<ExecuteResponse>, Status> {
        let session = self.session(request.extensions(), &request.get_ref().token)?;
        let ExecuteRequest {
            zoneid,
            change_request,
            ..
        } = request.into_inner();
        let zone = self.zone(&session, &zoneid)?;
        self.central
            .metrics()
            .count(&session.namespace, |figures| figures.writes += 1);
        let execution = Execution::new(&self.central, &session, &zone);
        let response = execution.run(change_request).await?;
        Ok(large(response, None))
    }
}
