//! Our definition of DNSEndpoint admits all that external-dns's does, and stores it as it
//! is written.

use kube::Client;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::definitions::{GROUP, define, lenient, objects, ours, strict};
use crate::control_plane::Plane;

/// Specifications of all sorts: each field with each of many values, and what else there may
/// be.
fn specifications() -> Vec<Value> {
    let values = [
        json!(null),
        json!(""),
        json!("a.example.com"),
        json!("*.example.com."),
        json!("bücher.example"),
        json!("x".repeat(300)),
        json!("A"),
        json!("HTTPS"),
        json!("NAPTR"),
        json!(0),
        json!(-1),
        json!(300),
        json!(i64::MAX),
        json!(1.5),
        json!(true),
        json!([]),
        json!(["192.0.2.1", "2001:db8::1"]),
        json!([""]),
        json!([null]),
        json!({}),
        json!({ "resource": "crd/a/b" }),
        json!({ "number": 1 }),
        json!([{ "name": "alias", "value": "true" }]),
        json!([{ "name": "alias" }, {}]),
    ];
    let complete = json!({
        "dnsName": "a.example.com", "recordType": "A", "targets": ["192.0.2.1"], "recordTTL": 60,
        "setIdentifier": "s", "labels": {}, "providerSpecific": [],
    });
    let fields: Vec<String> = complete.as_object().unwrap().keys().cloned().collect();
    let with = |field: &String, value: &Value| {
        let mut endpoint = complete.clone();
        endpoint[field] = value.clone();
        json!({ "endpoints": [complete.clone(), endpoint] })
    };
    let one_field = fields
        .iter()
        .flat_map(|field| values.iter().map(|value| with(field, value)));
    let others = [
        json!(null),
        json!({}),
        json!({ "endpoints": null }),
        json!({ "endpoints": {} }),
        json!({ "endpoints": [] }),
        json!({ "endpoints": [{}] }),
        json!({ "endpoints": [null] }),
        json!({ "endpoints": vec![complete.clone(); 1000] }),
        json!({ "endpoints": [{ "dnsName": "a", "recordType": "A", "unknown": 1 }], "unknown": 1 }),
    ];
    others.into_iter().chain(one_field).collect()
}

/// What is stored of a specification; none if it is refused.
async fn stored(client: &Client, group: &str, spec: &Value) -> Option<Value> {
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let object = json!({
        "apiVersion": format!("{group}/v1alpha1"), "kind": "DNSEndpoint",
        "metadata": { "name": "a" }, "spec": spec,
    });
    let object = serde_json::from_value(object).unwrap();
    match objects(client, group).create(&dry_run, &object).await {
        Ok(stored) => Some(stored.data["spec"].clone()),
        Err(kube::Error::Api(status)) => {
            assert!([400, 422].contains(&status.code), "{spec}: {}", status.message);
            None
        }
        Err(error) => panic!("{spec}: {error}"),
    }
}

#[tokio::test]
async fn whatever_external_dns_admits_is_admitted_and_stored_as_it_is() {
    let plane = Plane::start().await;
    let groups = ["lenient.example.com", "strict.example.com"];
    define(&plane, lenient(groups[0])).await;
    define(&plane, strict(groups[1])).await;
    define(&plane, ours()).await;
    let mut admitted = [0, 0];
    for spec in specifications() {
        let here = stored(&plane.client, GROUP, &spec).await;
        for (group, admitted) in groups.into_iter().zip(&mut admitted) {
            if let Some(there) = stored(&plane.client, group, &spec).await {
                *admitted += 1;
                assert_eq!(here.as_ref(), Some(&there), "{group} admits {spec}");
            }
        }
    }
    let [lenient, strict] = admitted;
    assert!(strict > 20 && lenient > strict, "{admitted:?}");
    plane.cluster.stop().unwrap();
}
