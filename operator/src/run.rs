//! `dns-operator` without a command: the operator itself.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use std::{env, process};

use anyhow::Context as _;
use http::HeaderValue;
use http::header::USER_AGENT;
use k8s_openapi::jiff::Timestamp;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch as channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::apply::Applier;
use crate::cache::Cache;
use crate::cli::RunArgs;
use crate::dns::corefile::Templates;
use crate::dns::{Outcome, Reconciler, Setup};
use crate::images::Images;
use crate::leader::Candidate;
use crate::logging::Logging;
use crate::metrics::{CountRequests, Metrics};
use crate::resources::{WATCHED, WATCHED_WHERE_DEFINED, lease_key};
use crate::serve::{ProfileInForce, serve};
use crate::served::{self, Served};
use crate::upstreams::verdict::Verdicts;
use crate::vitals::Vitals;
use crate::watch::{self, Listed};
use crate::{events, name_resolver, upstreams};

/// How long one pass over the objects may take: the client repeats a refused
/// request for minutes.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait after a pass that failed, doubled with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// The API server sends a bookmark about once a minute on each watch; a
/// connection that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(180);

/// Runs the operator until it is told to stop.
pub fn run(args: &RunArgs, logging: &Logging) -> anyhow::Result<()> {
    let setup = Setup {
        images: Images::from_env()?,
        templates: Templates::new()?,
        cluster: args.cluster.clone(),
        vitals: Vitals::default(),
        probe_upstreams: args.probe_upstreams,
    };
    // One thread is plenty: there is one resource, and all waiting is for I/O.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    runtime.block_on(connect_and_operate(args, logging, setup))
}

async fn connect_and_operate(args: &RunArgs, logging: &Logging, setup: Setup) -> anyhow::Result<()> {
    let mut stop = pin!(stop_signal());
    let vitals = setup.vitals.clone();
    let client = connect(args, &vitals.metrics).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        release = setup.cluster.release_version,
        coredns = setup.images.coredns,
        "starting"
    );
    let stopped = async {
        match stop.as_mut().await {
            Ok(signal) => tracing::info!("stopping on {signal}"),
            Err(error) => tracing::error!("stopping: {error:#}"),
        }
    };
    let profile = ProfileInForce::default();
    let serving = serve(&args.serve, client.clone(), &vitals, &profile);
    let follow = |cache: &Cache| {
        logging.follow(cache);
        profile.follow(cache);
    };
    // An address that cannot be served on ends the operator as a signal does: the
    // Lease is released.
    let mut failed = Ok(());
    let stopped = async {
        tokio::select! {
            () = stopped => {}
            outcome = serving => failed = outcome,
        }
    };
    Box::pin(operate(client, setup, identity(), follow, stopped)).await?;
    failed
}

/// Under which name this replica takes the Lease. A container that is started
/// again in the same pod finds the Lease its own.
#[must_use]
pub fn identity() -> String {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    variable("POD_NAME").unwrap_or_else(|| {
        let host = variable("HOSTNAME").unwrap_or_else(|| "dns-operator".into());
        format!("{host}_{}", process::id())
    })
}

/// Keeps the cluster behind `client` as its DNS resource says, as long as this
/// replica holds the Lease under the name `identity`, until `stop`. `before_pass` is
/// called before each look at the cluster.
pub async fn operate(
    client: Client,
    setup: Setup,
    identity: String,
    before_pass: impl Fn(&Cache),
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let cache = Arc::new(Cache::default());
    let vitals = setup.vitals.clone();
    let applier = Applier::new(client.clone(), Arc::clone(&cache));
    let (events, publisher) = events::channel(client.clone(), Arc::clone(&cache), &identity);
    let mut candidate =
        Candidate::new(lease_key(), Arc::clone(&cache), applier.clone(), identity).doing_without();
    let (leading, leads) = channel::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(publisher.run());
    let work = async {
        let served = follow_all(&client, &cache, &mut tasks).await?;
        vitals.health.listed();
        tasks.spawn(name_resolver::run(
            client.clone(),
            Arc::clone(&cache),
            setup.cluster.release_version.clone(),
            served.clone(),
            leads.clone(),
        ));
        let (upstreams, prober) = upstreams::channel(Arc::clone(&vitals.metrics));
        tasks.spawn(prober.run(leads.clone()));
        let verdicts = upstreams.changes();
        let mut reconciler = Reconciler::new(
            client.clone(),
            Arc::clone(&cache),
            applier,
            events,
            served.clone(),
            upstreams,
            setup,
        );
        let news = News { served, verdicts };
        tokio::select! {
            () = candidate.run(&leading) => {}
            () = act(&mut reconciler, &cache, news, leads, &vitals, before_pass) => {}
            ended = tasks.join_next() => {
                ended.transpose().context("a watch ended")?;
            }
        }
        // All of these go on for ever.
        anyhow::bail!("a watch ended")
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = stop => Ok(()),
    };
    candidate.release().await;
    outcome
}

