//! The parts of the server that need no server: addresses, kept answers, and when
//! the main loop is taken for stuck.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use operator::health::{Health, LONGEST_PASS};
use operator::serve::address::BindAddress;
use operator::serve::memory::Memory;

#[test]
fn addresses_are_those_of_openshifts_operator() {
    let at = |text: &str| BindAddress::At(text.parse::<SocketAddr>().unwrap());
    for (text, expected) in [
        ("", BindAddress::Off),
        ("0", BindAddress::Off),
        (":9393", BindAddress::Everywhere(9393)),
        ("127.0.0.1:60000", at("127.0.0.1:60000")),
        ("localhost:60000", at("127.0.0.1:60000")),
        ("0.0.0.0:1", at("0.0.0.0:1")),
        ("[::1]:1", at("[::1]:1")),
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
    for text in [
        "1",
        "9393:",
        ":",
        ":x",
        ":65536",
        "host.example.com:1",
        "127.0.0.1",
    ] {
        let error = text.parse::<BindAddress>().unwrap_err();
        assert!(error.contains("127.0.0.1:60000"), "{text}: {error}");
    }
}

#[test]
fn an_answer_holds_until_its_time_and_no_longer() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let mut memory = Memory::new(2);
    memory.put([1; 32], "one", now, now + 10 * second);
    assert_eq!(memory.get(&[1; 32], now + 9 * second), Some("one"));
    assert_eq!(memory.get(&[1; 32], now + 10 * second), None);
    assert_eq!(memory.get(&[2; 32], now), None);
}

#[test]
fn no_more_answers_are_kept_than_there_is_room_for() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let mut memory = Memory::new(2);
    memory.put([1; 32], 1, now, now + 10 * second);
    memory.put([2; 32], 2, now, now + 5 * second);
    memory.put([3; 32], 3, now, now + 7 * second);
    assert_eq!(memory.len(), 2);
    assert_eq!(memory.get(&[2; 32], now), None, "it would have gone first");
    memory.put([3; 32], 4, now, now + 20 * second);
    assert_eq!(
        memory.get(&[1; 32], now),
        Some(1),
        "the same question needs no room"
    );
    memory.put([4; 32], 5, now + 15 * second, now + 20 * second);
    assert_eq!(memory.len(), 2, "what does not hold any more makes room");
    assert_eq!(memory.get(&[3; 32], now), Some(4));
}

#[test]
fn a_pass_without_an_end_is_told() {
    let health = Health::default();
    let now = Instant::now();
    assert_eq!(health.liveness(now), Ok(()), "before the first pass");
    health.pass_begun(now);
    assert_eq!(health.liveness(now + LONGEST_PASS), Ok(()));
    let later = now + LONGEST_PASS + Duration::from_secs(1);
    assert!(health.liveness(later).is_err());
    health.pass_ended();
    assert_eq!(health.liveness(later), Ok(()));
}
