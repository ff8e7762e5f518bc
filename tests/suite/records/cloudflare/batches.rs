//! How many calls changes take: X batches, and nothing else.

use std::time::Duration;

use records::batch;
use records::provider::cloudflare::Settings;
use tests::cloudflare::{Cloudflare as Fake, Fault, Kind, Plan};

use super::stage::{
    ZONE, cached, calls, counted, endpoint, engine, fake, hosts, lines, owners, pass, provider, settings,
    told, with_ttl,
};
use crate::control_plane::eventually;

fn sized(fake: &Fake, size: usize) -> Settings {
    Settings {
        batch: batch::Settings {
            size,
            interval: Duration::ZERO,
        },
        ..settings(fake)
    }
}

#[tokio::test]
async fn warm_changes_take_their_batches_and_nothing_else() {
    let fake = fake().await;
    let engine = engine(cached(
        provider(Settings {
            zones_time: Duration::from_secs(3_600),
            ..settings(&fake)
        }),
        None,
    ));
    pass(&engine, &hosts(300, "192.0.2.1")).await;
    assert_eq!((lines(&fake, ZONE).len(), owners(&fake, ZONE)), (300, 300));
    calls(&fake);

    // 100 more, each with its owner record.
    pass(&engine, &hosts(400, "192.0.2.1")).await;
    assert_eq!(calls(&fake), counted([(Kind::Batch, 1)]));
    // Others in their place: a record goes, a record comes.
    let mut wanted = hosts(400, "192.0.2.1");
    wanted.truncate(300);
    wanted.extend(hosts(400, "192.0.2.2").drain(300..));
    pass(&engine, &wanted).await;
    assert_eq!(calls(&fake), counted([(Kind::Batch, 1)]));
    pass(&engine, &hosts(300, "192.0.2.1")).await;
    assert_eq!(calls(&fake), counted([(Kind::Batch, 1)]));
    assert_eq!(fake.account().records(ZONE).count(), 600);
}

#[tokio::test]
async fn bad_records_do_not_keep_the_good_ones_out() {
    for bad in [1, 2] {
        let fake = fake().await;
        let engine = engine(cached(provider(sized(&fake, 400)), None));
        pass(&engine, &[]).await;
        calls(&fake);
        let mut wanted = hosts(200, "192.0.2.1");
        for place in [37, 150].iter().take(bad) {
            // Too short for any plan but one that nobody has here.
            wanted[*place] = with_ttl(wanted[*place].clone(), 45);
        }
        let result = pass(&engine, &wanted).await;
        assert_eq!(lines(&fake, ZONE).len(), 200 - bad);
        assert_eq!(told(&result).len(), bad);
        assert!(
            told(&result)[0].contains("RejectedByProvider: Invalid TTL."),
            "{:?}",
            told(&result)
        );
        assert!(told(&result)[0].contains("(9021)"));
        let batches = calls(&fake)[&Kind::Batch];
        assert!(batches <= [17, 33][bad - 1], "{batches} batches for {bad}");

        // The next passes do not pay for them again.
        pass(&engine, &wanted).await;
        assert_eq!(calls(&fake), counted([(Kind::Zones, 1)]));
        // A definition that is mended is tried at once.
        pass(&engine, &hosts(200, "192.0.2.1")).await;
        assert_eq!(lines(&fake, ZONE).len(), 200);
        assert_eq!(calls(&fake)[&Kind::Batch], 1);
    }
}

#[tokio::test]
async fn the_limit_of_the_plan_is_found_with_the_first_refusal() {
    for (code, words) in [
        (9_300, "Too many operations in the batch."),
        (40_000, "words that nobody knows"),
    ] {
        let fake = Fake::start(&[(ZONE, Plan::Free)]).await.unwrap();
        fake.account().too_many = (code, words.to_owned());
        let engine = engine(cached(provider(sized(&fake, 1_000)), None));
        // 600 operations.
        pass(&engine, &hosts(300, "192.0.2.1")).await;
        assert_eq!(lines(&fake, ZONE).len(), 300);
        assert_eq!(calls(&fake)[&Kind::Batch], 1 + 3);
        pass(&engine, &hosts(500, "192.0.2.1")).await;
        assert_eq!(calls(&fake)[&Kind::Batch], 2);
    }
    // Of a zone that somebody pays for, one batch takes them all.
    let fake = fake().await;
    let engine = engine(cached(provider(sized(&fake, 5_000)), None));
    pass(&engine, &hosts(1_000, "192.0.2.1")).await;
    assert_eq!(calls(&fake)[&Kind::Batch], 1);
}

#[tokio::test]
async fn doubt_is_settled_by_reading_the_names() {
    for fault in [
        Fault::DoneThenLost,
        Fault::DoneThenCutOff,
        Fault::DoneThenHtml,
        Fault::Status(502),
        Fault::Html(522),
        Fault::Lost,
    ] {
        let fake = fake().await;
        let engine = engine(cached(provider(settings(&fake)), None));
        pass(&engine, &hosts(100, "192.0.2.1")).await;
        calls(&fake);
        fake.account().script(Kind::Batch, Some(fault));
        let wanted = [
            hosts(100, "192.0.2.1"),
            vec![endpoint("new.example.com", "A", &["192.0.2.7"])],
        ]
        .concat();
        let result = pass(&engine, &wanted).await;
        assert_eq!(told(&result).len(), 1, "{fault:?}");
        assert_eq!(calls(&fake)[&Kind::Batch], 1, "{fault:?}");
        // The record and its owner record are read by name, and no more is.
        let result = pass(&engine, &wanted).await;
        assert_eq!(told(&result), Vec::<String>::new(), "{fault:?}");
        let after = calls(&fake);
        assert_eq!(after[&Kind::List], 2, "{fault:?}");
        let done = matches!(
            fault,
            Fault::DoneThenLost | Fault::DoneThenCutOff | Fault::DoneThenHtml
        );
        assert_eq!(
            after.get(&Kind::Batch).copied().unwrap_or_default(),
            usize::from(!done),
            "{fault:?}"
        );
        assert_eq!((lines(&fake, ZONE).len(), owners(&fake, ZONE)), (101, 101));
    }
}

#[tokio::test]
async fn a_process_that_ends_between_batches_goes_on_where_it_was() {
    let fake = fake().await;
    let folder = tempfile::tempdir().unwrap();
    let wanted = hosts(250, "192.0.2.1");
    let slow = Settings {
        batch: batch::Settings {
            size: 200,
            interval: Duration::from_secs(600),
        },
        ..settings(&fake)
    };
    let first = engine(cached(provider(slow), Some(folder.path())));
    let ended = pass(&first, &wanted);
    let written = eventually("the first batch is written", async || {
        lines(&fake, ZONE).len() == 100
    });
    tokio::select! {
        _ = ended => panic!("it did not wait between batches"),
        () = written => {}
    }
    drop(first);
    let second = engine(cached(provider(settings(&fake)), Some(folder.path())));
    let result = pass(&second, &wanted).await;
    assert_eq!(told(&result), Vec::<String>::new());
    assert_eq!((lines(&fake, ZONE).len(), owners(&fake, ZONE)), (250, 250));
}
