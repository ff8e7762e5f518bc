//! Planned changes in groups, with the changes to the ownership records.

use records::ownership::{Affix, Cipher, Ownership, Refusal, Rejected};
use records::{Change, Endpoint, Group, Property};

use super::zone::{
    HeldZone, held, labelled, line, name, owner_of, ownership, ownership_txt, record, registry,
};

const OURS: &str = "\"heritage=external-dns,external-dns/owner=default\"";

/// The changes of some groups, a line each, below the name of their group.
fn lines(groups: &[Group]) -> Vec<String> {
    let change = |change: &Change| match change {
        Change::Create(new) => format!("+ {}", line(new)),
        Change::Update { old, new } => format!("- {}\n+ {}", line(old), line(new)),
        Change::Delete(old) => format!("- {}", line(old)),
    };
    groups
        .iter()
        .flat_map(|group| {
            let changes = group.changes.iter().map(change);
            std::iter::once(group.name.to_string())
                .chain(changes)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn reasons(rejected: &[Rejected]) -> Vec<Refusal> {
    rejected.iter().map(|rejected| rejected.reason.clone()).collect()
}

/// The record as it is held, with the labels of its ownership record.
fn found(zone: &HeldZone, ownership: &Ownership, name: &str, record_type: &str) -> Endpoint {
    held(&zone.holdings(ownership), name, record_type)
}

#[test]
fn a_created_record_gets_our_id_and_an_ownership_record_in_its_group() {
    let mut zone = HeldZone::new([]);
    let wanted = Endpoint {
        set_identifier: "one".into(),
        provider_specific: [Property {
            name: "aws/weight".into(),
            value: "1".into(),
        }]
        .into(),
        ..labelled(
            record("www.example.com", "A", "192.0.2.1"),
            &[("resource", "ingress/default/www"), ("owner", "mine")],
        )
    };
    let creates = vec![
        Change::Create(record("xyz.example.com", "A", "192.0.2.2")),
        Change::Create(wanted.clone()),
    ];
    let (groups, rejected) = zone.change(&ownership(), creates);
    assert_eq!(rejected, []);
    assert_eq!(
        lines(&groups),
        [
            "www.example.com",
            "+ www.example.com A 192.0.2.1",
            "+ a-www.example.com TXT \"heritage=external-dns,external-dns/owner=default,external-dns/resource=ingress/default/www\"",
            "xyz.example.com",
            "+ xyz.example.com A 192.0.2.2",
            &format!("+ a-xyz.example.com TXT {OURS}"),
        ]
    );
    assert_eq!(
        groups[0].changes[0].after().unwrap().labels.get("owner"),
        Some("default")
    );
    let companion = groups[0].changes[1].after().unwrap();
    assert_eq!(companion.set_identifier, wanted.set_identifier);
    assert_eq!(companion.provider_specific, wanted.provider_specific);
    assert_eq!(companion.labels.get("ownedRecord"), Some("www.example.com"));
}

#[test]
fn what_goes_is_what_was_read_to_the_letter() {
    // Neither the order of its keys nor its spelling is how we would write it.
    let txt = Endpoint {
        dns_name: "A-www.example.com".into(),
        targets: ["external-dns/resource=x,heritage=external-dns,external-dns/owner=default".into()].into(),
        ttl: std::num::NonZeroU32::new(77),
        ..ownership_txt("", "")
    };
    let raw = labelled(
        record("WWW.example.com", "A", "192.0.2.1"),
        &[("provider", "own")],
    );
    let mut zone = HeldZone::new([raw, txt]);
    let old = found(&zone, &ownership(), "WWW.example.com", "A");
    assert_eq!(old.labels.iter().count(), 3);

    let new = Endpoint {
        targets: ["192.0.2.9".into()].into(),
        ..labelled(old.clone(), &[("resource", "y")])
    };
    let (groups, rejected) = zone.change(&ownership(), vec![Change::Update { old, new }]);
    assert_eq!(rejected, []);
    assert_eq!(
        lines(&groups),
        [
            "www.example.com",
            "- WWW.example.com A 192.0.2.1\n+ WWW.example.com A 192.0.2.9",
            "- A-www.example.com TXT external-dns/resource=x,heritage=external-dns,external-dns/owner=default\n+ A-www.example.com TXT \"heritage=external-dns,external-dns/owner=default,external-dns/resource=y\"",
        ]
    );
    let old = found(&zone, &ownership(), "WWW.example.com", "A");
    let (_, rejected) = zone.change(&ownership(), vec![Change::Delete(old)]);
    assert_eq!((zone.lines(), rejected), (vec![], vec![]));
}

#[test]
fn an_ownership_record_that_would_say_the_same_is_left_alone() {
    let mut txt = ownership_txt("a-www.example.com", "default");
    txt.targets = ["external-dns/owner=default,heritage=external-dns".into()].into();
    let mut zone = HeldZone::new([record("www.example.com", "A", "192.0.2.1"), txt]);
    let old = found(&zone, &ownership(), "www.example.com", "A");
    let new = record("www.example.com", "A", "192.0.2.9");
    let (groups, _) = zone.change(
        &ownership(),
        vec![Change::Update {
            old: old.clone(),
            new: new.clone(),
        }],
    );
    assert_eq!(groups[0].changes.len(), 1);

    // But it goes with the properties of its record.
    let weight = [Property {
        name: "aws/weight".into(),
        value: "1".into(),
    }];
    let new = Endpoint {
        provider_specific: weight.clone().into(),
        ..new
    };
    let old = found(&zone, &ownership(), "www.example.com", "A");
    let (groups, _) = zone.change(&ownership(), vec![Change::Update { old, new }]);
    assert_eq!(*groups[0].changes[1].after().unwrap().provider_specific, weight);
}

#[test]
fn a_cname_becomes_an_address_in_one_group() {
    let mut zone = HeldZone::new([
        record("www.example.com", "CNAME", "lb.example.net"),
        ownership_txt("cname-www.example.com", "default"),
    ]);
    let old = found(&zone, &ownership(), "www.example.com", "CNAME");
    let new = record("www.example.com", "A", "192.0.2.1");
    let (groups, _) = zone.change(&ownership(), vec![Change::Delete(old), Change::Create(new)]);
    assert_eq!(groups.len(), 1);
    let want = [
        format!("a-www.example.com TXT {OURS}"),
        "www.example.com A 192.0.2.1".to_owned(),
    ];
    assert_eq!(zone.lines(), want);
}

#[test]
fn an_ownership_record_that_outlived_its_record_is_used_again() {
    for (left, writes) in [
        (OURS, 1),
        (
            "\"heritage=external-dns,external-dns/owner=default,external-dns/resource=x\"",
            2,
        ),
    ] {
        let mut zone = HeldZone::new([record("a-www.example.com", "TXT", left)]);
        let create = Change::Create(record("www.example.com", "A", "192.0.2.1"));
        let (groups, rejected) = zone.change(&ownership(), vec![create]);
        assert_eq!((groups[0].changes.len(), rejected), (writes, vec![]), "{left}");
        assert_eq!(zone.lines()[0], format!("a-www.example.com TXT {OURS}"));
    }
}

#[test]
fn what_is_not_ours_is_refused_with_the_rest_of_its_name() {
    let zone = HeldZone::new([
        record("other.example.com", "A", "192.0.2.1"),
        ownership_txt("a-other.example.com", "other"),
        record("hand.example.com", "CNAME", "lb.example.net"),
        record("ours.example.com", "A", "192.0.2.3"),
        ownership_txt("a-ours.example.com", "default"),
    ]);
    let holdings = zone.holdings(&ownership());
    let get = |name, kind| held(&holdings, name, kind);
    let other = get("other.example.com", "A");
    let updated = Endpoint {
        targets: ["192.0.2.9".into()].into(),
        ..other.clone()
    };
    // A planner gone wrong might call it ours.
    let hand = labelled(get("hand.example.com", "CNAME"), &[("owner", "default")]);
    let changes = vec![
        Change::Update {
            old: other,
            new: updated,
        },
        Change::Delete(hand),
        Change::Create(record("hand.example.com", "A", "192.0.2.2")),
        Change::Delete(get("ours.example.com", "A")),
    ];
    let (groups, rejected) = ownership().groups(&zone.zone, changes, &holdings);
    let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["ours.example.com"]);
    let not_ours = |text| Refusal::NotOurs {
        name: name(text),
        owner: "default".into(),
    };
    let want = [
        not_ours("hand.example.com"),
        Refusal::HeldBack,
        not_ours("other.example.com"),
    ];
    assert_eq!(reasons(&rejected), want);
}

#[test]
fn a_record_whose_ownership_record_has_no_room_is_refused_by_itself() {
    let long = format!("{}.example.com", "x".repeat(61));
    let mut zone = HeldZone::new([]);
    let both = vec![
        Change::Create(record(&long, "A", "192.0.2.1")),
        Change::Create(record(&long, "AAAA", "2001:db8::1")),
    ];
    let (groups, rejected) = zone.change(&ownership(), both);
    assert_eq!(groups[0].changes.len(), 2);
    assert!(
        matches!(reasons(&rejected)[..], [Refusal::TxtName(_)]),
        "{rejected:?}"
    );

    // What it was to replace stays.
    let old = found(&zone, &ownership(), &long, "A");
    let replace = vec![
        Change::Delete(old),
        Change::Create(record(&long, "CNAME", "lb.example.net")),
    ];
    let (groups, rejected) = zone.change(&ownership(), replace);
    assert_eq!(groups, []);
    assert!(
        matches!(reasons(&rejected)[..], [Refusal::TxtName(_), Refusal::HeldBack]),
        "{rejected:?}"
    );
}

#[test]
fn a_name_that_something_else_has_is_not_written_to() {
    let mut zone = HeldZone::new([
        record("a-text.example.com", "TXT", "\"hello\""),
        record("a-alias.example.com", "CNAME", "lb.example.net"),
        ownership_txt("a-other.example.com", "other"),
        ownership_txt("a-ours.example.com", "default"),
    ]);
    let before = zone.lines();
    let creates = [
        record("alias.example.com", "A", "192.0.2.1"),
        record("other.example.com", "A", "192.0.2.1"),
        record("text.example.com", "A", "192.0.2.1"),
        record("a-ours.example.com", "CNAME", "lb.example.net"),
        record("a-ours.example.com", "TXT", "\"hello\""),
        labelled(
            record("label.example.com", "A", "192.0.2.1"),
            &[("resource", "a,b")],
        ),
        ownership_txt("a-poser.example.com", "default"),
        record("bad..example.com", "A", "192.0.2.1"),
    ];
    let (groups, rejected) = zone.change(&ownership(), creates.map(Change::Create).into());
    assert_eq!((groups, zone.lines()), (vec![], before));
    let reason = |text: &str| {
        let found = rejected
            .iter()
            .filter(|rejected| *rejected.change.after().unwrap().dns_name == *text);
        found.map(|rejected| rejected.reason.clone()).collect::<Vec<_>>()
    };
    let taken = |text| Refusal::Taken(name(text));
    assert_eq!(reason("alias.example.com"), [taken("a-alias.example.com")]);
    assert_eq!(reason("text.example.com"), [taken("a-text.example.com")]);
    assert_eq!(
        reason("a-ours.example.com"),
        [taken("a-ours.example.com"), taken("a-ours.example.com")]
    );
    let claimed = Refusal::Claimed {
        txt: name("a-other.example.com"),
        owner: "other".into(),
    };
    assert_eq!(reason("other.example.com"), [claimed]);
    assert!(matches!(reason("label.example.com")[..], [Refusal::Label(_)]));
    assert_eq!(reason("a-poser.example.com"), [Refusal::Reserved]);
    assert!(matches!(reason("bad..example.com")[..], [Refusal::Name(_)]));
}

#[test]
fn two_records_never_get_one_ownership_record() {
    let ownership = Ownership::from(registry(Affix::new("", "", "any").unwrap()));
    let star = record("*.example.com", "A", "192.0.2.1");
    let any = record("any.example.com", "A", "192.0.2.2");
    let shared = Refusal::Shared(name("a-any.example.com"));

    let mut zone = HeldZone::new([]);
    let both = vec![Change::Create(any.clone()), Change::Create(star.clone())];
    let (_, rejected) = zone.change(&ownership, both);
    assert_eq!(
        rejected,
        [Rejected {
            change: Change::Create(any.clone()),
            reason: shared.clone()
        }]
    );
    let again = zone.change(&ownership, vec![Change::Create(any.clone())]);
    assert_eq!((again.0, reasons(&again.1)), (vec![], vec![shared.clone()]));
    assert_eq!(
        owner_of(&zone.holdings(&ownership), "*.example.com", "A"),
        "default"
    );

    // What somebody else has would be taken for ours.
    let mut zone = HeldZone::new([star]);
    let (groups, rejected) = zone.change(&ownership, vec![Change::Create(any)]);
    assert_eq!((groups, reasons(&rejected)), (vec![], vec![shared]));
}

#[test]
fn missing_ownership_records_are_written_and_old_ones_go_with_their_last_record() {
    let mut zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        record("www.example.com", "MX", "10 mail.example.com"),
        ownership_txt("www.example.com", "default"),
    ]);
    let (groups, rejected) = zone.change(&ownership(), vec![]);
    assert_eq!(rejected, []);
    assert_eq!(
        lines(&groups),
        [
            "www.example.com",
            &format!("+ a-www.example.com TXT {OURS}"),
            &format!("+ mx-www.example.com TXT {OURS}"),
        ]
    );
    assert_eq!(zone.change(&ownership(), vec![]).0, []);

    let gone = found(&zone, &ownership(), "www.example.com", "A");
    zone.change(&ownership(), vec![Change::Delete(gone)]);
    assert!(zone.lines().contains(&format!("www.example.com TXT {OURS}")));
    let gone = found(&zone, &ownership(), "www.example.com", "MX");
    zone.change(&ownership(), vec![Change::Delete(gone)]);
    assert_eq!(zone.lines(), Vec::<String>::new());
}

