//! What the bench sees of the ConfigMaps: a watch that notes when each state
//! arrived.

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Client};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::subject::NAMESPACE;

/// A watch on the ConfigMaps of the operand.
#[derive(Debug)]
pub struct Sight {
    states: UnboundedReceiver<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    at: Instant,
    name: String,
    /// None: it is gone.
    corefile: Option<String>,
}

impl Sight {
    /// Begins to watch.
    pub fn open(client: Client) -> Self {
        let (sender, states) = unbounded_channel();
        let task = tokio::spawn(follow(client, sender));
        Self { states, task }
    }

    /// Forgets what was seen and not waited for.
    pub fn forget(&mut self) {
        while self.states.try_recv().is_ok() {}
    }

    /// When a ConfigMap was seen as `wanted`; it is given the Corefile, or none if
    /// the ConfigMap is gone. States before the matching one are forgotten.
    pub async fn wait(
        &mut self,
        name: &str,
        limit: Duration,
        wanted: impl Fn(Option<&str>) -> bool,
    ) -> Result<Instant> {
        let seen = async {
            loop {
                let state = self
                    .states
                    .recv()
                    .await
                    .context("the watch on ConfigMaps ended")?;
                if state.name == name && wanted(state.corefile.as_deref()) {
                    return Ok(state.at);
                }
            }
        };
        timeout(limit, seen)
            .await
            .map_err(|_| anyhow!("ConfigMap {NAMESPACE}/{name} was not seen as expected within {limit:?}"))?
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(client: Client, states: UnboundedSender<State>) {
    let api: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let mut events = pin!(watch(api, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        let at = Instant::now();
        let (object, gone) = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => (object, false),
            Ok(Event::Delete(object)) => (object, true),
            Ok(Event::Init | Event::InitDone) => continue,
            Err(error) => {
                eprintln!("bench: the watch on ConfigMaps failed and begins again: {error}");
                continue;
            }
        };
        let corefile = object.data.and_then(|mut data| data.remove("Corefile"));
        let state = State {
            at,
            name: object.metadata.name.unwrap_or_default(),
            corefile: if gone {
                None
            } else {
                Some(corefile.unwrap_or_default())
            },
        };
        if states.send(state).is_err() {
            return;
        }
    }
}
