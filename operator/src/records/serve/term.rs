//! A term of leading: all that works while this server is the one that talks to the providers.
//!
//! It has a runtime of its own. What is begun in it ends with it, wherever it was begun: no
//! call of a provider outlives the Lease, and the folders of the caches are free again.

use std::fmt;
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use records::cache::SystemClock;
use remote::server::admission::MutualTls;
use remote::server::listener::{self, Bounds};
use remote::server::{Catalogue, Central, Services, Settings};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{oneshot, watch as channel};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::credentials::Secrets;
use super::offers::Offers;
use crate::records::cli::ServeArgs;
use crate::records::dns_provider::controller::{self, Survey};
use crate::records::dns_provider::object::REMOTE;
use crate::records::dns_provider::place::Place;
use crate::records::dns_provider::usable::Usable;

/// How often zones are published as their caches hold them: so long may it take until those
/// who watch learn of what others wrote, once the cache has.
const REFRESH: Duration = Duration::from_secs(30);
/// How long a batch that is being made may take when the server goes down.
const LAST_BATCH: Duration = Duration::from_secs(50);
/// How long answers may take to be sent after that.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How long what has no end in sight may take to stop: it is stopped where it waits.
const STOP: Duration = Duration::from_secs(5);

/// What every term is made of.
pub struct Setup {
    place: Place,
    controller: controller::Settings,
    central: Settings,
    /// What connections are made with.
    pub secrets: Arc<Secrets>,
}

impl Setup {
    /// What the command line says. Files are read, so that what is wrong with them is told
    /// before anything is begun.
    pub fn of(args: &ServeArgs, secrets: Arc<Secrets>) -> anyhow::Result<Self> {
        let mut controller = args.dns_providers.settings(&args.cache)?;
        controller.cache.patch_on_apply = true;
        let place = Place::of("--providers", &args.providers, args.kubeconfig.as_deref());
        place.check(&controller.class)?;
        Ok(Self {
            place,
            controller,
            central: Settings {
                quota: args.quota.quota(),
                ..Settings::default()
            },
            secrets,
        })
    }
}

/// What is counted of a term.
pub struct Office {
    /// What clients are served from.
    pub central: Arc<Central>,
    /// The DNSProviders whose accounts can be used.
    pub usable: channel::Receiver<Usable>,
}

impl fmt::Debug for Office {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Office")
    }
}

/// A term.
pub struct Term {
    threads: Threads,
    office: Arc<Office>,
    is_complete: channel::Receiver<bool>,
    secrets: Arc<Secrets>,
    work: JoinSet<()>,
    server: Option<Server>,
}

/// What serves clients, until the sender is dropped.
struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

/// The runtime of a term. Dropped, it ends where it is.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> anyhow::Result<(Self, Handle)> {
        let runtime = Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.context("failed to start the runtime of a term")?;
        let handle = runtime.handle().clone();
        Ok((Self(Some(runtime)), handle))
    }

    fn handle(&self) -> anyhow::Result<Handle> {
        let runtime = self.0.as_ref().context("the term is over")?;
        Ok(runtime.handle().clone())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Term {
    /// Begins to work. Nobody is served yet.
    pub async fn begin(setup: &Setup) -> anyhow::Result<Self> {
        let (threads, handle) = Threads::start()?;
        let (controller, usable) = setup.place.controller(setup.controller.clone(), &handle).await?;
        let catalogue: Arc<Catalogue> = Arc::default();
        let clock = Arc::new(SystemClock::default());
        let admission = MutualTls::new(setup.secrets.tokens(), Arc::clone(&clock) as _);
        let central = Central::new(Arc::clone(&catalogue), Arc::new(admission), clock, setup.central);
        let survey = controller.survey();
        let mut work = JoinSet::new();
        work.spawn_on(controller.run(), &handle);
        let (offers, is_complete) = Offers::new(catalogue);
        work.spawn_on(offers.follow(usable.clone(), survey.clone()), &handle);
        work.spawn_on(refresh(Arc::clone(&central)), &handle);
        work.spawn_on(warn_of_nothing(survey), &handle);
        Ok(Self {
            threads,
            office: Arc::new(Office { central, usable }),
            is_complete,
            secrets: Arc::clone(&setup.secrets),
            work,
            server: None,
        })
    }

    /// What is counted of it.
    pub fn office(&self) -> Arc<Office> {
        Arc::clone(&self.office)
    }

    /// Whether all is there that can be served.
    pub fn is_complete(&self) -> channel::Receiver<bool> {
        self.is_complete.clone()
    }

    /// Begins to serve.
    pub fn open(&mut self, listener: &StdListener) -> anyhow::Result<()> {
        let handle = self.threads.handle()?;
        let listener = {
            let _inside = handle.enter();
            TcpListener::from_std(listener.try_clone()?)?
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            // It is dropped to be told.
            let _dropped = stopped.await;
        };
        let services = Services::new(&self.office.central);
        let credentials = Arc::clone(&self.secrets.connections);
        let task = handle.spawn(listener::serve(
            services,
            listener,
            credentials,
            Bounds::default(),
            stopped,
        ));
        self.server = Some(Server { stop, task });
        tracing::info!("serving zones");
        Ok(())
    }

    /// Waits for a part of it to end by itself, which none does; why.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let served = async {
            match &mut self.server {
                Some(server) => (&mut server.task).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            served = served => served?.context("failed to serve")?,
            worked = self.work.join_next() => worked.transpose().map(drop)?,
        }
        anyhow::bail!("a part of the server has ended")
    }

    /// Ends it in order: batches that are being made are finished, and what came of them is
    /// answered.
    pub async fn finish(mut self) {
        if let Some(Server { stop, mut task }) = self.server.take() {
            drop(stop);
            self.office.central.close();
            if timeout(LAST_BATCH, self.office.central.idle()).await.is_err() {
                tracing::warn!("a batch was given up: it took longer than {LAST_BATCH:?}");
            }
            if timeout(LAST_ANSWERS, &mut task).await.is_err() {
                tracing::info!("clients that did not take their leave are cut off");
            }
        }
        self.end().await;
    }

    /// Ends it where it is.
    pub async fn end(mut self) {
        let Some(runtime) = self.threads.0.take() else {
            return;
        };
        self.work.abort_all();
        drop(self);
        let ended = spawn_blocking(move || runtime.shutdown_timeout(STOP)).await;
        if let Err(error) = ended {
            tracing::error!("a term did not end well: {error}");
        }
    }
}

async fn refresh(central: Arc<Central>) {
    loop {
        central.refresh().await;
        sleep(REFRESH).await;
    }
}

/// Says so when no DNSProvider is there for other clusters.
async fn warn_of_nothing(mut survey: channel::Receiver<Survey>) {
    loop {
        let nothing = survey.wait_for(|survey| survey.is_complete && survey.remote == 0);
        if nothing.await.is_ok() {
            tracing::warn!(
                "nothing is served: no DNSProvider has the annotation {} (or {}) with the value true",
                REMOTE[1],
                REMOTE[0]
            );
        }
        if survey.wait_for(|survey| survey.remote > 0).await.is_err() {
            // The controller has ended, and the term with it.
            return std::future::pending().await;
        }
    }
}
