//! Lists of records hold what was put into them, to the letter.

use std::num::NonZeroU32;

use proptest::prelude::*;
use proptest::sample::select;
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
}
