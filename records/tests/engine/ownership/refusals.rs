//! Changes that are refused, alone or with others.

use records::ownership::{Affix, Ownership, Refusal, Rejected};
use records::{Change, Endpoint};

use super::zone::{
    HeldZone, found, held, labelled, name, owner_of, ownership, ownership_txt, record, registry,
};

fn reasons(rejected: &[Rejected]) -> Vec<Refusal> {
    rejected.iter().map(|rejected| rejected.reason.clone()).collect()
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
