//! A zone that is known is confirmed by what has changed since.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;

use records::provider::Confirmation;
use records::provider::rfc2136::Rfc2136;
use records::{Endpoint, Name, Provider as _, ZoneRecords};

use super::{MAKES, Server, ZONE, applied, create, delete, name, read, set, update, zone};

async fn confirm(provider: &Rfc2136, known: &ZoneRecords) -> Confirmation {
    provider.confirm(&zone(), known).await.unwrap()
}

/// Record sets by name, for comparing.
fn by_name(sets: &[(&str, &[&Endpoint])]) -> BTreeMap<Name, Vec<Endpoint>> {
    let endpoints = |sets: &[&Endpoint]| sets.iter().copied().cloned().collect();
    sets.iter()
        .map(|(owner, sets)| (name(&format!("{owner}.{ZONE}")), endpoints(sets)))
        .collect()
}

/// Takes over a confirmation as a cache does.
fn patched(known: &ZoneRecords, confirmation: Confirmation) -> ZoneRecords {
    let (names, version) = match confirmation {
        Confirmation::Whole(records) => return records,
        Confirmation::Changed { names, version } => (names, version),
        confirmation => panic!("{confirmation:?}"),
    };
    let rest = known
        .records
        .iter()
        .filter(|endpoint| !names.contains_key(&endpoint.name().unwrap()));
    let records = rest.chain(names.values().flatten().cloned()).collect();
    ZoneRecords {
        records,
        version: Some(version),
    }
}

fn sorted(mut records: ZoneRecords) -> ZoneRecords {
    let mut sorted: Vec<Endpoint> = records.records.iter().collect();
    sorted.sort_by_key(|endpoint| (endpoint.dns_name.clone(), endpoint.record_type.clone()));
    records.records = sorted.into_iter().collect();
    records
}

/// Hosts with an address each. A large zone has its changes told alone, a small one may be
/// told as a whole.
fn hosts(count: usize) -> String {
    let mut lines = String::new();
    for number in 0..count {
        writeln!(lines, "host-{number} A 192.0.2.1").unwrap();
    }
    lines
}

#[tokio::test]
async fn the_names_that_others_touched_are_told_and_no_others() {
    for make in MAKES {
        for count in [3, 2000] {
            let server = Server::start(make, &hosts(count)).await;
            let provider = server.provider();
            let known = read(&provider).await;
            assert_eq!(
                confirm(&provider, &known).await,
                Confirmation::Same,
                "{make:?}, {count}"
            );
            let [first, second] = ["host-0", "host-1"].map(|owner| set(owner, "A", &["192.0.2.1"]));
            let mut changed = set("host-0", "A", &["192.0.2.1", "192.0.2.2"]);
            changed.ttl = NonZeroU32::new(60);
            let text = set("host-2", "TXT", &["\"text\""]);
            let gone_again = set("gone-again", "A", &["192.0.2.1"]);
            applied(&provider, &[update(&first, &changed)]).await;
            applied(&provider, &[delete(&second)]).await;
            applied(&provider, &[create(&text)]).await;
            applied(&provider, &[create(&gone_again)]).await;
            applied(&provider, &[delete(&gone_again)]).await;
            let third = set("host-2", "A", &["192.0.2.1"]);
            let confirmation = confirm(&provider, &known).await;
            let expected = by_name(&[
                ("gone-again", &[]),
                ("host-0", &[&changed]),
                ("host-1", &[]),
                ("host-2", &[&third, &text]),
            ]);
            match &confirmation {
                // The changes of a small zone are more than the zone.
                Confirmation::Whole(_) if count == 3 => {}
                Confirmation::Changed { names, .. } => {
                    assert_eq!(*names, expected, "{make:?}, {count}");
                }
                _ => panic!("{make:?}, {count}: {confirmation:?}"),
            }
            let now = patched(&known, confirmation);
            assert_eq!(
                sorted(now.clone()),
                sorted(read(&provider).await),
                "{make:?}, {count}"
            );
            assert_eq!(
                confirm(&provider, &now).await,
                Confirmation::Same,
                "{make:?}, {count}"
            );
        }
    }
}

