//! Our client against our server, over TCP.

use std::sync::Arc;
use std::time::Duration;

use records::provider::webhook::{Settings as ClientSettings, Webhook};
use records::webhook::{Server, Settings};
use records::{
    Change, DomainFilter, Endpoint, Group, Name, Outcome, Provider as _, ProviderError, RecordList,
    ZoneRecords,
};

use super::listener::Listener;
use super::zones::Zones;
use super::{endpoint, eventually, server};

fn client(listener: &Listener) -> Webhook {
    Webhook::new(&ClientSettings {
        retry_pause: Duration::from_millis(1),
        ..ClientSettings::new(listener.url().parse().unwrap())
    })
    .unwrap()
}

async fn read(client: &Webhook) -> Result<ZoneRecords, ProviderError> {
    let zone = client.zones().await?.remove(0);
    client.read(&zone).await
}

async fn apply(client: &Webhook, change: Change) -> Outcome {
    let endpoint = change.before().or(change.after()).unwrap();
    let group = Group {
        name: Name::parse(&endpoint.dns_name).unwrap(),
        changes: vec![change],
    };
    let zone = client.zones().await.unwrap().remove(0);
    client.apply(&zone, &[group]).await.remove(0)
}

#[tokio::test]
async fn what_one_side_says_the_other_understands() {
    let zones = Zones::new(&["example.com", "example.net"]);
    let filter = DomainFilter::domains(&["example.com"], &[]).unwrap();
    let settings = Settings {
        filter: filter.clone(),
        ..Settings::default()
    };
    let listener = Listener::start(Server::new(Arc::clone(&zones) as _, settings)).await;
    let client = client(&listener);
    assert_eq!(client.domain_filter().await.unwrap(), &filter);

    let wanted = client
        .adjust(vec![endpoint("A.example.com", "A", "192.0.2.1")])
        .await
        .unwrap();
    let [a]: [Endpoint; 1] = wanted.try_into().unwrap();
    assert_eq!((&*a.dns_name, a.ttl.unwrap().get()), ("a.example.com", 300));
    let applied = Outcome::Applied { written: None };
    assert_eq!(apply(&client, Change::Create(a.clone())).await, applied);
    assert_eq!(read(&client).await.unwrap().records, RecordList::from_iter([&a]));

    let new = Endpoint {
        ttl: 60.try_into().ok(),
        ..a.clone()
    };
    let update = Change::Update {
        old: a.clone(),
        new: new.clone(),
    };
    assert_eq!(apply(&client, update).await, applied);
    assert_eq!(zones.records(), std::slice::from_ref(&new));
    assert_eq!(apply(&client, Change::Delete(new.clone())).await, applied);
    assert_eq!(zones.records(), []);

    let again = apply(&client, Change::Delete(new)).await;
    assert!(
        matches!(&again, Outcome::Unknown { reason } if reason.contains("a.example.com A is not in the zone"))
    );
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let zones = Zones::new(&["example.com"]);
    zones.put(endpoint("a.example.com", "A", "192.0.2.1"));
    let listener = Listener::start(server(&zones)).await;
    let (client, address) = (client(&listener), listener.address);
    assert_eq!(read(&client).await.unwrap().records.len(), 1);
    drop(listener);
    eventually(async || read(&client).await.is_err()).await;
    let create = Change::Create(endpoint("b.example.com", "A", "192.0.2.1"));
    assert!(matches!(
        apply(&client, create.clone()).await,
        Outcome::Postponed { .. }
    ));
    let _listener = Listener::start_at(address, server(&zones)).await;
    assert_eq!(apply(&client, create).await, Outcome::Applied { written: None });
    assert_eq!(read(&client).await.unwrap().records.len(), 2);
}

#[tokio::test]
async fn a_large_zone_comes_over_whole() {
    let zones = Zones::new(&["example.com"]);
    for number in 0..20_000 {
        zones.put(endpoint(&format!("n{number}.example.com"), "A", "192.0.2.1"));
    }
    let listener = Listener::start(server(&zones)).await;
    let read = read(&client(&listener)).await.unwrap().records;
    let read: Vec<Endpoint> = read.iter().collect();
    assert_eq!(read, zones.records());
}
