//! A group that was refused costs later passes next to nothing.

use std::time::Duration;

use records::batch::Dispatcher;
use records::ownership::label::OWNED_RECORD;
use records::{Change, Group, Outcome};

use super::desk::{Desk, changed, group, groups, letters, lost, number, reason, refused};
use crate::cache::world::{MINUTE, a, txt};

async fn pass(desk: &Desk, dispatcher: &Dispatcher, groups: &[Group]) -> (String, Vec<usize>) {
    let outcomes = desk.apply(dispatcher, groups).await;
    (letters(&outcomes), desk.sizes())
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_standing_for_20_passes_costs_four_calls_more() {
    let desk = Desk::refusing([77]);
    let dispatcher = desk.dispatcher(200);
    desk.apply(&dispatcher, &groups(200)).await;
    let first = desk.calls().len();
    assert!(first <= 16);
    let mut tries = Vec::new();
    for pass in 1..20 {
        desk.clock.advance(MINUTE);
        let outcomes = desk.apply(&dispatcher, &[group(77)]).await;
        assert_eq!(letters(&outcomes), "R");
        match desk.sizes()[..] {
            [] => {}
            [1] => tries.push(pass),
            ref more => panic!("{more:?}"),
        }
    }
    assert_eq!(tries, [1, 3, 7, 15]);
    let counters = dispatcher.counters();
    assert_eq!((counters.quarantined, counters.held_back), (1, 15));
}

#[tokio::test(start_paused = true)]
async fn the_delay_grows_to_an_hour() {
    let desk = Desk::refusing([0]);
    let dispatcher = desk.dispatcher(200);
    let mut last = 0;
    let mut delays = Vec::new();
    for minute in 0..400 {
        desk.apply(&dispatcher, &groups(1)).await;
        if !desk.calls().is_empty() {
            delays.push(minute - last);
            last = minute;
        }
        desk.clock.advance(MINUTE);
    }
    assert_eq!(delays, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn it_is_told_why_and_when_in_the_same_words_until_then() {
    let desk = Desk::refusing([1]);
    let dispatcher = desk.dispatcher(200);
    let first = desk.apply(&dispatcher, &groups(3)).await;
    assert_eq!(
        reason(&first[1]),
        "n1.example.com is not taken; it is tried again at 2027-01-15T08:01:00Z, or when it changes"
    );
    desk.clock.advance(Duration::from_secs(59));
    let held = desk.apply(&dispatcher, &groups(3)).await;
    assert_eq!(held, first);
    assert_eq!(desk.calls().last().unwrap().names, [number(0), number(2)]);
}

#[tokio::test(start_paused = true)]
async fn its_turn_comes_last_and_alone() {
    let desk = Desk::refusing([0, 2]);
    let dispatcher = desk.dispatcher(200);
    desk.apply(&dispatcher, &groups(4)).await;
    desk.calls();
    desk.clock.advance(MINUTE);
    assert_eq!(
        pass(&desk, &dispatcher, &groups(4)).await,
        ("RARA".into(), vec![2, 1, 1])
    );
    // What else goes wrong leaves it as it was.
    desk.clock.advance(MINUTE * 2);
    desk.answer(lost());
    desk.answer(lost());
    let outcomes = desk.apply(&dispatcher, &groups(4)).await;
    assert_eq!(letters(&outcomes), "UURU");
}

#[tokio::test(start_paused = true)]
async fn what_changes_is_sent_at_once_and_with_the_others() {
    let desk = Desk::refusing([1]);
    let dispatcher = desk.dispatcher(200);
    desk.apply(&dispatcher, &groups(3)).await;
    desk.calls();
    desk.refuse([]);
    let mut groups = groups(3);
    assert_eq!(pass(&desk, &dispatcher, &groups).await, ("ARA".into(), vec![2]));
    groups[1] = changed(1);
    assert_eq!(pass(&desk, &dispatcher, &groups).await, ("AAA".into(), vec![3]));
    assert_eq!(dispatcher.counters().quarantined, 0);
    // It is not remembered, so it is not held back as it was before either.
    groups[1] = group(1);
    assert_eq!(pass(&desk, &dispatcher, &groups).await, ("AAA".into(), vec![3]));
}

#[tokio::test(start_paused = true)]
async fn the_text_of_an_ownership_record_is_no_change() {
    let name = "n0.example.com";
    let owned = |text: &str| {
        let mut record = txt("a-n0.example.com", text);
        record.labels.insert(OWNED_RECORD.into(), name.into());
        let changes = vec![Change::Create(a(name, "192.0.2.1")), Change::Create(record)];
        Group { changes, ..group(0) }
    };
    let mut labelled = owned("cipher two");
    if let Change::Create(record) = &mut labelled.changes[0] {
        record
            .labels
            .insert("resource".into(), "crd/default/other".into());
    }
    let desk = Desk::refusing([0]);
    let dispatcher = desk.dispatcher(200);
    desk.apply(&dispatcher, &[owned("cipher one")]).await;
    desk.calls();
    assert_eq!(pass(&desk, &dispatcher, &[labelled]).await, ("R".into(), vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_lands_is_forgotten() {
    let desk = Desk::refusing([1]);
    let dispatcher = desk.dispatcher(200);
    desk.apply(&dispatcher, &groups(3)).await;
    desk.refuse([]);
    desk.clock.advance(MINUTE);
    desk.calls();
    assert_eq!(
        pass(&desk, &dispatcher, &groups(3)).await,
        ("AAA".into(), vec![2, 1])
    );
    assert_eq!(dispatcher.counters().quarantined, 0);
    assert_eq!(
        pass(&desk, &dispatcher, &groups(3)).await,
        ("AAA".into(), vec![3])
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_asked_for_any_more_is_forgotten() {
    let desk = Desk::refusing([0, 1]);
    let dispatcher = desk.dispatcher(200);
    desk.apply(&dispatcher, &groups(2)).await;
    for _ in 0..10 {
        desk.apply(&dispatcher, &groups(1)).await;
    }
    assert_eq!(dispatcher.counters().quarantined, 2);
    desk.apply(&dispatcher, &groups(1)).await;
    assert_eq!(dispatcher.counters().quarantined, 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_content_is_held_against_a_group() {
    let conflict = Outcome::Conflict {
        reason: "it exists".to_owned(),
    };
    let desk = Desk::answering([refused("it exists", [(0, conflict)])]);
    let dispatcher = desk.dispatcher(200);
    assert_eq!(pass(&desk, &dispatcher, &groups(1)).await, ("C".into(), vec![1]));
    assert_eq!(pass(&desk, &dispatcher, &groups(1)).await, ("A".into(), vec![1]));
}

#[tokio::test(start_paused = true)]
async fn many_are_tried_again_few_at_a_time_until_one_lands() {
    let desk = Desk::refusing(0..50);
    let dispatcher = desk.dispatcher(200);
    desk.apply(&dispatcher, &groups(50)).await;
    desk.clock.advance(MINUTE);
    desk.calls();
    let (letters, sizes) = pass(&desk, &dispatcher, &groups(50)).await;
    assert_eq!((letters, sizes), ("R".repeat(50), vec![1; 10]));
    // Those that have waited longest come first. One lands, and so do all whose time has come.
    desk.refuse([]);
    let (letters, sizes) = pass(&desk, &dispatcher, &groups(50)).await;
    assert_eq!(letters, format!("{}{}", "R".repeat(10), "A".repeat(40)));
    assert_eq!(sizes, [1, 39]);
}
