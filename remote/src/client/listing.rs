//! The zones of the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use records::{Name, Zone, ZoneId};
use tokio::time::Instant;

use super::Selection;
use super::failure::Failure;
use super::link::Link;
use crate::protocol::v2::ListZonesRequest;

/// How long a list is used at most without asking, whatever the server tells by itself.
const LONGEST: Duration = Duration::from_secs(3600);

/// The zones as they were listed last.
#[derive(Default)]
pub(super) struct Listing(Mutex<Option<Listed>>);

struct Listed {
    zones: Arc<[Zone]>,
    at: Instant,
    /// Which list this is, of those that the server tells of.
    number: Option<u64>,
}

impl Listing {
    fn listed(&self) -> MutexGuard<'_, Option<Listed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The zones, if they are those of this list.
    pub fn known(&self, number: Option<u64>) -> Option<Arc<[Zone]>> {
        let listed = self.listed();
        let listed = listed.as_ref().filter(|listed| listed.at.elapsed() < LONGEST)?;
        (number.is_some() && listed.number == number).then(|| Arc::clone(&listed.zones))
    }

    /// Takes over what the server has listed, id and name of each zone.
    pub fn take(
        &self,
        told: Vec<(String, String)>,
        selection: &Selection,
        number: Option<u64>,
    ) -> Arc<[Zone]> {
        let zones = told
            .into_iter()
            .filter_map(|(id, name)| match Name::parse(&name) {
                Ok(name) => Some(Zone {
                    id: ZoneId(id.into()),
                    name,
                }),
                Err(error) => {
                    tracing::warn!(zone = id, "the zone is left out: {error}");
                    None
                }
            });
        let zones: Arc<[Zone]> = zones.filter(|zone| selection(zone)).collect();
        *self.listed() = Some(Listed {
            zones: Arc::clone(&zones),
            at: Instant::now(),
            number,
        });
        zones
    }

    /// The zones that were listed last, while the server cannot list any.
    pub fn instead(&self, failure: Failure) -> Result<Arc<[Zone]>, Failure> {
        let listed = self.listed();
        let Some(listed) = listed.as_ref().filter(|_| failure.is_passing()) else {
            return Err(failure);
        };
        tracing::warn!(
            "{}; the zones are those that it listed {} s ago",
            failure.message,
            listed.at.elapsed().as_secs()
        );
        Ok(Arc::clone(&listed.zones))
    }
}

/// Lists the zones by our protocol: id and name of each.
pub(super) async fn list(link: &Link, limit: Duration) -> Result<Vec<(String, String)>, Failure> {
    let response = link
        .ask(limit, async |mut client, namespace| {
            client.list_zones(ListZonesRequest { namespace }).await
        })
        .await?;
    Ok(response
        .zones
        .into_iter()
        .map(|zone| (zone.id, zone.name))
        .collect())
}
