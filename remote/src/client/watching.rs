//! What the server tells by itself: which revision each zone has, and that the zones are
//! others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use records::ZoneId;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::link::Link;
use crate::protocol::v2::{WatchZonesRequest, WatchZonesResponse};
use crate::revision::Revision;

/// The first and the longest pause before the server is asked again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the server has told; nothing of it counts while nobody hears it.
#[derive(Default)]
pub(super) struct Told {
    news: Mutex<News>,
    is_heard: watch::Sender<bool>,
}

#[derive(Default)]
struct News {
    /// The connection that it was heard over.
    connection: u64,
    /// Counts the lists of zones; the present one, while it is heard of changes.
    list: Option<u64>,
    lists: u64,
    revisions: BTreeMap<Box<str>, Revision>,
}

impl Told {
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything is heard.
    pub fn is_heard(&self) -> watch::Receiver<bool> {
        self.is_heard.subscribe()
    }

    /// The revision that a zone has, if that is known without asking.
    pub fn revision(&self, zone: &ZoneId) -> Option<Revision> {
        self.news().revisions.get(&zone.0).copied()
    }

    /// Which list of zones there is: a list that was read at the same number is the same.
    /// None if that is not known without asking over this connection.
    pub fn list(&self, connection: u64) -> Option<u64> {
        let news = self.news();
        news.list.filter(|_| news.connection == connection)
    }

    fn take(&self, connection: u64, message: WatchZonesResponse) {
        let mut news = self.news();
        news.connection = connection;
        if news.list.is_none() || message.zones_changed {
            news.lists += 1;
            news.list = Some(news.lists);
        }
        for zone in message.zones {
            // What cannot be understood is asked for.
            match Revision::from_octets("revision", &zone.revision) {
                Ok(Some(revision)) => news.revisions.insert(zone.zone_id.into(), revision),
                _ => news.revisions.remove(&*zone.zone_id),
            };
        }
        drop(news);
        self.hear(true);
    }

    fn forget(&self) {
        let mut news = self.news();
        news.list = None;
        news.revisions.clear();
        drop(news);
        self.hear(false);
    }

    fn hear(&self, is_heard: bool) {
        self.is_heard
            .send_if_modified(|was_heard| std::mem::replace(was_heard, is_heard) != is_heard);
    }
}

/// Hears what the server tells, until it is dropped.
pub(super) struct Watching(JoinHandle<()>);

impl Watching {
    /// Begins to.
    pub fn start(link: Arc<Link>, told: Arc<Told>) -> Self {
        Self(tokio::spawn(follow(link, told)))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn follow(link: Arc<Link>, told: Arc<Told>) {
    let mut pauses = pauses();
    loop {
        if link.is_gardeners() {
            sleep(LONGEST_PAUSE).await;
            continue;
        }
        let was_heard = tokio::select! {
            was_heard = Box::pin(hear(&link, &told)) => was_heard,
            () = link.secret_changed() => true,
        };
        told.forget();
        if was_heard {
            pauses = self::pauses();
        }
        tokio::select! {
            () = sleep(pauses.next().unwrap_or(LONGEST_PAUSE)) => {}
            () = link.secret_changed() => {}
        }
    }
}

/// Hears what is told until the stream ends; whether there was anything.
async fn hear(link: &Link, told: &Told) -> bool {
    let connection = link.connection();
    let request = WatchZonesRequest {
        namespace: String::from(&*connection.namespace),
    };
    let Ok(stream) = connection.zones().watch_zones(request).await else {
        return false;
    };
    let mut stream = stream.into_inner();
    let mut was_heard = false;
    while let Ok(Some(message)) = stream.message().await {
        told.take(connection.number, message);
        was_heard = true;
    }
    was_heard
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}
