//! What is wanted reads back, from our provider and from boto3.

use std::num::NonZeroU32;

use records::{Change, Endpoint, Outcome, Provider as _};
use serde_json::{Value, json};

use super::{Site, create, endpoint, group, is_applied};

fn plain(name: &str, record_type: &str, targets: &[&str]) -> Value {
    json!({ "dnsName": name, "recordType": record_type, "recordTTL": 300, "targets": targets })
}

fn with(mut record: Value, identifier: &str, properties: &[(&str, &str)]) -> Value {
    let properties = properties.iter();
    let properties: Vec<Value> = properties
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    record["setIdentifier"] = json!(identifier);
    record["providerSpecific"] = json!(properties);
    record
}

/// Records of all types, kinds and policies that moto keeps.
fn all() -> Vec<Endpoint> {
    let www = |identifier: &str, properties: &[(&str, &str)]| {
        with(
            plain(&format!("{identifier}.example.com"), "A", &["192.0.2.1"]),
            identifier,
            properties,
        )
    };
    let records = [
        plain("*.example.com", "A", &["192.0.2.1"]),
        plain("a.example.com", "A", &["192.0.2.1", "192.0.2.2"]),
        plain("aaaa.example.com", "AAAA", &["2001:db8::1"]),
        plain("caa.example.com", "CAA", &["0 issue \"ca.example.net\""]),
        plain("cname.example.com", "CNAME", &["host.example.net"]),
        plain("mx.example.com", "MX", &["10 mail.example.com"]),
        plain(
            "naptr.example.com",
            "NAPTR",
            &["100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a@example.com!\" ."],
        ),
        plain("ptr.example.com", "PTR", &["host.example.net"]),
        plain("srv.example.com", "SRV", &["10 5 5060 sip.example.com."]),
        plain("sub.example.com", "NS", &["ns.example.net"]),
        plain(
            "txt.example.com",
            "TXT",
            &["\"one\" \"two\"", "\"a \\\"quote\\\", \\303\\274 & <more>\""],
        ),
        with(
            plain("alias.example.com", "A", &["web-1.us-east-1.elb.amazonaws.com"]),
            "",
            &[("alias", "true"), ("aws/evaluate-target-health", "true")],
        ),
        with(
            plain("other.example.com", "AAAA", &["host.example.org"]),
            "",
            &[
                ("alias", "true"),
                ("aws/evaluate-target-health", "false"),
                ("aws/target-hosted-zone", "Z99"),
            ],
        ),
        www("weight", &[("aws/weight", "10")]),
        www("region", &[("aws/region", "eu-west-1")]),
        www(
            "failover",
            &[("aws/failover", "PRIMARY"), ("aws/health-check-id", "h1")],
        ),
        www("multi", &[("aws/multi-value-answer", "")]),
        www("continent", &[("aws/geolocation-continent-code", "EU")]),
        www(
            "country",
            &[
                ("aws/geolocation-country-code", "US"),
                ("aws/geolocation-subdivision-code", "CA"),
            ],
        ),
    ];
    records.map(endpoint).into()
}

fn by_key(mut records: Vec<Endpoint>) -> Vec<Endpoint> {
    records.retain(|record| *record.dns_name != *super::ZONE);
    records.sort_by_key(|record| record.key().unwrap());
    records
}

/// All but the name servers of the zone.
async fn read(site: &Site) -> Vec<Endpoint> {
    let provider = site.provider();
    let read = provider.read(&site.own_zone(&provider).await).await.unwrap();
    by_key(
        read.records
            .iter()
            .map(|record| Endpoint::clone(record))
            .collect(),
    )
}

#[tokio::test]
async fn records_of_all_kinds_come_change_and_go() {
    let site = Site::start().await;
    let wanted = site.provider().adjust(all()).await.unwrap();
    assert_eq!(wanted, all());
    let groups: Vec<_> = wanted.iter().cloned().map(create).collect();
    for (group, outcome) in groups.iter().zip(site.apply(&groups).await) {
        assert!(is_applied(&outcome), "{group:?}: {outcome:?}");
    }
    assert_eq!(read(&site).await, by_key(all()));
    assert_eq!(
        site.names().len(),
        all().len() - 1,
        "boto3 sees them, but for the name server"
    );

    let changed = |old: &Endpoint| match old.record_type.as_str() {
        // It has no TTL to change.
        "A" | "AAAA"
            if old
                .provider_specific
                .iter()
                .any(|property| &*property.name == "alias") =>
        {
            None
        }
        _ => Some(Endpoint {
            ttl: NonZeroU32::new(77),
            ..old.clone()
        }),
    };
    let before = read(&site).await;
    let updates = before.iter().filter_map(|old| {
        let (old, new) = (old.clone(), changed(old)?);
        Some(group(Change::Update { old, new }))
    });
    let updates: Vec<_> = updates.collect();
    let outcomes = site.apply(&updates).await;
    assert!(outcomes.iter().all(is_applied), "{outcomes:?}");
    let after: Vec<Endpoint> = before
        .iter()
        .map(|old| changed(old).unwrap_or(old.clone()))
        .collect();
    assert_eq!(read(&site).await, after);

    let deletions: Vec<_> = after.into_iter().map(|old| group(Change::Delete(old))).collect();
    let outcomes = site.apply(&deletions).await;
    assert!(outcomes.iter().all(is_applied), "{outcomes:?}");
    assert_eq!(read(&site).await, [] as [Endpoint; 0]);
}

