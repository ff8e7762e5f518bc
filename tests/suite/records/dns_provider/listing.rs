//! When an account is asked for its zones.

use std::time::Duration;

use operator::records::dns_provider::listing::Listing;
use records::{Name, ProviderError, Zone, ZoneId};

const INTERVAL: Duration = Duration::from_secs(60);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn zones() -> Vec<Zone> {
    vec![Zone {
        id: ZoneId("Z".into()),
        name: Name::parse("example.com").unwrap(),
    }]
}

fn unreachable() -> Result<Vec<Zone>, ProviderError> {
    Err(ProviderError::Unavailable("cannot be reached".into()))
}

#[test]
fn an_account_is_asked_at_once_and_then_at_each_interval() {
    let mut listing = Listing::new(None, seconds(100));
    assert_eq!((listing.due(), &listing.zones), (seconds(100), &None));
    assert!(!listing.is_answered);
    listing.take(Ok(zones()), seconds(103), INTERVAL);
    assert_eq!(listing.due(), seconds(163));
    assert_eq!(listing.zones.as_deref(), Some(&*zones()));
}

#[test]
fn after_failures_it_is_asked_sooner_and_less_and_less_often() {
    let mut listing = Listing::new(None, seconds(0));
    listing.take(Ok(zones()), seconds(0), INTERVAL);
    let pauses = [(); 6].map(|()| {
        let now = listing.due();
        listing.take(unreachable(), now, INTERVAL);
        assert!(listing.failure.is_some());
        assert_eq!(listing.zones.as_deref(), Some(&*zones()), "what was known stays");
        listing.due().saturating_sub(now).as_secs()
    });
    assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
    listing.take(Ok(Vec::new()), seconds(1000), INTERVAL);
    assert_eq!((listing.due(), &listing.failure), (seconds(1060), &None));
    listing.take(unreachable(), seconds(1060), INTERVAL);
    assert_eq!(listing.due(), seconds(1065), "failures are counted anew");
    for _ in 0..100 {
        listing.take(unreachable(), seconds(2000), INTERVAL);
    }
    assert_eq!(listing.due(), seconds(2060));
}

#[test]
fn an_account_is_asked_at_once_when_somebody_has_reason_to() {
    let mut listing = Listing::new(None, seconds(0));
    listing.take(Ok(zones()), seconds(0), INTERVAL);
    listing.hasten(seconds(7));
    assert_eq!(listing.due(), seconds(7));
    listing.hasten(seconds(9));
    assert_eq!(listing.due(), seconds(7));
}

#[test]
fn an_account_that_wants_to_be_left_alone_is() {
    let throttled = |seconds| {
        Err(ProviderError::Throttled {
            message: "too often".into(),
            retry_after: Some(Duration::from_secs(seconds)),
        })
    };
    let mut listing = Listing::new(None, seconds(0));
    listing.take(throttled(300), seconds(0), INTERVAL);
    listing.hasten(seconds(1));
    assert_eq!(listing.due(), seconds(300));
    listing.take(throttled(1), seconds(300), INTERVAL);
    assert_eq!(listing.due(), seconds(310));
}

#[test]
fn what_was_kept_from_before_is_known_until_something_else_is() {
    let kept = zones();
    let mut listing = Listing::new(Some(kept.clone().into()), seconds(0));
    assert_eq!(listing.zones.as_deref(), Some(&*kept));
    assert_eq!((listing.due(), listing.is_answered), (seconds(0), false));
    listing.take(unreachable(), seconds(0), INTERVAL);
    assert_eq!(listing.zones.as_deref(), Some(&*kept));
    assert!(listing.is_answered && listing.failure.is_some());
    listing.take(Ok(Vec::new()), seconds(5), INTERVAL);
    assert_eq!(listing.zones.as_deref(), Some(&[][..]));
}
