//! Which zones are kept.

use std::time::Duration;

use records::provider::route53::{Route53, Settings, TagFilter, ZoneType};
use records::{Outcome, Provider as _, ProviderError, ZoneIdFilter};

use super::stand_in::{Account as _, StandIn};
use super::{address, create};

async fn names(settings: Settings) -> Vec<String> {
    let provider = Route53::new(settings).unwrap();
    let zones = provider.zones().await.unwrap();
    zones
        .iter()
        .map(|zone| format!("{} {}", zone.id.0, zone.name))
        .collect()
}

#[tokio::test]
async fn filters_choose_zones() {
    let stand_in = StandIn::with(&[("ZA", "one.example"), ("ZB", "0\\0572.two.example")])
        .await
        .unwrap();
    stand_in.add_zone("ZC", "three.example", true);
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = stand_in.settings();
        change(&mut settings);
        names(settings)
    };
    assert_eq!(
        with(&|_| ()).await,
        ["ZA one.example", "ZB 0/2.two.example", "ZC three.example"]
    );
    let private = |settings: &mut Settings| settings.zone_type = Some(ZoneType::Private);
    assert_eq!(with(&private).await, ["ZC three.example"]);
    let public = |settings: &mut Settings| settings.zone_type = Some(ZoneType::Public);
    assert_eq!(with(&public).await.len(), 2);
    for id in ["A", "ZA", "/hostedzone/ZA"] {
        let ids = |settings: &mut Settings| settings.zone_ids = ZoneIdFilter::new([id]);
        assert_eq!(with(&ids).await, ["ZA one.example"], "{id}");
    }
    for (tags, count) in [
        (["zone=three.example"], 1),
        (["zone"], 3),
        (["zone=other"], 0),
        (["other"], 0),
    ] {
        let tagged = |settings: &mut Settings| settings.zone_tags = TagFilter::new(&tags);
        assert_eq!(with(&tagged).await.len(), count, "{tags:?}");
    }
}

#[tokio::test]
async fn the_list_of_zones_is_used_for_as_long_as_it_may_be() {
    let stand_in = StandIn::with(&[("Z1", "example.com")]).await.unwrap();
    for (seconds, calls) in [(0, 2), (60, 1)] {
        let settings = Settings {
            zones_cache: Duration::from_secs(seconds),
            ..stand_in.settings()
        };
        let provider = Route53::new(settings).unwrap();
        provider.zones().await.unwrap();
        provider.zones().await.unwrap();
        assert_eq!(stand_in.calls().len(), calls);
    }
}

/// A record would go into the one, and the other's would be taken for unwanted.
#[tokio::test]
async fn two_zones_of_one_name_are_left_alone_until_one_is_named() {
    let stand_in = StandIn::with(&[("Z1", "example.com"), ("Z3", "example.org")])
        .await
        .unwrap();
    stand_in.add_zone("Z2", "example.com", true);
    let provider = stand_in.provider();
    for zone in provider.zones().await.unwrap() {
        let twin = zone.name.as_str() == "example.com";
        let told = "example.com is several zones, Z1 (public) and Z2 (private)";
        match provider.read(&zone).await {
            Err(ProviderError::Denied(reason)) => assert!(twin && reason.starts_with(told), "{reason}"),
            other => assert!(!twin && other.is_ok(), "{other:?}"),
        }
        let group = create(address(&format!("www.{}", zone.name), "192.0.2.1"));
        let outcome = provider.apply(&zone, &[group]).await.remove(0);
        assert_eq!(matches!(outcome, Outcome::Postponed { .. }), twin, "{outcome:?}");
    }
    let settings = Settings {
        zone_type: Some(ZoneType::Private),
        ..stand_in.settings()
    };
    let provider = Route53::new(settings).unwrap();
    let zones = provider.zones().await.unwrap();
    assert!(provider.read(&zones[0]).await.is_ok());
}
