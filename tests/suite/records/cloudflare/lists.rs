//! Lists: pages, counts, names.

use records::cache::Cached;
use records::provider::Confirmation;
use records::provider::cloudflare::Settings;
use records::{Name, Provider, ProviderError};
use tests::cloudflare::{Fault, Kind, Record};

use super::stage::{ZONE, cached, calls, counted, endpoint, engine, fake, pass, provider, settings, zone};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[tokio::test]
async fn a_zone_is_read_page_by_page() {
    let fake = fake().await;
    for number in 0..250 {
        let host = format!("host-{number}.example.com");
        fake.account().put(ZONE, Record::plain(&host, "A", "192.0.2.1"));
    }
    let small = Settings {
        per_page: 100,
        ..settings(&fake)
    };
    let provider = provider(small);
    let zone = zone(&*provider, ZONE).await;
    calls(&fake);
    let read = provider.read(&zone).await.unwrap();
    assert_eq!(read.records.len(), 250);
    assert_eq!(calls(&fake), counted([(Kind::List, 3)]));
    // Nothing less confirms it.
    let confirmation = provider.confirm(&zone, &read).await.unwrap();
    assert_eq!(confirmation, Confirmation::ReadAgain);

    // A few names one by one; many by the list.
    let names: Vec<Name> = (0..5)
        .map(|number| name(&format!("host-{number}.example.com")))
        .collect();
    assert_eq!(provider.read_names(&zone, &names).await.unwrap().len(), 5);
    assert_eq!(calls(&fake), counted([(Kind::List, 5)]));
    let names: Vec<Name> = (0..50)
        .map(|number| name(&format!("host-{number}.example.com")))
        .collect();
    assert_eq!(provider.read_names(&zone, &names).await.unwrap().len(), 50);
    assert_eq!(calls(&fake), counted([(Kind::List, 3)]));
    let gone = [name("nobody.example.com")];
    assert_eq!(provider.read_names(&zone, &gone).await.unwrap(), []);
}

#[tokio::test]
async fn a_list_that_fails_is_no_small_zone() {
    let fake = fake().await;
    fake.account()
        .put(ZONE, Record::plain("a.example.com", "A", "192.0.2.1"));
    let provider = provider(settings(&fake));
    let zone = zone(&*provider, ZONE).await;
    for (fault, cause) in [
        (Fault::DoneThenCutOff, "cut off"),
        (Fault::DoneThenHtml, "<!DOCTYPE html>"),
        (Fault::Html(200), "Just a moment"),
    ] {
        fake.account().script(Kind::List, Some(fault));
        let error = provider.read(&zone).await.unwrap_err();
        assert!(matches!(error, ProviderError::Malformed(_)), "{error:?}");
        assert!(error.to_string().contains(cause), "{error}");
    }
    for fault in [
        Fault::Status(500),
        Fault::Html(522),
        Fault::Lost,
        Fault::DoneThenLost,
    ] {
        fake.account().script(Kind::List, Some(fault));
        let error = provider.read(&zone).await.unwrap_err();
        assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
    }
    fake.account().script(Kind::List, Some(Fault::Html(403)));
    let error = provider.read(&zone).await.unwrap_err();
    assert!(matches!(error, ProviderError::Denied(_)), "{error:?}");
    fake.account().script(Kind::List, Some(Fault::Status(429)));
    let error = provider.read(&zone).await.unwrap_err();
    assert!(matches!(error, ProviderError::Throttled { .. }), "{error:?}");
    assert_eq!(provider.read(&zone).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn what_differs_only_for_cloudflare_is_one_target_here() {
    let fake = fake().await;
    for content in ["bare", "\"bare\""] {
        fake.account()
            .put(ZONE, Record::plain("t.example.com", "TXT", content));
    }
    let cache: std::sync::Arc<Cached> = cached(provider(settings(&fake)), None);
    let engine = engine(cache);
    // Both are deleted, once they are ours.
    let owner = "\"heritage=external-dns,external-dns/owner=us\"";
    fake.account()
        .put(ZONE, Record::plain("txt-t.example.com", "TXT", owner));
    let wanted = endpoint("t.example.com", "TXT", &["bare"]);
    let result = pass(&engine, std::slice::from_ref(&wanted)).await;
    assert!(
        result.zones.iter().all(|zone| zone.groups.is_empty()),
        "{result:?}"
    );
    pass(&engine, &[]).await;
    assert_eq!(fake.account().records(ZONE).count(), 0);
}
