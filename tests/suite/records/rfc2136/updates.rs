//! Every update compares before it writes.

use std::num::NonZeroU32;

use devcluster::primary::{LOCKED, Make};
use records::{Change, Endpoint, Outcome, Provider as _};

use super::{MAKES, Server, applied, apply, create, delete, group, listed, set, update, zone};

/// An update that must be refused for what the zone has, and the code that says so.
struct Refusal {
    changes: Vec<Change>,
    code: &'static str,
}

fn refusals(address: &Endpoint, alias: &Endpoint) -> Vec<Refusal> {
    let other = |owner, record_type, targets: &[&str]| set(owner, record_type, targets);
    let stale = other("address", "A", &["192.0.2.9"]);
    let part = other("address", "A", &["192.0.2.1"]);
    let more = other("address", "A", &["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    let missing = other("missing", "A", &["192.0.2.1"]);
    let wanted = other("address", "A", &["192.0.2.7"]);
    let refusal = |code, changes: &[Change]| Refusal {
        changes: changes.to_vec(),
        code,
    };
    vec![
        refusal("YXRRSET", &[create(&wanted)]),
        refusal("YXRRSET", &[create(address)]),
        // A server says NOERROR to these two and does nothing, unless it is told to look.
        refusal("YXRRSET", &[create(&other("alias", "A", &["192.0.2.7"]))]),
        refusal(
            "YXDOMAIN",
            &[create(&other("address", "CNAME", &["www.example.com"]))],
        ),
        refusal(
            "YXDOMAIN",
            &[create(&other("alias", "CNAME", &["www.example.com"]))],
        ),
        refusal("NXRRSET", &[update(&stale, &wanted)]),
        refusal("NXRRSET", &[update(&part, &wanted)]),
        refusal("NXRRSET", &[update(&more, &wanted)]),
        refusal("NXRRSET", &[update(&missing, &missing)]),
        refusal("NXRRSET", &[delete(&stale)]),
        refusal("NXRRSET", &[delete(&part)]),
        refusal("NXRRSET", &[delete(&missing)]),
        // Something else at the name would stay beside the alias.
        refusal(
            "YXRRSET",
            &[
                delete(address),
                create(&other("address", "CNAME", &["www.example.com"])),
            ],
        ),
        // A group is all or nothing.
        refusal(
            "NXRRSET",
            &[
                create(&other("new", "A", &["192.0.2.1"])),
                update(&stale, &wanted),
            ],
        ),
        refusal("YXRRSET", &[delete(alias), create(&wanted)]),
    ]
}

#[tokio::test]
async fn what_somebody_else_wrote_is_not_overwritten() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let provider = server.provider();
        let address = set("address", "A", &["192.0.2.1", "192.0.2.2"]);
        let alias = set("alias", "CNAME", &["www.example.com"]);
        let text = set("address", "TXT", &["\"from somebody else\""]);
        for endpoint in [&address, &alias, &text] {
            applied(&provider, &[create(endpoint)]).await;
        }
        let before = listed(&provider).await;
        for Refusal { changes, code } in refusals(&address, &alias) {
            match apply(&provider, &changes).await {
                Outcome::Conflict { reason } => {
                    assert!(
                        reason.ends_with(&format!("the server answers {code}")),
                        "{make:?}: {changes:?}: {reason}"
                    );
                }
                other => panic!("{make:?}: {changes:?}: {other:?}"),
            }
            assert_eq!(listed(&provider).await, before, "{make:?}: {changes:?}");
        }
    }
}

#[tokio::test]
async fn what_the_zone_holds_is_changed_as_a_whole() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let provider = server.provider();
        let address = set("name", "A", &["192.0.2.1", "192.0.2.2"]);
        let alias = set("name", "CNAME", &["www.example.com"]);
        let text = set("name", "TXT", &["\"owner\""]);
        let owner = set("a-name", "TXT", &["\"owner\""]);
        applied(&provider, &[create(&address), create(&owner)]).await;
        assert_eq!(
            listed(&provider).await,
            [owner.clone(), address.clone()],
            "{make:?}"
        );
        // Order and repetition are not part of a set, nor is the TTL of what is expected.
        let mut believed = set("name", "A", &["192.0.2.2", "192.0.2.1"]);
        believed.ttl = NonZeroU32::new(5);
        let mut next = set("name", "A", &["192.0.2.2", "192.0.2.3"]);
        next.ttl = NonZeroU32::new(60);
        applied(&provider, &[update(&believed, &next), create(&text)]).await;
        assert_eq!(
            listed(&provider).await,
            [owner.clone(), next.clone(), text.clone()],
            "{make:?}"
        );
        applied(&provider, &[delete(&next), delete(&text), create(&alias)]).await;
        assert_eq!(
            listed(&provider).await,
            [owner.clone(), alias.clone()],
            "{make:?}"
        );
        let moved = set("name", "CNAME", &["other.example.com"]);
        applied(&provider, &[update(&alias, &moved)]).await;
        assert_eq!(
            listed(&provider).await,
            [owner.clone(), moved.clone()],
            "{make:?}"
        );
        applied(&provider, &[create(&address), delete(&moved)]).await;
        assert_eq!(
            listed(&provider).await,
            [owner.clone(), address.clone()],
            "{make:?}"
        );
        applied(&provider, &[delete(&address), delete(&owner)]).await;
        assert_eq!(listed(&provider).await, [], "{make:?}");
    }
}

