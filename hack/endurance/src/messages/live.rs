//! A server over TLS in this process, which gets octets for messages.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use benchmark::process::memory;
use benchmark::remote::certificates::{Authority, read_server};
use bytes::{Buf as _, BufMut as _};
use prost::Message as _;
use records::cache::{Cached, Clock, Settings as CacheSettings, SystemClock};
use records::provider::memory::Memory;
use records::{Name, Zone, ZoneId};
use remote::client::connect;
use remote::protocol::v1::remote_provider_client::RemoteProviderClient;
use remote::protocol::{v1, v2};
use remote::server::admission::MutualTls;
use remote::server::listener::{self, Bounds};
use remote::server::{
    Account, Catalogue, Central, Credentials, Limits, Offer, OfferedZone, Services, Settings, Tokens,
};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// How much more memory, in kB, the process may have after all calls than after the first ones,
/// which is far above what the provider in memory keeps of what they write.
pub const MOST_GROWTH: u32 = 64 * 1024;
/// The server's zone, and the namespace that has it, as in the messages.
const ZONE: &str = "example.com";
const NAMESPACE: &str = "garden-a";
/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How often there was each code, by its name.
pub type Answers = BTreeMap<String, u64>;

/// Whose word a call begins with, as its first field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Token,
    Namespace,
}

/// Every call of both protocols.
const CALLS: [(&str, Word); 9] = [
    ("/remote.RemoteProvider/Login", Word::Namespace),
    ("/remote.RemoteProvider/GetZones", Word::Token),
    ("/remote.RemoteProvider/GetZoneState", Word::Token),
    ("/remote.RemoteProvider/Execute", Word::Token),
    ("/records.remote.v2.ZoneService/ListZones", Word::Namespace),
    ("/records.remote.v2.ZoneService/ReadZone", Word::Namespace),
    (WATCH, Word::Namespace),
    ("/records.remote.v2.ZoneService/Apply", Word::Namespace),
    ("/records.remote.v2.ZoneService/Adjust", Word::Namespace),
];
/// It does not end by itself.
const WATCH: &str = "/records.remote.v2.ZoneService/WatchZones";

/// What a server may answer. What cannot be decoded is `Internal`.
const CODES: [Code; 6] = [
    Code::Ok,
    Code::InvalidArgument,
    Code::NotFound,
    Code::PermissionDenied,
    Code::Unauthenticated,
    Code::Internal,
];

/// A server, and a client that has logged in.
pub struct Live {
    channel: Channel,
    /// The fields with the client's token, and with its namespace.
    token: Vec<u8>,
    namespace: Vec<u8>,
    /// The memory at first, in kB.
    resident: u32,
}

impl Live {
    /// Starts a server, and uses each of its calls once.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir().context("failed to make a folder")?;
        let authority = Authority::new()?;
        authority.write_server(folder.path())?;
        let pem = read_server(folder.path())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let credentials = Arc::new(Credentials::new(&pem)?);
        let services = Services::new(&central(&pem.key).await?);
        tokio::spawn(listener::serve(
            services,
            listener,
            credentials,
            Bounds::default(),
            pending(),
        ));
        let channel = connect(&authority.pass(NAMESPACE)?.access(address)?);
        let namespace = NAMESPACE.to_owned();
        let login = v1::LoginRequest {
            namespace: namespace.clone(),
            ..v1::LoginRequest::default()
        };
        let mut client = RemoteProviderClient::new(channel.clone());
        let token = client.login(login).await?.into_inner().token;
        let mut live = Self {
            channel,
            token: v1::GetZonesRequest { token }.encode_to_vec(),
            namespace: v2::ListZonesRequest { namespace }.encode_to_vec(),
            resident: 0,
        };
        let answered = live.call_all(&[], &mut Answers::new()).await;
        answered.map_err(anyhow::Error::msg)?;
        live.resident = memory(std::process::id())?.resident;
        Ok(live)
    }

    /// By how many kB memory has grown since.
    pub fn growth(&self) -> Result<u32> {
        let now = memory(std::process::id())?.resident;
        Ok(now.saturating_sub(self.resident))
    }

    /// Makes every call with a message: as it is, and with what makes the server take it for
    /// one of a client that it knows. What is wrong with an answer.
    pub async fn call_all(&self, octets: &[u8], answers: &mut Answers) -> Result<(), String> {
        for (path, word) in CALLS {
            let known = match word {
                Word::Token => &self.token,
                Word::Namespace => &self.namespace,
            };
            // Of a field that is there twice, the last one counts.
            for message in [octets.to_vec(), [octets, known].concat()] {
                let answer = timeout(LIMIT, self.call(path, message)).await;
                let status = answer.map_err(|_| format!("{path} was not answered in {LIMIT:?}"))?;
                // What tonic makes of a connection that ends has a source.
                if status.source().is_some() || !CODES.contains(&status.code()) {
                    return Err(format!("{path} was answered with {status:?}"));
                }
                let code = format!("{:?}", status.code());
                *answers.entry(code).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Makes a call, and takes in all of the answer; of one without an end, the beginning.
    async fn call(&self, path: &'static str, octets: Vec<u8>) -> Status {
        let mut client = Grpc::new(self.channel.clone());
        let answered = async {
            client
                .ready()
                .await
                .map_err(|error| Status::from_error(Box::new(error)))?;
            let path_and_query = PathAndQuery::from_static(path);
            let request = Request::new(octets);
            let answer = client.server_streaming(request, path_and_query, Octets).await?;
            let mut stream = answer.into_inner();
            while stream.message().await?.is_some() && path != WATCH {}
            Ok(())
        };
        answered.await.map_or_else(|status| status, |()| Status::ok(""))
    }
}

/// A server's zones, which are in memory.
async fn central(key: &[u8]) -> Result<Arc<Central>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let name = Name::parse(ZONE).context("the zone's name is none")?;
    let settings = CacheSettings {
        time: Duration::from_secs(3600),
        patch_on_apply: true,
        ..CacheSettings::default()
    };
    let provider = Arc::new(Memory::new([name.clone()]));
    let cache = Arc::new(Cached::open(provider, settings, Arc::clone(&clock))?);
    let account = Account::new("account", "aws-route53", cache, Limits::default());
    let zone = OfferedZone {
        zone: Zone {
            id: ZoneId(ZONE.into()),
            name,
        },
        private: false,
        forwarded: Vec::new(),
    };
    let catalogue: Arc<Catalogue> = Arc::default();
    let zones = vec![zone];
    catalogue.put(NAMESPACE, "provider", Offer { account, zones });
    let admission = Arc::new(MutualTls::new(Tokens::new(key), Arc::clone(&clock)));
    let central = Central::new(catalogue, admission, clock, Settings::default());
    central.refresh().await;
    Ok(central)
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Octets;

impl Codec for Octets {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Octets {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, octets: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&octets);
        Ok(())
    }
}

/// Answers are taken in, and thrown away.
impl Decoder for Octets {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}