#[test]
fn a_repair_that_its_holdings_do_not_ask_for_is_not_made() {
    let zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        ownership_txt("www.example.com", "default"),
    ]);
    let mut holdings = zone.holdings(&ownership());
    holdings.repairs.clear();
    assert_eq!(
        ownership().groups(&zone.zone, vec![], &holdings),
        (vec![], vec![])
    );
}

#[test]
fn the_ownership_record_of_an_alias_goes_with_it() {
    let alias = Endpoint {
        provider_specific: [Property {
            name: "alias".into(),
            value: "true".into(),
        }]
        .into(),
        ..record("www.example.com", "A", "lb.example.net")
    };
    let mut zone = HeldZone::new([alias, ownership_txt("cname-www.example.com", "default")]);
    let gone = found(&zone, &ownership(), "www.example.com", "A");
    zone.change(&ownership(), vec![Change::Delete(gone)]);
    assert_eq!(zone.lines(), Vec::<String>::new());
}

#[test]
fn texts_that_others_wrote_beside_an_ownership_text_stay() {
    let mut txt = ownership_txt("a-www.example.com", "default");
    txt.targets = [txt.targets[0].clone(), "\"v=spf1 -all\"".into()].into();
    let mut zone = HeldZone::new([record("www.example.com", "A", "192.0.2.1"), txt]);
    let old = found(&zone, &ownership(), "www.example.com", "A");
    let new = labelled(old.clone(), &[("resource", "x")]);
    zone.change(&ownership(), vec![Change::Update { old, new }]);
    let want = "a-www.example.com TXT \"v=spf1 -all\" \"heritage=external-dns,external-dns/owner=default,external-dns/resource=x\"";
    assert_eq!(zone.lines()[0], want);
    let old = found(&zone, &ownership(), "www.example.com", "A");
    zone.change(&ownership(), vec![Change::Delete(old)]);
    assert_eq!(zone.lines(), ["a-www.example.com TXT \"v=spf1 -all\""]);
}

