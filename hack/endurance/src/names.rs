//! `hack/soak names`: what the operator explains of names, compared with what CoreDNS
//! does with them.
//!
//! Upstreams of specifications drawn at random are replaced by [`stand_ins`]; the
//! answers tell which of them was asked, how, and what CoreDNS made of the TTL.

pub mod questions;
pub mod stand_ins;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use devcluster::children::Launcher;
use devcluster::programs::COREDNS_SERVER;
use devcluster::state::State;
use devcluster::{Lifetime, Progress};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::Name;
use operator::dns::config::{CaBundleName, CacheLimits, Config, Protocol, Transport};
use operator::dns::corefile::Templates;
use operator::dns::explanation::{AnsweredBy, Explanation, Limits, Question};
use operator::dns::inputs::Inputs;
use operator::dns::trust;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, seq::IndexedMutRandom as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::coredns::{Outcome, Room};
use crate::specs;
use crate::verdicts::inputs;
use stand_ins::{Identity, SERVER_NAME, StandIn, StandIns};

/// How many specifications the names are shared by: a few names for each say more
/// than many for a few, and a hundred are as good as more.
const SPECIFICATIONS: u64 = 100;
const NAMES_A_SPEC: RangeInclusive<u64> = 10..=100;
/// How many upstreams a forwarder has at most.
const UPSTREAMS: usize = 4;
/// Forwarders of a specification: no more are drawn.
const FORWARDS: usize = 10;
/// How many questions are under way at once.
const AT_ONCE: usize = 25;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long CoreDNS keeps a failure, and a bit.
const FAILURE_KEPT: Duration = Duration::from_secs(6);
const BUNDLE: &str = "stand-in";
/// Zones that take something away from the cluster, or nearly.
const CLUSTER: [&str; 6] = [
    "svc.cluster.local",
    "local",
    "arpa",
    "10.in-addr.arpa",
    "8.b.d.0.1.0.0.2.ip6.arpa",
    "bind",
];

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Names {
    /// What it was drawn from.
    pub seed: u64,
    /// How many specifications there were.
    pub specifications: u64,
    /// How many names, by who answers.
    pub explained: BTreeMap<String, u64>,
    /// Where CoreDNS did something else.
    pub disagreements: Vec<String>,
}

impl Names {
    /// How many names there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.explained.values().sum()
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nseed {}: {} names, {} specifications",
            self.seed,
            self.count(),
            self.specifications
        )?;
        for (answered_by, count) in &self.explained {
            writeln!(f, "{count:>8} answered by {answered_by}")?;
        }
        writeln!(f, "{:>8} disagreements", self.disagreements.len())?;
        for disagreement in &self.disagreements {
            writeln!(f, "\n{disagreement}")?;
        }
        Ok(())
    }
}

/// Explains so many names and asks CoreDNS for them.
pub fn compare(seed: u64, count: u64, progress: &Progress) -> Result<Names> {
    let program = COREDNS_SERVER.path(progress)?;
    let state = State::fresh()?;
    let launcher = Launcher::new(state.path(), Lifetime::Process)?;
    let room = Room::new(&program, &launcher, "coredns-names")?;
    let runtime = Runtime::new().context("failed to start the runtime")?;
    let stand_ins = runtime.block_on(StandIns::start(FORWARDS * UPSTREAMS))?;
    let templates = Templates::new().context("failed to read the templates")?;
    let mut names = Names {
        seed,
        ..Names::default()
    };
    let mut number = seed;
    while names.count() < count {
        let mut random = StdRng::seed_from_u64(number);
        let drawn = specification(number, &mut random, &stand_ins)?;
        number = number.wrapping_add(1);
        let Some((config, inputs)) = drawn else {
            continue;
        };
        let corefile = templates
            .render(&config, &inputs)
            .context("failed to render a Corefile")?;
        let bundles = trust::bundles(&config, &inputs).into_iter();
        let files = bundles.map(|(server, bundle)| (bundle.file(server), stand_ins.authority.clone()));
        let serving = match room.start(&corefile, &files.collect())? {
            Outcome::Serves(serving) => serving,
            Outcome::Refuses(why) => bail!("CoreDNS refuses\n{corefile}\n{why}"),
        };
        let share = (count / SPECIFICATIONS).clamp(*NAMES_A_SPEC.start(), *NAMES_A_SPEC.end());
        let wanted = share.min(count - names.count());
        let questions = distinct(&config, wanted, &mut random);
        runtime.block_on(ask_all(
            serving.address,
            &config,
            &inputs,
            questions,
            &corefile,
            &mut names,
        ))?;
        names.specifications += 1;
        if names.specifications.is_multiple_of(10) {
            progress.say(format!("{} of {count} names", names.count()));
        }
    }
    state.remove()?;
    Ok(names)
}

