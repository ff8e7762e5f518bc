//! Wanted record sets as the server's zones would list them.

use std::num::NonZeroU32;

use records::provider::Operation;
use records::{Endpoint, Outcome, Provider as _, RESOURCE_LABEL, RecordType};
use remote::client::Remote;
use tokio::sync::watch;

use super::super::world::{a, of_type};
use super::stage::{Stage, create, host, the_zone, unhurried};

fn of_resource(mut record: Endpoint, resource: &str) -> Endpoint {
    record.labels.insert(RESOURCE_LABEL.into(), resource.into());
    record
}

#[tokio::test]
async fn wanted_records_are_adjusted_by_the_server_once() {
    let stage = Stage::new().await;
    stage.memory.set_default_ttl(NonZeroU32::new(120));
    let client = stage.client("blue");
    the_zone(&client).await;
    let ours = |number| of_resource(host(number, "192.0.2.1"), "service/one/two");
    let mut wanted: Vec<_> = (0..50).map(ours).collect();
    wanted.push(a("www.example.org", "192.0.2.1"));
    wanted[1].ttl = NonZeroU32::new(60);
    let adjusted = client.adjust(wanted.clone()).await.unwrap();
    assert_eq!(adjusted.len(), 51);
    for record in &adjusted {
        let ttl = match &*record.dns_name {
            "www.example.org" => None,
            "host1.example.com" => Some(60),
            _ => Some(120),
        };
        assert_eq!(record.ttl.map(u32::from), ttl, "{}", record.dns_name);
        let is_ours = record.resource() == Some("service/one/two");
        assert_eq!(is_ours, &*record.dns_name != "www.example.org");
    }
    let calls = stage.memory.calls().of(Operation::Adjust);
    assert_eq!(calls, 1);
    assert_eq!(client.adjust(wanted.clone()).await.unwrap(), adjusted);
    assert_eq!(stage.memory.calls().of(Operation::Adjust), calls);
    wanted[0].targets = ["192.0.2.9".into()].into();
    stage.wire.octets();
    client.adjust(wanted).await.unwrap();
    assert_eq!(stage.memory.calls().of(Operation::Adjust), calls + 1);
    let (sent, _) = stage.wire.octets();
    assert!(sent < 1_000, "only what is new: {sent}");
    let zone = the_zone(&client).await;
    let outcomes = client.apply(&zone, &[create(host(70, "192.0.2.1"))]).await;
    match &outcomes[0] {
        Outcome::Applied {
            written: Some(written),
        } => assert_eq!(written[0].ttl.map(u32::from), Some(120)),
        other => panic!("{other:?}"),
    }
}

/// What is wanted no more is forgotten after one more call.
#[tokio::test]
async fn answers_are_kept_for_as_long_as_they_are_needed() {
    let stage = Stage::new().await;
    let (sender, receiver) = watch::channel(stage.access("blue").borrow().clone());
    let client = Remote::new(receiver, unhurried());
    let wanted = vec![host(0, "192.0.2.1")];
    let calls = || stage.memory.calls().of(Operation::Adjust);
    for (wanted, expected) in [
        (wanted.clone(), 1),
        (Vec::new(), 1),
        (wanted.clone(), 1),
        (Vec::new(), 1),
        (Vec::new(), 1),
        (wanted.clone(), 2),
    ] {
        client.adjust(wanted).await.unwrap();
        assert_eq!(calls(), expected);
    }
    // Another Secret may lead to another server.
    sender.send_replace(stage.access("blue").borrow().clone());
    client.adjust(wanted).await.unwrap();
    assert_eq!(calls(), 3);
}

#[tokio::test]
async fn much_that_is_wanted_goes_in_several_calls() {
    let stage = Stage::new().await;
    let client = stage.client("blue");
    let text = format!("\"{}\"", "x".repeat(4_000));
    let wanted: Vec<_> = (0..300)
        .map(|number| of_type(a(&format!("text{number}.example.com"), &text), RecordType::Txt))
        .collect();
    assert_eq!(client.adjust(wanted).await.unwrap().len(), 300);
    assert_eq!(stage.memory.calls().of(Operation::Adjust), 2);
}

/// Record sets of one name that others want come back with the labels of each.
#[tokio::test]
async fn labels_stay_with_their_record_sets() {
    let stage = Stage::new().await;
    stage.memory.set_default_ttl(NonZeroU32::new(120));
    let client = stage.client("blue");
    let text = of_type(a("www.example.com", "\"x\""), RecordType::Txt);
    let wanted = vec![
        of_resource(a("www.example.com", "192.0.2.1"), "service/of/address"),
        of_resource(text, "service/of/text"),
    ];
    let adjusted = client.adjust(wanted).await.unwrap();
    let labels = adjusted.iter().map(|record| {
        assert_eq!(record.ttl.map(u32::from), Some(120));
        (record.record_type.as_str(), record.resource().unwrap())
    });
    let mut labels: Vec<_> = labels.collect();
    labels.sort_unstable();
    assert_eq!(labels, [("A", "service/of/address"), ("TXT", "service/of/text")]);
}
