//! Zones at Route 53: what is wanted, what is sent and what is listed, and everything that it
//! may answer. Against a stand-in; `tests/suite/records/route53` has the rest.

mod adjusting;
mod confirmations;
mod failures;
mod pages;
mod record_sets;
mod stand_in;
mod swaps;
mod zones;

use records::{Change, Endpoint, Group, Name, Outcome, Provider as _, Zone};
use serde_json::{Value, json};
use tests::route53::xml;

use stand_in::{Account as _, StandIn, zone};

/// The id of the zone of most tests, and its name.
const ZONE: (&str, &str) = ("Z1", "example.com");

async fn stand_in() -> StandIn {
    StandIn::with(&[ZONE]).await.unwrap()
}

fn own_zone() -> Zone {
    zone(ZONE.0, ZONE.1)
}

fn endpoint(json: Value) -> Endpoint {
    serde_json::from_value(json).unwrap()
}

/// An address with a TTL of 300 s.
fn address(name: &str, target: &str) -> Endpoint {
    endpoint(json!({ "dnsName": name, "recordType": "A", "recordTTL": 300, "targets": [target] }))
}

/// A group for the name of its first change.
fn group(changes: impl Into<Vec<Change>>) -> Group {
    let changes = changes.into();
    let side = changes[0].before().or(changes[0].after()).unwrap();
    Group {
        name: side.name().unwrap(),
        changes,
    }
}

fn create(endpoint: Endpoint) -> Group {
    group([Change::Create(endpoint)])
}

fn replace(old: Endpoint, new: Endpoint) -> Group {
    group([Change::Update { old, new }])
}

fn delete(endpoint: Endpoint) -> Group {
    group([Change::Delete(endpoint)])
}

/// Makes changes in the zone of most tests.
async fn apply(stand_in: &StandIn, groups: &[Group]) -> Vec<Outcome> {
    stand_in.provider().apply(&own_zone(), groups).await
}

fn is_applied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Applied { .. })
}

/// All of the zone of most tests but its name servers.
async fn read(stand_in: &StandIn) -> Vec<Endpoint> {
    let read = stand_in.provider().read(&own_zone()).await.unwrap();
    let records = read.records.iter();
    records
        .filter(|record| record.record_type.as_str() != "NS")
        .collect()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}
