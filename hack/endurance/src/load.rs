//! Questions at a steady rate, and whether each got the answer it must get.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, Result, ensure};
use devcluster::Zone;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::error::Elapsed;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The address of the DNS service of a local cluster.
pub const SERVICE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(172, 30, 0, 10)), 53);
/// Questions a second.
const RATE: u32 = 50;
/// How long an answer may take until the question is sent again, once and from
/// another port, as resolvers do: a datagram may be lost on its way.
const PATIENCE: Duration = Duration::from_millis(2500);
/// The zone that is asked through the default server block.
pub const FORWARDED: &str = "forwarded.test";
/// The zone that may have a server block of its own.
pub const ROUTED: &str = "routed.test";
/// The address of every name in those zones.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The address of the API server's service.
const API_SERVER: Ipv4Addr = Ipv4Addr::new(172, 30, 0, 1);

/// The zones that the upstream resolver has to serve.
#[must_use]
pub fn zones() -> Vec<Zone> {
    let zone = |name: &str| Zone {
        name: name.into(),
        negative_ttl: 60,
        records: vec![format!("* 60 A {ADDRESS}")],
    };
    vec![zone(FORWARDED), zone(ROUTED)]
}

/// A question that was not answered as it must be.
#[derive(Clone, Debug)]
pub struct Failure {
    /// When it was asked.
    pub asked: Instant,
    /// The name.
    pub name: String,
    /// What came instead.
    pub why: String,
}

/// What came of the questions so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many were answered as they must be, and how long each took.
    pub answered: Vec<Duration>,
    /// How many had to be asked twice.
    pub asked_again: usize,
    /// The others.
    pub failures: Vec<Failure>,
}

/// A client that asks until it is stopped or dropped.
#[derive(Debug)]
pub struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Load {
    /// Begins to ask a name server.
    #[must_use]
    pub fn start(server: SocketAddr) -> Self {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(keep_asking(server, Arc::clone(&tally), Arc::clone(&stop)));
        Self { tally, stop, task }
    }

    /// How many were answered, and how many were not.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let tally = lock(&self.tally);
        (tally.answered.len(), tally.failures.len())
    }

    /// Asks no more, waits for the last answers, and tells what came.
    pub async fn finish(mut self) -> Result<Tally> {
        self.stop.store(true, Ordering::SeqCst);
        (&mut self.task).await.context("the client failed")?;
        Ok(lock(&self.tally).clone())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tally {
    /// The failures, alike ones as one line.
    #[must_use]
    pub fn failures_by_reason(failures: &[Failure]) -> Vec<String> {
        let mut reasons: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for failure in failures {
            let known = reasons.entry(&failure.why).or_insert((0, &failure.name));
            known.0 += 1;
        }
        let lines = reasons.iter();
        lines
            .map(|(why, (count, name))| format!("{count} times {why}, such as {name}"))
            .collect()
    }
}

/// A panic in another task does not spoil the numbers.
fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_asking(server: SocketAddr, tally: Arc<Mutex<Tally>>, stop: Arc<AtomicBool>) {
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    // A client that was kept waiting does not make up for it with a burst.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut questions = JoinSet::new();
    let mut number: u64 = 0;
    while !stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        while questions.try_join_next().is_some() {}
        let (name, address) = question(number);
        number += 1;
        let tally = Arc::clone(&tally);
        questions.spawn(async move {
            let asked = Instant::now();
            let mut outcome = ask(server, &name, address).await;
            let unanswered = outcome.as_ref().is_err_and(Error::is::<Elapsed>);
            if unanswered {
                outcome = ask(server, &name, address).await;
            }
            let mut tally = lock(&tally);
            tally.asked_again += usize::from(unanswered);
            match outcome {
                Ok(()) => tally.answered.push(asked.elapsed()),
                Err(error) => tally.failures.push(Failure {
                    asked,
                    name,
                    why: format!("{error:#}"),
                }),
            }
        });
    }
    while questions.join_next().await.is_some() {}
}

/// In turn a name that no cache has, one that is in the cache, and one of the
/// cluster.
fn question(number: u64) -> (String, Ipv4Addr) {
    match number % 4 {
        0 => (format!("n{number}.{FORWARDED}."), ADDRESS),
        1 => (format!("n{number}.{ROUTED}."), ADDRESS),
        2 => (format!("steady.{ROUTED}."), ADDRESS),
        _ => ("kubernetes.default.svc.cluster.local.".into(), API_SERVER),
    }
}

/// Asks for the address of a name once; an error if it is not the expected one.
async fn ask(server: SocketAddr, name: &str, address: Ipv4Addr) -> Result<()> {
    let mut query = Message::query();
    query.metadata.recursion_desired = true;
    query.add_query(Query::query(
        Name::from_ascii(name).context("not a name")?,
        RecordType::A,
    ));
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .await
        .context("failed to open a socket")?;
    socket.connect(server).await.context("failed to connect")?;
    let bytes = query.to_vec().context("failed to encode the query")?;
    socket.send(&bytes).await.context("failed to send")?;
    let mut buffer = [0; 4096];
    let length = timeout(PATIENCE, socket.recv(&mut buffer))
        .await
        .with_context(|| format!("no answer within {PATIENCE:?}"))?
        .context("failed to receive")?;
    let answer =
        Message::from_vec(buffer.get(..length).unwrap_or_default()).context("failed to decode the answer")?;
    ensure!(
        answer.metadata.id == query.metadata.id,
        "an answer to something else"
    );
    let code = answer.metadata.response_code;
    ensure!(code == ResponseCode::NoError, "{code:?}");
    let found: Vec<&RData> = answer.answers.iter().map(|record| &record.data).collect();
    ensure!(
        matches!(found[..], [RData::A(only)] if only.0 == address),
        "wrong records: {found:?}"
    );
    Ok(())
}
