//! Which of several servers leads.

use std::sync::Arc;

use anyhow::Context as _;
use kube::Client;
use tokio::sync::{oneshot, watch as channel};

use super::pod::Pod;
use crate::apply::Applier;
use crate::cache::Cache;
use crate::leader::Candidate;
use crate::records::cli::ServeArgs;
use crate::resources::{central_lease, central_lease_key};
use crate::run::{client_config, identity};
use crate::watch::{self, Listed};

/// The election, where there is one.
pub struct Election(Option<Held>);

struct Held {
    namespace: String,
    client: Client,
    cache: Arc<Cache>,
    candidate: Candidate,
}

impl Election {
    /// Stands for election, if there is one.
    pub async fn open(args: &ServeArgs) -> anyhow::Result<Self> {
        let Some(namespace) = args.leader_election_namespace.clone() else {
            return Ok(Self(None));
        };
        let config = client_config(args.kubeconfig.as_deref()).await?;
        let client = Client::try_from(config).context("failed to set up the client")?;
        let cache = Arc::new(Cache::default());
        let applier = Applier::new(client.clone(), Arc::clone(&cache));
        let lease = central_lease_key(&namespace);
        let identity = args.pod().map_or_else(identity, Into::into);
        let candidate = Candidate::new(lease, Arc::clone(&cache), applier, identity);
        Ok(Self(Some(Held {
            namespace,
            client,
            cache,
            candidate,
        })))
    }

    /// The pod of a name in the place of the Lease, where there is one.
    pub fn pod(&self, name: Option<&str>) -> Pod {
        match (&self.0, name) {
            (Some(held), Some(name)) => Pod::new(held.client.clone(), &held.namespace, name),
            _ => Pod::none(),
        }
    }

    /// Whether there is one.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the Lease whenever it can be had, and tells whether it is held, for as long as it
    /// is polled.
    pub async fn run(&mut self, leading: &channel::Sender<bool>) {
        let Some(held) = &mut self.0 else {
            return std::future::pending().await;
        };
        let (listed, known) = oneshot::channel();
        let lease = central_lease(&held.namespace);
        let following = watch::follow_always(
            held.client.clone(),
            lease,
            Arc::clone(&held.cache),
            Listed::new(listed),
        );
        let candidate = &mut held.candidate;
        let standing = async {
            if known.await.is_ok() {
                candidate.run(leading).await;
            }
        };
        tokio::select! {
            () = following => {}
            () = standing => {}
        }
    }

    /// Lets the Lease go.
    pub async fn release(&mut self) {
        if let Some(held) = &mut self.0 {
            held.candidate.release().await;
        }
    }
}
