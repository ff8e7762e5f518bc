//! Writes that compare before they write.

use records::{Change, Outcome};
use serde_json::json;

use super::xml::simple;
use super::{address, apply, create, delete, endpoint, group, is_applied, read, replace, stand_in};

fn is_conflict(outcome: &Outcome, why: &str) -> bool {
    matches!(outcome, Outcome::Conflict { reason } if reason.contains(why))
}

#[tokio::test]
async fn what_somebody_else_wrote_stays() {
    let stand_in = stand_in().await;
    let theirs = |value: &str| simple("www.example.com.", "A", 300, &[value]);
    stand_in.put("Z1", &theirs("198.51.100.1"));
    let (old, new) = (
        address("www.example.com", "192.0.2.1"),
        address("www.example.com", "192.0.2.2"),
    );
    let cases = [
        (
            replace(old.clone(), new.clone()),
            "do not match the current values",
        ),
        (delete(old.clone()), "do not match the current values"),
        (create(new.clone()), "already exists"),
        (delete(address("gone.example.com", "192.0.2.1")), "was not found"),
    ];
    for (group, why) in cases {
        let outcome = apply(&stand_in, &[group]).await.remove(0);
        assert!(is_conflict(&outcome, why), "{outcome:?}");
    }
    assert_eq!(stand_in.sets("Z1"), ["www.example.com. A 198.51.100.1 TTL=300"]);
    stand_in.put("Z1", &theirs("192.0.2.1"));
    assert!(is_applied(
        &apply(&stand_in, &[replace(old, new.clone())]).await[0]
    ));
    assert_eq!(read(&stand_in).await, [new]);
}

/// A TTL counts as much as data.
#[tokio::test]
async fn a_ttl_of_somebody_else_stays() {
    let stand_in = stand_in().await;
    stand_in.put("Z1", &simple("www.example.com.", "A", 60, &["192.0.2.1"]));
    let old = address("www.example.com", "192.0.2.1");
    let outcome = apply(&stand_in, &[delete(old)]).await.remove(0);
    assert!(is_conflict(&outcome, "do not match"), "{outcome:?}");
}

#[tokio::test]
async fn a_name_changes_its_type_in_one_batch() {
    let stand_in = stand_in().await;
    stand_in.put(
        "Z1",
        &simple("www.example.com.", "CNAME", 300, &["host.example.net"]),
    );
    let old = read(&stand_in).await.remove(0);
    let swap = group([
        Change::Create(address("www.example.com", "192.0.2.1")),
        Change::Delete(old),
    ]);
    assert!(is_applied(&apply(&stand_in, &[swap]).await[0]));
    assert_eq!(stand_in.sets("Z1"), ["www.example.com. A 192.0.2.1 TTL=300"]);
    let _ = stand_in.calls();
}

/// Nothing of a group is written when something of it cannot be.
#[tokio::test]
async fn a_group_is_written_whole_or_not_at_all() {
    let stand_in = stand_in().await;
    stand_in.put("Z1", &simple("a-www.example.com.", "TXT", 300, &["\"theirs\""]));
    let owned = |text: &str| {
        endpoint(
            json!({ "dnsName": "a-www.example.com", "recordType": "TXT", "recordTTL": 300, "targets": [text] }),
        )
    };
    let both = group([
        Change::Create(address("www.example.com", "192.0.2.1")),
        Change::Create(owned("\"ours\"")),
    ]);
    let fine = create(address("fine.example.com", "192.0.2.3"));
    let outcomes = apply(&stand_in, &[both, fine]).await;
    assert!(is_conflict(&outcomes[0], "a-www.example.com."), "{outcomes:?}");
    assert!(is_applied(&outcomes[1]), "{outcomes:?}");
    assert_eq!(
        stand_in.sets("Z1"),
        [
            "a-www.example.com. TXT \"theirs\" TTL=300",
            "fine.example.com. A 192.0.2.3 TTL=300",
        ]
    );
}

/// Names in complaints are as Route 53 lists them.
#[tokio::test]
async fn a_complaint_about_a_wildcard_finds_its_group() {
    let stand_in = stand_in().await;
    stand_in.put("Z1", &simple("\\052.example.com.", "A", 300, &["198.51.100.1"]));
    let outcome = apply(&stand_in, &[create(address("*.example.com", "192.0.2.1"))])
        .await
        .remove(0);
    assert!(is_conflict(&outcome, "\\052.example.com."), "{outcome:?}");
}

#[tokio::test]
async fn what_cannot_be_written_is_told_in_route_53s_words() {
    let stand_in = stand_in().await;
    stand_in.put(
        "Z1",
        &simple("taken.example.com.", "CNAME", 300, &["host.example.net"]),
    );
    let cases = [
        (
            address("bad.example.com", "192.0.2"),
            "Value is not a valid IPv4 address",
        ),
        (
            address("taken.example.com", "192.0.2.1"),
            "conflicts with other records",
        ),
    ];
    for (wanted, why) in cases {
        let groups = [
            create(wanted),
            create(address(&format!("{}.example.com", why.len()), "192.0.2.9")),
        ];
        let outcomes = apply(&stand_in, &groups).await;
        assert!(
            matches!(&outcomes[0], Outcome::Rejected { reason } if reason.contains(why)),
            "{outcomes:?}"
        );
        assert!(is_applied(&outcomes[1]), "{outcomes:?}");
    }
}
