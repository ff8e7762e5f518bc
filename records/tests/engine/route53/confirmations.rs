//! What is found out about a zone for less than a full read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use records::cache::{Cached, Settings, SystemClock};
use records::provider::Confirmation;
use records::provider::route53::Route53;
use records::{Name, Provider as _, ZoneRecords};

use super::stand_in::{Account as _, StandIn, error};
use super::xml::simple;
use super::{address, create, is_applied, name, own_zone, stand_in};

const GET: &str = "GetHostedZone Z1";
const LIST: &str = "ListResourceRecordSets Z1";

fn numbered(number: usize, value: &str) -> String {
    simple(&format!("n{number:03}.example.com."), "A", 300, &[value])
}

/// A zone of three pages, and what is known of it.
async fn large() -> (StandIn, Route53, ZoneRecords) {
    let stand_in = stand_in().await;
    for number in 0..700 {
        stand_in.put("Z1", &numbered(number, "192.0.2.1"));
    }
    let provider = stand_in.provider();
    let known = provider.read(&own_zone()).await.unwrap();
    let _ = stand_in.calls();
    (stand_in, provider, known)
}

/// Confirms once; the names that are told to differ, with how many sets each holds.
async fn confirm(provider: &Route53, known: &mut ZoneRecords) -> Option<BTreeMap<Name, usize>> {
    match provider.confirm(&own_zone(), known).await.unwrap() {
        Confirmation::Part { names, version } => {
            known.version = Some(version);
            Some(names.into_iter().map(|(name, sets)| (name, sets.len())).collect())
        }
        Confirmation::ReadAgain => None,
        other => panic!("{other:?}"),
    }
}

fn one(name: &str, sets: usize) -> BTreeMap<Name, usize> {
    [(super::name(name), sets)].into()
}

#[tokio::test]
async fn each_look_takes_the_next_page_and_the_count() {
    let (stand_in, provider, mut known) = large().await;
    for _ in 0..7 {
        assert_eq!(confirm(&provider, &mut known).await, Some(BTreeMap::new()));
        assert_eq!(stand_in.calls(), [GET, LIST]);
    }
}

/// Names are in the pages of 300 that begin with the zone's own.
#[tokio::test]
async fn what_is_changed_is_found_when_its_page_has_its_turn() {
    let (stand_in, provider, mut known) = large().await;
    stand_in.put("Z1", &numbered(0, "198.51.100.1"));
    stand_in.put("Z1", &numbered(699, "198.51.100.1"));
    assert_eq!(
        confirm(&provider, &mut known).await,
        Some(one("n000.example.com", 1))
    );
    assert_eq!(confirm(&provider, &mut known).await, Some(BTreeMap::new()));
    assert_eq!(
        confirm(&provider, &mut known).await,
        Some(one("n699.example.com", 1))
    );
}

#[tokio::test]
async fn another_count_makes_the_zone_be_read_again() {
    let (stand_in, provider, mut known) = large().await;
    stand_in.put("Z1", &numbered(999, "192.0.2.1"));
    assert_eq!(confirm(&provider, &mut known).await, None);
    assert_eq!(stand_in.calls(), [GET]);
    stand_in.remove("Z1", "n000.example.com");
    let found = confirm(&provider, &mut known).await;
    assert_eq!(
        found,
        Some(one("n000.example.com", 0)),
        "one came and one went: the page tells of its own"
    );
}

#[tokio::test]
async fn many_differences_make_the_zone_be_read_again() {
    let (stand_in, provider, mut known) = large().await;
    for number in 0..20 {
        stand_in.put("Z1", &numbered(number, "198.51.100.1"));
    }
    assert_eq!(confirm(&provider, &mut known).await, None);
}

#[tokio::test]
async fn a_version_that_is_not_ours_confirms_nothing() {
    let (_, provider, mut known) = large().await;
    for version in [None, Some("other"), Some("x y")] {
        known.version = version.map(|version| records::ZoneVersion(version.into()));
        assert_eq!(confirm(&provider, &mut known).await, None);
    }
}

/// external-dns's permissions do not have GetHostedZone.
#[tokio::test]
async fn who_may_not_ask_for_one_zone_looks_at_the_list() {
    let (stand_in, provider, mut known) = large().await;
    stand_in.fail(
        "GetHostedZone",
        error(
            403,
            "AccessDenied",
            "not authorized to perform: route53:GetHostedZone",
        ),
    );
    assert_eq!(confirm(&provider, &mut known).await, Some(BTreeMap::new()));
    assert_eq!(stand_in.calls(), [GET, "ListHostedZones", LIST]);
    confirm(&provider, &mut known).await;
    assert_eq!(
        stand_in.calls(),
        ["ListHostedZones", LIST],
        "it is asked for once"
    );
}

fn cached(provider: Route53, directory: Option<&std::path::Path>) -> Cached {
    let settings = Settings {
        time: Duration::from_secs(600),
        patch_on_apply: true,
        directory: directory.map(Into::into),
        max_age: Some(Duration::from_secs(3600)),
        ..Settings::default()
    };
    Cached::open(Arc::new(provider), settings, Arc::new(SystemClock::default())).unwrap()
}

#[tokio::test]
async fn a_write_to_a_zone_that_is_known_is_one_call() {
    let (stand_in, provider, known) = large().await;
    let cache = cached(provider, None);
    assert_eq!(
        cache.read(&own_zone()).await.unwrap().records.len(),
        known.records.len()
    );
    let _ = stand_in.calls();
    for number in 0..3 {
        let group = create(address(&format!("new{number}.example.com"), "192.0.2.9"));
        assert!(is_applied(&cache.apply(&own_zone(), &[group]).await[0]));
        assert_eq!(stand_in.calls(), ["ChangeResourceRecordSets Z1"]);
        assert_eq!(
            cache.read(&own_zone()).await.unwrap().records.len(),
            known.records.len() + number + 1
        );
        assert_eq!(stand_in.calls(), [""; 0]);
    }
}

/// After a restart the count and a page are enough, our own writes counted.
#[tokio::test]
async fn a_restart_takes_two_calls_and_tells_what_its_page_shows() {
    let folder = tempfile::tempdir().unwrap();
    let (stand_in, provider, known) = large().await;
    let cache = cached(provider, Some(folder.path()));
    cache.read(&own_zone()).await.unwrap();
    let group = create(address("new.example.com", "192.0.2.9"));
    assert!(is_applied(&cache.apply(&own_zone(), &[group]).await[0]));
    drop(cache);
    stand_in.put("Z1", &numbered(5, "198.51.100.1"));
    let _ = stand_in.calls();
    let cache = cached(stand_in.provider(), Some(folder.path()));
    let read = cache.read(&own_zone()).await.unwrap();
    assert_eq!(stand_in.calls(), [GET, LIST]);
    assert_eq!(read.records.len(), known.records.len() + 1);
    let changed = read
        .records
        .iter()
        .find(|record| record.name().unwrap() == name("n005.example.com"));
    assert_eq!(*changed.unwrap().targets, [Box::<str>::from("198.51.100.1")]);
}
