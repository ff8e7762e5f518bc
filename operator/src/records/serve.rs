//! `dns-operator records serve`: one server that alone talks to the providers, for many
//! clusters.
//!
//! Of several servers one leads, by a Lease ([`election`]). A [`term`] of leading has all that
//! works for as long as it lasts: the controller of DNSProviders, the caches of their accounts,
//! what is offered to whom ([`offers`]), and the connections of clients. It ends as a whole, so
//! that nothing is written after it. Whoever does not lead answers that another one does.
//! The [`pod`] has a label while its server leads, and is ready in both roles. Certificates
//! come from [`credentials`].

mod credentials;
mod election;
mod offers;
mod pod;
mod term;

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use remote::server::Standby;
use remote::server::listener::{self, Bounds};
use tokio::join;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch as channel};
use tokio::time::timeout;

use self::credentials::CredentialFiles;
use self::election::Election;
use self::pod::Pod;
pub use self::term::Office;
use self::term::{Setup, Term};
use super::cli::ServeArgs;
use super::daemon::stopped;
use super::metrics::Site;
use crate::health::Health;
use crate::serve::http;

/// How long it may take to find out of every DNSProvider what can be used. Then what is known
/// is served.
const FINDING_OUT: Duration = Duration::from_secs(30);
/// How long those who are connected to a server that waits have to take their leave.
const FAREWELL: Duration = Duration::from_secs(1);
/// What is said of readiness while this server leads.
const LEADING: &str = "this server is leading";
/// What is said while another server leads.
const NOT_LEADING: &str = "this server is not leading: another one is, or soon will be";
/// What is said before it is known what can be served.
const STARTING: &str = "this server is starting";
/// What is said when it goes down, or leads no more and has not ended all of it.
const STOPPING: &str = "this server is stopping";

/// Serves until it is told to stop.
pub async fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let stop = stop_channel();
    let (files, credentials) = CredentialFiles::open(&args.tls_dir)?;
    let setup = Setup::of(args, credentials)?;
    let listener = StdListener::bind(args.address).context("--address")?;
    listener.set_nonblocking(true)?;
    let metrics = TcpListener::bind(args.metrics_address)
        .await
        .context("--metrics-address")?;
    tracing::info!("serving gRPC on https://{}", listener.local_addr()?);
    tracing::info!("serving metrics on http://{}", metrics.local_addr()?);
    let health = Arc::new(Health::default());
    let (in_office, term) = channel::channel(None);
    let site = Site::central(term, Arc::clone(&health));
    let mut election = Election::open(args).await?;
    let pod = election.pod(args.pod());
    let server = Server {
        listener,
        setup,
        health,
        pod: &pod,
        in_office,
    };
    let (leading, leads) = channel::channel(!election.is_held());
    let outcome = tokio::select! {
        outcome = server.run(leads, stop) => outcome,
        () = election.run(&leading) => Ok(()),
        () = pod.keep() => Ok(()),
        () = files.follow() => Ok(()),
        outcome = http::serve(metrics, Arc::new(site), None) => outcome,
    };
    // All that was begun has ended.
    election.release().await;
    outcome
}

/// Becomes true when the process is told to stop.
fn stop_channel() -> channel::Receiver<bool> {
    let (sender, stop) = channel::channel(false);
    tokio::spawn(async move {
        stopped().await;
        sender.send_replace(true);
        // A receiver takes a sender that has gone for nothing to wait for.
        sender.closed().await;
    });
    stop
}

/// Waits for a flag to be so. Flags last as long as the process.
async fn until(flag: &mut channel::Receiver<bool>, value: bool) {
    let _reached = flag.wait_for(|now| *now == value).await.is_ok();
}

struct Server<'a> {
    listener: StdListener,
    setup: Setup,
    health: Arc<Health>,
    pod: &'a Pod,
    /// The term that is counted.
    in_office: channel::Sender<Option<Arc<Office>>>,
}

impl Server<'_> {
    /// Waits for its turns to lead, and leads, until it is to stop.
    async fn run(
        &self,
        mut leads: channel::Receiver<bool>,
        mut stop: channel::Receiver<bool>,
    ) -> anyhow::Result<()> {
        loop {
            self.health.ready(NOT_LEADING);
            let mut stop_waiting = stop.clone();
            let turn = async {
                tokio::select! {
                    () = until(&mut leads, true) => true,
                    () = until(&mut stop_waiting, true) => false,
                }
            };
            if !self.stand_by(NOT_LEADING, turn).await? {
                return Ok(());
            }
            let mut term = Term::begin(&self.setup).await?;
            self.in_office.send_replace(Some(term.office()));
            let outcome = tokio::select! {
                outcome = self.lead(&mut term) => outcome.map(|()| false),
                () = until(&mut leads, false) => Ok(false),
                () = until(&mut stop, true) => Ok(true),
            };
            self.in_office.send_replace(None);
            self.pod.leads(false);
            self.health.not_ready(STOPPING);
            match outcome {
                Ok(true) => {
                    join!(self.pod.settled(), term.finish());
                    return Ok(());
                }
                Ok(false) => term.end().await,
                Err(error) => {
                    join!(self.pod.settled(), term.end());
                    return Err(error);
                }
            }
        }
    }

    /// Serves as the only one that does. Ends with an error alone.
    async fn lead(&self, term: &mut Term) -> anyhow::Result<()> {
        self.health.not_ready(STARTING);
        let mut complete = term.is_complete();
        let found_out = async {
            if timeout(FINDING_OUT, until(&mut complete, true)).await.is_err() {
                tracing::warn!(
                    "not every DNSProvider was found out about within {FINDING_OUT:?}: what is known is served"
                );
            }
        };
        self.stand_by(STARTING, found_out).await?;
        term.open(&self.listener)?;
        self.pod.leads(true);
        self.health.ready(LEADING);
        term.ended().await
    }

    /// Answers that this server does not serve now, until something has happened.
    async fn stand_by<T>(&self, reason: &str, event: impl Future<Output = T>) -> anyhow::Result<T> {
        let listener = TcpListener::from_std(self.listener.try_clone()?)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            // It is dropped to be told.
            let _dropped = stopped.await;
        };
        let credentials = Arc::clone(&self.setup.secrets.connections);
        let mut serving = Box::pin(listener::serve(
            Standby::new(reason),
            listener,
            credentials,
            Bounds::of_standby(),
            stopped,
        ));
        let happened = tokio::select! {
            happened = event => happened,
            outcome = &mut serving => {
                outcome.context("failed to serve")?;
                anyhow::bail!("the server has ended")
            }
        };
        drop(stop);
        // Who does not hear it is tried by the keep-alive, and meanwhile told the same.
        let _over = timeout(FAREWELL, serving).await;
        Ok(happened)
    }
}
