//! When upstreams are probed, by a clock of its own, and what is made of the answers.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use operator::upstreams::failure::Failure;
use operator::upstreams::report::Report;
use operator::upstreams::schedule::{INTERVAL, PAUSE, Probe, Schedule};
use operator::upstreams::target::{Endpoint, Question, Target, Transport};
use operator::upstreams::verdict::{History, Trouble, Verdict, Verdicts};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

const START: Timestamp = Timestamp::UNIX_EPOCH;
const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// How long the longest probe takes.
const PATIENCE: SignedDuration = SignedDuration::from_secs(3);

fn question(name: &str) -> Question {
    Question {
        name: Name::from_ascii(name).unwrap(),
        record_type: RecordType::SOA,
    }
}

fn target(number: u8) -> Target {
    Target {
        endpoint: Endpoint {
            address: (Ipv4Addr::new(192, 0, 2, number), 53).into(),
            transport: Transport::Udp,
        },
        questions: vec![question("a.example."), question("b.example.")],
        fields: vec![format!("spec.servers[{number}].forwardPlugin.upstreams[0]")],
    }
}

/// A cluster's upstreams, and all probes of them.
struct World {
    random: StdRng,
    schedule: Schedule,
    now: Timestamp,
    under_way: Vec<(Timestamp, Probe, Result<(), Failure>)>,
    /// When which was asked for what.
    started: Vec<(Timestamp, Probe)>,
    /// When verdicts have changed.
    changed: Vec<Timestamp>,
}

