//! A published zone tells what has changed since a state that a reader knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use records::{Endpoint, RecordKey, RecordList, ZoneRecords};
use remote::revision::{Digests, Revision, part};
use remote::server::publication::{Basis, Publication, State};

use super::revision::endpoints;
use super::world::a;

type Contents = BTreeMap<RecordKey, Endpoint>;

fn source(contents: &Contents) -> Arc<ZoneRecords> {
    let mut records: RecordList = contents.values().collect();
    records.sort();
    let version = None;
    Arc::new(ZoneRecords { records, version })
}

/// What a reader holds that takes in what it is told.
fn take_in(held: &mut Vec<Endpoint>, state: &State, basis: &Basis) {
    match basis {
        Basis::Whole => *held = state.records().iter().collect(),
        Basis::Names(names) => {
            held.retain(|record| !names.contains(&*record.place()));
            held.extend(names.iter().flat_map(|name| state.at(name)));
        }
        Basis::Parts(parts) => {
            held.retain(|record| !parts.contains(&part(&record.place())));
            held.extend(state.of_parts(parts));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any reader of any age comes to hold the state, by history or by parts.
    #[test]
    fn a_reader_comes_to_hold_the_state(
        steps in vec(vec((endpoints(), any::<bool>()), 0..4), 1..6),
        from in any::<prop::sample::Index>(),
        knows_parts in any::<bool>(),
        restarted in any::<bool>(),
    ) {
        let mut publication = Publication::default();
        let mut contents = Contents::new();
        let mut states: Vec<Arc<State>> = Vec::new();
        for step in steps {
            for (record, stays) in step {
                let key = record.key().unwrap();
                if stays {
                    contents.insert(key, record);
                } else {
                    contents.remove(&key);
                }
            }
            let state = publication.publish(&source(&contents));
            prop_assert_eq!(state.digests(), &Digests::of(state.records()), "from scratch");
            prop_assert!(state.parts().iter().zip(state.records()).all(|(found, record)| *found == part(&record.place())));
            states.push(state);
        }
        if restarted {
            publication = Publication::default();
            publication.publish(&source(&contents));
        }
        let now = publication.current().unwrap();
        let reader = from.get(&states);
        let mut held: Vec<Endpoint> = reader.records().iter().collect();
        let differing = if knows_parts {
            now.digests().differing("", &Digests::of(&held).to_octets()).unwrap()
        } else {
            None
        };
        let basis = publication.since(&now, Some(reader.revision()), differing);
        if restarted && knows_parts {
            prop_assert!(!matches!(basis, Basis::Whole));
        }
        take_in(&mut held, &now, &basis);
        prop_assert_eq!(Digests::of(&held).revision(), now.revision());
        prop_assert_eq!(held.len(), now.records().len());
    }
}

fn contents(records: &[Endpoint]) -> Contents {
    let keyed = records
        .iter()
        .map(|record| (record.key().unwrap(), record.clone()));
    keyed.collect()
}

#[test]
fn names_are_told_while_they_are_remembered() {
    let publication = Publication::default();
    let mut held = contents(&[a("a.example.com", "192.0.2.1"), a("b.example.com", "192.0.2.1")]);
    let first = publication.publish(&source(&held));
    for record in [a("a.example.com", "192.0.2.2"), a("c.example.com", "192.0.2.3")] {
        held.insert(record.key().unwrap(), record);
        publication.publish(&source(&held));
    }
    let now = publication.current().unwrap();
    let names: BTreeSet<Box<str>> = BTreeSet::from(["a.example.com".into(), "c.example.com".into()]);
    let since = |known| publication.since(&now, known, None);
    assert_eq!(since(Some(first.revision())), Basis::Names(names));
    assert_eq!(since(Some(now.revision())), Basis::Names(BTreeSet::new()));
    assert_eq!(since(None), Basis::Whole);
    assert_eq!(since(Some(Revision::default())), Basis::Whole);
}

#[test]
fn history_is_bounded() {
    let publication = Publication::default();
    let mut held = contents(&[]);
    let first = publication.publish(&source(&held));
    let many = (0..12_000).map(|number| a(&format!("host{number}.example.com"), "192.0.2.1"));
    held.extend(many.map(|record| (record.key().unwrap(), record)));
    let second = publication.publish(&source(&held));
    held.pop_first();
    let now = publication.publish(&source(&held));
    let since = |state: &State| publication.since(&now, Some(state.revision()), None);
    assert_eq!(since(&first), Basis::Whole);
    assert!(matches!(since(&second), Basis::Names(names) if names.len() == 1));
}

#[tokio::test]
async fn those_who_watch_are_told_of_other_content_only() {
    let publication = Publication::default();
    let mut watch = publication.watch();
    let held = contents(&[a("a.example.com", "192.0.2.1")]);
    let state = publication.publish(&source(&held));
    assert!(watch.has_changed().unwrap());
    assert_eq!(*watch.borrow_and_update(), Some(state.revision()));
    let mut labelled = a("A.example.com.", "192.0.2.1");
    labelled.labels.insert("owner".into(), "somebody".into());
    publication.publish(&source(&contents(&[labelled])));
    assert!(!watch.has_changed().unwrap());
}
