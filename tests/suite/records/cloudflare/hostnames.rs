//! Custom hostnames and regional hostnames.

use records::provider::cloudflare::{CUSTOM_HOSTNAME, CustomHostnameSettings, REGION_KEY, Settings};
use tests::cloudflare::{Fault, Kind};

use super::stage::{
    ZONE, cached, calls, counted, endpoint, engine, fake, pass, provider, settings, told, with,
};

#[tokio::test]
async fn custom_hostnames_follow_their_records() {
    let fake = fake().await;
    let engine = engine(cached(
        provider(Settings {
            custom_hostnames: Some(CustomHostnameSettings {
                min_tls_version: "1.2".into(),
                certificate_authority: None,
            }),
            ..settings(&fake)
        }),
        None,
    ));
    let wanted = |hostnames: &str| {
        let endpoint = endpoint("shop.example.com", "A", &["192.0.2.1"]);
        vec![with(endpoint, &[(CUSTOM_HOSTNAME, hostnames)])]
    };
    let there = || fake.account().custom_hostnames(ZONE);
    let pair = |hostname: &str| (hostname.to_owned(), "shop.example.com".to_owned());
    pass(&engine, &wanted("b.example.net,a.example.net")).await;
    assert_eq!(there(), [pair("a.example.net"), pair("b.example.net")]);
    calls(&fake);
    pass(&engine, &wanted("a.example.net, b.example.net")).await;
    assert_eq!(calls(&fake), counted([(Kind::Zones, 1)]));

    pass(&engine, &wanted("b.example.net,c.example.net")).await;
    assert_eq!(there(), [pair("b.example.net"), pair("c.example.net")]);
    // A failure is told, and mended with the next pass.
    fake.account()
        .script(Kind::CustomHostnames, Some(Fault::Status(500)));
    let result = pass(&engine, &wanted("b.example.net")).await;
    assert_eq!(told(&result).len(), 1);
    let result = pass(&engine, &wanted("b.example.net")).await;
    assert_eq!(told(&result), Vec::<String>::new());
    assert_eq!(there(), [pair("b.example.net")]);
    pass(&engine, &[]).await;
    assert_eq!(there(), []);
    assert_eq!(fake.account().records(ZONE).count(), 0);
}

#[tokio::test]
async fn regions_follow_their_names() {
    let fake = fake().await;
    let engine = engine(cached(
        provider(Settings {
            region_key: Some("eu".into()),
            ..settings(&fake)
        }),
        None,
    ));
    let region = || fake.account().regions(ZONE).get("a.example.com").cloned();
    let v4 = || endpoint("a.example.com", "A", &["192.0.2.1"]);
    let v6 = || endpoint("a.example.com", "AAAA", &["2001:db8::1"]);
    pass(&engine, &[v4(), v6()]).await;
    assert_eq!(region().as_deref(), Some("eu"));
    // The one goes, the other stays in its region.
    pass(&engine, &[v4()]).await;
    assert_eq!(region().as_deref(), Some("eu"));
    pass(&engine, &[with(v4(), &[(REGION_KEY, "us")])]).await;
    assert_eq!(region().as_deref(), Some("us"));
    pass(&engine, &[with(v4(), &[(REGION_KEY, "")])]).await;
    assert_eq!(region(), None);
    pass(&engine, &[v4()]).await;
    let result = pass(&engine, &[with(v4(), &[(REGION_KEY, "us")]), v6()]).await;
    assert!(
        told(&result).iter().all(|told| told.contains("a name has one")),
        "{:?}",
        told(&result)
    );
    pass(&engine, &[]).await;
    assert_eq!(region(), None);
}
