//! What the operator serves over HTTP: its health and its metrics.
//!
//! Health is for the kubelet and in plain text. Metrics are in plain text too, for
//! loopback, unless there is a folder with a certificate: then they are served over
//! TLS as the cluster's profile says ([`tls`], [`offer`]), to those whom the API
//! server allows it ([`authorization`]).

pub mod address;
pub mod authorization;
pub(crate) mod http;
pub mod memory;
pub mod offer;
mod tls;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use kube::Client;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cache::Cache;
use crate::cli::ServeArgs;
use crate::dns::observe;
use crate::dns::tls_profile::TlsProfile;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::vitals::Vitals;

use address::BindAddress;
use authorization::Authorization;
use http::Site;

/// Where metrics and health are served when nobody says where.
const DEFAULT_METRICS_PORT: u16 = 60000;
const DEFAULT_HEALTH_PORT: u16 = 60001;

/// The TLS profile in force, for whoever serves TLS.
pub struct ProfileInForce(watch::Sender<Option<TlsProfile>>);

impl Default for ProfileInForce {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl ProfileInForce {
    /// Takes over the cluster's profile. Nothing is served over TLS before the
    /// first time.
    pub fn follow(&self, cache: &Cache) {
        let profile = observe::tls_profile(cache);
        self.0.send_if_modified(|held| {
            let changed = held.as_ref() != Some(&profile);
            if changed {
                *held = Some(profile);
            }
            changed
        });
    }
}

/// Serves for as long as it is polled. Ends only with an error: an address that
/// cannot be listened on.
pub async fn serve(
    args: &ServeArgs,
    client: Client,
    vitals: &Vitals,
    profile: &ProfileInForce,
) -> anyhow::Result<()> {
    let health = serve_health(args.health_bind_addr, Arc::clone(&vitals.health));
    let metrics = Arc::clone(&vitals.metrics);
    let address = args.metrics_bind_addr;
    let metrics = async {
        match &args.metrics_cert_dir {
            Some(folder) => serve_guarded_metrics(address, folder, client, metrics, profile).await,
            None => serve_plain_metrics(address, metrics).await,
        }
    };
    tokio::try_join!(health, metrics)?;
    std::future::pending().await
}

/// Listens where a flag says, or on a port of loopback that need not be free: a
/// cluster's DNS does not depend on its metrics.
fn listen(
    flag: &'static str,
    address: Option<BindAddress>,
    port: u16,
) -> anyhow::Result<Option<TcpListener>> {
    if let Some(address) = address {
        return address.listen().context(flag);
    }
    let default = BindAddress::At((Ipv4Addr::LOCALHOST, port).into());
    Ok(default.listen().unwrap_or_else(|error| {
        tracing::warn!("{flag} is not given, and its default is not to be had: {error:#}");
        None
    }))
}

fn listen_for_metrics(address: Option<BindAddress>) -> anyhow::Result<Option<TcpListener>> {
    listen("--metrics-bind-addr", address, DEFAULT_METRICS_PORT)
}

async fn serve_health(address: Option<BindAddress>, health: Arc<Health>) -> anyhow::Result<()> {
    let Some(listener) = listen("--health-bind-addr", address, DEFAULT_HEALTH_PORT)? else {
        return Ok(());
    };
    tracing::info!("serving health on http://{}", listener.local_addr()?);
    http::serve(listener, Arc::new(Site::Health(health)), None).await
}

async fn serve_plain_metrics(address: Option<BindAddress>, metrics: Arc<Metrics>) -> anyhow::Result<()> {
    let Some(listener) = listen_for_metrics(address)? else {
        return Ok(());
    };
    tracing::info!("serving metrics on http://{}", listener.local_addr()?);
    http::serve(listener, Arc::new(Site::Metrics(metrics, None)), None).await
}

/// Opens no port before there is something to serve with.
async fn serve_guarded_metrics(
    address: Option<BindAddress>,
    folder: &Path,
    client: Client,
    metrics: Arc<Metrics>,
    profile: &ProfileInForce,
) -> anyhow::Result<()> {
    if address.is_some_and(BindAddress::is_off) {
        return Ok(());
    }
    let (sender, mut configs) = watch::channel(None);
    let serve = async {
        // The sender lives for as long as this is polled.
        let _ = configs.wait_for(Option::is_some).await;
        let Some(listener) = listen_for_metrics(address)? else {
            return Ok(());
        };
        tracing::info!("serving metrics on https://{}", listener.local_addr()?);
        let site = Site::Metrics(metrics, Some(Authorization::new(client)));
        http::serve(listener, Arc::new(site), Some(configs)).await
    };
    tokio::select! {
        outcome = serve => outcome,
        () = tls::follow(folder, profile.0.subscribe(), &sender) => Ok(()),
    }
}
