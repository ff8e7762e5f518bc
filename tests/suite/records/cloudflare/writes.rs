//! What is wanted comes to be, of every type, and stays so without a call.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use records::provider::cloudflare::{COMMENT, PROXIED, TAGS};
use records::webhook::{Server, Settings as ServerSettings};
use records::{Endpoint, Provider as _, RECORD_IDS_LABEL};
use serde_json::Value;
use tests::cloudflare::{Kind, Record};

use super::stage::{
    ZONE, cached, calls, counted, endpoint, engine, fake, lines, owners, pass, provider, settings, told,
    with, with_ttl, zone,
};

fn everything() -> Vec<Endpoint> {
    vec![
        with_ttl(endpoint("a.example.com", "A", &["192.0.2.1", "192.0.2.2"]), 300),
        with(
            endpoint("aaaa.example.com", "AAAA", &["2001:DB8::1"]),
            &[(PROXIED, "true"), (COMMENT, "of the team"), (TAGS, "b:2, a:1")],
        ),
        endpoint("cname.example.com", "CNAME", &["A.Example.com."]),
        endpoint(
            "mx.example.com",
            "MX",
            &["10 mail.example.com", "20 mail.example.com."],
        ),
        endpoint("_sip._tcp.example.com", "SRV", &["10 5 5060 sip.example.com"]),
        endpoint("txt.example.com", "TXT", &["plain words", "\"in quotes\""]),
        endpoint("ns.example.com", "NS", &["ns1.example.net."]),
        endpoint("caa.example.com", "CAA", &["0 issue \"ca.example.net\""]),
        endpoint("*.wild.example.com", "A", &["192.0.2.9"]),
        endpoint("xn--bcher-kva.example.com", "A", &["192.0.2.10"]),
    ]
}

#[tokio::test]
async fn every_type_is_written_and_then_left_alone() {
    let fake = fake().await;
    let engine_one = engine(provider(settings(&fake)));
    let result = pass(&engine_one, &everything()).await;
    assert_eq!(told(&result), Vec::<String>::new());
    assert_eq!(
        lines(&fake, ZONE),
        [
            "*.wild.example.com A 192.0.2.9",
            "_sip._tcp.example.com SRV 10 5 5060 sip.example.com",
            "a.example.com A 192.0.2.1 ttl=300",
            "a.example.com A 192.0.2.2 ttl=300",
            "aaaa.example.com AAAA 2001:db8::1 proxied comment=of the team tags=a:1,b:2",
            "caa.example.com CAA 0 issue ca.example.net",
            "cname.example.com CNAME a.example.com",
            "mx.example.com MX 10 mail.example.com",
            "mx.example.com MX 20 mail.example.com",
            "ns.example.com NS ns1.example.net",
            "txt.example.com TXT \"in quotes\"",
            "txt.example.com TXT \"plain words\"",
            "xn--bcher-kva.example.com A 192.0.2.10",
        ]
    );
    assert_eq!(owners(&fake, ZONE), 10);

    // Nothing is left to do, whoever looks: not even for one that knows nothing yet.
    for engine in [engine_one, engine(provider(settings(&fake)))] {
        calls(&fake);
        let result = pass(&engine, &everything()).await;
        assert_eq!(told(&result), Vec::<String>::new());
        assert!(result.zones.iter().all(|zone| zone.groups.is_empty()));
        assert_eq!(calls(&fake), counted([(Kind::Zones, 1), (Kind::List, 1)]));
    }
}

#[tokio::test]
async fn a_set_is_changed_by_its_difference_and_without_a_listing() {
    let fake = fake().await;
    let cache = cached(provider(settings(&fake)), None);
    let engine = engine(cache.clone());
    let old = with_ttl(endpoint("a.example.com", "A", &["192.0.2.1", "192.0.2.2"]), 300);
    pass(&engine, std::slice::from_ref(&old)).await;
    let id = |content: &str| {
        let account = fake.account();
        let mut records = account.records(ZONE);
        records
            .find(|record| record.content == content)
            .unwrap()
            .id
            .clone()
    };
    let (gone, kept) = (id("192.0.2.1"), id("192.0.2.2"));
    calls(&fake);
    fake.account().take_batches();

    // Only targets differ: what stays is not touched.
    let new = with_ttl(endpoint("a.example.com", "A", &["192.0.2.2", "192.0.2.3"]), 300);
    pass(&engine, std::slice::from_ref(&new)).await;
    let batches = fake.account().take_batches();
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0]["deletes"][0]["id"], gone.as_str());
    assert_eq!(batches[0]["posts"][0]["content"], "192.0.2.3");
    assert_eq!(batches[0]["patches"], Value::Null);

    // The TTL differs: both are patched, the new one by the id that the answer told.
    let slow = with_ttl(endpoint("a.example.com", "A", &["192.0.2.2", "192.0.2.3"]), 600);
    pass(&engine, std::slice::from_ref(&slow)).await;
    let batches = fake.account().take_batches();
    let patches = batches[0]["patches"].as_array().unwrap();
    assert_eq!(patches.len(), 2);
    assert_eq!(patches[0], serde_json::json!({ "id": kept, "ttl": 600 }));
    assert_eq!(patches[1]["id"], id("192.0.2.3").as_str());
    assert_eq!(batches[0]["posts"], Value::Null);

    // Another type in its place, in one batch with its owner record.
    pass(&engine, &[endpoint("a.example.com", "CNAME", &["b.example.net"])]).await;
    assert_eq!(lines(&fake, ZONE), ["a.example.com CNAME b.example.net"]);
    assert_eq!(owners(&fake, ZONE), 1);
    pass(&engine, &[]).await;
    assert_eq!(fake.account().records(ZONE).count(), 0);
    let zones = 4;
    assert_eq!(calls(&fake), counted([(Kind::Zones, zones), (Kind::Batch, 4)]));
}