#[test]
fn a_migration_rewrites_the_ownership_records() {
    let migrating = Ownership::from(registry(Affix::default()).migrating_from("old"));
    let mut zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        ownership_txt("a-www.example.com", "old"),
        record("other.example.com", "A", "192.0.2.1"),
        ownership_txt("a-other.example.com", "other"),
    ]);
    let (groups, _) = zone.change(&migrating, vec![]);
    let old = ownership_txt("a-www.example.com", "old");
    let want = format!("- {}\n+ a-www.example.com TXT {OURS}", line(&old));
    assert_eq!(lines(&groups), ["www.example.com", &want]);
    assert_eq!(zone.change(&migrating, vec![]).0, []);
    assert_eq!(
        owner_of(&zone.holdings(&ownership()), "www.example.com", "A"),
        "default"
    );
    assert_eq!(
        owner_of(&zone.holdings(&ownership()), "other.example.com", "A"),
        "other"
    );
}

#[test]
fn a_plain_text_is_encrypted_when_its_record_changes() {
    let cipher = Cipher::new(b"01234567890123456789012345678901").unwrap();
    let encrypting = Ownership::from(registry(Affix::default()).with_cipher(cipher, true));
    let mut zone = HeldZone::new([
        record("www.example.com", "A", "192.0.2.1"),
        ownership_txt("a-www.example.com", "default"),
    ]);
    assert_eq!(zone.change(&encrypting, vec![]).0, []);
    let mut writes = Vec::new();
    for target in ["192.0.2.2", "192.0.2.3"] {
        let old = found(&zone, &encrypting, "www.example.com", "A");
        let new = Endpoint {
            targets: [target.into()].into(),
            ..old.clone()
        };
        writes.push(
            zone.change(&encrypting, vec![Change::Update { old, new }]).0[0]
                .changes
                .len(),
        );
    }
    assert_eq!(writes, [2, 1]);
    assert!(!zone.lines()[0].contains("heritage"), "{:?}", zone.lines());
    assert_eq!(owner_of(&zone.holdings(&ownership()), "www.example.com", "A"), "");
}

#[test]
fn without_a_registry_changes_are_only_grouped() {
    let mut zone = HeldZone::new([record("www.example.com", "CNAME", "lb.example.net")]);
    let changes = vec![
        Change::Create(record("xyz.example.com", "A", "192.0.2.1")),
        Change::Delete(record("www.example.com", "CNAME", "lb.example.net")),
        Change::Create(record("www.example.com", "A", "192.0.2.1")),
    ];
    let (groups, rejected) = zone.change(&Ownership::Noop, changes);
    assert_eq!((groups.len(), rejected), (2, vec![]));
    assert_eq!(
        zone.lines(),
        ["www.example.com A 192.0.2.1", "xyz.example.com A 192.0.2.1"]
    );
}