#[tokio::test]
async fn what_we_wrote_since_then_is_told_as_it_is() {
    for make in MAKES {
        let server = Server::start(make, &hosts(500)).await;
        let provider = server.provider();
        let mut known = read(&provider).await;
        let old = set("host-0", "A", &["192.0.2.1"]);
        let new = set("host-0", "A", &["192.0.2.2"]);
        let newer = set("host-0", "A", &["192.0.2.3"]);
        applied(&provider, &[update(&old, &new)]).await;
        applied(&provider, &[update(&new, &newer)]).await;
        // The cache is patched with what was written; the state it was read at stays.
        let others = known.records.iter().filter(|endpoint| *endpoint != old);
        known.records = others.chain([newer.clone()]).collect();
        let confirmation = confirm(&provider, &known).await;
        let Confirmation::Changed { names, .. } = &confirmation else {
            panic!("{make:?}: {confirmation:?}");
        };
        assert_eq!(*names, by_name(&[("host-0", &[&newer])]), "{make:?}");
        let known = patched(&known, confirmation);
        // Somebody else puts back what was there in the beginning.
        applied(&provider, &[update(&newer, &old)]).await;
        let confirmation = confirm(&provider, &known).await;
        let Confirmation::Changed { names, .. } = confirmation else {
            panic!("{make:?}: {confirmation:?}");
        };
        assert_eq!(names, by_name(&[("host-0", &[&old])]), "{make:?}");
    }
}

#[tokio::test]
async fn another_copy_of_the_zone_is_found_out() {
    for make in MAKES {
        let mut server = Server::start(make, &hosts(100)).await;
        let provider = server.provider();
        server.primary.restore(ZONE, 1000, &hosts(100)).await.unwrap();
        let known = read(&provider).await;
        server.primary.restore(ZONE, 900, &hosts(99)).await.unwrap();
        assert_eq!(
            confirm(&provider, &known).await,
            Confirmation::ReadAgain,
            "{make:?}: it went back"
        );
        // Without a history the server sends all of it.
        server.primary.restore(ZONE, 1100, &hosts(99)).await.unwrap();
        let confirmation = confirm(&provider, &known).await;
        let Confirmation::Whole(now) = &confirmation else {
            panic!("{make:?}: {confirmation:?}");
        };
        assert_eq!(now.records.len(), known.records.len() - 1, "{make:?}");
        // Serial numbers go round (RFC 1982).
        server.primary.restore(ZONE, u32::MAX, &hosts(100)).await.unwrap();
        let known = read(&provider).await;
        applied(&provider, &[create(&set("new", "A", &["192.0.2.1"]))]).await;
        let confirmation = confirm(&provider, &known).await;
        assert!(
            matches!(&confirmation, Confirmation::Changed { names, .. } if names.len() == 1),
            "{make:?}: {confirmation:?}"
        );
    }
}

#[tokio::test]
async fn a_state_that_is_not_ours_tells_nothing() {
    let server = Server::start(MAKES[0], "").await;
    let provider = server.provider();
    let known = read(&provider).await;
    // The server tells what has changed since its own number, whoever else counts so far.
    applied(&provider, &[create(&set("new", "A", &["192.0.2.1"]))]).await;
    let version = |text: &str| ZoneRecords {
        version: Some(records::ZoneVersion(text.into())),
        ..known.clone()
    };
    for other in [
        version("1 other.example.test"),
        version("1"),
        version("new ns.example.test"),
        ZoneRecords {
            version: None,
            ..known.clone()
        },
    ] {
        assert_eq!(
            confirm(&provider, &other).await,
            Confirmation::ReadAgain,
            "{:?}",
            other.version
        );
    }
}