#[tokio::test]
async fn name_servers_of_the_zone_change_and_never_go() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let provider = server.provider();
        let old = set("example.test", "NS", &["ns.example.test"]);
        let new = set("example.test", "NS", &["ns1.example.com", "ns2.example.com"]);
        applied(&provider, &[update(&old, &new)]).await;
        let names = [new.name().unwrap()];
        assert_eq!(
            provider.read_names(&zone(), &names).await.unwrap(),
            std::slice::from_ref(&new),
            "{make:?}"
        );
        match apply(&provider, &[delete(&new)]).await {
            Outcome::Rejected { reason } => {
                assert_eq!(reason, "example.test.: a zone must have name servers");
            }
            other => panic!("{make:?}: {other:?}"),
        }
    }
}

/// Record sets, and how the reason ends for which one of them is refused.
fn good_and_bad(make: Make) -> Vec<(Endpoint, Option<&'static str>)> {
    let mut sets = vec![
        (set("good-1", "A", &["192.0.2.1"]), None),
        (
            set("www.elsewhere.test", "A", &["192.0.2.1"]),
            Some("the server answers NOTZONE"),
        ),
        (set("good-2", "A", &["192.0.2.1"]), None),
        (
            set("bad", "A", &["192.0.2.300"]),
            Some("targets: \"192.0.2.300\" is not an IPv4 address"),
        ),
        (
            set("bad", "TXT", &[&"x".repeat(256)]),
            Some("targets: a string has 256 octets; at most 255 are allowed"),
        ),
        (
            set("bad", "SRV", &["1 2 www"]),
            Some("targets: \"1 2 www\" is not a priority, a weight, a port and a name"),
        ),
        (
            set("bad", "MX", &["70000 mail"]),
            Some("targets: \"70000\" is not a number from 0 to 65535"),
        ),
        (
            set("bad", "CAA", &["0 issue \"ca.test\""]),
            Some("records of type CAA are not kept"),
        ),
        (set("bad", "A", &[]), Some("targets: at least one is required")),
        (
            set("bad..name.example.test", "A", &["192.0.2.1"]),
            Some("dnsName: \"bad..name.example.test\" has an empty label"),
        ),
    ];
    if make == Make::Bind {
        sets.push((
            set(LOCKED, "A", &["192.0.2.1"]),
            Some("the server answers REFUSED"),
        ));
    }
    sets.push((set("good-3", "A", &["192.0.2.1"]), None));
    sets
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_itself() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let provider = server.provider();
        let sets = good_and_bad(make);
        let groups: Vec<_> = sets
            .iter()
            .map(|(endpoint, _)| records::Group {
                name: zone().name,
                changes: vec![create(endpoint)],
            })
            .collect();
        let outcomes = provider.apply(&zone(), &groups).await;
        for (outcome, (endpoint, refusal)) in outcomes.iter().zip(&sets) {
            match (outcome, refusal) {
                (Outcome::Applied { .. }, None) => {}
                (Outcome::Rejected { reason }, Some(end)) if reason.ends_with(end) => {}
                _ => panic!("{make:?}: {endpoint:?}: {outcome:?}"),
            }
        }
        let good: Vec<Endpoint> = sets
            .into_iter()
            .filter(|(_, refusal)| refusal.is_none())
            .map(|(endpoint, _)| endpoint)
            .collect();
        assert_eq!(listed(&provider).await, good, "{make:?}");
    }
}

#[tokio::test]
async fn a_group_as_large_as_a_message_is_made_and_a_larger_one_refused() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let provider = server.provider();
        // BIND takes no more than a hundred records in a set.
        let text = |count: usize| {
            let record = |number| vec![format!("\"{number:0250}\""); 10].join(" ");
            let records: Vec<String> = (0..count).map(record).collect();
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            set("large", "TXT", &records)
        };
        let large = text(25);
        applied(&provider, &[create(&large)]).await;
        assert_eq!(
            listed(&provider).await,
            provider.adjust(vec![large.clone()]).await.unwrap(),
            "{make:?}"
        );
        match apply(&provider, &[update(&large, &text(1))]).await {
            Outcome::Rejected { reason } => assert!(
                reason.starts_with("the changes of the name take ")
                    && reason.ends_with("at most 65535 are allowed"),
                "{make:?}: {reason}"
            ),
            other => panic!("{make:?}: {other:?}"),
        }
        assert_eq!(provider.apply(&zone(), &[]).await, []);
    }
}

/// BIND answers SERVFAIL to it, which may be said of anything that has gone wrong.
#[tokio::test]
async fn a_set_that_bind_has_no_room_for_is_refused_by_itself() {
    let server = Server::start(Make::Bind, "").await;
    let provider = server.provider();
    let addresses: Vec<String> = (1..=101).map(|last| format!("192.0.2.{last}")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let full = set("full", "A", &addresses[..100]);
    applied(&provider, &[create(&full)]).await;
    let good = set("good", "A", &["192.0.2.1"]);
    let owner = set("a-many", "TXT", &["\"owner\""]);
    let groups = [
        group(&[create(&set("many", "A", &addresses)), create(&owner)]),
        group(&[create(&good)]),
        group(&[update(&full, &set("full", "A", &addresses))]),
    ];
    let outcomes = provider.apply(&zone(), &groups).await;
    for place in [0, 2] {
        match &outcomes[place] {
            Outcome::Rejected { reason } => assert!(reason.contains("max-records-per-type"), "{reason}"),
            other => panic!("{place}: {other:?}"),
        }
    }
    assert!(matches!(outcomes[1], Outcome::Applied { .. }), "{outcomes:?}");
    let mut listed = listed(&provider).await;
    listed[0].targets.sort();
    let mut expected = [full, good];
    expected[0].targets.sort();
    assert_eq!(listed, expected);
}
