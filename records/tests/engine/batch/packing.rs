//! Whole groups, in their order, in as few batches as that order allows.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use records::batch::packing::{Bounds, Excess, Queue, SetBy};
use records::batch::{Limits, Weight};

fn operations(operations: usize) -> Weight {
    Weight {
        operations,
        ..Weight::default()
    }
}

/// The batches of groups, and what is too heavy for any.
fn pack(weights: &[Weight], bounds: &Bounds) -> (Vec<Vec<usize>>, Vec<(usize, Excess)>) {
    let mut queue = Queue::new(weights.iter().copied().enumerate());
    let (mut batches, mut excess) = (Vec::new(), Vec::new());
    while !queue.is_empty() {
        let batch = queue.next_batch(bounds);
        assert!(!batch.places.is_empty() || !batch.excess.is_empty());
        excess.extend(batch.excess);
        batches.extend((!batch.places.is_empty()).then_some(batch.places));
    }
    (batches, excess)
}

#[test]
fn a_group_that_is_too_heavy_is_told_with_its_weight_and_the_limit() {
    let limits = Limits {
        octets: Some(32_000),
        ..Limits::default()
    };
    let octets = Weight {
        octets: 40_000,
        ..operations(2)
    };
    let weights = [operations(3), operations(4), octets, operations(2)];
    let (batches, excess) = pack(&weights, &Bounds::new(3, limits));
    assert_eq!(batches, [[0], [3]]);
    let told: Vec<String> = excess.iter().map(|(_, excess)| excess.to_string()).collect();
    assert_eq!(
        told,
        [
            "the changes of the name are 4 operations, and a batch may have at most 3 (--batch-change-size)",
            "the changes of the name are 40000 octets, and a batch may have at most 32000 (the provider's limit)",
        ]
    );
}

#[test]
fn the_lesser_of_flag_and_provider_is_the_limit() {
    let limits = |operations| Limits {
        operations: Some(operations),
        ..Limits::default()
    };
    for (flag, provider, limit, set_by) in [(3, 2, 2, SetBy::Provider), (2, 3, 2, SetBy::Flag)] {
        let excess = Bounds::new(flag, limits(provider)).excess(operations(9)).unwrap();
        assert_eq!((excess.limit, excess.set_by), (limit, set_by));
    }
    let narrowed = Bounds::new(9, limits(5)).narrowed(limits(7)).narrowed(limits(4));
    assert_eq!(narrowed, Bounds::new(9, limits(4)));
}

#[test]
fn what_is_put_back_comes_first() {
    let mut queue = Queue::new([(7, operations(1)), (8, operations(1))]);
    queue.put_back(vec![(3, operations(1)), (4, operations(1))]);
    assert_eq!(
        queue.next_batch(&Bounds::new(3, Limits::default())).places,
        [3, 4, 7]
    );
}

fn weight() -> impl Strategy<Value = Weight> {
    (0..9usize, 0..90usize, 0..5usize).prop_map(|(operations, octets, values)| Weight {
        operations,
        octets,
        values,
    })
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let limits = (
        option::of(1..12usize),
        option::of(1..120usize),
        option::of(1..7usize),
    );
    (1..12usize, limits).prop_map(|(size, (operations, octets, values))| {
        let limits = Limits {
            operations,
            octets,
            values,
        };
        Bounds::new(size, limits)
    })
}

/// The fewest batches of which each is a run of the groups.
fn fewest(weights: &[Weight], bounds: &Bounds) -> usize {
    let mut fewest = vec![0; weights.len() + 1];
    for end in 1..=weights.len() {
        let starts = (0..end).filter(|start| {
            let run = weights[*start..end].iter().copied();
            bounds.excess(run.fold(Weight::default(), Weight::plus)).is_none()
        });
        fewest[end] = starts.map(|start| fewest[start] + 1).min().unwrap();
    }
    fewest[weights.len()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn each_group_once_in_order_within_the_limits_in_the_fewest_batches(weights in vec(weight(), 0..40), bounds in bounds()) {
        let (batches, excess) = pack(&weights, &bounds);
        let fits = |place: &usize| bounds.excess(weights[*place]).is_none();
        let (light, heavy): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(fits);
        prop_assert_eq!(&batches.concat(), &light);
        prop_assert_eq!(excess.iter().map(|(place, _)| *place).collect::<Vec<_>>(), heavy);
        for batch in &batches {
            let load = batch.iter().map(|place| weights[*place]).fold(Weight::default(), Weight::plus);
            prop_assert_eq!(bounds.excess(load), None);
        }
        let light: Vec<Weight> = light.into_iter().map(|place| weights[place]).collect();
        prop_assert_eq!(batches.len(), fewest(&light, &bounds));
    }
}
