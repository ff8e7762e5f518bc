//! The operator's verdicts on specifications beside those of CoreDNS itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use devcluster::children::Launcher;
use devcluster::programs::COREDNS_SERVER;
use devcluster::{Lifetime, Progress};
use endurance::comparison::compare;
use endurance::coredns::Room;
use endurance::specs;
use endurance::stricter::RULES;
use endurance::verdicts::{Judge, Verdict};
use serde::Deserialize;
use serde_json::Value;

/// What the specifications of the suite begin at.
const SEED: u64 = 20_240_229;

/// A specification with a name; `tests/cases/verdicts.yaml` says what the verdicts are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    verdict: String,
    why: String,
    spec: Value,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/verdicts.yaml");
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted => "accepted".into(),
        Verdict::Refused => "refused".into(),
        Verdict::Injection => "injection".into(),
        Verdict::Stricter(rules) => rules.join(", "),
        Verdict::Disagreement(why) => why.clone(),
    }
}

#[test]
fn random_specifications_get_the_verdict_of_coredns() {
    let comparison = compare(SEED, 300, &Progress::hidden()).unwrap();
    assert!(comparison.tally.disagreements.is_empty(), "{comparison}");
    // Neither verdict is the easy way out.
    assert!(comparison.tally.accepted > 100, "{comparison}");
    assert!(comparison.tally.refused > 50, "{comparison}");
}

#[test]
fn named_cases_get_the_verdict_of_coredns() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = Launcher::new(folder.path(), Lifetime::Process).unwrap();
    let program = COREDNS_SERVER.path(&Progress::shown()).unwrap();
    let room = Room::new(&program, &launcher, "coredns").unwrap();
    let judge = Judge::new(&room).unwrap();
    let mut wrong = Vec::new();
    for case in cases() {
        assert!(!case.why.is_empty(), "{}", case.name);
        let judged = judge.judge(&specs::Case {
            spec: case.spec.clone(),
            bundles: BTreeMap::new(),
        });
        let verdict = shown(&judged.unwrap());
        if verdict != case.verdict {
            wrong.push(format!("{}: {verdict} instead of {}", case.name, case.verdict));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_that_is_stricter_has_a_case() {
    let cases = cases();
    for rule in &RULES {
        let shown = cases.iter().any(|case| case.verdict == rule.name);
        assert!(shown, "no case shows the rule {:?}", rule.name);
    }
}

/// The generator is worth its time: a good half is accepted, and most of the others
/// have one fault.
#[test]
fn about_half_of_the_specifications_are_accepted() {
    let (mut accepted, mut one, mut more) = (0, 0, 0);
    for seed in 0..1000 {
        let case = specs::draw(seed).unwrap();
        assert_eq!(case, specs::draw(seed).unwrap());
        match operator::dns::config::Config::decode(&case.spec) {
            Ok(_) => accepted += 1,
            Err(invalid) if invalid.findings.len() == 1 => one += 1,
            Err(_) => more += 1,
        }
    }
    assert!((500..700).contains(&accepted), "{accepted}");
    assert!(one > 2 * more, "{one} with one finding, {more} with several");
}