/// A specification that is accepted, with stand-ins for its upstreams; none for most
/// numbers.
fn specification(number: u64, random: &mut StdRng, stand_ins: &StandIns) -> Result<Option<(Config, Inputs)>> {
    let case = specs::draw(number)?;
    let mut inputs = inputs(&BTreeMap::from([(
        BUNDLE.to_owned(),
        stand_ins.authority.clone(),
    )]));
    inputs.service_address = None;
    let mut nested = case.spec.clone();
    nest(&mut nested, random);
    let decoded = Config::decode(&nested).or_else(|_| Config::decode(&case.spec));
    let Ok(mut config) = decoded else {
        return Ok(None);
    };
    if config.servers.is_empty() || config.servers.len() >= FORWARDS {
        return Ok(None);
    }
    if random.random_bool(0.4) {
        config.cache = CacheLimits {
            positive: random.random_range(1..10),
            negative: random.random_range(1..10),
        };
    }
    replace_upstreams(&mut config, &stand_ins.all);
    Ok(Some((config, inputs)))
}

/// Adds zones below and above those that are there, to other servers.
fn nest(spec: &mut Value, random: &mut StdRng) {
    let Some(servers) = spec["servers"].as_array_mut() else {
        return;
    };
    let zones = servers
        .iter()
        .filter_map(|server| server["zones"][0].as_str().map(ToOwned::to_owned));
    let zones: Vec<String> = zones.filter(|zone| !zone.contains('/')).collect();
    let mut new: Vec<String> = Vec::new();
    for zone in zones {
        if random.random_bool(0.7) {
            new.push(format!("sub.{zone}"));
        }
        if let Some((_, above)) = zone.split_once('.')
            && random.random_bool(0.3)
        {
            new.push(above.to_owned());
        }
    }
    if random.random_bool(0.3) {
        new.extend(CLUSTER.choose(random).map(ToString::to_string));
    }
    for zone in new {
        if let Some(zones) = servers
            .choose_mut(random)
            .and_then(|server| server["zones"].as_array_mut())
        {
            zones.push(json!(zone));
        }
    }
}

/// Gives each forwarder upstreams of its own.
fn replace_upstreams(config: &mut Config, stand_ins: &[StandIn]) {
    let servers = config.servers.iter_mut().map(|server| &mut server.forward);
    let forwards = std::iter::once(&mut config.upstreams).chain(servers);
    for (forward, own) in forwards.zip(stand_ins.chunks(UPSTREAMS)) {
        let count = forward.upstreams.len().clamp(1, own.len());
        let own = own.iter().take(count);
        forward.upstreams = match &mut forward.transport {
            Transport::Cleartext => own.map(|stand_in| stand_in.plain.to_string()).collect(),
            Transport::Tls {
                server_name,
                ca_bundle,
            } => {
                SERVER_NAME.clone_into(server_name);
                *ca_bundle = Some(CaBundleName(BUNDLE.to_owned()));
                own.map(|stand_in| stand_in.tls.to_string()).collect()
            }
        };
    }
}

/// Questions of which no two are the same to a cache.
fn distinct(config: &Config, count: u64, random: &mut StdRng) -> Vec<(Question, bool)> {
    let mut seen = BTreeSet::new();
    let mut questions = Vec::new();
    // Enough for any that repeat.
    for _ in 0..count * 10 {
        if let Some(question) = questions::draw(config, random)
            && seen.insert(question.to_string().to_lowercase())
        {
            questions.push((question, random.random_bool(0.3)));
        }
        if questions.len() as u64 == count {
            break;
        }
    }
    questions
}

async fn ask_all(
    server: SocketAddr,
    config: &Config,
    inputs: &Inputs,
    questions: Vec<(Question, bool)>,
    corefile: &str,
    names: &mut Names,
) -> Result<()> {
    for some in questions.chunks(AT_ONCE) {
        let mut asked = JoinSet::new();
        for (question, tcp) in some.iter().cloned() {
            let explanation = Explanation::of(config, inputs, &question);
            asked.spawn(async move {
                let seen = ask(server, &question, tcp, &explanation).await;
                (question, tcp, explanation, seen)
            });
        }
        while let Some(asked) = asked.join_next().await {
            let (question, tcp, explanation, seen) = asked.context("a question was lost")?;
            let answered_by = format!("{:?}", explanation.answered_by);
            *names.explained.entry(answered_by).or_default() += 1;
            let why = match seen {
                Ok(seen) => seen.against(&explanation, tcp),
                Err(error) => Some(format!("{error:#}")),
            };
            if let Some(why) = why {
                names
                    .disagreements
                    .push(format!("{question}: {why}\n{explanation}\n{corefile}"));
            }
        }
    }
    Ok(())
}

