//! The content alone tells the revision.

use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::prelude::*;
use records::{Endpoint, Property, RecordType};
use remote::revision::{Digests, PARTS, Revision, part};

use super::world::a;

/// Few texts, so that record sets are often nearly the same.
pub fn endpoints() -> impl Strategy<Value = Endpoint> {
    let name = prop_oneof!["[ab]\\.example\\.com", "\\*\\.b\\.example\\.com"];
    let property = ("[xy]", "[12]").prop_map(|(name, value)| Property {
        name: name.into(),
        value: value.into(),
    });
    let data = (vec("[pq]{1,2}", 1..3), vec(property, 0..3));
    (name, 0_u32..3, "[s]?", data, 0_usize..2).prop_map(
        |(name, ttl, identifier, (targets, properties), kind)| Endpoint {
            dns_name: name.into(),
            targets: targets.into_iter().map(Into::into).collect(),
            record_type: [RecordType::A, RecordType::Txt][kind].clone(),
            set_identifier: identifier.into(),
            ttl: NonZeroU32::new(ttl),
            provider_specific: properties.into(),
            ..Endpoint::default()
        },
    )
}

/// What makes the content of a record set, in one way of writing it.
fn content(record: &Endpoint) -> String {
    let mut record = record.clone();
    record.targets.sort_unstable();
    record.provider_specific.sort_unstable();
    format!("{record:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter(records in vec(endpoints(), 0..8), seed in any::<u64>()) {
        let mut shuffled = records.clone();
        let length = shuffled.len();
        for place in 1..length {
            let other = usize::try_from(seed).unwrap_or(7) % (place + 1);
            shuffled.swap(place, other);
        }
        for record in &mut shuffled {
            record.targets.reverse();
            record.provider_specific.reverse();
            record.dns_name = format!("{}.", record.dns_name.to_uppercase()).into();
            record.labels.insert("owner".into(), "somebody".into());
        }
        prop_assert_eq!(Digests::of(&records), Digests::of(&shuffled));
    }

    #[test]
    fn content_and_revision_are_the_same_together(one in vec(endpoints(), 0..3), other in vec(endpoints(), 0..3)) {
        let contents = |records: &[Endpoint]| {
            let mut contents: Vec<_> = records.iter().map(content).collect();
            contents.sort_unstable();
            contents
        };
        let is_same = contents(&one) == contents(&other);
        prop_assert_eq!(Digests::of(&one).revision() == Digests::of(&other).revision(), is_same);
    }

    #[test]
    fn a_change_leads_where_a_new_start_does(records in vec(endpoints(), 1..8), more in endpoints(), place in any::<prop::sample::Index>()) {
        let mut digests = Digests::of(&records);
        let mut after = records.clone();
        let gone = after.swap_remove(place.index(records.len()));
        digests.take_out(part(&gone.place()), &gone);
        digests.put_in(part(&more.place()), &more);
        after.push(more);
        prop_assert_eq!(digests, Digests::of(&after));
    }

    #[test]
    fn differing_parts_are_those_of_what_differs(records in vec(endpoints(), 0..8), more in endpoints()) {
        let before = Digests::of(&records);
        let mut after = before.clone();
        let place = part(&more.place());
        after.put_in(place, &more);
        prop_assert_eq!(after.differing("", &before.to_octets()).unwrap(), Some(vec![place]));
        prop_assert_eq!(after.differing("", &after.to_octets()).unwrap(), Some(vec![]));
    }

    #[test]
    fn octets_of_any_number_are_taken_or_refused(octets in vec(any::<u8>(), 0..40)) {
        let revision = Revision::from_octets("known_revision", &octets);
        prop_assert_eq!(revision.is_ok(), octets.is_empty() || octets.len() == 16);
        let differing = Digests::default().differing("part_digests", &octets);
        prop_assert_eq!(differing.is_ok(), octets.is_empty());
    }
}

#[test]
fn the_protocol_says_how_parts_are_told() {
    // The first octet of `printf www.example.com | sha256sum`.
    assert_eq!(part("www.example.com"), 0x80);
    assert_eq!(Digests::default().to_octets().len(), PARTS * 16);
}

#[test]
fn revisions_are_the_same_for_all_servers() {
    let digests = Digests::of(&[a("www.example.com", "192.0.2.1"), a("b.example.com", "192.0.2.2")]);
    let octets = digests.revision().to_octets();
    let revision = Revision::from_octets("known_revision", &octets).unwrap();
    assert_eq!(revision, Some(digests.revision()));
    // Found by another program from the description of the encoding.
    assert_eq!(
        octets,
        0x8357_47bd_0321_3961_0558_1f6d_02b0_1abd_u128.to_be_bytes()
    );
    assert_eq!(Digests::default().revision().to_octets(), [0; 16]);
}
