//! A server in memory before providers in memory, and the words of the tests.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::unfold;
use hyper_util::rt::TokioIo;
use records::cache::{Cached, Clock, Settings as CacheSettings};
use records::provider::memory::Memory;
use records::{Change, Endpoint, Group, Name, Property, Provider, RecordType, Zone, ZoneId};
use remote::protocol::v1;
use remote::protocol::v1::remote_provider_client::RemoteProviderClient;
use remote::protocol::v2;
use remote::protocol::v2::zone_service_client::ZoneServiceClient;
use remote::protocol::zones;
use remote::server::admission::{Admission, Refusal, Session};
use remote::server::{Account, Catalogue, Central, Limits, Offer, OfferedZone, Services, Settings};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Server, Uri};
use tonic::{Extensions, Status};
use tonic_types::StatusExt as _;
use tower::service_fn;

/// How long a zone is served without asking the provider.
pub const TIME: Duration = Duration::from_secs(600);

/// Whom a connection is from.
#[derive(Clone, Debug)]
pub struct Caller {
    pub certificate: &'static str,
    pub namespaces: Vec<&'static str>,
}

/// Takes tokens only from who got them.
#[derive(Default)]
pub struct Doorkeeper {
    tokens: Mutex<BTreeMap<String, (&'static str, Session)>>,
}

impl Doorkeeper {
    pub fn forget_all(&self) {
        self.tokens.lock().unwrap().clear();
    }
}

fn caller(extensions: &Extensions) -> Result<&Caller, Refusal> {
    let unknown = || Refusal::Unknown("no client certificate".to_owned());
    extensions.get::<Caller>().ok_or_else(unknown)
}

impl Admission for Doorkeeper {
    fn admit(&self, extensions: &Extensions, namespace: &str) -> Result<(), Refusal> {
        if caller(extensions)?.namespaces.contains(&namespace) {
            return Ok(());
        }
        Err(Refusal::Namespace(format!(
            "the certificate is not for {namespace:?}"
        )))
    }

    fn login(&self, extensions: &Extensions, session: &Session) -> Result<String, Refusal> {
        self.admit(extensions, &session.namespace)?;
        let mut tokens = self.tokens.lock().unwrap();
        let token = format!("token {}", tokens.len());
        tokens.insert(token.clone(), (caller(extensions)?.certificate, session.clone()));
        Ok(token)
    }

    fn session(&self, extensions: &Extensions, token: &str) -> Result<Session, Refusal> {
        let certificate = caller(extensions)?.certificate;
        let tokens = self.tokens.lock().unwrap();
        let known = tokens.get(token).filter(|(owner, _)| *owner == certificate);
        let (_, session) = known.ok_or_else(|| Refusal::Token("it is unknown".to_owned()))?;
        Ok(session.clone())
    }
}

/// A clock that stands until it is moved.
#[derive(Default)]
pub struct HandClock(AtomicU64);

impl HandClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Duration {
        self.monotonic() + Duration::from_secs(1_800_000_000)
    }
}

/// An hour passes for all that looks at tokio's clock, which then goes on.
pub async fn an_hour_passes() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_601)).await;
    tokio::time::resume();
}

/// The zone `example.com` for the namespaces `blue` and `red`.
pub struct World {
    pub memory: Arc<Memory>,
    pub clock: Arc<HandClock>,
    pub doorkeeper: Arc<Doorkeeper>,
    pub catalogue: Arc<Catalogue>,
    pub central: Arc<Central>,
    pub account: Arc<Account>,
    connections: mpsc::UnboundedSender<TestStream>,
}

impl World {
    pub fn new() -> Self {
        Self::with(Settings::default(), Limits::default())
    }

    pub fn with(settings: Settings, limits: Limits) -> Self {
        let memory = Arc::new(Memory::new([name("example.com")]));
        Self::before(memory.clone(), memory, settings, limits)
    }

    /// With something that stands before the provider.
    pub fn before(
        memory: Arc<Memory>,
        provider: Arc<dyn Provider>,
        settings: Settings,
        limits: Limits,
    ) -> Self {
        let clock: Arc<HandClock> = Arc::default();
        let cache = cache(provider, clock.clone());
        Self::over(memory, cache, clock, settings, limits)
    }

    /// With another cache.
    pub fn over(
        memory: Arc<Memory>,
        cache: Arc<Cached>,
        clock: Arc<HandClock>,
        settings: Settings,
        limits: Limits,
    ) -> Self {
        let account = Account::new("main", "aws-route53", cache, limits);
        let catalogue: Arc<Catalogue> = Arc::default();
        for namespace in ["blue", "red"] {
            catalogue.put(namespace, "provider", offer(&account, &["example.com"]));
        }
        let doorkeeper: Arc<Doorkeeper> = Arc::default();
        let central = Central::new(catalogue.clone(), doorkeeper.clone(), clock.clone(), settings);
        Self {
            connections: serve(&central),
            memory,
            clock,
            doorkeeper,
            catalogue,
            central,
            account,
        }
    }