/// What CoreDNS did with a question.
#[derive(Debug)]
struct Seen {
    code: ResponseCode,
    /// The upstream that it asked, and the TTL that it passed on.
    upstream: Option<(Identity, u32)>,
}

/// Asks, and once more when an upstream was too slow.
async fn ask(server: SocketAddr, question: &Question, tcp: bool, explanation: &Explanation) -> Result<Seen> {
    let seen = ask_once(server, question, tcp).await?;
    let failed = seen.upstream.is_none() && seen.code == ResponseCode::ServFail;
    if failed && explanation.forward.is_some() {
        sleep(FAILURE_KEPT).await;
        return ask_once(server, question, tcp).await;
    }
    Ok(seen)
}

async fn ask_once(server: SocketAddr, question: &Question, tcp: bool) -> Result<Seen> {
    let octets = question.name.octets();
    let name = Name::from_labels(octets.iter().map(Vec::as_slice)).context("the name")?;
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, question.record_type));
    let query = message.to_vec().context("failed to encode a question")?;
    let answer = timeout(PATIENCE, exchange(server, &query, tcp))
        .await
        .context("no answer in time")??;
    let answer = Message::from_vec(&answer).context("failed to decode an answer")?;
    let records = answer.answers.iter().chain(&answer.additionals);
    let upstream = records.filter_map(|record| Some((Identity::of(record)?, record.ttl)));
    Ok(Seen {
        code: answer.metadata.response_code,
        upstream: upstream.into_iter().next(),
    })
}

async fn exchange(server: SocketAddr, query: &[u8], tcp: bool) -> Result<Vec<u8>> {
    let mut answer = vec![0; 4096];
    if tcp {
        let mut stream = TcpStream::connect(server).await.context("failed to connect")?;
        let length = u16::try_from(query.len()).context("a question that is too long")?;
        stream.write_u16(length).await.context("failed to ask")?;
        stream.write_all(query).await.context("failed to ask")?;
        let length = stream.read_u16().await.context("failed to receive")?;
        answer.resize(length.into(), 0);
        stream
            .read_exact(&mut answer)
            .await
            .context("failed to receive")?;
        return Ok(answer);
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("failed to open a socket")?;
    socket.connect(server).await.context("failed to connect")?;
    socket.send(query).await.context("failed to ask")?;
    let length = socket.recv(&mut answer).await.context("failed to receive")?;
    answer.truncate(length);
    Ok(answer)
}

impl Seen {
    /// What of it the explanation does not say.
    fn against(&self, explanation: &Explanation, tcp: bool) -> Option<String> {
        let Some((identity, ttl)) = &self.upstream else {
            let expected = matches!(explanation.answered_by, AnsweredBy::Cluster | AnsweredBy::Pod);
            return (!expected).then(|| format!("no upstream was asked: {}", self.code));
        };
        let (Some(forward), Some(cache)) = (&explanation.forward, &explanation.cache) else {
            return Some(format!("{identity} was asked"));
        };
        let mut upstreams = forward.upstreams.iter();
        let Some(place) = upstreams.position(|upstream| upstream.address == identity.address) else {
            return Some(format!("{identity} was asked"));
        };
        if forward.policy == "sequential" && place > 0 {
            return Some(format!("{identity} was asked, and not the first"));
        }
        let protocol = match forward.upstreams[place].protocol {
            Protocol::AsClient if tcp => "tcp",
            Protocol::AsClient => "udp",
            Protocol::Tcp => "tcp",
            Protocol::Tls => "tls",
            Protocol::Https | Protocol::Quic => "no stand-in has it",
        };
        if protocol != identity.protocol {
            return Some(format!("{identity} was asked, and not over {protocol}"));
        }
        let Limits { least, most } = if self.code == ResponseCode::NXDomain {
            cache.negative
        } else {
            cache.positive
        };
        let expected = identity.ttl.clamp(least, most);
        (*ttl != expected).then(|| format!("a TTL of {} became {ttl}, and not {expected}", identity.ttl))
    }
}
