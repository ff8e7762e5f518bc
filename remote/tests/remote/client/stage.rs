//! A server, clients of it, and the wire between them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use records::cache::{Cached, Settings as CacheSettings};
use records::pace::Rate;
use records::provider::Operation;
use records::provider::memory::{Fault, FaultKind, Memory};
use records::{Change, Endpoint, Group, Outcome, Provider, Zone, ZoneRecords};
use remote::client::{Access, Remote, Settings};
use remote::server::admission::MutualTls;
use remote::server::listener::{self, Bounds};
use remote::server::{
    Account, Catalogue, Central, Credentials, Limits, Services, Settings as ServerSettings, Tokens,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};

use super::super::certificates::{Authority, Names, Pair};
use super::super::door::{SERVER, pem};
use super::super::world::{HandClock, TIME, a, cache, name, offer, zone};
use super::wire::Wire;

/// How long something that comes by itself may take.
const SOON: Duration = Duration::from_secs(20);

/// The zone `example.com` for the namespaces `blue` and `red`, behind a wire.
pub struct Stage {
    pub memory: Arc<Memory>,
    pub clock: Arc<HandClock>,
    pub central: Arc<Central>,
    pub account: Arc<Account>,
    pub catalogue: Arc<Catalogue>,
    pub wire: Wire,
    pub servers: Authority,
    pub clients: Authority,
    /// Whether the server has Gardener's protocol only.
    pub is_gardeners: Arc<AtomicBool>,
    server: JoinHandle<()>,
}

/// The server's services; of Gardener's protocol only, where that is said.
#[derive(Clone)]
struct Offered {
    services: Services,
    is_gardeners: Arc<AtomicBool>,
}