#[tokio::test]
async fn a_zone_of_many_pages_is_written_in_batches_and_read() {
    let site = Site::start().await;
    let wanted: Vec<Endpoint> = (0..1500)
        .map(|number| endpoint(plain(&format!("n{number:04}.example.com"), "A", &["192.0.2.1"])))
        .collect();
    let groups: Vec<_> = wanted.iter().cloned().map(create).collect();
    // The whole of it would take too long with pauses of a second.
    let outcomes = site.apply(&groups).await;
    assert!(outcomes.iter().all(is_applied));
    assert_eq!(read(&site).await, wanted);
    let provider = site.provider();
    let zone = site.own_zone(&provider).await;
    let names = [wanted[7].name().unwrap(), wanted[1234].name().unwrap()];
    let found = provider.read_names(&zone, &names).await.unwrap();
    assert_eq!(found, [wanted[7].clone(), wanted[1234].clone()]);
}

#[tokio::test]
async fn what_another_client_created_meanwhile_is_a_conflict() {
    let site = Site::start().await;
    let theirs = json!({
        "Name": "www.example.com", "Type": "A", "TTL": 300, "ResourceRecords": [{ "Value": "192.0.2.1" }],
    });
    site.write("CREATE", &theirs);
    let wanted = endpoint(plain("www.example.com", "A", &["192.0.2.1"]));
    let fine = endpoint(plain("fine.example.com", "A", &["192.0.2.1"]));
    let outcomes = site.apply(&[create(wanted), create(fine)]).await;
    assert!(
        matches!(&outcomes[0], Outcome::Conflict { reason } if reason.contains("already exists")),
        "{outcomes:?}"
    );
    assert!(is_applied(&outcomes[1]), "{outcomes:?}");
    assert_eq!(site.names(), ["fine.example.com. A", "www.example.com. A"]);
}

#[tokio::test]
async fn a_bad_record_keeps_no_good_one_back() {
    let site = Site::start().await;
    let names = ["a", "b", "bad name", "c", "d"];
    let groups: Vec<_> = names
        .iter()
        .map(|name| {
            create(endpoint(plain(
                &format!("{name}.example.com"),
                "A",
                &["192.0.2.1"],
            )))
        })
        .collect();
    let outcomes = site.apply(&groups).await;
    for (name, outcome) in names.iter().zip(&outcomes) {
        match outcome {
            Outcome::Rejected { reason } => {
                assert!(
                    *name == "bad name" && reason.contains("UnsupportedCharacter"),
                    "{reason}"
                );
            }
            outcome => assert!(*name != "bad name" && is_applied(outcome), "{name}: {outcome:?}"),
        }
    }
    assert_eq!(site.names().len(), 4);
}

#[tokio::test]
async fn what_changes_behind_our_back_is_found() {
    let site = Site::start().await;
    let set = |value: &str| json!({ "Name": "www.example.com", "Type": "A", "TTL": 300, "ResourceRecords": [{ "Value": value }] });
    site.write("UPSERT", &set("192.0.2.1"));
    let provider = site.provider();
    let zone = site.own_zone(&provider).await;
    let known = provider.read(&zone).await.unwrap();
    let confirm = async || provider.confirm(&zone, &known).await.unwrap();
    let nothing = confirm().await;
    assert!(
        matches!(&nothing, records::provider::Confirmation::Part { names, .. } if names.is_empty()),
        "{nothing:?}"
    );
    site.write("UPSERT", &set("198.51.100.1"));
    let changed = confirm().await;
    assert!(
        matches!(&changed, records::provider::Confirmation::Part { names, .. } if names.len() == 1),
        "{changed:?}"
    );
    site.write("DELETE", &set("198.51.100.1"));
    assert_eq!(confirm().await, records::provider::Confirmation::ReadAgain);
}
