//! A server with real TLS on a real port, whose service only logs in.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use remote::client::{Access, connect};
use remote::protocol::v1::remote_provider_client::RemoteProviderClient;
use remote::protocol::v1::remote_provider_server::{RemoteProvider, RemoteProviderServer};
use remote::protocol::v1::{
    ExecuteRequest, ExecuteResponse, GetZoneStateRequest, GetZonesRequest, LoginRequest, LoginResponse,
    ZoneState, Zones,
};
use remote::server::credentials::Pem;
use remote::server::{Credentials, Peer, Tokens, listener};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use super::certificates::{Authority, Names, Pair};

pub type Client = RemoteProviderClient<Channel>;

/// The name in the server's certificate.
pub const SERVER: &str = "dns.central.example";

/// A server, and the authorities of both sides.
pub struct Door {
    pub address: SocketAddr,
    pub servers: Authority,
    pub clients: Authority,
    pub credentials: Arc<Credentials>,
    pub server: Pair,
    /// Who logged in last.
    last: Arc<Mutex<Option<Peer>>>,
}

struct Desk {
    tokens: Tokens,
    last: Arc<Mutex<Option<Peer>>>,
}

fn peer<T>(request: &Request<T>) -> Peer {
    request.extensions().get::<Peer>().unwrap().clone()
}

#[tonic::async_trait]
impl RemoteProvider for Desk {
    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let peer = peer(&request);
        *self.last.lock().unwrap() = Some(peer.clone());
        let request = request.into_inner();
        let token = self.tokens.login(
            &peer,
            &request.namespace,
            &request.cliend_id,
            request.client_protocol_version,
            SystemTime::now(),
        );
        let token = token.map_err(|error| Status::unauthenticated(error.to_string()))?;
        Ok(Response::new(LoginResponse {
            token,
            server_protocol_version: 1,
        }))
    }

    async fn get_zones(&self, request: Request<GetZonesRequest>) -> Result<Response<Zones>, Status> {
        let peer = peer(&request);
        let checked = self
            .tokens
            .check(&peer, &request.into_inner().token, SystemTime::now());
        checked.map_err(|error| Status::unauthenticated(error.to_string()))?;
        Ok(Response::new(Zones::default()))
    }

    async fn get_zone_state(&self, _: Request<GetZoneStateRequest>) -> Result<Response<ZoneState>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn execute(&self, _: Request<ExecuteRequest>) -> Result<Response<ExecuteResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

impl Door {
    pub async fn new() -> Self {
        let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
        let server = servers.server(SERVER);
        let credentials = Arc::new(Credentials::new(&pem(&server, &clients)).unwrap());
        let last = Arc::new(Mutex::new(None));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = listener::incoming(listener, Arc::clone(&credentials));
        let service = RemoteProviderServer::new(Desk {
            tokens: Tokens::new(server.key.as_bytes()),
            last: Arc::clone(&last),
        });
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(connections),
        );
        Self {
            address,
            servers,
            clients,
            credentials,
            server,
            last,
        }
    }

    /// Whether no call has reached the service.
    pub fn nobody_logged_in(&self) -> bool {
        self.last.lock().unwrap().is_none()
    }

    /// A client's Secret.
    pub fn secret(&self, pair: &Pair) -> BTreeMap<String, Vec<u8>> {
        let address = self.address.to_string();
        let values = [
            ("REMOTE_ENDPOINT", address.as_str()),
            ("NAMESPACE", "garden-a"),
            ("CLIENT_CERT", pair.certificate.as_str()),
            ("CLIENT_KEY", pair.key.as_str()),
            ("SERVER_CA_CERT", self.servers.certificate.as_str()),
            ("OVERRIDE_SERVER_NAME", SERVER),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
        values.into()
    }

    /// A client with a certificate.
    pub fn client(&self, pair: &Pair) -> Client {
        let access = Access::from_secret(&self.secret(pair)).unwrap();
        RemoteProviderClient::new(connect(&access))
    }

    /// A client with a certificate for a namespace.
    pub fn of(&self, namespace: &str) -> Client {
        self.client(&self.clients.client(&Names {
            common: &[namespace],
            ..Names::default()
        }))
    }
}

/// The server's side.
pub fn pem(server: &Pair, clients: &Authority) -> Pem {
    Pem {
        certificate: server.certificate.as_bytes().to_vec(),
        key: server.key.as_bytes().to_vec(),
        client_authorities: clients.certificate.as_bytes().to_vec(),
    }
}

/// Logs in; the token or why not.
pub async fn login(client: &mut Client, namespace: &str) -> Result<String, Status> {
    let request = LoginRequest {
        namespace: namespace.to_owned(),
        cliend_id: "test".to_owned(),
        client_protocol_version: 1,
    };
    Ok(client.login(request).await?.into_inner().token)
}

/// Uses a token.
pub async fn use_token(client: &mut Client, token: &str) -> Result<(), Status> {
    let request = GetZonesRequest {
        token: token.to_owned(),
    };
    client.get_zones(request).await.map(|_| ())
}

/// The peer that a namespace's certificate makes.
pub async fn peer_of(namespace: &str) -> Peer {
    let world = Door::new().await;
    login(&mut world.of(namespace), namespace).await.unwrap();
    let peer = world.last.lock().unwrap().clone();
    peer.unwrap()
}
