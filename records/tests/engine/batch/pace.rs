//! The turns of an account.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use records::pace::{Pace, Rate};
use records::provider::Paced;
use records::provider::memory::Memory;
use records::{Name, Provider as _, ZoneRecords};
use tokio::time::{Instant, advance};

const SECOND: Duration = Duration::from_secs(1);

fn pace(burst: u32, calls: u32, seconds: u64) -> Pace {
    Pace::new(Rate {
        burst,
        calls,
        period: Duration::from_secs(seconds),
    })
}

/// When so many turns come that are asked for at once, in milliseconds.
async fn turns(pace: &Pace, count: usize) -> Vec<u128> {
    let start = Instant::now();
    let turns = (0..count).map(|_| async {
        pace.turn().await;
        start.elapsed().as_millis()
    });
    join_all(turns).await
}

#[tokio::test(start_paused = true)]
async fn a_burst_and_then_a_steady_rate() {
    let pace = pace(3, 4, 2);
    assert_eq!(turns(&pace, 6).await, [0, 0, 0, 500, 1000, 1500]);
    // After a rest, as many at once as before, and no more.
    advance(SECOND * 3600).await;
    assert_eq!(turns(&pace, 5).await, [0, 0, 0, 500, 1000]);
}

#[tokio::test(start_paused = true)]
async fn nobody_calls_during_a_pause() {
    let pace = pace(2, 1, 1);
    pace.pause(SECOND * 10);
    pace.pause(SECOND * 5);
    assert_eq!(turns(&pace, 3).await, [10_000, 10_000, 11_000]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_for_those_who_wait_already() {
    let pace = Arc::new(pace(1, 1, 10));
    pace.turn().await;
    let mut turn = Box::pin(pace.turn());
    assert!((&mut turn).now_or_never().is_none());
    advance(SECOND * 4).await;
    pace.pause(SECOND * 20);
    let start = Instant::now();
    turn.await;
    assert_eq!(start.elapsed(), SECOND * 20);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_has_taken_no_turn() {
    let pace = pace(1, 1, 10);
    pace.turn().await;
    for _ in 0..5 {
        assert!(pace.turn().now_or_never().is_none());
    }
    assert_eq!(turns(&pace, 2).await, [10_000, 20_000]);
}

#[tokio::test(start_paused = true)]
async fn an_absurd_pause_or_rate_stops_nobody_for_ever() {
    let pace = pace(0, 0, 0);
    pace.pause(Duration::MAX);
    assert_eq!(turns(&pace, 2).await, [3_600_000, 3_600_000]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_a_pace_is_given_one() {
    let memory = Memory::new(vec![Name::parse("example.com").unwrap()]);
    let rate = Rate {
        burst: 1,
        calls: 1,
        period: SECOND * 10,
    };
    let provider = Paced::new(Arc::new(memory), rate);
    let start = Instant::now();
    let elapsed = || start.elapsed().as_secs();
    let zones = provider.zones().await.unwrap();
    let zone = &zones[0];
    provider.read(zone).await.unwrap();
    assert_eq!(elapsed(), 0);
    provider.read_names(zone, &[]).await.unwrap();
    assert_eq!(elapsed(), 10);
    let _confirmation = provider.confirm(zone, &ZoneRecords::default()).await;
    assert_eq!(elapsed(), 20);
    assert_eq!(provider.apply(zone, &[]).await, []);
    assert_eq!(elapsed(), 30);
    // What it knows by itself is no call.
    provider.zones().await.unwrap();
    provider.adjust(Vec::new()).await.unwrap();
    assert_eq!(elapsed(), 30);
}
