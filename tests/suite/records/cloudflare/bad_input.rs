//! What goes wrong at Cloudflare, or somebody else does there.

use std::time::Duration;

use records::provider::cloudflare::{Credentials, Settings};
use records::{Change, Group, Name, Outcome, Provider as _, ProviderError};
use tests::cloudflare::{Cloudflare as Fake, Fault, Kind, Plan, Record, TOKEN};

use super::stage::{
    ZONE, cached, endpoint, engine, fake, hosts, lines, owners, pass, provider, settings, told, with_ttl,
    zone,
};

#[tokio::test]
async fn malformed_data_of_any_type_is_told_in_words() {
    let fake = fake().await;
    let engine = engine(provider(settings(&fake)));
    let cases = [
        (
            "A",
            "not an address",
            "Content for A record must be a valid IPv4 address. (9005)",
        ),
        (
            "AAAA",
            "192.0.2.1",
            "Content for AAAA record must be a valid IPv6 address. (9006)",
        ),
        (
            "CNAME",
            "no host",
            "Content for CNAME record must be a valid hostname. (9007)",
        ),
        ("NS", "no host", "Content for NS record must be a hostname."),
        ("MX", "mail.example.com", "a record of type MX is PREFERENCE HOST"),
        ("MX", "10 no host", "Content for MX record must be a hostname."),
        (
            "SRV",
            "1 2 three host.example.com",
            "a record of type SRV is PRIORITY WEIGHT PORT TARGET",
        ),
        ("CAA", "0 issue", "a record of type CAA is FLAGS TAG VALUE"),
    ];
    let good = endpoint("good.example.com", "A", &["192.0.2.1"]);
    for (record_type, target, words) in cases {
        let bad = endpoint("bad.example.com", record_type, &[target]);
        let result = pass(&engine, &[bad, good.clone()]).await;
        let told = told(&result);
        assert_eq!(told.len(), 1, "{record_type} {target}: {told:?}");
        assert!(told[0].contains(words), "{record_type} {target}: {told:?}");
        assert_eq!(lines(&fake, ZONE), ["good.example.com A 192.0.2.1"]);
    }
    for ttl in [20, 100_000] {
        let bad = with_ttl(endpoint("ttl.example.com", "A", &["192.0.2.1"]), ttl);
        let told = told(&pass(&engine, &[bad, good.clone()]).await);
        assert!(told[0].contains("recordTTL"), "{told:?}");
    }
}

#[tokio::test]
async fn what_somebody_has_done_already_counts_as_done() {
    let fake = fake().await;
    let engine = engine(cached(provider(settings(&fake)), None));
    let wanted = hosts(20, "192.0.2.1");
    pass(&engine, &wanted).await;
    // Deleted behind our back, and to be deleted by us.
    fake.account().remove(ZONE, "host-0003.example.com", "A");
    // Made behind our back, and to be made by us.
    fake.account()
        .put(ZONE, Record::plain("host-0020.example.com", "A", "192.0.2.1"));
    let mut next = hosts(21, "192.0.2.1");
    next.remove(3);
    let result = pass(&engine, &next).await;
    assert_eq!(told(&result), Vec::<String>::new());
    assert_eq!((lines(&fake, ZONE).len(), owners(&fake, ZONE)), (20, 20));
}

#[tokio::test]
async fn what_somebody_else_has_done_stays_and_is_read() {
    let fake = fake().await;
    let engine = engine(cached(provider(settings(&fake)), None));
    pass(&engine, &hosts(10, "192.0.2.1")).await;

    // Our record is gone, and another one stands in its place.
    fake.account().remove(ZONE, "host-0001.example.com", "A");
    fake.account()
        .put(ZONE, Record::plain("host-0001.example.com", "A", "198.51.100.1"));
    // An alias stands where an address is to come.
    fake.account().put(
        ZONE,
        Record::plain("host-0010.example.com", "CNAME", "other.example.net"),
    );
    let mut next = hosts(11, "192.0.2.1");
    next[1] = endpoint("host-0001.example.com", "A", &["192.0.2.9"]);
    next[2] = endpoint("host-0002.example.com", "A", &["192.0.2.9"]);
    let result = pass(&engine, &next).await;
    assert_eq!(told(&result).len(), 2, "{:?}", told(&result));
    let lines_now = lines(&fake, ZONE);
    assert!(lines_now.contains(&"host-0001.example.com A 198.51.100.1".to_owned()));
    assert!(lines_now.contains(&"host-0002.example.com A 192.0.2.9".to_owned()));

    // The names are read again, and it is seen what is there.
    let result = pass(&engine, &next).await;
    let lines_now = lines(&fake, ZONE);
    assert!(
        lines_now.contains(&"host-0001.example.com A 192.0.2.9".to_owned()),
        "{lines_now:?}"
    );
    assert!(lines_now.contains(&"host-0010.example.com CNAME other.example.net".to_owned()));
    assert_eq!(told(&result).len(), 1);
    assert!(told(&result)[0].contains("OwnedByAnother"), "{:?}", told(&result));
}