impl Service<http::Request<Body>> for Offered {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let is_ours = request.uri().path().starts_with("/records.remote.v2.");
        if is_ours && self.is_gardeners.load(Ordering::Relaxed) {
            let status = Status::unimplemented("unknown service records.remote.v2.ZoneService");
            return Box::pin(async move { Ok(status.into_http()) });
        }
        self.services.call(request)
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(ServerSettings::default()).await
    }

    pub async fn with(settings: ServerSettings) -> Self {
        let memory = Arc::new(Memory::new([name("example.com")]));
        Self::before(memory.clone(), memory, settings).await
    }

    /// With something that stands before the provider.
    pub async fn before(memory: Arc<Memory>, provider: Arc<dyn Provider>, settings: ServerSettings) -> Self {
        let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
        let clock: Arc<HandClock> = Arc::default();
        let is_gardeners: Arc<AtomicBool> = Arc::default();
        let (central, account, catalogue) = central(provider, &clock, settings, b"a key of the tests");
        let services = offered(&central, &is_gardeners);
        let (address, server) = serve(services, &servers, &clients).await;
        Self {
            wire: Wire::to(address).await,
            memory,
            clock,
            central,
            account,
            catalogue,
            servers,
            clients,
            is_gardeners,
            server,
        }
    }

    /// The server ends, and another one begins that knows nothing, no tokens either.
    pub async fn restart(&mut self) {
        self.server.abort();
        self.wire.cut();
        let memory = self.memory.clone();
        let settings = ServerSettings::default();
        let (central, account, catalogue) = central(memory, &self.clock, settings, b"another key");
        let services = offered(&central, &self.is_gardeners);
        let (address, server) = serve(services, &self.servers, &self.clients).await;
        self.wire.lead_to(Some(address));
        (self.central, self.account, self.catalogue) = (central, account, catalogue);
        self.server = server;
    }

    /// A client of a namespace.
    pub fn client(&self, namespace: &str) -> Remote {
        Remote::new(self.access(namespace), unhurried())
    }

    pub fn access(&self, namespace: &str) -> watch::Receiver<Access> {
        let pair = self.pair(namespace);
        let secret = secret(self.wire.address, namespace, &pair, &self.servers);
        watch::channel(Access::from_secret(&secret).unwrap()).1
    }

    pub fn pair(&self, namespace: &str) -> Pair {
        pair(&self.clients, namespace)
    }

    /// A client with a cache before it, which asks at each read.
    pub fn cached(&self, namespace: &str, clock: &Arc<HandClock>) -> Cached {
        before(Arc::new(self.client(namespace)), clock)
    }

    /// The zone as the provider has it.
    pub fn truth(&self) -> Vec<Endpoint> {
        self.memory.records(&zone("example.com").id)
    }

    pub fn fill(&self, count: usize) {
        for number in 0..count {
            self.memory.put(host(number, "192.0.2.1"));
        }
    }

    /// Has groups be made, and cuts the connection when the provider is called.
    pub async fn cut_while_applying(&self, client: &Remote, zone: &Zone, groups: &[Group]) -> Vec<Outcome> {
        self.memory.fail(Fault {
            operation: Operation::Apply,
            after: 0,
            kind: FaultKind::Latency(Duration::from_millis(300)),
        });
        let cutting = async {
            until("the provider is called", async || {
                self.memory.calls().of(Operation::Apply) == 1
            })
            .await;
            self.wire.cut();
        };
        tokio::join!(client.apply(zone, groups), cutting).0
    }

    /// The server takes over what others have written.
    pub async fn refresh(&self) {
        self.clock.advance(TIME + Duration::from_secs(1));
        self.central.refresh().await;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn central(
    provider: Arc<dyn Provider>,
    clock: &Arc<HandClock>,
    settings: ServerSettings,
    key: &[u8],
) -> (Arc<Central>, Arc<Account>, Arc<Catalogue>) {
    let cache = cache(provider, clock.clone());
    let account = Account::new("main", "aws-route53", cache, Limits::default());
    let catalogue: Arc<Catalogue> = Arc::default();
    for namespace in ["blue", "red"] {
        catalogue.put(namespace, "provider", offer(&account, &["example.com"]));
    }
    let admission = Arc::new(MutualTls::new(Tokens::new(key), clock.clone()));
    let central = Central::new(catalogue.clone(), admission, clock.clone(), settings);
    (central, account, catalogue)
}

fn offered(central: &Arc<Central>, is_gardeners: &Arc<AtomicBool>) -> Offered {
    Offered {
        services: Services::new(central),
        is_gardeners: is_gardeners.clone(),
    }
}

async fn serve(services: Offered, servers: &Authority, clients: &Authority) -> (SocketAddr, JoinHandle<()>) {
    let credentials = Credentials::new(&pem(&servers.server(SERVER), clients)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async move {
        let (credentials, bounds) = (Arc::new(credentials), Bounds::default());
        let served = listener::serve(services, listener, credentials, bounds, pending()).await;
        served.unwrap();
    };
    (address, tokio::spawn(server))
}

/// Settings of a client that need not wait for its turn.
pub fn unhurried() -> Settings {
    Settings {
        rate: Rate {
            burst: 1_000,
            calls: 1_000,
            period: Duration::from_secs(1),
        },
        ..Settings::default()
    }
}

pub fn pair(authority: &Authority, namespace: &str) -> Pair {
    authority.client(&Names {
        common: &[namespace],
        ..Names::default()
    })
}

/// A client's Secret.
pub fn secret(
    address: SocketAddr,
    namespace: &str,
    pair: &Pair,
    servers: &Authority,
) -> BTreeMap<String, Vec<u8>> {
    let values = [
        ("REMOTE_ENDPOINT", address.to_string()),
        ("NAMESPACE", namespace.to_owned()),
        ("CLIENT_CERT", pair.certificate.clone()),
        ("CLIENT_KEY", pair.key.clone()),
        ("SERVER_CA_CERT", servers.certificate.clone()),
        ("OVERRIDE_SERVER_NAME", SERVER.to_owned()),
    ];
    values
        .map(|(key, value)| (key.to_owned(), value.into_bytes()))
        .into()
}

/// A cache before a client, which confirms when the clock has moved.
pub fn before(client: Arc<dyn Provider>, clock: &Arc<HandClock>) -> Cached {
    let settings = CacheSettings {
        time: TIME,
        patch_on_apply: true,
        max_age: Some(2 * TIME),
        ..CacheSettings::default()
    };
    Cached::open(client, settings, clock.clone()).unwrap()
}

pub fn host(number: usize, address: &str) -> Endpoint {
    a(&format!("host{number}.example.com"), address)
}

pub fn create(record: Endpoint) -> Group {
    group(Change::Create(record))
}

pub fn update(old: &Endpoint, new: &Endpoint) -> Group {
    group(Change::Update {
        old: old.clone(),
        new: new.clone(),
    })
}

pub fn group(change: Change) -> Group {
    let name = change.before().or(change.after()).unwrap().name().unwrap();
    Group {
        name,
        changes: vec![change],
    }
}

/// What came of groups, a word each.
pub fn words(outcomes: &[Outcome]) -> Vec<&'static str> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Applied { .. } => "applied",
        Outcome::Rejected { .. } => "rejected",
        Outcome::Conflict { .. } => "conflict",
        Outcome::Postponed { .. } => "postponed",
        Outcome::Unknown { .. } => "unknown",
    };
    outcomes.iter().map(word).collect()
}

/// The record sets of a zone, sorted.
pub fn sorted(records: impl IntoIterator<Item = Endpoint>) -> Vec<Endpoint> {
    let mut records: Vec<_> = records.into_iter().collect();
    records.sort_by_key(|one| one.key().unwrap());
    records
}

pub async fn the_zone(client: &dyn Provider) -> Zone {
    let mut zones = client.zones().await.unwrap();
    assert_eq!(zones.len(), 1);
    zones.remove(0)
}

pub async fn read(client: &dyn Provider, zone: &Zone) -> ZoneRecords {
    client.read(zone).await.unwrap()
}

/// Waits until something has come by itself.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        // Looked at often: nobody tells.
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, waiting).await.is_ok(), "{what}");
}