    pub async fn zones(&self, namespace: &'static str) -> ZoneServiceClient<Channel> {
        ZoneServiceClient::new(self.channel(namespace, vec![namespace]).await)
    }

    pub async fn gardener(&self, namespace: &'static str) -> RemoteProviderClient<Channel> {
        RemoteProviderClient::new(self.channel(namespace, vec![namespace]).await)
    }

    /// A connection of a client with this certificate.
    pub async fn channel(&self, certificate: &'static str, namespaces: Vec<&'static str>) -> Channel {
        let caller = Caller {
            certificate,
            namespaces,
        };
        let connections = self.connections.clone();
        let connector = service_fn(move |_: Uri| {
            let (ours, theirs) = tokio::io::duplex(16 * 1024);
            let stream = TestStream {
                stream: theirs,
                caller: caller.clone(),
            };
            let sent = connections.send(stream).map_err(io::Error::other);
            async move { sent.map(|()| TokioIo::new(ours)) }
        });
        let endpoint = tonic::transport::Endpoint::from_static("http://server.test");
        endpoint.connect_with_connector(connector).await.unwrap()
    }
}

/// A cache in memory before a provider.
pub fn cache(provider: Arc<dyn Provider>, clock: Arc<HandClock>) -> Arc<Cached> {
    let settings = CacheSettings {
        time: TIME,
        patch_on_apply: true,
        ..CacheSettings::default()
    };
    Arc::new(Cached::open(provider, settings, clock).unwrap())
}

pub fn offer(account: &Arc<Account>, zones: &[&str]) -> Offer {
    let zones = zones.iter().map(|text| OfferedZone {
        zone: zone(text),
        private: false,
        forwarded: Vec::new(),
    });
    Offer {
        account: account.clone(),
        zones: zones.collect(),
    }
}

fn serve(central: &Arc<Central>) -> mpsc::UnboundedSender<TestStream> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let incoming = unfold(
        receiver,
        |mut receiver: mpsc::UnboundedReceiver<TestStream>| async {
            let stream = receiver.recv().await?;
            Some((Ok::<_, io::Error>(stream), receiver))
        },
    );
    let services = Services::new(central);
    let server = async move {
        Server::builder()
            .serve_with_incoming(services, incoming.boxed())
            .await
    };
    tokio::spawn(server);
    sender
}

/// A connection in memory.
struct TestStream {
    stream: DuplexStream,
    caller: Caller,
}

impl Connected for TestStream {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for TestStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TestStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn zone(text: &str) -> Zone {
    Zone {
        id: ZoneId(text.into()),
        name: name(text),
    }
}

pub fn a(name: &str, address: &str) -> Endpoint {
    Endpoint {
        dns_name: name.into(),
        targets: [address.into()].into(),
        ..Endpoint::default()
    }
}

pub fn of_type(mut record: Endpoint, record_type: RecordType) -> Endpoint {
    record.record_type = record_type;
    record
}

pub fn with_property(mut record: Endpoint, name: &str, value: &str) -> Endpoint {
    let mut properties = record.provider_specific.into_vec();
    properties.push(Property {
        name: name.into(),
        value: value.into(),
    });
    record.provider_specific = properties.into();
    record
}

/// A group of our protocol of one change to the zone.
pub fn group(change: Change) -> v2::Group {
    let name = change.before().or(change.after()).unwrap().name().unwrap();
    zones::group_message(&Group {
        name,
        changes: vec![change],
    })
}

pub fn apply(namespace: &str, groups: Vec<v2::Group>) -> v2::ApplyRequest {
    v2::ApplyRequest {
        namespace: namespace.to_owned(),
        zone_id: "example.com".to_owned(),
        groups,
    }
}

/// What came of groups, a word each.
pub fn words(response: &v2::ApplyResponse) -> Vec<&'static str> {
    use v2::outcome::Outcome;
    let kinds = response.outcomes.iter().map(|outcome| outcome.outcome.as_ref());
    kinds
        .map(|kind| match kind.unwrap() {
            Outcome::Applied(_) => "applied",
            Outcome::Rejected(_) => "rejected",
            Outcome::Conflict(_) => "conflict",
            Outcome::Postponed(_) => "postponed",
            Outcome::Unknown(_) => "unknown",
        })
        .collect()
}

/// The delay that an error tells.
pub fn delay(status: &Status) -> Duration {
    status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay)
        .unwrap()
}

pub async fn login(client: &mut RemoteProviderClient<Channel>, namespace: &str, version: i32) -> String {
    let request = v1::LoginRequest {
        namespace: namespace.to_owned(),
        cliend_id: "test".to_owned(),
        client_protocol_version: version,
    };
    client.login(request).await.unwrap().into_inner().token
}
