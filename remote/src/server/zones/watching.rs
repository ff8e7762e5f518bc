//! The revisions of a namespace's zones. However often a zone changes and however slow the
//! one who watches, a zone is told once, as it is then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::select_all;
use futures::stream::{BoxStream, unfold};
use tokio::sync::watch;
use tonic::{Extensions, Status};

use super::super::catalogue::Namespace;
use super::super::central::{Central, no_namespace};
use super::super::status;
use super::super::zone::ServedZone;
use crate::protocol::v2::{WatchZonesResponse, ZoneRevision};
use crate::revision::Revision;

/// Begins to tell revisions.
pub(super) fn watch(
    central: &Arc<Central>,
    extensions: Extensions,
    namespace: &str,
) -> Result<BoxStream<'static, Result<WatchZonesResponse, Status>>, Status> {
    let zones = central.catalogue().watch(namespace);
    let zones = zones.ok_or_else(|| central.absent(namespace))?;
    central.metrics().count(namespace, |figures| figures.watches += 1);
    let watcher = Watcher {
        central: Arc::clone(central),
        extensions,
        namespace: namespace.into(),
        zones,
        watched: BTreeMap::new(),
        closed: central.closed(),
        pause: central.settings().watch_pause,
        is_new: true,
    };
    Ok(unfold(Some(watcher), |watcher| async move {
        let mut watcher = watcher?;
        match watcher.next().await {
            Ok(message) => Some((Ok(message), Some(watcher))),
            Err(status) => Some((Err(status), None)),
        }
    })
    .boxed())
}

struct Watcher {
    central: Arc<Central>,
    /// Whom it is told to.
    extensions: Extensions,
    namespace: Box<str>,
    zones: watch::Receiver<Arc<Namespace>>,
    watched: BTreeMap<Box<str>, Watched>,
    /// Whether the server is going down.
    closed: watch::Receiver<bool>,
    pause: Duration,
    is_new: bool,
}

struct Watched {
    zone: Arc<ServedZone>,
    revision: watch::Receiver<Option<Revision>>,
    told: Option<Revision>,
}

impl Watcher {
    /// Waits for something to tell.
    async fn next(&mut self) -> Result<WatchZonesResponse, Status> {
        if std::mem::take(&mut self.is_new) {
            self.follow();
            return Ok(self.changed(false));
        }
        loop {
            let others = self.wait().await?;
            // What changes in the meantime is told in one message.
            tokio::time::sleep(self.pause).await;
            // It lasts longer than certificates and authorities.
            self.central.admit(&self.extensions, &self.namespace)?;
            let others = others | self.zones.has_changed().unwrap_or(true);
            if others {
                self.follow();
            }
            let message = self.changed(others);
            if others || !message.zones.is_empty() {
                return Ok(message);
            }
        }
    }

    /// Waits until something has changed; whether the zones are others.
    async fn wait(&mut self) -> Result<bool, Status> {
        let mut closed = self.closed.clone();
        tokio::select! {
            changed = self.change() => changed,
            _ = closed.wait_for(|closed| *closed) => Err(status::going_down()),
        }
    }

    /// The same, while the server does not go down.
    async fn change(&mut self) -> Result<bool, Status> {
        let gone = no_namespace(&self.namespace);
        if self.watched.is_empty() {
            return self.zones.changed().await.map(|()| true).map_err(|_| gone);
        }
        let revisions = self
            .watched
            .values_mut()
            .map(|watched| Box::pin(watched.revision.changed()));
        tokio::select! {
            changed = self.zones.changed() => changed.map(|()| true).map_err(|_| gone),
            _ = select_all(revisions) => Ok(false),
        }
    }

    /// Follows the zones that are there now.
    fn follow(&mut self) {
        let namespace = Arc::clone(&self.zones.borrow_and_update());
        let mut known = std::mem::take(&mut self.watched);
        for (id, zone) in namespace.zones() {
            let watched = known
                .remove(id)
                .filter(|watched| Arc::ptr_eq(&watched.zone, &zone.served))
                .unwrap_or_else(|| Watched::new(&zone.served));
            self.watched.insert(id.clone(), watched);
        }
    }

    /// The revisions that are not told yet.
    fn changed(&mut self, zones_changed: bool) -> WatchZonesResponse {
        let mut zones = Vec::new();
        for (id, watched) in &mut self.watched {
            let now = *watched.revision.borrow_and_update();
            if let Some(revision) = now.filter(|_| now != watched.told) {
                watched.told = now;
                zones.push(ZoneRevision {
                    zone_id: String::from(&**id),
                    revision: revision.to_octets(),
                });
            }
        }
        WatchZonesResponse { zones, zones_changed }
    }
}

impl Watched {
    /// A zone of which nothing is told yet. One that nobody has read is read, and told when it
    /// is known.
    fn new(zone: &Arc<ServedZone>) -> Self {
        if zone.publication().current().is_none() {
            let zone = Arc::clone(zone);
            tokio::spawn(async move { zone.latest().await.is_ok() });
        }
        Self {
            revision: zone.publication().watch(),
            zone: Arc::clone(zone),
            told: None,
        }
    }
}
