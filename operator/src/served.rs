//! Which of the APIs that a cluster may lack are there: told by the names of the
//! definitions (CustomResourceDefinitions), which come and go at run time.

use std::collections::BTreeSet;
use std::pin::pin;

use futures::StreamExt;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::watch as channel;

use crate::dns::objects::ObjectKey;
use crate::resources::{Resource, WATCHED_NAME_RESOLVERS, WATCHED_WHERE_DEFINED};
use crate::watch::{self, ListError, PAGE, WATCH_SECONDS};

/// The definitions that matter, as far as the cluster has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served(BTreeSet<String>);

impl Served {
    /// Whether objects like this one can be there.
    #[must_use]
    pub fn has(&self, key: &ObjectKey) -> bool {
        Resource::of(key).is_some_and(|resource| self.serves(&resource))
    }

    /// Whether a kind is served.
    #[must_use]
    pub fn serves(&self, resource: &Resource) -> bool {
        self.0.contains(&resource.definition())
    }
}

/// The definitions that matter.
fn wanted() -> BTreeSet<String> {
    let scopes = WATCHED_WHERE_DEFINED.iter().chain([&WATCHED_NAME_RESOLVERS]);
    scopes.map(|scope| scope.resource.definition()).collect()
}

/// The definitions that are there now.
pub async fn list(client: &Client) -> Result<Served, ListError> {
    let wanted = wanted();
    let api: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(client.clone());
    let mut present = BTreeSet::new();
    let what = || "customresourcedefinitions".to_owned();
    watch::list_all(&api, ListParams::default(), what, |definition| {
        present.extend(definition.metadata.name.filter(|name| wanted.contains(name)));
    })
    .await?;
    Ok(Served(present))
}

/// Follows the definitions for as long as it is polled. Nothing is told before
/// all of them have been listed: taking OpenShift for something else could give
/// the DNS service another address for good.
pub async fn follow(client: Client, tell: channel::Sender<Option<Served>>) {
    let wanted = wanted();
    let api: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(client);
    let config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    let mut events = pin!(watcher(api, config).default_backoff());
    let mut present = BTreeSet::new();
    let mut listed = false;
    while let Some(event) = events.next().await {
        let name = |definition: PartialObjectMeta<CustomResourceDefinition>| {
            definition.metadata.name.filter(|name| wanted.contains(name))
        };
        match event {
            Ok(Event::Init) => {
                listed = false;
                present.clear();
            }
            Ok(Event::InitApply(definition) | Event::Apply(definition)) => present.extend(name(definition)),
            Ok(Event::Delete(definition)) => {
                if let Some(name) = name(definition) {
                    present.remove(&name);
                }
            }
            Ok(Event::InitDone) => listed = true,
            Err(error) => {
                tracing::warn!(%error, "failed to watch the definitions of resources, trying again");
            }
        }
        if listed {
            let now = Some(Served(present.clone()));
            tell.send_if_modified(|known| {
                let new = *known != now;
                if new {
                    known.clone_from(&now);
                }
                new
            });
        }
    }
}
