//! A refused batch is cut until the bad groups stand alone; the good ones land.

use std::collections::BTreeSet;

use proptest::collection::btree_set;
use proptest::prelude::*;
use records::Group;
use records::batch::Answer;

use super::desk::{Desk, groups, letters, reason};

/// The number of calls for one batch of so many groups of which some are bad.
async fn calls(count: usize, bad: &BTreeSet<usize>) -> usize {
    calls_for(&groups(count), bad).await
}

async fn calls_for(groups: &[Group], bad: &BTreeSet<usize>) -> usize {
    let count = groups.len();
    let desk = Desk::refusing(bad.iter().copied());
    let dispatcher = desk.dispatcher(count);
    let outcomes = desk.apply(&dispatcher, groups).await;
    let letters = letters(&outcomes);
    for (place, letter) in letters.chars().enumerate() {
        assert_eq!(letter == 'R', bad.contains(&place), "{bad:?}: {letters}");
        assert!(letter == 'R' || letter == 'A', "{bad:?}: {letters}");
    }
    for place in bad {
        // In words about itself.
        let words = reason(&outcomes[*place]);
        assert!(
            words.starts_with(&format!("n{place}.example.com is not taken")),
            "{words}"
        );
    }
    let calls = desk.calls();
    assert_eq!(calls[0].names.len(), count);
    assert_eq!(dispatcher.counters().sent(), calls.len() as u64);
    let refused = dispatcher.counters().answered(Answer::Refused);
    assert_eq!(dispatcher.counters().splits, refused - bad.len() as u64);
    calls.len()
}

#[tokio::test(start_paused = true)]
async fn one_bad_group_of_200_takes_16_calls_at_most() {
    let groups = groups(200);
    let mut most = 0;
    for bad in 0..200 {
        most = most.max(calls_for(&groups, &[bad].into()).await);
    }
    assert_eq!(most, 16);
}

/// A quarter of all pairs, and the worst of all among them.
#[tokio::test(start_paused = true)]
async fn two_bad_groups_of_200_take_29_calls_at_most() {
    let groups = groups(200);
    let mut most = 0;
    for one in 0..200 {
        for other in (one + 1..200).filter(|other| (one + other) % 4 == 0) {
            most = most.max(calls_for(&groups, &[one, other].into()).await);
        }
    }
    assert_eq!(most, 29);
}

#[tokio::test(start_paused = true)]
async fn each_bad_group_takes_two_calls_for_each_halving() {
    for count in 1..=66usize {
        let halvings = count.next_power_of_two().ilog2() as usize;
        for bad in 0..count {
            let calls = calls(count, &[bad].into()).await;
            assert!(calls <= 1 + 2 * halvings, "{bad} of {count}: {calls} calls");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_bad_groups_take_little_more_than_a_call_each() {
    let all = calls(200, &(0..200).collect()).await;
    assert!(all <= 215, "{all} calls");
    let half = calls(200, &(0..200).step_by(2).collect()).await;
    assert!(half <= 215, "{half} calls");
    let run = calls(200, &(90..110).collect()).await;
    assert!(run <= 90, "{run} calls");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn good_groups_land_and_bad_ones_are_told(count in 1..300usize, bad in btree_set(0..300usize, 0..60)) {
        let bad: BTreeSet<usize> = bad.into_iter().filter(|bad| *bad < count).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let calls = runtime.block_on(calls(count, &bad));
        let halvings = count.next_power_of_two().ilog2() as usize;
        prop_assert!(calls <= 1 + 2 * halvings * bad.len(), "{calls} calls");
        prop_assert!(calls <= 2 * count);
    }
}
