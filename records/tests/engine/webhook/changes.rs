//! What becomes of change sets.

use std::sync::Arc;

use records::webhook::Server;
use records::{Change, Endpoint, Group, Outcome};
use serde_json::{Value, json};

use super::zones::Zones;
use super::{change, endpoint, post, server};

const HERITAGE: &str = "\"heritage=external-dns,external-dns/owner=default\"";

/// An ownership record as external-dns sends it.
fn companion(name: &str, of: &str) -> Endpoint {
    Endpoint {
        labels: [("ownedRecord".into(), of.into())].into(),
        ..endpoint(name, "TXT", HERITAGE)
    }
}

fn example() -> (Arc<Zones>, Server) {
    let zones = Zones::new(&["example.com", "sub.example.com"]);
    let server = server(&zones);
    (zones, server)
}

async fn made(server: &Server, changes: Value) {
    assert_eq!(change(server, changes).await, (204, String::new()));
}

/// The groups as `ZONE NAME: CHANGES`.
fn outline(groups: &[(String, Group)]) -> Vec<String> {
    let change = |change: &Change| {
        let (sign, endpoint) = match change {
            Change::Create(new) => ('+', new),
            Change::Update { new, .. } => ('~', new),
            Change::Delete(old) => ('-', old),
        };
        format!("{sign}{} {}", endpoint.dns_name, endpoint.record_type)
    };
    let line = |(zone, group): &(String, Group)| {
        let changes: Vec<String> = group.changes.iter().map(change).collect();
        format!("{zone} {}: {}", group.name, changes.join(", "))
    };
    groups.iter().map(line).collect()
}

#[tokio::test]
async fn a_name_and_its_ownership_are_one_group() {
    let (zones, server) = example();
    let labelled = json!({"create": [
        endpoint("b.example.com", "A", "192.0.2.2"),
        endpoint("a.example.com", "A", "192.0.2.1"),
        endpoint("a.example.com", "AAAA", "2001:db8::1"),
        companion("x1.example.com", "A.example.com"),
        companion("x2.example.com", "a.example.com"),
        companion("x3.example.com", "b.example.com"),
    ]});
    made(&server, labelled).await;
    assert_eq!(
        outline(&zones.take_groups()),
        [
            "example.com a.example.com: +a.example.com A, +a.example.com AAAA, +x1.example.com TXT, +x2.example.com TXT",
            "example.com b.example.com: +b.example.com A, +x3.example.com TXT",
        ]
    );
}

#[tokio::test]
async fn ownership_without_a_label_is_known_by_its_name() {
    let (zones, server) = example();
    let unlabelled = json!({"create": [
        endpoint("a.example.com", "A", "192.0.2.1"),
        endpoint("a-a.example.com", "TXT", HERITAGE),
        endpoint("b.example.com", "AAAA", "2001:db8::1"),
        endpoint("txt.aaaa-b.example.com", "TXT", HERITAGE),
        endpoint("c.example.com", "A", "192.0.2.1"),
        endpoint("aaaa-c.example.com", "TXT", HERITAGE),
        endpoint("a-c.example.com", "TXT", "\"no ownership\""),
    ]});
    made(&server, unlabelled).await;
    assert_eq!(
        outline(&zones.take_groups()),
        [
            "example.com a-c.example.com: +a-c.example.com TXT",
            "example.com a.example.com: +a-a.example.com TXT, +a.example.com A",
            "example.com aaaa-c.example.com: +aaaa-c.example.com TXT",
            "example.com b.example.com: +b.example.com AAAA, +txt.aaaa-b.example.com TXT",
            "example.com c.example.com: +c.example.com A",
        ]
        .map(String::from)
    );
}

