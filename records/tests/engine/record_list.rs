//! Lists of records hold what was put into them, to the letter, and tell how they differ.

use std::num::NonZeroU32;

use proptest::prelude::*;
use proptest::sample::select;
use records::record_list::Step;
use records::{Endpoint, Property, RecordList, RecordType};

/// Texts of all lengths that are written in another way, and letters of several octets.
fn text() -> impl Strategy<Value = Box<str>> {
    let lengths = vec![0, 0, 1, 5, 63, 64, 65, 4095, 4096];
    (select(lengths), select(vec!["a", "Z", "\u{0}", "ü"]))
        .prop_map(|(length, letter)| letter.repeat(length).into())
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let types = [
        "A", "AAAA", "CNAME", "DNAME", "MX", "NAPTR", "NS", "PTR", "SRV", "TXT", "CAA", "",
    ];
    (
        text(),
        prop::collection::vec(text(), 0..4),
        select(types.to_vec()),
        text(),
        select(vec![0, 1, 300, 0x7fff_ffff, u32::MAX]),
        prop::collection::vec((text(), text()), 0..3),
        prop::collection::vec((text(), text()), 0..3),
    )
        .prop_map(
            |(dns_name, targets, record_type, set_identifier, ttl, labels, properties)| Endpoint {
                dns_name,
                targets: targets.into(),
                record_type: RecordType::from(record_type),
                set_identifier,
                ttl: NonZeroU32::new(ttl),
                labels: labels.into_iter().collect(),
                provider_specific: properties
                    .into_iter()
                    .map(|(name, value)| Property { name, value })
                    .collect(),
            },
        )
}

/// Where the difference leads from an earlier list.
pub fn led(earlier: &RecordList, later: &RecordList) -> RecordList {
    let mut old = earlier.iter();
    let mut led = Vec::new();
    for step in later.difference(earlier) {
        match step {
            Step::Kept(count) => led.extend(old.by_ref().take(count)),
            Step::Added(new) => led.push(new),
            Step::Removed(gone) => assert_eq!(old.next(), Some(gone)),
            Step::Replaced { old: gone, new } => {
                assert_eq!(old.next(), Some(gone));
                led.push(new);
            }
        }
    }
    assert_eq!(old.next(), None);
    led.iter().collect()
}

fn sorted(endpoints: &[Endpoint]) -> RecordList {
    let mut list: RecordList = endpoints.iter().collect();
    list.sort();
    list
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_put_in_comes_out(endpoints in prop::collection::vec(endpoint(), 0..300)) {
        let list: RecordList = endpoints.iter().collect();
        prop_assert_eq!(list.len(), endpoints.len());
        prop_assert_eq!(list.is_empty(), endpoints.is_empty());
        prop_assert_eq!(&list, &endpoints.iter().cloned().collect::<RecordList>());
        let shorter: RecordList = endpoints.iter().skip(1).collect();
        prop_assert_eq!(list == shorter, endpoints.is_empty());
        prop_assert!(list.iter().eq(endpoints.iter().cloned()));
        prop_assert!(list.into_iter().eq(endpoints));
    }

    #[test]
    fn one_is_found_by_its_place(
        endpoints in prop::collection::vec(endpoint(), 0..300),
        skips in prop::collection::vec(0_usize..150, 0..5),
    ) {
        let list: RecordList = endpoints.iter().collect();
        let (mut of_list, mut of_endpoints) = (list.iter(), endpoints.iter());
        for skip in skips {
            prop_assert_eq!(of_list.nth(skip), of_endpoints.nth(skip).cloned());
        }
        let list = sorted(&endpoints);
        for endpoint in endpoints.iter().take(5) {
            let mut found = list.at_place(&endpoint.place());
            prop_assert!(found.iter().all(|found| found.place() == endpoint.place()));
            found.retain(|found| found == endpoint);
            prop_assert_eq!(found.len(), endpoints.iter().filter(|other| *other == endpoint).count());
        }
    }

    #[test]
    fn a_difference_leads_from_the_one_to_the_other(
        both in prop::collection::vec(endpoint(), 0..100),
        old in prop::collection::vec(endpoint(), 0..20),
        new in prop::collection::vec(endpoint(), 0..20),
    ) {
        let (old, new) = (sorted(&[&both[..], &old].concat()), sorted(&[&both[..], &new].concat()));
        prop_assert_eq!(led(&old, &new), new);
        let same: Vec<Step> = old.difference(&old.clone()).collect();
        prop_assert_eq!(same, if old.is_empty() { vec![] } else { vec![Step::Kept(old.len())] });
    }
}

#[test]
fn type_and_set_identifier_count_in_the_order_and_the_data_does_not() {
    let set = |record_type: RecordType, set_identifier: &str, target: &str| Endpoint {
        dns_name: "a.example.com".into(),
        record_type,
        set_identifier: set_identifier.into(),
        targets: [target.into()].into(),
        ..Endpoint::default()
    };
    let old = [
        set(RecordType::A, "one", "192.0.2.1"),
        set(RecordType::A, "two", "192.0.2.1"),
        set(RecordType::Txt, "one", "192.0.2.1"),
    ];
    let list = sorted(&old);
    assert!(list.iter().eq(old.clone()));
    let mut reversed = old.clone();
    reversed.reverse();
    assert_eq!(sorted(&reversed), list);
    let mut new = old.clone();
    new[1] = set(RecordType::A, "two", "192.0.2.2");
    let later = sorted(&new);
    assert_ne!(later, list);
    let replaced = Step::Replaced {
        old: old[1].clone(),
        new: new[1].clone(),
    };
    let steps: Vec<Step> = later.difference(&list).collect();
    assert_eq!(steps, [Step::Kept(1), replaced, Step::Kept(1)]);
}
