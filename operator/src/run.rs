//! `dns-operator` without a command: the operator itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use http::HeaderValue;
use http::header::USER_AGENT;
use k8s_openapi::jiff::Timestamp;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::apply::Applier;
use crate::cache::Cache;
use crate::cli::{ClusterArgs, RunArgs};
use crate::dns::corefile::Templates;
use crate::dns::{Outcome, Reconciler};
use crate::health::Health;
use crate::images::Images;
use crate::logging::Logging;
use crate::metrics::{CountRequests, Metrics};
use crate::resources::{OPENSHIFT_CONFIG_API, WATCHED, WATCHED_ON_OPENSHIFT};
use crate::serve::{ProfileInForce, serve};
use crate::watch;

/// How long one pass over the objects may take: the client repeats a refused
/// request for minutes.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait after a pass that failed, doubled with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// The API server sends a bookmark about once a minute on each watch; a
/// connection that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(180);
/// HTTP's status for an API that is not served.
const NOT_FOUND: u16 = 404;

/// Runs the operator until it is told to stop.
pub fn run(args: &RunArgs, logging: &Logging) -> anyhow::Result<()> {
    let images = Images::from_env()?;
    let templates = Templates::new()?;
    // One thread is plenty: there is one resource, and all waiting is for I/O.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            outcome = connect_and_operate(args, logging, images, templates) => outcome,
            signal = stop_signal() => {
                tracing::info!("stopping on {}", signal?);
                Ok(())
            }
        }
    })
}

async fn connect_and_operate(
    args: &RunArgs,
    logging: &Logging,
    images: Images,
    templates: Templates,
) -> anyhow::Result<()> {
    let vitals = Vitals::default();
    let client = connect(args, &vitals.metrics).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        release = args.cluster.release_version,
        coredns = images.coredns,
        "starting"
    );
    let profile = ProfileInForce::default();
    let serving = serve(&args.serve, client.clone(), &vitals, &profile);
    let cluster = args.cluster.clone();
    let operating = operate(client, images, templates, cluster, &vitals, |cache| {
        logging.follow(cache);
        profile.follow(cache);
    });
    tokio::select! {
        outcome = operating => outcome,
        outcome = serving => outcome,
    }
}

/// What the operator tells of itself while it works.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// For the kubelet.
    pub health: Arc<Health>,
    /// For Prometheus.
    pub metrics: Arc<Metrics>,
}

impl Vitals {
    fn pass_begins(&self) -> Instant {
        let now = Instant::now();
        self.health.pass_begun(now);
        now
    }

    fn pass_ended(&self, begun: Instant, outcome: &Outcome) {
        self.health.pass_ended();
        self.metrics.reconciled(outcome, begun.elapsed());
    }
}

/// Keeps the cluster behind `client` as its DNS resource says, for as long as it
/// is polled. `before_pass` is called before each look at the cluster.
pub async fn operate(
    client: Client,
    images: Images,
    templates: Templates,
    cluster: ClusterArgs,
    vitals: &Vitals,
    before_pass: impl Fn(&Cache),
) -> anyhow::Result<()> {
    let cache = Arc::new(Cache::default());
    let mut watches = follow_all(&client, &cache).await?;
    vitals.health.listed();
    let applier = Applier::new(client, Arc::clone(&cache));
    let metrics = Arc::clone(&vitals.metrics);
    let mut reconciler = Reconciler::new(Arc::clone(&cache), applier, templates, images, cluster, metrics);
    let mut delay = FIRST_DELAY;
    loop {
        before_pass(&cache);
        let begun = vitals.pass_begins();
        let pass = timeout(RECONCILE_TIMEOUT, reconciler.reconcile(Timestamp::now())).await;
        let outcome = pass.unwrap_or_else(|_| {
            tracing::error!("gave up a pass after {RECONCILE_TIMEOUT:?}");
            Outcome {
                look_again: None,
                failed: true,
            }
        });
        vitals.pass_ended(begun, &outcome);
        let mut wait = outcome.look_again;
        if outcome.failed {
            wait = Some(wait.map_or(delay, |wait| wait.min(delay)));
            delay = (delay * 2).min(LONGEST_DELAY);
        } else {
            delay = FIRST_DELAY;
        }
        tokio::select! {
            () = cache.changed() => {}
            () = sleep(wait) => {}
            Some(ended) = watches.join_next() => {
                ended.context("a watch ended")?;
                anyhow::bail!("a watch ended");
            }
        }
    }
}

/// Sleeps, or for ever.
async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

async fn connect(args: &RunArgs, metrics: &Arc<Metrics>) -> anyhow::Result<Client> {
    let mut config = match &args.kubeconfig {
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
    let builder = ClientBuilder::try_from(config).context("failed to set up the client")?;
    Ok(builder.with_layer(&CountRequests(Arc::clone(metrics))).build())
}

/// Starts every watch and waits until all of them have listed what there is.
async fn follow_all(client: &Client, cache: &Arc<Cache>) -> anyhow::Result<JoinSet<()>> {
    let mut scopes = WATCHED.to_vec();
    if serves_openshift_config(client).await? {
        scopes.extend(WATCHED_ON_OPENSHIFT);
    }
    let mut watches = JoinSet::new();
    let mut lists = Vec::new();
    for scope in scopes {
        let (listed, list) = oneshot::channel();
        watches.spawn(watch::follow(client.clone(), scope, Arc::clone(cache), listed));
        lists.push(list);
    }
    for list in lists {
        list.await
            .context("a watch ended before it had listed anything")?;
    }
    Ok(watches)
}

/// Whether this is OpenShift, with its configuration API. Asked until there is
/// an answer: taking OpenShift for something else could give the DNS service
/// another address for good.
async fn serves_openshift_config(client: &Client) -> anyhow::Result<bool> {
    let mut delay = FIRST_DELAY;
    loop {
        match client.list_api_group_resources(OPENSHIFT_CONFIG_API).await {
            Ok(_) => return Ok(true),
            Err(kube::Error::Api(status)) if status.code == NOT_FOUND => {
                tracing::info!("{OPENSHIFT_CONFIG_API} is not served: working without it");
                return Ok(false);
            }
            Err(error @ (kube::Error::InferConfig(_) | kube::Error::InferKubeconfig(_))) => {
                return Err(error.into());
            }
            Err(error) => {
                tracing::warn!(%error, "failed to reach the API server, trying again in {delay:?}");
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
        }
    }
}

async fn stop_signal() -> anyhow::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
