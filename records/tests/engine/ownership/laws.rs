//! Laws of ownership, for any zone and any affix.

use proptest::prelude::*;
use proptest::sample::select;

use records::ownership::{Affix, Cipher, Ownership};
use records::{Change, Endpoint, RecordKey};

use super::zone::{HeldZone, labelled, ownership_txt, record, registry};

/// Names among which each is in the way of some other with some affix.
const NAMES: [&str; 15] = [
    "example.com",
    "_apex.example.com",
    "www.example.com",
    "a-www.example.com",
    "cname-www.example.com",
    "mx-1.example.com",
    "caa-www.example.com",
    "1.example.com",
    "*.example.com",
    "any.example.com",
    "a-any.example.com",
    "txt.example.com",
    "txt.a-www.example.com",
    "aaawww.example.com",
    "www-txt.example.com",
];

/// What stands at a name: nothing, records that we want, records of others with and
/// without ownership records.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Nobodys,
    Ours,
    Others,
    Unmarked,
}

fn whose() -> impl Strategy<Value = Whose> {
    select(vec![
        Whose::Nobodys,
        Whose::Ours,
        Whose::Ours,
        Whose::Others,
        Whose::Unmarked,
    ])
}

fn types() -> impl Strategy<Value = &'static [&'static str]> {
    select(vec![
        &["CNAME"][..],
        &["A"],
        &["A", "AAAA"],
        &["TXT"],
        &["MX", "AAAA"],
        &["CAA", "A"],
    ])
}

fn affixes() -> impl Strategy<Value = Affix> {
    let affixes = vec![
        ("", "", ""),
        ("", "", "any"),
        ("txt.", "", "any"),
        ("edns-", "", ""),
        ("%{record_type}-", "", ""),
        ("%{record_type}", "", ""),
        ("x-%{record_type}.", "", "any"),
        ("", "-txt", "any"),
        ("", "-%{record_type}", ""),
        ("", "-x.y", ""),
    ];
    select(affixes).prop_map(|(prefix, suffix, wildcard)| Affix::new(prefix, suffix, wildcard).unwrap())
}

/// A registry, the same one for somebody else, and its affix.
fn ownerships() -> impl Strategy<Value = (Ownership, Affix)> {
    (affixes(), any::<bool>()).prop_map(|(affix, encrypts)| {
        let mut registry = registry(affix.clone());
        if encrypts {
            registry = registry.with_cipher(Cipher::new(&[7; 32]).unwrap(), true);
        }
        (Ownership::from(registry), affix)
    })
}

fn wanted(name: &str, record_type: &str) -> Endpoint {
    let target = if record_type == "TXT" {
        "\"text\""
    } else {
        "target"
    };
    let resource = format!("crd/default/{record_type}");
    labelled(record(name, record_type, target), &[("resource", &resource)])
}

/// A zone with what others have in it, and what we want beside it.
fn zone(affix: &Affix, names: &[(Whose, &[&str])]) -> (HeldZone, Vec<Endpoint>) {
    let (mut zone, mut ours) = (HeldZone::new([]), Vec::new());
    for (name, (whose, types)) in NAMES.iter().zip(names) {
        for record_type in *types {
            let record = wanted(name, record_type);
            match whose {
                Whose::Nobodys => {}
                Whose::Ours => ours.push(record),
                Whose::Others | Whose::Unmarked => {
                    let key = record.key().unwrap();
                    let txt = affix
                        .txt_name(&zone.zone.name, &key.name, &key.record_type)
                        .unwrap();
                    let txt = ownership_txt(txt.as_str(), "other");
                    zone.records.push(labelled(record, &[]));
                    if matches!(whose, Whose::Others) && zone.get(&txt.key().unwrap()).is_none() {
                        zone.records.push(txt);
                    }
                }
            }
        }
    }
    ours.retain(|record| zone.get(&record.key().unwrap()).is_none());
    (zone, ours)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is created is ours with its labels; nothing else is touched or taken for ours;
    /// then there is nothing to do; and when all of it is deleted, the zone is as before.
    #[test]
    fn what_is_created_is_ours_and_nothing_else(
        (ownership, affix) in ownerships(),
        names in prop::collection::vec((whose(), types()), NAMES.len()),
    ) {
        let (mut zone, ours) = zone(&affix, &names);
        let before = zone.lines();
        let creates: Vec<_> = ours.iter().cloned().map(Change::Create).collect();
        let (_, rejected) = zone.change(&ownership, creates);
        let refused: Vec<RecordKey> =
            rejected.iter().map(|rejected| rejected.change.after().unwrap().key().unwrap()).collect();
        let holdings = zone.holdings(&ownership);
        let mut deletes = Vec::new();
        for record in holdings.records() {
            let key = record.key().unwrap();
            let created = ours.iter().find(|wanted| wanted.key().unwrap() == key);
            let owner = record.labels.get("owner");
            prop_assert_eq!(owner == Some("default"), created.is_some(), "{:?}", record);
            if let Some(wanted) = created {
                prop_assert!(!refused.contains(&key), "{:?}", key);
                prop_assert_eq!(record.labels.get("resource"), wanted.labels.get("resource"));
                deletes.push(Change::Delete(record));
            }
        }
        prop_assert_eq!(deletes.len() + refused.len(), ours.len());
        for line in &before {
            prop_assert!(zone.lines().contains(line), "gone: {}", line);
        }
        prop_assert_eq!(ownership.groups(&zone.zone, vec![], &holdings), (vec![], vec![]));

        let (_, rejected) = zone.change(&ownership, deletes);
        prop_assert_eq!(rejected, vec![]);
        prop_assert_eq!(zone.lines(), before);
    }

    /// Whatever is asked for, nothing of somebody else's is in a group.
    #[test]
    fn what_is_not_ours_is_in_no_group(
        (ownership, affix) in ownerships(),
        names in prop::collection::vec((whose(), types()), NAMES.len()),
    ) {
        let (mut zone, _) = zone(&affix, &names);
        let holdings = zone.holdings(&ownership);
        let posing = |record: &Endpoint| labelled(record.clone(), &[("owner", "default")]);
        let changes = holdings.records().enumerate().map(|(index, record)| match index % 2 {
            0 => Change::Delete(posing(&record)),
            _ => Change::Update { old: posing(&record), new: wanted(&record.dns_name, record.record_type.as_str()) },
        });
        let (groups, rejected) = zone.change(&ownership, changes.collect());
        prop_assert_eq!(groups, vec![]);
        prop_assert_eq!(rejected.len(), holdings.records().count());
    }
}
