//! What is wanted is what is read back.

use std::num::NonZeroU32;

use records::provider::Confirmation;
use records::provider::rfc2136::Rfc2136;
use records::{Endpoint, Outcome, Provider as _};

use super::{MAKES, Server, create, group, listed, read, set, sort, zone};

/// Record sets of all types, as people spell them.
fn wanted() -> Vec<Endpoint> {
    let long = "x".repeat(255);
    let mut wanted = vec![
        set("addresses", "A", &["192.0.2.9", "192.0.2.10", "192.0.2.9"]),
        set("addresses", "AAAA", &["2001:DB8:0:0::1", "::ffff:192.0.2.1"]),
        set("alias", "CNAME", &["WWW.Example.COM."]),
        set("*.wild.example.test", "A", &["192.0.2.1"]),
        set("Bücher.example.test.", "CNAME", &["bücher.example."]),
        set("below", "DNAME", &["elsewhere.test"]),
        set(
            "mail",
            "MX",
            &["10 Mail.example.com.", "20 backup.example.com", "0 ."],
        ),
        set(
            "naptr",
            "NAPTR",
            &[
                r#"100 50 "s" "z3950+N2L+N2C" "" _z3950._tcp.example.com."#,
                r#"10 20 "u" "E2U+sip" "!^.*$!sip:a@b.c!" ."#,
            ],
        ),
        set("delegated", "NS", &["ns1.example.com", "NS2.example.com."]),
        set("9", "PTR", &["host.example.com"]),
        set("_sip._tcp.example.test", "SRV", &["0 5 5060 Sip.example.com."]),
        set(
            "text",
            "TXT",
            &[
                "heritage=external-dns,external-dns/owner=me",
                r#""two" "strings""#,
            ],
        ),
        set(
            "odd",
            "TXT",
            &["\"a \\\"quote\\\" and \\\\ and \\009\"", "grüße", &long, ""],
        ),
    ];
    wanted[0].ttl = None;
    wanted[2].ttl = NonZeroU32::new(7);
    wanted[5].ttl = NonZeroU32::new(u32::MAX);
    wanted[6].labels.insert("owner".into(), "me".into());
    wanted
}

/// Writes what is wanted, and compares it with what the zone lists then.
async fn round_trip(provider: &Rfc2136, what: &str) {
    let before = read(provider).await;
    let adjusted = provider.adjust(wanted()).await.unwrap();
    assert_eq!(
        adjusted,
        provider.adjust(adjusted.clone()).await.unwrap(),
        "{what}"
    );
    let groups: Vec<_> = wanted()
        .iter()
        .map(|endpoint| group(&[create(endpoint)]))
        .collect();
    let outcomes = provider.apply(&zone(), &groups).await;
    let mut written = Vec::new();
    for (outcome, group) in outcomes.into_iter().zip(&groups) {
        match outcome {
            Outcome::Applied { written: Some(sets) } => written.extend(sets),
            other => panic!("{what}: {group:?}: {other:?}"),
        }
    }
    let mut unlabelled = adjusted.clone();
    for endpoint in &mut unlabelled {
        endpoint.labels.clear();
    }
    sort(&mut unlabelled);
    sort(&mut written);
    assert_eq!(listed(provider).await, unlabelled, "{what}");
    assert_eq!(written, unlabelled, "{what}");
    let names: Vec<_> = adjusted.iter().map(|endpoint| endpoint.name().unwrap()).collect();
    let mut single = provider.read_names(&zone(), &names).await.unwrap();
    sort(&mut single);
    assert_eq!(single, unlabelled, "{what}");
    let now = read(provider).await;
    match provider.confirm(&zone(), &before).await.unwrap() {
        Confirmation::Changed { names, version } => {
            assert_eq!(Some(version), now.version, "{what}");
            let mut changed: Vec<Endpoint> = names.into_values().flatten().collect();
            sort(&mut changed);
            assert_eq!(changed, unlabelled, "{what}");
        }
        Confirmation::Whole(whole) => assert_eq!(whole, now, "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_wanted_is_listed_as_it_was_adjusted() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        round_trip(&server.provider(), &format!("{make:?}")).await;
        let server = Server::start(make, "").await;
        let mut settings = server.settings();
        settings.min_ttl = 60;
        let provider = Rfc2136::new(&settings).unwrap();
        round_trip(&provider, &format!("{make:?}, with a least TTL")).await;
        let least = read(&provider)
            .await
            .records
            .iter()
            .map(|endpoint| endpoint.ttl)
            .min();
        assert_eq!(least, Some(NonZeroU32::new(60)), "{make:?}");
    }
}

#[tokio::test]
async fn names_that_others_wrote_in_capitals_or_with_odd_letters_are_ours_to_change() {
    for make in MAKES {
        let server = Server::start(
            make,
            "Cap A 192.0.2.1\nalias CNAME Some.Where.TEST.\no\\032d\\.d A 192.0.2.2",
        )
        .await;
        let provider = server.provider();
        let odd = set("o\\032d\\046d.example.test", "A", &["192.0.2.2"]);
        let all = [
            set("alias", "CNAME", &["some.where.test"]),
            set("cap", "A", &["192.0.2.1"]),
            odd,
        ];
        assert_eq!(listed(&provider).await, all, "{make:?}");
        let groups: Vec<_> = all
            .iter()
            .map(|endpoint| group(&[super::delete(endpoint)]))
            .collect();
        let outcomes = provider.apply(&zone(), &groups).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Outcome::Applied { .. })),
            "{make:?}: {outcomes:?}"
        );
        assert_eq!(listed(&provider).await, [], "{make:?}");
    }
}

#[tokio::test]
async fn thousands_of_records_go_and_come() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        let provider = server.provider();
        let all: Vec<Endpoint> = (0..5000)
            .map(|number| set(&format!("host-{number:04}"), "TXT", &["\"owner=me\""]))
            .collect();
        let groups: Vec<_> = all.iter().map(|endpoint| group(&[create(endpoint)])).collect();
        let before = read(&provider).await;
        let outcomes = provider.apply(&zone(), &groups).await;
        let applied = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Applied { .. }));
        assert_eq!(applied.count(), 5000, "{make:?}: {:?}", outcomes.first());
        assert_eq!(listed(&provider).await, all, "{make:?}");
        match provider.confirm(&zone(), &before).await.unwrap() {
            Confirmation::Changed { names, .. } => assert_eq!(names.len(), 5000, "{make:?}"),
            Confirmation::Whole(whole) => assert_eq!(whole, read(&provider).await, "{make:?}"),
            other => panic!("{make:?}: {other:?}"),
        }
    }
}
