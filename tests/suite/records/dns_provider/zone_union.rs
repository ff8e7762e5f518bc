//! The zones of several DNSProviders as one provider of the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use operator::records::dns_provider::account::{Account, Accounts};
use operator::records::dns_provider::controller::Survey;
use operator::records::dns_provider::selection::SelectedZone;
use operator::records::dns_provider::settings::{Blueprint, ProviderSettings};
use operator::records::dns_provider::usable::{Usable, UsableProvider};
use operator::records::dns_provider::zone_union::ZoneUnion;
use records::provider::cloudflare::COMMENT;
use records::{Change, Domains, Group, Name, Outcome, Provider as _, ProviderError, Zone, ZoneId, cache};
use tests::cloudflare::{Cloudflare as Fake, Fault, Kind, Plan};
use tokio::sync::watch as channel;

use super::super::cloudflare::stage::{ZONE, endpoint, fake, lines, settings, with};

/// Everything has been found out.
fn complete() -> Survey {
    Survey {
        is_complete: true,
        ..Survey::default()
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// An account at a stand-in for Cloudflare.
async fn account(name: &str, fake: &Fake) -> Arc<Account> {
    let blueprint = Blueprint {
        name: name.to_owned(),
        provider: ProviderSettings::Cloudflare(settings(fake)),
        rate: None,
    };
    let settings = cache::Settings {
        time: Duration::from_secs(3_600),
        patch_on_apply: true,
        ..cache::Settings::default()
    };
    let obtained = Accounts::default().obtain(blueprint, &settings).await;
    obtained.unwrap().0
}

/// A DNSProvider whose account has these zones.
async fn usable(object: &str, account: &Arc<Account>, zones: &[&str], include: &[&str]) -> UsableProvider {
    let listed = account.zones().await.unwrap();
    let selected = listed.into_iter().map(|zone| SelectedZone {
        zone,
        forwarded: Vec::new(),
    });
    UsableProvider {
        namespace: "team".to_owned(),
        name: object.to_owned(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        account: Arc::clone(account),
        zones: selected
            .filter(|selected| zones.contains(&selected.zone.name.as_str()))
            .collect(),
        domains: Domains {
            include: include.iter().map(|text| name(text)).collect(),
            ..Domains::default()
        },
    }
}

fn union(usable: Vec<UsableProvider>) -> (channel::Sender<Usable>, ZoneUnion) {
    let (sender, receiver) = channel::channel(Usable::from(usable));
    let survey = channel::channel(complete()).1;
    (sender, ZoneUnion::new(receiver, survey))
}

fn create(host: &str) -> Group {
    let record = endpoint(&format!("{host}.{ZONE}"), "A", &["192.0.2.1"]);
    Group {
        name: record.name().unwrap(),
        changes: vec![Change::Create(record)],
    }
}

/// What names all zones have, and by which ids.
fn told(zones: &[Zone]) -> Vec<(&str, &str)> {
    zones
        .iter()
        .map(|zone| (&*zone.id.0, zone.name.as_str()))
        .collect()
}

#[tokio::test]
async fn dns_providers_of_one_account_share_a_zone_each_for_its_domains() {
    let fake = fake().await;
    let account = account("one", &fake).await;
    let mut first = usable("first", &account, &[ZONE], &["a.example.com"]).await;
    first.zones[0].forwarded = vec![name("sub.a.example.com")];
    let mut second = usable("second", &account, &[ZONE], &["b.example.com"]).await;
    second.domains.exclude.insert(name("x.b.example.com"));
    let (_usable, union) = union(vec![first, second]);
    let zones = union.zones().await.unwrap();
    assert_eq!(zones.len(), 1);
    let filters = union.domain_filters(&zones[0]);
    let takes = |text: &str| filters.iter().all(|filter| filter.matches(&name(text)));
    for (text, expected) in [
        ("www.a.example.com", true),
        ("www.b.example.com", true),
        ("www.c.example.com", false),
        ("www.x.b.example.com", false),
        ("www.sub.a.example.com", false),
    ] {
        assert_eq!(takes(text), expected, "{text}");
    }

    // What somebody wants to change all the same is told so, and keeps nothing else out.
    let groups = [create("www.a"), create("www.c"), create("www.b")];
    let outcomes = union.apply(&zones[0], &groups).await;
    assert!(
        matches!(
            &outcomes[..],
            [Outcome::Applied { .. }, Outcome::Rejected { reason }, Outcome::Applied { .. }]
                if reason.contains("includes www.c.example.com")
        ),
        "{outcomes:?}"
    );
    assert_eq!(lines(&fake, ZONE).len(), 2);
}

#[tokio::test]
async fn of_two_zones_with_one_name_the_first_is_used_for_as_long_as_it_is_there() {
    let first = fake().await;
    let second = Fake::start(&[(ZONE, Plan::Paid), ("example.org", Plan::Paid)]);
    let second = second.await.unwrap();
    let accounts = [account("one", &first).await, account("two", &second).await];
    let both = [
        usable("first", &accounts[0], &[ZONE], &["www.example.com"]).await,
        usable(
            "second",
            &accounts[1],
            &[ZONE, "example.org"],
            &[ZONE, "example.org"],
        )
        .await,
    ];
    let (sender, union) = union(both.to_vec());
    let zones = union.zones().await.unwrap();
    let id = |account: usize, place: usize| {
        let zone = &both[account].zones[place].zone;
        format!("{}/{}", accounts[account].name, zone.id.0)
    };
    let ids = [id(0, 0), id(1, 1)];
    assert_eq!(told(&zones), [(&*ids[0], ZONE), (&*ids[1], "example.org")]);
    let filters = union.domain_filters(&zones[0]);
    let takes = |text: &str| filters.iter().all(|filter| filter.matches(&name(text)));
    assert_eq!(
        [takes("www.example.com"), takes("mail.example.com")],
        [true, false]
    );
    let outcomes = union.apply(&zones[0], &[create("www")]).await;
    assert!(matches!(outcomes[..], [Outcome::Applied { .. }]), "{outcomes:?}");
    assert_eq!((lines(&first, ZONE).len(), lines(&second, ZONE).len()), (1, 0));

    // The first is gone.
    sender.send_replace([both[1].clone()].into());
    let gone = ZoneId(id(0, 0).into());
    let zone = Zone {
        id: gone,
        name: name(ZONE),
    };
    let error = union.read(&zone).await.unwrap_err();
    assert!(matches!(error, ProviderError::NoSuchZone(_)), "{error:?}");
    let outcomes = union.apply(&zone, &[create("www")]).await;
    assert!(
        matches!(outcomes[..], [Outcome::Postponed { .. }]),
        "{outcomes:?}"
    );
    let zones = union.zones().await.unwrap();
    let ids = [id(1, 0), id(1, 1)];
    assert_eq!(told(&zones), [(&*ids[0], ZONE), (&*ids[1], "example.org")]);
}

/// What is wanted is compared as each account would list it. While one cannot tell that, its
/// zones are left alone: all of them would seem to differ.
#[tokio::test]
async fn a_zone_is_not_read_whose_account_cannot_tell_what_it_would_list() {
    let (sound, broken) = (fake().await, Fake::start(&[("example.org", Plan::Paid)]));
    let broken = broken.await.unwrap();
    let accounts = [account("one", &sound).await, account("two", &broken).await];
    let usable = vec![
        usable("first", &accounts[0], &[ZONE], &[ZONE]).await,
        usable("second", &accounts[1], &["example.org"], &["example.org"]).await,
    ];
    // One that has not listed its zones, and has to for a long comment.
    let accounts = [Arc::clone(&accounts[0]), account("two", &broken).await];
    let usable = usable
        .into_iter()
        .zip(accounts)
        .map(|(usable, account)| UsableProvider { account, ..usable });
    let (_usable, union) = union(usable.collect());
    let zones = union.zones().await.unwrap();
    broken.account().script(Kind::Zones, Some(Fault::Status(502)));
    let comment = "x".repeat(200);
    let commented = |name: &str| {
        with(
            endpoint(name, "CNAME", &["Host.example.net."]),
            &[(COMMENT, &comment)],
        )
    };
    let wanted = ["www.example.com", "www.example.org", "www.example.net"].map(commented);
    let mut adjusted = union.adjust(wanted.to_vec()).await.unwrap();
    adjusted.sort_by(|one, other| one.dns_name.cmp(&other.dns_name));
    let told = adjusted
        .iter()
        .map(|record| (&*record.dns_name, &*record.targets[0]));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("www.example.com", "host.example.net"),
            ("www.example.net", "Host.example.net."),
            ("www.example.org", "Host.example.net.")
        ]
    );
    assert!(union.read(&zones[0]).await.is_ok());
    let error = union.read(&zones[1]).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
    // The next pass asks again.
    let zones = union.zones().await.unwrap();
    union.adjust(wanted.to_vec()).await.unwrap();
    assert!(union.read(&zones[1]).await.is_ok());
}

/// Zones that are not known yet are no zones that are gone.
#[tokio::test]
async fn it_is_waited_for_what_can_be_used() {
    let fake = fake().await;
    let account = account("one", &fake).await;
    let (usables, receiver) = channel::channel(Usable::from([]));
    let (survey, followed) = channel::channel(Survey::default());
    let union = ZoneUnion::new(receiver, followed);
    let mut zones = union.zones();
    assert!((&mut zones).now_or_never().is_none());
    usables.send_replace([usable("first", &account, &[ZONE], &[ZONE]).await].into());
    survey.send_replace(complete());
    assert_eq!(zones.await.unwrap().len(), 1);
    usables.send_replace(Usable::from([]));
    let error = union.zones().await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
}
