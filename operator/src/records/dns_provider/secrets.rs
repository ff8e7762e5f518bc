//! Follows the Secrets that DNSProviders name, each by itself: who may read those alone need
//! not be let read others.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

use super::secret::{SecretData, SecretName};
use crate::watch::WATCH_SECONDS;

/// What is known of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing yet.
    #[default]
    Nothing,
    /// It is not there.
    Absent,
    /// The API server does not let us read it, in its own words.
    Forbidden(String),
    /// This is in it.
    Present(Arc<SecretData>),
}

/// The Secrets that are followed.
pub(super) struct Secrets {
    place: Place,
    followed: BTreeMap<SecretName, Followed>,
    changed: channel::Sender<()>,
}

/// Where Secrets are.
enum Place {
    Cluster(Client),
    Given(Arc<Given>),
}

/// Secrets that no API server has.
#[derive(Default)]
pub(super) struct Given {
    secrets: Mutex<BTreeMap<SecretName, Arc<SecretData>>>,
    changed: channel::Sender<()>,
}

impl Given {
    /// Gives these, and no others.
    pub(super) fn replace(&self, secrets: BTreeMap<SecretName, Arc<SecretData>>) {
        *self.secrets.lock().unwrap_or_else(PoisonError::into_inner) = secrets;
        self.changed.send_replace(());
    }

    fn get(&self, name: &SecretName) -> Known {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.get(name).cloned().map_or(Known::Absent, Known::Present)
    }
}

/// A Secret that is followed; dropped, it is no more.
struct Followed {
    known: Arc<Mutex<Known>>,
    task: JoinHandle<()>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Secrets {
    pub(super) fn of_cluster(client: Client) -> Self {
        Self::of(Place::Cluster(client), channel::Sender::default())
    }

    pub(super) fn given(given: Arc<Given>) -> Self {
        let changed = given.changed.clone();
        Self::of(Place::Given(given), changed)
    }

    fn of(place: Place, changed: channel::Sender<()>) -> Self {
        Self {
            place,
            followed: BTreeMap::new(),
            changed,
        }
    }

    /// Tells of every change from now on, changes in quick succession once.
    pub(super) fn changes(&self) -> channel::Receiver<()> {
        self.changed.subscribe()
    }

    /// Follows these Secrets from now on, and no others.
    pub(super) fn follow(&mut self, names: &BTreeSet<SecretName>) {
        let Place::Cluster(client) = &self.place else {
            return;
        };
        self.followed.retain(|name, _| names.contains(name));
        for name in names {
            if !self.followed.contains_key(name) {
                let known = Arc::default();
                let watching = watch(
                    client.clone(),
                    name.clone(),
                    Arc::clone(&known),
                    self.changed.clone(),
                );
                let task = tokio::spawn(watching);
                self.followed.insert(name.clone(), Followed { known, task });
            }
        }
    }

    /// What is known of a Secret.
    pub(super) fn get(&self, name: &SecretName) -> Known {
        if let Place::Given(given) = &self.place {
            return given.get(name);
        }
        let known = self.followed.get(name).map(|followed| &followed.known);
        known.map_or(Known::Nothing, |known| {
            known.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }
}

/// Follows a Secret for as long as it is polled.
async fn watch(client: Client, name: SecretName, known: Arc<Mutex<Known>>, changed: channel::Sender<()>) {
    let api: Api<Secret> = Api::namespaced(client, &name.namespace);
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={}", name.name))
        .timeout(WATCH_SECONDS);
    let mut events = pin!(watcher(api, config).default_backoff());
    let mut listed = Known::Absent;
    while let Some(event) = events.next().await {
        let next = match event {
            Ok(Event::Init) => {
                listed = Known::Absent;
                continue;
            }
            Ok(Event::InitApply(secret)) => {
                listed = present(secret);
                continue;
            }
            Ok(Event::InitDone) => std::mem::replace(&mut listed, Known::Absent),
            Ok(Event::Apply(secret)) => present(secret),
            Ok(Event::Delete(_)) => Known::Absent,
            Err(error) => {
                tracing::warn!(kind = "Secret", %name, %error, "failed to watch, trying again");
                match refusal(&error) {
                    Some(words) => Known::Forbidden(words),
                    None => continue,
                }
            }
        };
        let mut held = known.lock().unwrap_or_else(PoisonError::into_inner);
        // What was read once is good until it is known to be otherwise.
        let is_good = matches!((&*held, &next), (Known::Present(_), Known::Forbidden(_)));
        if !is_good && *held != next {
            *held = next;
            drop(held);
            changed.send_replace(());
        }
    }
}

fn present(secret: Secret) -> Known {
    let data = secret.data.unwrap_or_default();
    let data = data.into_iter().map(|(key, value)| (key, value.0)).collect();
    Known::Present(Arc::new(SecretData::new(data)))
}

/// What the API server says if it does not let us.
fn refusal(error: &watcher::Error) -> Option<String> {
    let (watcher::Error::InitialListFailed(error)
    | watcher::Error::WatchStartFailed(error)
    | watcher::Error::WatchFailed(error)) = error
    else {
        return None;
    };
    match error {
        kube::Error::Api(status) if status.is_forbidden() => Some(status.message.clone()),
        _ => None,
    }
}