/// What there is to look at the cluster for, beside its objects.
struct News {
    served: channel::Receiver<Option<Served>>,
    verdicts: channel::Receiver<Verdicts>,
}

/// Looks at the cluster whenever something has changed, while leading.
async fn act(
    reconciler: &mut Reconciler,
    cache: &Cache,
    mut news: News,
    mut leads: channel::Receiver<bool>,
    vitals: &Vitals,
    before_pass: impl Fn(&Cache),
) {
    let mut changes = cache.changes();
    let mut delay = FIRST_DELAY;
    loop {
        changes.borrow_and_update();
        news.served.borrow_and_update();
        news.verdicts.borrow_and_update();
        before_pass(cache);
        let mut wait = None;
        let leading = *leads.borrow_and_update();
        vitals.metrics.leading(leading);
        if leading {
            let begun = vitals.pass_begins();
            // Whoever leads next must not find this one still writing.
            let mut lead = leads.clone();
            let outcome = tokio::select! {
                outcome = pass(reconciler) => outcome,
                _ = lead.wait_for(|leading| !leading) => Outcome::default(),
            };
            vitals.pass_ended(begun, &outcome);
            wait = outcome.look_again;
            if outcome.failed {
                wait = Some(wait.map_or(delay, |wait| wait.min(delay)));
                delay = (delay * 2).min(LONGEST_DELAY);
            } else {
                delay = FIRST_DELAY;
            }
        }
        // A sender that has gone ends the program elsewhere.
        tokio::select! {
            _ = changes.changed() => {}
            _ = news.served.changed() => {}
            _ = news.verdicts.changed() => {}
            _ = leads.changed() => {}
            () = sleep(wait) => {}
        }
    }
}

async fn pass(reconciler: &mut Reconciler) -> Outcome {
    let pass = timeout(RECONCILE_TIMEOUT, reconciler.reconcile(Timestamp::now())).await;
    pass.unwrap_or_else(|_| {
        tracing::error!("gave up a pass after {RECONCILE_TIMEOUT:?}");
        Outcome {
            look_again: None,
            failed: true,
        }
    })
}

/// Sleeps, or for ever.
async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

async fn connect(args: &RunArgs, metrics: &Arc<Metrics>) -> anyhow::Result<Client> {
    let config = client_config(args.kubeconfig.as_deref()).await?;
    let builder = ClientBuilder::try_from(config).context("failed to set up the client")?;
    Ok(builder.with_layer(&CountRequests(Arc::clone(metrics))).build())
}

/// How the cluster of a kubeconfig is reached, or the one that the program runs in.
pub async fn client_config(kubeconfig: Option<&Path>) -> anyhow::Result<Config> {
    let mut config = match kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file)
                .with_context(|| format!("failed to read the kubeconfig {}", file.display()))?;
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .with_context(|| format!("failed to use the kubeconfig {}", file.display()))?
        }
        // From environment variables: the program that runs the cluster's DNS
        // must not need it.
        None => {
            Config::incluster().context("failed to find the cluster (no --kubeconfig, and not in a pod)")?
        }
    };
    config.read_timeout = Some(SILENCE);
    config.headers.push((
        USER_AGENT,
        HeaderValue::from_static(concat!("dns-operator/", env!("CARGO_PKG_VERSION"))),
    ));
    Ok(config)
}

/// Starts every watch and waits until all of them have listed what there is.
async fn follow_all(
    client: &Client,
    cache: &Arc<Cache>,
    watches: &mut JoinSet<()>,
) -> anyhow::Result<channel::Receiver<Option<Served>>> {
    let mut lists = Vec::new();
    let mut listed = || {
        let (listed, list) = oneshot::channel();
        lists.push(list);
        Listed::new(listed)
    };
    let (tell, served) = channel::channel(None);
    watches.spawn(served::follow(client.clone(), tell));
    watches.spawn(watch::follow_nodes(client.clone(), Arc::clone(cache)));
    for scope in WATCHED {
        watches.spawn(watch::follow_always(
            client.clone(),
            scope,
            Arc::clone(cache),
            listed(),
        ));
    }
    for scope in WATCHED_WHERE_DEFINED {
        watches.spawn(watch::follow_where_defined(
            client.clone(),
            scope,
            Arc::clone(cache),
            served.clone(),
            listed(),
        ));
    }
    for list in lists {
        list.await
            .context("a watch ended before it had listed anything")?;
    }
    Ok(served)
}

/// Waits until the process is told to stop; the name of the signal.
pub async fn stop_signal() -> anyhow::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
