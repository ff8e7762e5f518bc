//! What is held of each zone: its digests, and when the server last told of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use records::{RecordList, Zone, ZoneId};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::comparison::Digested;
use super::failure::Failure;
use crate::revision::Digests;

/// How long a zone is believed to be the same because nothing else was told of it: then the
/// server is asked, and says how old its own knowledge is.
const LONGEST: Duration = Duration::from_secs(3600);

/// What is held of each zone.
#[derive(Default)]
pub(super) struct Holdings(Mutex<BTreeMap<ZoneId, Holding>>);

#[derive(Default)]
struct Holding {
    digested: Digested,
    told: Option<Telling>,
}

/// The last time that the server has told what the zone is.
struct Telling {
    at: Instant,
    connection: u64,
}

impl Holdings {
    fn holdings(&self) -> MutexGuard<'_, BTreeMap<ZoneId, Holding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server has told what a zone is, over this connection; all of it where there are
    /// records.
    pub fn took(&self, zone: &Zone, connection: u64, all: Option<(&RecordList, Digests)>) {
        let mut holdings = self.holdings();
        let holding = holdings.entry(zone.id.clone()).or_default();
        holding.told = Some(Telling {
            at: Instant::now(),
            connection,
        });
        if let Some((records, digests)) = all {
            holding.digested = Digested::new(records.clone(), digests);
        }
    }

    /// The digests of what is known of a zone.
    pub async fn digest(&self, zone: &Zone, known: &RecordList) -> Digests {
        let before = {
            let mut holdings = self.holdings();
            let holding = holdings.entry(zone.id.clone()).or_default();
            std::mem::take(&mut holding.digested)
        };
        // A large zone that was never digested takes a moment.
        let known = known.clone();
        let digested = spawn_blocking(move || before.digest(&known)).await;
        let digested = digested.unwrap_or_default();
        let digests = digested.digests.clone();
        let mut holdings = self.holdings();
        holdings.entry(zone.id.clone()).or_default().digested = digested;
        digests
    }

    /// The failure to hear of a zone, with when it was last told of.
    pub fn with_age(&self, zone: &Zone, failure: Failure) -> Failure {
        let holdings = self.holdings();
        let told = holdings.get(&zone.id).and_then(|holding| holding.told.as_ref());
        match told {
            Some(told) if failure.is_passing() => Failure {
                message: format!(
                    "{}; it has last told of the zone {} {} s ago",
                    failure.message,
                    zone.name,
                    told.at.elapsed().as_secs()
                ),
                ..failure
            },
            _ => failure,
        }
    }

    /// Whether the server was asked for a zone not long ago, over this connection.
    pub fn is_recent(&self, zone: &Zone, connection: u64) -> bool {
        let holdings = self.holdings();
        let told = holdings.get(&zone.id).and_then(|holding| holding.told.as_ref());
        told.is_some_and(|told| told.connection == connection && told.at.elapsed() < LONGEST)
    }
}
