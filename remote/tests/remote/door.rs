//! The server of [`World`] behind mutual TLS, on a real port.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use remote::client::{Access, connect};
use remote::protocol::v1::GetZonesRequest;
use remote::protocol::v1::LoginRequest;
use remote::protocol::v1::remote_provider_client::RemoteProviderClient;
use remote::protocol::v2::zone_service_client::ZoneServiceClient;
use remote::server::admission::MutualTls;
use remote::server::credentials::Pem;
use remote::server::listener::{self, Bounds};
use remote::server::{Central, Credentials, Services, Settings, Tokens};
use tokio::net::TcpListener;
use tonic::Status;
use tonic::transport::Channel;

use super::certificates::{Authority, Names, Pair};
use super::world::{World, offer};

pub type Client = RemoteProviderClient<Channel>;

/// The name in the server's certificate.
pub const SERVER: &str = "dns.central.example";

/// A server, and the authorities of both sides. It has a zone for the namespaces `garden-a`
/// and `garden-b`.
pub struct Door {
    pub address: SocketAddr,
    pub servers: Arc<Authority>,
    pub clients: Arc<Authority>,
    pub credentials: Arc<Credentials>,
    pub server: Pair,
    pub central: Arc<Central>,
    pub world: World,
}

impl Door {
    pub async fn new() -> Self {
        Self::within(Settings::default(), Bounds::default()).await
    }

    pub async fn within(settings: Settings, bounds: Bounds) -> Self {
        let servers = Arc::new(Authority::new("servers"));
        let server = servers.server(SERVER);
        let clients = Arc::new(Authority::new("clients"));
        Self::with(servers, clients, server, settings, bounds).await
    }

    /// Another server with the same certificate and the same clients.
    pub async fn another(&self) -> Self {
        let (servers, clients) = (self.servers.clone(), self.clients.clone());
        let server = self.server.clone();
        Self::with(servers, clients, server, Settings::default(), Bounds::default()).await
    }

    async fn with(
        servers: Arc<Authority>,
        clients: Arc<Authority>,
        server: Pair,
        settings: Settings,
        bounds: Bounds,
    ) -> Self {
        let world = World::new();
        for namespace in ["garden-a", "garden-b"] {
            let offer = offer(&world.account, &["example.com"]);
            world.catalogue.put(namespace, "provider", offer);
        }
        let admission = MutualTls::new(Tokens::new(server.key.as_bytes()), world.clock.clone());
        let central = Central::new(
            world.catalogue.clone(),
            Arc::new(admission),
            world.clock.clone(),
            settings,
        );
        let credentials = Arc::new(Credentials::new(&pem(&server, &clients)).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let services = Services::new(&central);
        let (shown, forever) = (Arc::clone(&credentials), pending());
        tokio::spawn(listener::serve(services, listener, shown, bounds, forever));
        Self {
            address,
            servers,
            clients,
            credentials,
            server,
            central,
            world,
        }
    }

    /// Whether no call has come to the services.
    pub fn nobody_came(&self) -> bool {
        let figures = self.central.figures();
        figures.namespaces.is_empty() && figures.denied == 0
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
        RemoteProviderClient::new(self.channel(pair))
    }

    /// A client of our protocol with a certificate.
    pub fn zones(&self, pair: &Pair) -> ZoneServiceClient<Channel> {
        ZoneServiceClient::new(self.channel(pair))
    }

    fn channel(&self, pair: &Pair) -> Channel {
        connect(&Access::from_secret(&self.secret(pair)).unwrap())
    }

    /// A certificate for a namespace.
    pub fn pair(&self, namespace: &str) -> Pair {
        self.clients.client(&Names {
            common: &[namespace],
            ..Names::default()
        })
    }

    /// A client with a certificate for a namespace.
    pub fn of(&self, namespace: &str) -> Client {
        self.client(&self.pair(namespace))
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
