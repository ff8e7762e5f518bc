//! A client of Gardener's protocol: it has no revisions, and reads whole zones.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use remote::client::connect;
use remote::protocol::v1::change_request::ActionType;
use remote::protocol::v1::change_response::State;
use remote::protocol::v1::record_set::Record;
use remote::protocol::v1::remote_provider_client::RemoteProviderClient;
use remote::protocol::v1::{
    ChangeRequest, ExecuteRequest, GetZoneStateRequest, GetZonesRequest, LoginRequest, PartialDnsSet,
    RecordSet,
};
use tonic::transport::Channel;

use super::certificates::Pass;

/// The most octets of a zone.
const LIMIT: usize = 64 << 20;

/// A client that has logged in.
pub struct Gardener {
    server: RemoteProviderClient<Channel>,
    token: String,
}

impl Gardener {
    /// Connects and logs in.
    pub async fn connect(pass: &Pass, server: SocketAddr) -> Result<Self> {
        let channel = connect(&pass.access(server)?);
        let mut server = RemoteProviderClient::new(channel).max_decoding_message_size(LIMIT);
        let request = LoginRequest {
            namespace: pass.namespace().to_owned(),
            cliend_id: "benchmark".to_owned(),
            client_protocol_version: 1,
        };
        let token = server.login(request).await?.into_inner().token;
        Ok(Self { server, token })
    }

    /// The zones.
    pub async fn list(&mut self) -> Result<Vec<String>> {
        let request = GetZonesRequest {
            token: self.token.clone(),
        };
        let zones = self.server.get_zones(request).await?.into_inner().zone;
        Ok(zones.into_iter().map(|zone| zone.id).collect())
    }

    /// Reads a zone; how many names that were.
    pub async fn read(&mut self, zone: &str) -> Result<usize> {
        let request = GetZoneStateRequest {
            token: self.token.clone(),
            zoneid: zone.to_owned(),
        };
        let state = self.server.get_zone_state(request).await?.into_inner();
        Ok(state.dns_sets.len())
    }

    /// Makes a name with an address.
    pub async fn create(&mut self, zone: &str, name: &str, address: &str) -> Result<()> {
        let value = address.to_owned();
        let change = PartialDnsSet {
            dns_name: name.to_owned(),
            record_type: "A".to_owned(),
            record_set: Some(RecordSet {
                r#type: "A".to_owned(),
                ttl: 300,
                record: vec![Record { value }],
            }),
            ..PartialDnsSet::default()
        };
        let request = ExecuteRequest {
            token: self.token.clone(),
            zoneid: zone.to_owned(),
            change_request: vec![ChangeRequest {
                action: ActionType::Create.into(),
                change: Some(change),
            }],
        };
        let made = self.server.execute(request).await?.into_inner();
        let states: Vec<State> = made
            .change_response
            .iter()
            .map(remote::protocol::v1::ChangeResponse::state)
            .collect();
        ensure!(
            states == [State::Succeeded],
            "not written: {:?}",
            made.change_response
        );
        Ok(())
    }
}