#[tokio::test]
async fn a_zone_without_rights_or_gone_does_not_stop_the_others() {
    let names = ["one.example", "two.example", "three.example"];
    let fake = Fake::start(&names.map(|name| (name, Plan::Free))).await.unwrap();
    fake.account()
        .allow("token of two", Some(&["one.example", "three.example"]));
    let ids: Vec<Box<str>> = names
        .iter()
        .map(|name| fake.account().zone_id(name).into())
        .collect();
    let wanted: Vec<_> = names
        .iter()
        .map(|name| endpoint(&format!("www.{name}"), "A", &["192.0.2.1"]))
        .collect();
    let of_two = |zone_ids: &[Box<str>]| Settings {
        credentials: Credentials::token("token of two"),
        zone_ids: zone_ids.to_vec(),
        ..settings(&fake)
    };
    // Asked for by ids, or all that there are.
    for zone_ids in [ids.as_slice(), &[]] {
        let engine = engine(provider(of_two(zone_ids)));
        let result = pass(&engine, &wanted).await;
        assert_eq!(
            told(&result),
            ["www.two.example A OutsideZones: no zone that is kept holds the name"]
        );
        assert_eq!(lines(&fake, "one.example"), ["www.one.example A 192.0.2.1"]);
        assert_eq!(lines(&fake, "three.example"), ["www.three.example A 192.0.2.1"]);
    }
    let error = provider(of_two(&ids[1..2])).zones().await.unwrap_err();
    assert!(matches!(&error, ProviderError::Denied(_)), "{error:?}");

    // A zone vanishes between two passes, and between a read and a write.
    let everywhere = provider(settings(&fake));
    let zone = zone(&*everywhere, "two.example").await;
    let engine = engine(cached(everywhere.clone(), None));
    pass(&engine, &wanted).await;
    fake.account().remove_zone("two.example");
    let error = everywhere.read(&zone).await.unwrap_err();
    assert!(matches!(error, ProviderError::NoSuchZone(_)), "{error:?}");
    let group = Group {
        name: Name::parse("x.two.example").unwrap(),
        changes: vec![Change::Create(endpoint("x.two.example", "A", &["192.0.2.1"]))],
    };
    let outcomes = everywhere.apply(&zone, &[group]).await;
    assert!(
        matches!(&outcomes[0], Outcome::Postponed { reason, .. } if reason.contains("(7003)")),
        "{outcomes:?}"
    );
    let result = pass(&engine, &wanted).await;
    assert_eq!(
        told(&result),
        ["www.two.example A OutsideZones: no zone that is kept holds the name"]
    );
}

#[tokio::test]
async fn credentials_are_read_again_and_never_told() {
    let fake = fake().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "secret-of-old\n").unwrap();
    let from_file = Settings {
        credentials: Credentials::token(&format!("file:{}", path.display())),
        ..settings(&fake)
    };
    let shown = format!("{from_file:?}");
    let provider_one = provider(from_file);
    let error = provider_one.zones().await.unwrap_err();
    assert_eq!(error, ProviderError::Denied("Invalid access token (9109)".into()));
    std::fs::write(&path, TOKEN).unwrap();
    assert_eq!(provider_one.zones().await.unwrap().len(), 1);
    std::fs::remove_file(&path).unwrap();
    let error = provider_one.zones().await.unwrap_err();
    assert!(error.to_string().contains("CF_API_TOKEN"), "{error}");
    assert!(!shown.contains("secret") && !error.to_string().contains(TOKEN));

    fake.account().allow("us@example.com key", None);
    let by_key = Settings {
        credentials: Credentials::key("key", "us@example.com"),
        ..settings(&fake)
    };
    assert_eq!(provider(by_key).zones().await.unwrap().len(), 1);
}

#[tokio::test]
async fn too_many_calls_make_us_wait_and_nothing_is_lost() {
    let fake = fake().await;
    let engine = engine(provider(settings(&fake)));
    fake.account().set_time(Duration::ZERO);
    pass(&engine, &[]).await;
    // The fourth call of five minutes is the last; those are over in two seconds.
    fake.account().most_calls = 4;
    fake.account().set_time(Duration::from_secs(298));
    let clock = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        fake.account().set_time(Duration::from_secs(301));
    };
    fake.account().script(Kind::Batch, Some(Fault::Status(429)));
    let wanted = hosts(3, "192.0.2.1");
    let (result, ()) = tokio::join!(pass(&engine, &wanted), clock);
    assert_eq!(told(&result), Vec::<String>::new());
    assert_eq!(lines(&fake, ZONE).len(), 3);
}
