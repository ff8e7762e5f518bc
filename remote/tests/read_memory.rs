//! How much memory a client takes to read a large zone. A binary of its own: its allocator
//! counts.

#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

#[allow(dead_code, reason = "what other tests need")]
#[path = "remote/certificates.rs"]
mod certificates;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use certificates::{Authority, Names};
use dhat::{HeapStats, Profiler};
use records::cache::{Cached, Clock, Settings as CacheSettings, SystemClock};
use records::provider::memory::Memory;
use records::{Endpoint, Name, Provider as _, Zone, ZoneId};
use remote::client::{Access, Remote, Settings as ClientSettings};
use remote::server::admission::MutualTls;
use remote::server::credentials::Pem;
use remote::server::listener::{self, Bounds};
use remote::server::{
    Account, Catalogue, Central, Credentials, Limits, Offer, OfferedZone, Services, Settings, Tokens,
};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const RECORDS: usize = 200_000;
/// The most octets for a record beside its name and data. The messages that tell a zone take
/// several times that.
const ALLOWED: usize = 100;
const SERVER: &str = "dns.central.example";

fn endpoint(number: usize) -> Endpoint {
    Endpoint {
        dns_name: format!("web-{number}.team-{}.example.test", number % 500).into(),
        targets: [format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255).into()].into(),
        ..Endpoint::default()
    }
}

fn text(endpoint: &Endpoint) -> usize {
    let targets: usize = endpoint.targets.iter().map(|target| target.len()).sum();
    endpoint.dns_name.len() + targets
}

/// A server with the zone, which it has read; a client's Secret for it.
async fn serve(zone: &Zone) -> BTreeMap<String, Vec<u8>> {
    let memory = Arc::new(Memory::new([zone.name.clone()]));
    (0..RECORDS).for_each(|number| memory.put(endpoint(number)));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let settings = CacheSettings {
        time: Duration::from_secs(3600),
        ..CacheSettings::default()
    };
    let cache = Arc::new(Cached::open(memory, settings, clock.clone()).unwrap());
    let account = Account::new("main", "aws-route53", cache, Limits::default());
    let catalogue: Arc<Catalogue> = Arc::default();
    let offered = OfferedZone {
        zone: zone.clone(),
        private: false,
        forwarded: Vec::new(),
    };
    let zones = vec![offered];
    catalogue.put("blue", "provider", Offer { account, zones });
    let admission = Arc::new(MutualTls::new(Tokens::new(b"a key"), clock.clone()));
    let central = Central::new(catalogue, admission, clock, Settings::default());
    central.refresh().await;

    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let (server, client) = (
        servers.server(SERVER),
        clients.client(&Names {
            common: &["blue"],
            ..Names::default()
        }),
    );
    let credentials = Credentials::new(&Pem {
        certificate: server.certificate.into_bytes(),
        key: server.key.into_bytes(),
        client_authorities: clients.certificate.into_bytes(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (services, credentials) = (Services::new(&central), Arc::new(credentials.unwrap()));
    let serving = listener::serve(services, listener, credentials, Bounds::default(), pending());
    tokio::spawn(serving);
    let values = [
        ("REMOTE_ENDPOINT", address.to_string()),
        ("NAMESPACE", "blue".to_owned()),
        ("CLIENT_CERT", client.certificate),
        ("CLIENT_KEY", client.key),
        ("SERVER_CA_CERT", servers.certificate),
        ("OVERRIDE_SERVER_NAME", SERVER.to_owned()),
    ];
    values
        .map(|(key, value)| (key.to_owned(), value.into_bytes()))
        .into()
}

#[tokio::test]
async fn a_large_zone_is_taken_in_as_it_comes() {
    let zone = Zone {
        id: ZoneId("example.test".into()),
        name: Name::parse("example.test").unwrap(),
    };
    let secret = serve(&zone).await;
    let access = watch::channel(Access::from_secret(&secret).unwrap()).1;
    let client = Remote::new(access, ClientSettings::default());
    let text: usize = (0..RECORDS).map(|number| text(&endpoint(number))).sum();

    let _profiler = Profiler::builder().testing().build();
    let read = client.read(&zone).await.unwrap();
    assert_eq!(read.records.len(), RECORDS);
    let most = HeapStats::get().max_bytes;
    let beside = most.saturating_sub(text) / RECORDS;
    assert!(beside <= ALLOWED, "{beside} octets a record");
}
