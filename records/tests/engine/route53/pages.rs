//! Zones of more than one page.

use records::batch::Submit as _;
use records::{Change, Provider as _};

use super::stand_in::Account as _;
use super::xml::{routed, simple};
use super::{address, create, group, name, own_zone, read, replace, stand_in};

#[tokio::test]
async fn all_pages_are_read() {
    let stand_in = stand_in().await;
    for number in 0..700 {
        stand_in.put(
            "Z1",
            &simple(&format!("n{number}.example.com."), "A", 300, &["192.0.2.1"]),
        );
    }
    assert_eq!(read(&stand_in).await.len(), 700);
    assert_eq!(stand_in.calls(), ["ListResourceRecordSets Z1"; 3]);
}

/// A page may begin within the sets of one name.
#[tokio::test]
async fn sets_of_one_name_are_told_apart_across_pages() {
    let stand_in = stand_in().await;
    for number in 0..650 {
        let policy = format!("<SetIdentifier>id{number}</SetIdentifier><Weight>1</Weight>");
        stand_in.put(
            "Z1",
            &routed("www.example.com.", "A", &policy, 300, &["192.0.2.1"]),
        );
    }
    stand_in.put("Z1", &simple("xxx.example.com.", "A", 300, &["192.0.2.1"]));
    assert_eq!(read(&stand_in).await.len(), 651);
    let provider = stand_in.provider();
    let found = provider
        .read_names(&own_zone(), &[name("www.example.com")])
        .await
        .unwrap();
    assert_eq!(found.len(), 650);
}

#[tokio::test]
async fn names_are_read_for_a_call_each() {
    let stand_in = stand_in().await;
    for name in [
        "\\052.example.com.",
        "a.example.com.",
        "b.a.example.com.",
        "b.example.com.",
    ] {
        stand_in.put("Z1", &simple(name, "A", 300, &["192.0.2.1"]));
        stand_in.put("Z1", &simple(name, "TXT", 300, &["\"text\""]));
    }
    let provider = stand_in.provider();
    for (asked, expected) in [
        ("*.example.com", 2),
        ("a.example.com", 2),
        ("none.example.com", 0),
    ] {
        let found = provider.read_names(&own_zone(), &[name(asked)]).await.unwrap();
        assert_eq!(found.len(), expected, "{asked}");
        assert!(
            found
                .iter()
                .all(|endpoint| endpoint.name().unwrap() == name(asked))
        );
        assert_eq!(stand_in.calls().len(), 1);
    }
}

/// Both sides of what is replaced count, as Route 53 counts.
#[tokio::test]
async fn groups_weigh_what_route_53_counts() {
    let stand_in = stand_in().await;
    let provider = stand_in.provider();
    let weight = |group| {
        let weight = provider.weigh(&own_zone(), &group).unwrap();
        (weight.operations, weight.octets, weight.values)
    };
    let one = address("www.example.com", "192.0.2.1");
    let mut two = one.clone();
    two.targets = ["192.0.2.1".into(), "192.0.2.22".into()].into();
    assert_eq!(weight(create(one.clone())), (1, 9, 1));
    assert_eq!(weight(replace(one.clone(), two.clone())), (2, 28, 3));
    assert_eq!(
        weight(group([
            Change::Delete(two),
            Change::Create(address("b.example.com", "192.0.2.1"))
        ])),
        (2, 28, 3)
    );
}
