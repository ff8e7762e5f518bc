//! What is made of each answer to a batch.

use std::time::Duration;

use futures::FutureExt;
use records::Outcome;
use records::batch::{Answer, Limits, Submission};

use super::desk::{Desk, empty, groups, letters, lost, oversized, reason, refused, rejected, throttled};

fn seconds(desk: &Desk) -> Vec<u64> {
    desk.calls().iter().map(|call| call.at.as_secs()).collect()
}

fn limit(operations: usize) -> Limits {
    Limits {
        operations: Some(operations),
        ..Limits::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_between_batches() {
    let desk = Desk::refusing([]);
    let before = tokio::time::Instant::now();
    let outcomes = desk.apply(&desk.dispatcher(3), &groups(8)).await;
    assert_eq!(letters(&outcomes), "AAAAAAAA");
    assert_eq!(before.elapsed(), Duration::from_secs(2));
    assert_eq!(seconds(&desk), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_a_refused_batch_do_not_wait() {
    let desk = Desk::refusing([1]);
    let outcomes = desk.apply(&desk.dispatcher(4), &groups(8)).await;
    assert_eq!(letters(&outcomes), "ARAAAAAA");
    let last = seconds(&desk).split_off(5);
    assert_eq!(last, [1]);
}

#[tokio::test(start_paused = true)]
async fn no_groups_are_no_call() {
    let desk = Desk::refusing([]);
    let outcomes = desk.apply(&desk.dispatcher(3), &[]).await;
    assert!(outcomes.is_empty() && desk.calls().is_empty());
    let outcomes = desk.apply(&desk.dispatcher(3), &[empty(0)]).await;
    assert_eq!(outcomes, [rejected("nothing changes")]);
    assert!(desk.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_handed_on() {
    let written = Some(groups(1)[0].changes[0].after().unwrap().clone()).map(|record| vec![record]);
    let desk = Desk::answering([Submission::Applied(vec![None, written.clone()])]);
    let outcomes = desk.apply(&desk.dispatcher(3), &groups(3)).await;
    let applied = |written| Outcome::Applied { written };
    assert_eq!(outcomes, [applied(None), applied(written), applied(None)]);
}

#[tokio::test(start_paused = true)]
async fn named_groups_are_taken_out_and_the_others_go_together() {
    let conflict = Outcome::Conflict {
        reason: "it exists".to_owned(),
    };
    let applied = Outcome::Applied { written: None };
    let named = [
        (1, rejected("bad content")),
        (3, conflict.clone()),
        (4, applied.clone()),
        (9, rejected("it is not in the batch")),
    ];
    let desk = Desk::answering([refused("bad content", named)]);
    let outcomes = desk.apply(&desk.dispatcher(9), &groups(6)).await;
    assert_eq!(letters(&outcomes), "ARACAA");
    assert!(reason(&outcomes[1]).starts_with("bad content"));
    assert_eq!((&outcomes[3], &outcomes[4]), (&conflict, &applied));
    assert_eq!(desk.sizes(), [6, 3]);
    // One that names nobody of the batch has named nobody.
    let desk = Desk::answering([refused("bad", [(6, rejected("bad"))])]);
    let outcomes = desk.apply(&desk.dispatcher(9), &groups(6)).await;
    assert_eq!(
        (letters(&outcomes).as_str(), desk.sizes()),
        ("AAAAAA", vec![6, 3, 1, 1, 1])
    );
}

#[tokio::test(start_paused = true)]
async fn an_oversized_batch_is_packed_anew() {
    let desk = Desk::answering([oversized()]);
    let groups = groups(9);
    let dispatcher = desk.dispatcher(9);
    // It says less from the moment on at which it has refused.
    let apply = desk.apply(&dispatcher, &groups);
    let (outcomes, ()) = futures::join!(apply, async { desk.limit(limit(4)) });
    assert_eq!(letters(&outcomes), "AAAAAAAAA");
    assert_eq!(desk.sizes(), [9, 4, 4, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_alone_exceeds_the_new_limit_is_rejected() {
    let desk = Desk::answering([oversized()]);
    desk.weigh(1, 5);
    let (groups, dispatcher) = (groups(3), desk.dispatcher(9));
    let apply = desk.apply(&dispatcher, &groups);
    let (outcomes, ()) = futures::join!(apply, async { desk.limit(limit(4)) });
    assert_eq!(letters(&outcomes), "ARA");
    let told = "5 operations, and a batch may have at most 4 (the provider's limit)";
    assert!(reason(&outcomes[1]).ends_with(told), "{outcomes:?}");
    assert_eq!(desk.sizes(), [3, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_says_how_much_it_takes_ends_the_search() {
    let desk = Desk::answering(std::iter::repeat_with(oversized).take(100));
    let outcomes = desk.apply(&desk.dispatcher(9), &groups(5)).await;
    assert_eq!(letters(&outcomes), "RRRRR");
    assert!(reason(&outcomes[0]).starts_with("too many operations"));
    assert_eq!(desk.sizes().len(), 9);
    let desk = Desk::answering([oversized(), oversized()]);
    let outcomes = desk.apply(&desk.dispatcher(9), &groups(8)).await;
    assert_eq!(letters(&outcomes), "AAAAAAAA");
    assert_eq!(desk.sizes(), [8, 4, 2, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_batch_is_sent_again_whole_when_it_may_be() {
    let desk = Desk::answering([throttled(Some(3)), throttled(None)]);
    let dispatcher = desk.dispatcher(4);
    let outcomes = desk.apply(&dispatcher, &groups(8)).await;
    assert_eq!(letters(&outcomes), "AAAAAAAA");
    let calls = desk.calls();
    let told: Vec<(u64, usize)> = calls
        .iter()
        .map(|call| (call.at.as_secs(), call.names.len()))
        .collect();
    assert_eq!(told, [(0, 4), (3, 4), (5, 4), (6, 4)]);
    let counters = dispatcher.counters();
    assert_eq!((counters.waits, counters.waited), (2, Duration::from_secs(5)));
    assert_eq!(counters.answered(Answer::Throttled), 2);
}

#[tokio::test(start_paused = true)]
async fn waits_grow_only_while_nothing_is_taken() {
    let applied = Submission::Applied(Vec::new());
    let desk = Desk::answering([throttled(None), applied, throttled(None)]);
    let outcomes = desk.apply(&desk.dispatcher(4), &groups(8)).await;
    assert_eq!(letters(&outcomes), "AAAAAAAA");
    assert_eq!(seconds(&desk), [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_pass_does_not_wait_for_ever() {
    let desk = Desk::answering(std::iter::repeat_with(|| throttled(None)).take(100));
    let outcomes = desk.apply(&desk.dispatcher(4), &groups(8)).await;
    assert_eq!(letters(&outcomes), "PPPPPPPP");
    assert_eq!(reason(&outcomes[7]), "too many calls");
    assert_eq!(seconds(&desk), [0, 1, 3, 7, 15]);
    // What takes longer than there is time for is not waited for at all.
    let desk = Desk::answering([Submission::Applied(Vec::new()), throttled(Some(300))]);
    let outcomes = desk.apply(&desk.dispatcher(4), &groups(12)).await;
    assert_eq!(letters(&outcomes), "AAAAPPPPPPPP");
    assert_eq!(seconds(&desk), [0, 1]);
    let postponed = Outcome::Postponed {
        reason: "too many calls".to_owned(),
        throttled: true,
        retry_after: Some(Duration::from_secs(300)),
    };
    assert_eq!(outcomes[11], postponed);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_search_goes_on_where_it_was() {
    let desk = Desk::refusing([2]);
    for answer in [refused("n2 is bad", []), throttled(Some(1))] {
        desk.answer(answer);
    }
    let outcomes = desk.apply(&desk.dispatcher(4), &groups(4)).await;
    assert_eq!(letters(&outcomes), "AARA");
    assert_eq!(desk.sizes(), [4, 2, 2, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_its_groups_in_doubt_and_the_next_batch_goes() {
    let desk = Desk::answering([lost()]);
    let outcomes = desk.apply(&desk.dispatcher(2), &groups(6)).await;
    assert_eq!(letters(&outcomes), "UUAAAA");
    // Not in a row.
    let desk = Desk::answering([lost(), Submission::Applied(Vec::new()), lost()]);
    let outcomes = desk.apply(&desk.dispatcher(2), &groups(8)).await;
    assert_eq!(letters(&outcomes), "UUAAUUAA");
    // Half of a refused batch.
    let desk = Desk::answering([refused("bad", []), lost()]);
    let outcomes = desk.apply(&desk.dispatcher(4), &groups(4)).await;
    assert_eq!(
        (letters(&outcomes).as_str(), desk.sizes()),
        ("UUAA", vec![4, 2, 2])
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_postpones_the_rest() {
    let desk = Desk::answering([lost(), lost()]);
    let outcomes = desk.apply(&desk.dispatcher(2), &groups(8)).await;
    assert_eq!(letters(&outcomes), "UUUUPPPP");
    assert!(
        reason(&outcomes[7]).contains("the answer was lost"),
        "{outcomes:?}"
    );
    assert_eq!(desk.sizes(), [2, 2]);
    let reason = "no rights".to_owned();
    let desk = Desk::answering([Submission::Applied(Vec::new()), Submission::Postponed { reason }]);
    let outcomes = desk.apply(&desk.dispatcher(2), &groups(6)).await;
    assert_eq!(
        (letters(&outcomes).as_str(), desk.sizes()),
        ("AAPPPP", vec![2, 2])
    );
}

#[tokio::test(start_paused = true)]
async fn it_may_be_dropped_at_any_point() {
    for turns in 0..40 {
        let desk = Desk::refusing([3]);
        let dispatcher = desk.dispatcher(8);
        let groups = groups(20);
        let mut apply = Box::pin(desk.apply(&dispatcher, &groups));
        for _ in 0..turns {
            if (&mut apply).now_or_never().is_some() {
                break;
            }
            tokio::time::advance(Duration::from_millis(500)).await;
        }
        drop(apply);
        let outcomes = desk.apply(&dispatcher, &groups).await;
        assert_eq!(letters(&outcomes).replace('A', ""), "R");
    }
}
