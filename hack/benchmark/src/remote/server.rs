//! The server, in a process of its own so that its memory is its own, and what it is told
//! to do.

use std::future::pending;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use records::cache::{Cached, Clock, Settings};
use records::{Provider, Zone};
use remote::server::admission::MutualTls;
use remote::server::listener::{self, Bounds};
use remote::server::{
    Account, Catalogue, Central, Credentials, Limits, Offer, OfferedZone, Services, Tokens,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::certificates::read_server;
use super::hosted::{Hosted, Tally};
use super::subprocess::{orders, say};
use crate::cli::RemoteServerArgs;
use crate::clock::Simulated;

/// How long a zone is served without the provider being asked.
pub const RESYNC: Duration = Duration::from_secs(15 * 60);
/// How long after its last full read a zone is trusted, as `--record-cache-max-age` has it.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// How long a batch is waited for.
const NO_BATCH: Duration = Duration::from_secs(2);

/// What the server is told to do. Each order is answered with the tally after it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Let so many seconds pass, and do what is due then.
    Advance(u64),
    /// Have the provider take so many milliseconds for a batch.
    Pause(u64),
    /// Wait until a batch begins.
    NextBatch,
    /// Nothing.
    Tell,
}

/// The namespaces of so many clients.
pub fn namespaces(clients: u32) -> impl Iterator<Item = String> {
    (0..clients).map(|number| format!("cluster-{number}"))
}

/// A cache as the server has it, and the client that is shipped.
pub fn cache(provider: Arc<dyn Provider>, directory: Option<&Path>, clock: Arc<dyn Clock>) -> Result<Cached> {
    let settings = Settings {
        time: RESYNC,
        patch_on_apply: true,
        directory: directory.map(Path::to_owned),
        max_age: Some(MAX_AGE),
        ..Settings::default()
    };
    Ok(Cached::open(provider, settings, clock)?)
}

/// Reads again the zones whose turn it is.
pub async fn rotate(cache: &Cached) -> Result<()> {
    while cache.next_confirmation().is_some_and(|wait| wait.is_zero()) {
        if let Some((_, read)) = cache.confirm_one().await {
            read?;
        }
    }
    Ok(())
}

/// Serves until standard input ends.
pub async fn serve(args: &RemoteServerArgs) -> Result<()> {
    let clock = Arc::new(Simulated::default());
    clock.advance(Duration::from_secs(args.since));
    let hosted = Arc::new(Hosted::new(args.zones, args.records)?);
    let directory = args.directory.join("cache");
    let provider = Arc::clone(&hosted) as Arc<dyn Provider>;
    let cache = cache(provider, Some(&directory), Arc::clone(&clock) as Arc<dyn Clock>)?;
    let cache = Arc::new(cache);
    let account = Account::new("account", "aws-route53", Arc::clone(&cache), Limits::default());
    let catalogue: Arc<Catalogue> = Arc::default();
    for namespace in namespaces(args.clients) {
        catalogue.put(&namespace, "provider", offer(&account, hosted.all()));
    }
    let pem = read_server(&args.directory)?;
    let admission = MutualTls::new(Tokens::new(&pem.key), Arc::clone(&clock) as Arc<dyn Clock>);
    let central = Central::new(
        catalogue,
        Arc::new(admission),
        Arc::clone(&clock) as Arc<dyn Clock>,
        remote::server::Settings::default(),
    );
    let credentials = Arc::new(Credentials::new(&pem)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    say(&listener.local_addr()?)?;
    let services = Services::new(&central);
    let serving = listener::serve(services, listener, credentials, Bounds::default(), pending());
    let orders = Orders {
        clock,
        hosted,
        cache,
        central,
    };
    tokio::select! {
        served = serving => served.context("failed to serve"),
        obeyed = orders.obey() => obeyed,
    }
}

fn offer(account: &Arc<Account>, zones: &[Zone]) -> Offer {
    let zones = zones.iter().map(|zone| OfferedZone {
        zone: zone.clone(),
        private: false,
        forwarded: Vec::new(),
    });
    Offer {
        account: Arc::clone(account),
        zones: zones.collect(),
    }
}

struct Orders {
    clock: Arc<Simulated>,
    hosted: Arc<Hosted>,
    cache: Arc<Cached>,
    central: Arc<Central>,
}

impl Orders {
    async fn obey(&self) -> Result<()> {
        let mut lines = orders();
        while let Some(line) = lines.recv().await {
            say(&self.follow(serde_json::from_str(&line)?).await?)?;
        }
        Ok(())
    }

    async fn follow(&self, order: Order) -> Result<Tally> {
        let mut tally = self.hosted.tally();
        match order {
            Order::Advance(seconds) => {
                self.clock.advance(Duration::from_secs(seconds));
                self.central.refresh().await;
                rotate(&self.cache).await?;
                self.central.refresh().await;
            }
            Order::Pause(milliseconds) => self.hosted.set_pause(Duration::from_millis(milliseconds)),
            Order::NextBatch => {
                let known = tally.borrow_and_update().batches;
                let next = tally.wait_for(|tally| tally.batches > known);
                // Nothing may be there to be written any more: the tally tells.
                let _begun = timeout(NO_BATCH, next).await.is_ok();
            }
            Order::Tell => {}
        }
        let told = *tally.borrow();
        Ok(told)
    }
}