impl World {
    fn new(seed: u64, targets: &[Target]) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut schedule = Schedule::default();
        schedule.follow(targets, START, &mut random);
        Self {
            random,
            schedule,
            now: START,
            under_way: Vec::new(),
            started: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Probes until then; `answer` says what comes of it, and after how long.
    fn run(
        &mut self,
        until: Timestamp,
        mut answer: impl FnMut(&Probe, Timestamp, &mut StdRng) -> (SignedDuration, Result<(), Failure>),
    ) {
        loop {
            while let Some(probe) = self.schedule.take_due(self.now) {
                let (took, outcome) = answer(&probe, self.now, &mut self.random);
                self.started.push((self.now, probe.clone()));
                self.under_way.push((self.now + took, probe, outcome));
            }
            let ends = self.under_way.iter().map(|(end, ..)| *end).min();
            let next = ends.into_iter().chain(self.schedule.next_due()).min();
            self.now = next.filter(|next| *next < until).unwrap_or(until);
            if self.now == until {
                return;
            }
            let now = self.now;
            let (ended, left) = self.under_way.drain(..).partition(|(end, ..)| *end <= now);
            self.under_way = left;
            for (_, probe, outcome) in Vec::from_iter::<Vec<_>>(ended) {
                if self.schedule.done(&probe, outcome, now, &mut self.random) {
                    self.changed.push(now);
                }
            }
        }
    }
}

/// Some of the targets answer always, some never, some now and then.
fn whims(probe: &Probe, _: Timestamp, random: &mut StdRng) -> (SignedDuration, Result<(), Failure>) {
    let std::net::IpAddr::V4(address) = probe.endpoint.address.ip() else {
        panic!("{probe:?}");
    };
    let share = f64::from(address.octets()[3] % 4) / 3.0;
    if random.random_bool(share) {
        (SignedDuration::from_millis(random.random_range(0..3000)), Ok(()))
    } else {
        (PATIENCE, Err(Failure::Timeout))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn there_is_a_pause_between_probes_and_everybody_gets_a_turn(seed: u64, count in 1..60_u8) {
        let targets: Vec<Target> = (0..count).map(target).collect();
        let mut world = World::new(seed, &targets);
        let end = START + 300 * SECOND;
        world.run(end, whims);
        let times = world.started.iter().map(|(at, _)| *at);
        for (one, next) in times.clone().zip(times.skip(1)) {
            prop_assert!(next.duration_since(one) >= PAUSE, "{} probes", world.started.len());
        }
        // Its own probe, its own wait, and one probe of each of the others.
        let longest = PATIENCE + INTERVAL * 6 / 5 + PAUSE * i32::from(count);
        for target in &targets {
            let mut last = START;
            let own = world.started.iter().filter(|(_, probe)| probe.endpoint == target.endpoint);
            for at in own.map(|(at, _)| *at).chain([end]) {
                prop_assert!(at.duration_since(last) <= longest, "{} of {count}", target.endpoint);
                last = at;
            }
        }
    }

    #[test]
    fn chance_alone_tells_one_run_from_another(seed: u64) {
        let targets: Vec<Target> = (0..20).map(target).collect();
        let run = |seed| {
            let mut world = World::new(seed, &targets);
            world.run(START + 60 * SECOND, whims);
            world.started
        };
        prop_assert_eq!(run(seed), run(seed));
        prop_assert_ne!(run(seed), run(seed.wrapping_add(1)));
    }

    #[test]
    fn of_a_few_upstreams_a_dead_one_is_named_within_half_a_minute(seed: u64, dies in 5..60_i32, at in 0..5_u8) {
        let targets: Vec<Target> = (0..5).map(target).collect();
        let victim = targets[usize::from(at)].endpoint.clone();
        let death = START + dies * SECOND;
        let mut world = World::new(seed, &targets);
        world.run(death + 30 * SECOND, |probe, now, _| {
            if probe.endpoint == victim && now >= death {
                (PATIENCE, Err(Failure::Timeout))
            } else {
                (SECOND / 10, Ok(()))
            }
        });
        for (endpoint, verdict) in world.schedule.verdicts() {
            prop_assert_eq!(matches!(verdict, Verdict::Failing(_)), endpoint == victim);
        }
    }
}

#[test]
fn what_is_known_stays_when_other_upstreams_come_and_go() {
    let [one, two] = [target(1), target(2)];
    let mut world = World::new(1, std::slice::from_ref(&one));
    world.run(START + 20 * SECOND, |_, _, _| (SECOND, Err(Failure::Timeout)));
    let now = world.now;
    world
        .schedule
        .follow(&[two.clone(), one.clone()], now, &mut world.random);
    let verdicts = world.schedule.verdicts();
    assert!(matches!(verdicts[&one.endpoint], Verdict::Failing(_)));
    assert_eq!(verdicts[&two.endpoint], Verdict::Unknown);
    world.schedule.follow(&[], now, &mut world.random);
    assert_eq!(world.schedule.verdicts(), Verdicts::new());
    assert_eq!(world.schedule.next_due(), None, "nothing to do, no probe");
}

#[test]
fn a_question_that_is_refused_is_found_and_asked_until_it_is_answered() {
    let one = target(1);
    let mut world = World::new(1, std::slice::from_ref(&one));
    let mended = START + 60 * SECOND;
    let refused = Failure::ResponseCode(ResponseCode::Refused);
    let answer = |probe: &Probe, now: Timestamp, _: &mut StdRng| {
        let outcome = if probe.question == question("b.example.") && now < mended {
            Err(refused.clone())
        } else {
            Ok(())
        };
        (SECOND / 10, outcome)
    };
    world.run(mended, answer);
    let verdicts = world.schedule.verdicts();
    let Verdict::Failing(trouble) = &verdicts[&one.endpoint] else {
        panic!("{verdicts:?}");
    };
    assert_eq!(
        (&trouble.failure, &trouble.question),
        (&refused, &question("b.example."))
    );
    world.run(mended + 30 * SECOND, answer);
    assert_eq!(world.schedule.verdicts()[&one.endpoint], Verdict::Healthy);
}

fn asked(world: &World) -> Vec<String> {
    let started = world.started.iter();
    started.map(|(_, probe)| probe.question.name.to_ascii()).collect()
}

#[test]
fn what_was_never_asked_comes_first_and_soon() {
    let mut one = target(1);
    one.questions = ["a.", "b.", "c."].map(question).to_vec();
    let mut world = World::new(1, std::slice::from_ref(&one));
    let answer = |_: &Probe, _: Timestamp, _: &mut StdRng| (SECOND / 10, Ok(()));
    world.run(START + 8 * SECOND, answer);
    assert_eq!(
        asked(&world),
        ["a.", "b.", "c."],
        "within seconds, and then a rest"
    );
    one.questions = ["a.", "d.", "b.", "e."].map(question).to_vec();
    let now = world.now;
    world.schedule.follow(&[one], now, &mut world.random);
    world.run(now + 8 * SECOND, answer);
    assert_eq!(asked(&world)[3..], ["d.", "e."]);
    world.run(now + 60 * SECOND, answer);
    assert_eq!(asked(&world)[5..8], ["a.", "d.", "b."]);
}

#[test]
fn a_question_that_is_stuck_goes_before_new_ones() {
    let mut one = target(1);
    let mut world = World::new(1, std::slice::from_ref(&one));
    let refused = |probe: &Probe, _: Timestamp, _: &mut StdRng| {
        let known = probe.question == question("a.example.");
        let outcome = if known { Ok(()) } else { Err(Failure::Timeout) };
        (SECOND / 10, outcome)
    };
    world.run(START + 20 * SECOND, refused);
    let before = world.started.len();
    one.questions.insert(0, question("new.example."));
    let now = world.now;
    world.schedule.follow(&[one], now, &mut world.random);
    world.run(now + 20 * SECOND, refused);
    assert!(asked(&world)[before..].iter().all(|name| name == "b.example."));
    assert!(world.started.len() > before);
}

/// The verdicts after each probe; the n-th probe is made at second n.
fn judged(outcomes: &[Result<(), Failure>]) -> Vec<Verdict> {
    let mut history = History::default();
    let mut verdicts = vec![Verdict::Unknown];
    for (second, outcome) in (0..).zip(outcomes) {
        let changed = history.note(&question("a."), outcome.clone(), START + second * SECOND);
        assert_eq!(changed, Some(history.verdict()) != verdicts.last(), "{second}");
        verdicts.push(history.verdict().clone());
    }
    verdicts
}

fn failing(since: i32, failure: Failure) -> Verdict {
    Verdict::Failing(Trouble {
        since: START + since * SECOND,
        failure,
        question: question("a."),
    })
}

#[test]
fn it_takes_three_failures_to_fail_and_two_answers_to_be_well() {
    let (yes, no) = (Ok(()), Err(Failure::Timeout));
    let verdicts = judged(&[
        yes.clone(),
        no.clone(),
        no.clone(),
        yes.clone(),
        no.clone(),
        no.clone(),
        no.clone(),
        yes.clone(),
        no.clone(),
        yes.clone(),
        yes,
    ]);
    let dead = failing(4, Failure::Timeout);
    assert!(verdicts[1..7].iter().all(|verdict| *verdict == Verdict::Healthy));
    assert!(
        verdicts[7..11].iter().all(|verdict| *verdict == dead),
        "{verdicts:?}"
    );
    assert_eq!(verdicts[11], Verdict::Healthy);
}

#[test]
fn reasons_that_take_turns_are_told_once_and_a_new_one_when_it_lasts() {
    let timeout = Err(Failure::Timeout);
    let refused = Err(Failure::ConnectionRefused);
    let verdicts = judged(&[
        timeout.clone(),
        refused.clone(),
        timeout.clone(),
        refused.clone(),
        timeout,
        refused.clone(),
        refused.clone(),
        refused,
    ]);
    assert_eq!(verdicts[2], Verdict::Unknown);
    assert!(
        verdicts[3..8]
            .iter()
            .all(|verdict| *verdict == failing(0, Failure::Timeout)),
        "{verdicts:?}"
    );
    assert_eq!(
        verdicts[8],
        failing(0, Failure::ConnectionRefused),
        "since it began"
    );
}

fn dead(targets: &[Target], since: Timestamp) -> Verdicts {
    let trouble = Trouble {
        since,
        failure: Failure::Timeout,
        question: question("a.example."),
    };
    let endpoints = targets.iter().map(|target| target.endpoint.clone());
    endpoints
        .map(|endpoint| (endpoint, Verdict::Failing(trouble.clone())))
        .collect()
}

#[test]
fn what_is_said_names_the_field_the_reason_and_the_time() {
    let mut one = target(1);
    let fields = std::mem::take(&mut one.fields);
    one.fields = (0..5).flat_map(|_| fields.clone()).collect();
    let line = "spec.servers[1].forwardPlugin.upstreams[0], spec.servers[1].forwardPlugin.upstreams[0], \
                spec.servers[1].forwardPlugin.upstreams[0] and 2 more: 192.0.2.1:53 over UDP: Timeout: \
                no answer within 3s, asked for 'a.example. SOA', since 1970-01-01T00:00:00Z";
    let targets = [one];
    let report = Report::of(&targets, &dead(&targets, START), "");
    assert_eq!(report, Report::Failing(vec![line.to_owned()]));
    // Another replica found it later: it fails since the time that was told.
    let later = Report::of(&targets, &dead(&targets, START + 60 * SECOND), line);
    assert_eq!(later, report);
}

#[test]
fn nothing_is_said_before_it_is_known_and_not_too_much_then() {
    let targets: Vec<Target> = (0..25).map(target).collect();
    assert_eq!(Report::of(&[], &Verdicts::new(), ""), Report::Nothing);
    assert_eq!(Report::of(&targets, &Verdicts::new(), ""), Report::Pending);
    let mut verdicts: Verdicts = targets
        .iter()
        .map(|target| (target.endpoint.clone(), Verdict::Healthy))
        .collect();
    assert_eq!(Report::of(&targets, &verdicts, ""), Report::Healthy);
    verdicts.insert(targets[3].endpoint.clone(), Verdict::Unknown);
    assert_eq!(Report::of(&targets, &verdicts, ""), Report::Pending);
    verdicts.extend(dead(&targets[7..8], START));
    let Report::Failing(lines) = Report::of(&targets, &verdicts, "") else {
        panic!("one fails");
    };
    assert!(
        lines.len() == 1 && lines[0].starts_with("spec.servers[7]"),
        "{lines:?}"
    );
    let Report::Failing(lines) = Report::of(&targets, &dead(&targets, START), "") else {
        panic!("all fail");
    };
    assert_eq!((lines.len(), lines[20].as_str()), (21, "and 5 more"));
    assert_eq!(BTreeSet::from_iter(lines).len(), 21);
}