#[tokio::test]
async fn keys_may_be_in_any_case() {
    let (zones, server) = example();
    let old = r#"{"Create":[{"DNSName":"a.example.com","Targets":["192.0.2.1"],"RecordType":"A","RecordTTL":-1,
        "SetIdentifier":null,"Labels":null,"ProviderSpecific":[{"Name":"x","Value":"y","more":{}}],"more":[1]}],
        "UpdateOld":null,"UpdateNew":null,"Delete":[]}"#;
    assert_eq!(post(&server, "/records", old).await.0, 204);
    let expected = Endpoint {
        provider_specific: [serde_json::from_str(r#"{"name":"x","value":"y"}"#).unwrap()].into(),
        ..endpoint("a.example.com", "A", "192.0.2.1")
    };
    assert_eq!(zones.records(), [expected]);
}

#[tokio::test]
async fn updates_replace_and_labels_stay_outside() {
    let (zones, server) = example();
    made(
        &server,
        json!({"create": [companion("x.example.com", "a.example.com")]}),
    )
    .await;
    assert!(zones.records()[0].labels.is_empty());
    zones.put(endpoint("a.example.com", "A", "192.0.2.1"));
    made(
        &server,
        json!({
            "updateOld": [endpoint("a.example.com", "A", "192.0.2.1"), companion("x.example.com", "a.example.com")],
            "updateNew": [endpoint("a.example.com", "A", "192.0.2.9"), companion("x.example.com", "a.example.com")],
        }),
    )
    .await;
    assert_eq!(zones.lines()[0], "a.example.com A 192.0.2.9");
    assert!(zones.records().iter().all(|record| record.labels.is_empty()));
}

#[tokio::test]
async fn a_type_changes_in_one_group_and_a_key_in_one_update() {
    let (zones, server) = example();
    zones.put(endpoint("a.example.com", "CNAME", "other.example.net"));
    zones.put(endpoint("b.example.com", "A", "192.0.2.1"));
    made(
        &server,
        json!({
            "create": [endpoint("a.example.com", "A", "192.0.2.1"), endpoint("b.example.com", "A", "192.0.2.2")],
            "delete": [endpoint("a.example.com", "CNAME", "other.example.net"), endpoint("b.example.com", "A", "192.0.2.1")],
        }),
    )
    .await;
    assert_eq!(
        outline(&zones.take_groups()),
        [
            "example.com a.example.com: +a.example.com A, -a.example.com CNAME",
            "example.com b.example.com: ~b.example.com A",
        ]
    );
}

#[tokio::test]
async fn the_zone_says_what_is_there() {
    let (zones, server) = example();
    let there = Endpoint {
        targets: ["2001:DB8:0::1".into(), "2001:db8::2".into()].into(),
        ttl: 60.try_into().ok(),
        ..endpoint("A.example.com", "AAAA", "")
    };
    zones.put(there.clone());
    zones.put(endpoint("c.example.com", "CNAME", "Other.example.net."));
    let believed = Endpoint {
        targets: ["2001:db8::2".into(), "2001:db8::1".into()].into(),
        ..endpoint("a.example.com", "AAAA", "")
    };
    let delete = json!({"delete": [believed, endpoint("c.example.com", "CNAME", "other.example.net")]});
    made(&server, delete).await;
    assert_eq!(zones.take_groups()[0].1.changes, [Change::Delete(there)]);
    assert_eq!(zones.lines(), <[&str; 0]>::default());
}

#[tokio::test]
async fn what_differs_from_the_zone_is_a_conflict() {
    let (zones, server) = example();
    zones.put(endpoint("a.example.com", "A", "192.0.2.7"));
    zones.put(endpoint("c.example.com", "A", "192.0.2.3"));
    let changes = json!({
        "create": [endpoint("c.example.com", "A", "192.0.2.3"), endpoint("d.example.com", "A", "192.0.2.4")],
        "delete": [endpoint("a.example.com", "A", "192.0.2.1"), endpoint("b.example.com", "A", "192.0.2.2")],
    });
    let told = "3 of 4 names are not as wanted\n\
        a.example.com: conflict: a.example.com A holds [\"192.0.2.7\"], not [\"192.0.2.1\"]\n\
        b.example.com: conflict: b.example.com A is not in the zone\n\
        c.example.com: conflict: c.example.com A is there already\n";
    assert_eq!(change(&server, changes).await, (500, told.into()));
    assert_eq!(
        zones.lines(),
        [
            "a.example.com A 192.0.2.7",
            "c.example.com A 192.0.2.3",
            "d.example.com A 192.0.2.4"
        ]
    );
}

#[tokio::test]
async fn ownership_is_the_same_if_the_owner_is() {
    let (zones, server) = example();
    let sealed = |letter: &str| format!("\"{}\"", letter.repeat(64));
    let deletion = |there: &str, old: &str| {
        zones.put(endpoint("a.example.com", "A", "192.0.2.1"));
        zones.put(endpoint("x.example.com", "TXT", there));
        let main = Endpoint {
            labels: [("owner".into(), "default".into())].into(),
            ..endpoint("a.example.com", "A", "192.0.2.1")
        };
        let old = Endpoint {
            targets: [old.into()].into(),
            ..companion("x.example.com", "a.example.com")
        };
        change(&server, json!({"delete": [main, old]}))
    };
    let own = "\"heritage=external-dns,external-dns/owner=default,external-dns/resource=crd/a/b\"";
    // In another order, and without the quotation marks.
    let turned = "external-dns/owner=default,heritage=external-dns";
    let foreign = "\"heritage=external-dns,external-dns/owner=other\"";
    for (there, old) in [
        (own, HERITAGE),
        (turned, HERITAGE),
        (own, &sealed("B")),
        (&sealed("A"), HERITAGE),
        (&sealed("A"), &sealed("B")),
    ] {
        assert_eq!(deletion(there, old).await.0, 204, "{there} {old}");
        assert_eq!(zones.lines(), <[&str; 0]>::default());
    }
    for there in [foreign, "\"a text\""] {
        for old in [HERITAGE, &sealed("B")] {
            assert_eq!(deletion(there, old).await.0, 500, "{there} {old}");
            assert_eq!(zones.lines().len(), 2);
        }
    }
}

#[tokio::test]
async fn ownership_that_is_there_already_is_kept() {
    let (zones, server) = example();
    zones.put(endpoint("x.example.com", "TXT", HERITAGE));
    let create = json!({"create": [
        endpoint("a.example.com", "A", "192.0.2.1"),
        companion("x.example.com", "a.example.com"),
    ]});
    made(&server, create).await;
    assert_eq!(
        outline(&zones.take_groups()),
        ["example.com a.example.com: +a.example.com A, ~x.example.com TXT"]
    );
}

#[tokio::test]
async fn names_outside_every_zone_are_told_and_the_others_are_made() {
    let (zones, server) = example();
    let changes = json!({"create": [
        endpoint("a.example.org", "A", "192.0.2.1"),
        companion("a-a.example.org", "a.example.org"),
        endpoint("badexample.com", "A", "192.0.2.1"),
        endpoint("example.com", "A", "192.0.2.1"),
        companion("a-example.com", "example.com"),
        endpoint("b.example.com", "A", "192.0.2.1"),
    ]});
    let told = "3 of 4 names are not as wanted\n\
        a.example.org: a-a.example.org is outside every zone (example.com, sub.example.com)\n\
        badexample.com: badexample.com is outside every zone (example.com, sub.example.com)\n\
        example.com: a-example.com is outside every zone (example.com, sub.example.com)\n";
    assert_eq!(change(&server, changes).await, (500, told.into()));
    assert_eq!(zones.lines(), ["b.example.com A 192.0.2.1"]);
}

#[tokio::test]
async fn invalid_names_are_told_with_their_ownership() {
    let (zones, server) = example();
    let long = format!("{}.example.com", "a".repeat(64));
    let changes = json!({"create": [
        endpoint(&long, "A", "192.0.2.1"),
        companion("x.example.com", &long),
        endpoint("b.example.com", "A", "192.0.2.1"),
    ]});
    let (status, text) = change(&server, changes).await;
    assert_eq!(status, 500);
    assert!(text.contains("a label of 64 octets"), "{text}");
    assert_eq!(zones.lines(), ["b.example.com A 192.0.2.1"]);
}

#[tokio::test]
async fn a_record_set_named_twice_is_refused_if_it_differs() {
    let (zones, server) = example();
    let twice = |name: &str, targets: [&str; 2]| targets.map(|target| endpoint(name, "A", target));
    let [one, two] = twice("a.example.com", ["192.0.2.1", "192.0.2.1"]);
    made(&server, json!({"create": [one, two]})).await;
    let [one, two] = twice("b.example.com", ["192.0.2.1", "192.0.2.2"]);
    let (status, text) = change(&server, json!({"create": [one, two]})).await;
    assert_eq!(status, 500);
    assert!(
        text.contains("b.example.com A is named twice, with different data"),
        "{text}"
    );
    assert_eq!(zones.lines(), ["a.example.com A 192.0.2.1"]);
}

#[tokio::test]
async fn ownership_in_another_zone_is_written_first_and_removed_last() {
    let (zones, server) = example();
    let changes = |kind: &str| {
        json!({kind: [
            endpoint("sub.example.com", "A", "192.0.2.1"),
            companion("a-sub.example.com", "sub.example.com"),
        ]})
    };
    made(&server, changes("create")).await;
    made(&server, changes("delete")).await;
    assert_eq!(
        outline(&zones.take_groups()),
        [
            "example.com sub.example.com: +a-sub.example.com TXT",
            "sub.example.com sub.example.com: +sub.example.com A",
            "sub.example.com sub.example.com: -sub.example.com A",
            "example.com sub.example.com: -a-sub.example.com TXT",
        ]
    );
    zones.set_unreadable(&["example.com"]);
    assert_eq!(change(&server, changes("create")).await.0, 503);
    assert!(zones.take_groups().is_empty());
}

#[tokio::test]
async fn only_what_was_applied_is_answered_with_204() {
    let reason = || "no more room".to_owned();
    for (outcome, told) in [
        (Outcome::Rejected { reason: reason() }, "rejected: no more room"),
        (Outcome::Conflict { reason: reason() }, "conflict: no more room"),
        (Outcome::postponed(reason()), "not tried: no more room"),
        (
            Outcome::Unknown { reason: reason() },
            "perhaps made, perhaps not: no more room",
        ),
    ] {
        let (zones, server) = example();
        zones.set_outcome("b.example.com", outcome);
        let names = ["a.example.com", "b.example.com", "c.sub.example.com"];
        let create = names.map(|name| endpoint(name, "A", "192.0.2.1"));
        let told = format!("1 of 3 names are not as wanted\nb.example.com: {told}\n");
        assert_eq!(change(&server, json!({"create": create})).await, (500, told));
        assert_eq!(
            zones.lines(),
            ["a.example.com A 192.0.2.1", "c.sub.example.com A 192.0.2.1"]
        );
    }
}

#[tokio::test]
async fn a_zone_that_cannot_be_read_leaves_the_others_alone() {
    let (zones, server) = example();
    zones.set_unreadable(&["sub.example.com"]);
    let names = ["a.example.com", "c.sub.example.com"];
    let create = names.map(|name| endpoint(name, "A", "192.0.2.1"));
    let told = "1 of 2 names are not as wanted\n\
        c.sub.example.com: not tried: sub.example.com cannot be read: the transfer was refused\n";
    assert_eq!(
        change(&server, json!({"create": create})).await,
        (503, told.into())
    );
    assert_eq!(zones.lines(), ["a.example.com A 192.0.2.1"]);
}

#[tokio::test]
async fn many_failures_are_counted() {
    let (_, server) = example();
    let create: Vec<Endpoint> = (0..30)
        .map(|n| endpoint(&format!("n{n}.test"), "A", "192.0.2.1"))
        .collect();
    let (status, text) = change(&server, json!({"create": create})).await;
    assert_eq!(status, 500);
    assert!(
        text.starts_with("30 of 30 names") && text.ends_with("\nand 10 more\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 22);
}
