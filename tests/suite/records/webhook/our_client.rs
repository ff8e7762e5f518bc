//! Our client against the webhook server of external-dns itself.

use records::provider::Confirmation;
use records::provider::webhook::{Settings, Webhook};
use records::{Change, DomainFilter, Endpoint, Group, Name, Outcome, Provider as _, RecordType, Zone};

use super::external_dns::{SERVED_AT, Served};
use crate::control_plane::eventually;

fn endpoint(name: &str, record_type: &str, target: &str) -> Endpoint {
    Endpoint {
        dns_name: name.into(),
        record_type: RecordType::from(record_type),
        targets: [target.into()].into(),
        ..Endpoint::default()
    }
}

fn group(name: &str, changes: Vec<Change>) -> Group {
    Group {
        name: Name::parse(name).unwrap(),
        changes,
    }
}

/// A client of external-dns with two zones in memory.
struct Stage {
    served: Served,
    client: Webhook,
    zone: Zone,
}

impl Stage {
    async fn start() -> Self {
        let mut served = Served::start(&["example.com", "example.net"]).await;
        let client = Webhook::new(&Settings::new(SERVED_AT.parse().unwrap())).unwrap();
        eventually("external-dns serves its provider", async || {
            served.external_dns.check().unwrap();
            client.domain_filter().await.is_ok()
        })
        .await;
        let zone = client.zones().await.unwrap().remove(0);
        Self { served, client, zone }
    }

    /// What is there, in the order of its keys.
    async fn records(&self) -> Vec<Endpoint> {
        let records = self.client.read(&self.zone).await.unwrap().records;
        let mut records: Vec<Endpoint> = records.iter().collect();
        records.sort_by_key(|record| record.key().unwrap());
        records
    }

    async fn apply(&self, groups: &[Group]) -> Vec<Outcome> {
        self.client.apply(&self.zone, groups).await
    }

    async fn applies(&self, groups: &[Group]) {
        let applied = Outcome::Applied { written: None };
        assert_eq!(self.apply(groups).await, vec![applied; groups.len()]);
    }

    /// It refuses what does not fit, with a status that tells nothing.
    async fn refuses(&self, groups: &[Group]) {
        let before = self.records().await;
        for outcome in self.apply(groups).await {
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        }
        assert_eq!(self.records().await, before);
    }
}

fn address() -> Endpoint {
    Endpoint {
        ttl: 60.try_into().ok(),
        provider_specific: [serde_json::from_str(r#"{"name":"webhook/x","value":"<1>"}"#).unwrap()].into(),
        ..endpoint("a.example.com", "A", "192.0.2.1")
    }
}

#[tokio::test]
async fn a_provider_of_external_dns_is_read() {
    let stage = Stage::start().await;
    assert_eq!(
        stage.client.domain_filter().await.unwrap(),
        &DomainFilter::default()
    );
    assert_eq!(stage.records().await, []);
    let wanted = vec![address(), endpoint("b.example.net", "CNAME", "a.example.com")];
    assert_eq!(stage.client.adjust(wanted.clone()).await.unwrap(), wanted);
    let creates: Vec<Change> = wanted.iter().cloned().map(Change::Create).collect();
    stage.applies(&[group("a.example.com", creates)]).await;
    assert_eq!(stage.records().await, wanted);
    let names = [Name::parse("b.example.net").unwrap()];
    let read = stage.client.read_names(&stage.zone, &names).await;
    assert_eq!(read.unwrap(), wanted[1..]);
    let known = stage.client.read(&stage.zone).await.unwrap();
    let confirmation = stage.client.confirm(&stage.zone, &known).await;
    assert_eq!(confirmation, Ok(Confirmation::ReadAgain));
}

#[tokio::test]
async fn a_provider_of_external_dns_is_changed() {
    let mut stage = Stage::start().await;
    let text = "\"heritage=external-dns,external-dns/owner=x\"";
    let owner = endpoint("a-a.example.com", "TXT", text);
    let labelled = Endpoint {
        labels: [("ownedRecord".into(), "a.example.com".into())].into(),
        ..owner.clone()
    };
    let other = endpoint("b.example.net", "CNAME", "a.example.com");
    let creates = [
        group(
            "a.example.com",
            vec![Change::Create(address()), Change::Create(owner)],
        ),
        group("b.example.net", vec![Change::Create(other.clone())]),
    ];
    stage.applies(&creates).await;
    assert_eq!(
        stage.records().await,
        [labelled.clone(), address(), other.clone()]
    );
    stage.refuses(&creates).await;

    let new = Endpoint {
        targets: ["192.0.2.2".into(), "192.0.2.3".into()].into(),
        ..address()
    };
    let update = Change::Update {
        old: address(),
        new: new.clone(),
    };
    let changes = [
        group("a.example.com", vec![update.clone(), Change::Delete(labelled)]),
        group("b.example.net", vec![Change::Delete(other)]),
    ];
    stage.applies(&changes).await;
    assert_eq!(stage.records().await, [new]);
    stage.refuses(&changes).await;
    stage.refuses(&[group("a.example.com", vec![update])]).await;

    stage.served.end();
    // Some requests may still go out by connections that were open.
    eventually("it is known that nobody is there", async || {
        let outcomes = stage.apply(&creates).await;
        let postponed = |outcome: &Outcome| matches!(outcome, Outcome::Postponed { .. });
        outcomes.iter().all(postponed)
    })
    .await;
    assert!(stage.client.read(&stage.zone).await.is_err());
}