#[tokio::test]
async fn ids_survive_a_restart_and_reach_nobody_else() {
    let fake = fake().await;
    let folder = tempfile::tempdir().unwrap();
    let wanted = endpoint("a.example.com", "A", &["192.0.2.1"]);
    let first = engine(cached(provider(settings(&fake)), Some(folder.path())));
    pass(&first, std::slice::from_ref(&wanted)).await;
    drop(first);

    // What stays is known from the disk, and needs no new record.
    let cache = cached(provider(settings(&fake)), Some(folder.path()));
    let second = engine(cache.clone());
    calls(&fake);
    pass(
        &second,
        &[wanted.clone(), endpoint("b.example.com", "A", &["192.0.2.2"])],
    )
    .await;
    assert_eq!(calls(&fake)[&Kind::Batch], 1);
    // What is overwritten is the record of that id.
    pass(&second, &[endpoint("a.example.com", "A", &["192.0.2.3"])]).await;
    assert_eq!(lines(&fake, ZONE), ["a.example.com A 192.0.2.3"]);

    // An ownership record that is made anew, as for one of former days, does not tell ids.
    fake.account().remove(ZONE, "a-a.example.com", "TXT");
    let former = "\"heritage=external-dns,external-dns/owner=us\"";
    fake.account()
        .put(ZONE, Record::plain("a.example.com", "TXT", former));
    let third = engine(provider(settings(&fake)));
    pass(&third, &[endpoint("a.example.com", "A", &["192.0.2.3"])]).await;
    let texts: Vec<String> = fake.account().records(ZONE).map(Record::line).collect();
    assert!(
        texts.iter().any(|text| text.starts_with("a-a.example.com TXT")),
        "{texts:?}"
    );
    assert!(
        texts.iter().all(|text| !text.contains(RECORD_IDS_LABEL)),
        "{texts:?}"
    );

    // Nor is external-dns told, by our webhook.
    let zone = zone(&*cache, ZONE).await;
    let listed = cache.read(&zone).await.unwrap();
    assert!(
        listed
            .records
            .iter()
            .all(|set| set.labels.contains_key(RECORD_IDS_LABEL))
    );
    let server = Server::new(cache, ServerSettings::default());
    let request = Request::get("/records").body(Empty::<Bytes>::new()).unwrap();
    let body = server.respond(request).await.into_body().collect().await.unwrap();
    let body = String::from_utf8(body.to_bytes().into()).unwrap();
    assert!(
        body.contains("a.example.com") && !body.contains(RECORD_IDS_LABEL),
        "{body}"
    );
}

#[tokio::test]
async fn a_set_of_two_minds_is_mended_with_the_next_change() {
    let fake = fake().await;
    let engine = engine(provider(settings(&fake)));
    let wanted = |ttl| with_ttl(endpoint("a.example.com", "A", &["192.0.2.1", "192.0.2.2"]), ttl);
    pass(&engine, &[wanted(300)]).await;
    fake.account().remove(ZONE, "a.example.com", "A");
    let one = |content: &str, ttl, comment: &str| Record {
        ttl,
        comment: comment.to_owned(),
        ..Record::plain("a.example.com", "A", content)
    };
    fake.account().put(ZONE, one("192.0.2.2", 900, "other"));
    fake.account().put(ZONE, one("192.0.2.1", 600, ""));
    pass(&engine, &[wanted(300)]).await;
    assert_eq!(
        lines(&fake, ZONE),
        [
            "a.example.com A 192.0.2.1 ttl=300",
            "a.example.com A 192.0.2.2 ttl=300"
        ]
    );

    // Also with one that has nothing to do with what differs.
    fake.account().remove(ZONE, "a.example.com", "A");
    fake.account().put(ZONE, one("192.0.2.2", 900, ""));
    fake.account().put(ZONE, one("192.0.2.1", 300, ""));
    let more = endpoint("a.example.com", "A", &["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    pass(&engine, &[with_ttl(more, 300)]).await;
    assert_eq!(
        lines(&fake, ZONE),
        [
            "a.example.com A 192.0.2.1 ttl=300",
            "a.example.com A 192.0.2.2 ttl=300",
            "a.example.com A 192.0.2.3 ttl=300"
        ]
    );
}
