//! Edits that are refused: people are told at once, and clients notice nothing.

use std::time::{Duration, Instant};

use endurance::load::{self, Load, Tally};
use serde_json::Value;
use tokio::time::sleep;

use super::Node;

/// How many questions are asked while a refused specification stands.
const QUESTIONS: usize = 1000;
/// How long a refusal may take to be told before the test fails. The step prints how
/// long it took.
const PATIENCE: Duration = Duration::from_secs(10);
const FINDING: &str = "spec.servers[0].zones[0]: Invalid value: \"not a zone\"";

pub async fn change_nothing(node: &Node) {
    by_the_api_server(node);
    by_the_operator(node).await;
}

fn by_the_api_server(node: &Node) {
    node.step("a bad duration is refused by the API server");
    let output = node.edit("s/positiveTTL: .*/positiveTTL: 10/");
    assert!(!output.status.success());
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("cancelled") || text.contains("spec.cache.positiveTTL"),
        "{text}"
    );
}

async fn by_the_operator(node: &Node) {
    node.step("what only the operator can refuse is told in the status and in an Event, under load");
    let corefile = node.corefile();
    let load = Load::start(load::SERVICE);
    node.edited("s/- stub.test/- not a zone/");
    let begun = Instant::now();
    until("a condition names the field", begun, || {
        let degraded = node.condition("Degraded");
        let message = degraded["message"].as_str().unwrap_or_default();
        degraded["reason"] == "InvalidSpec" && message.contains(FINDING)
    })
    .await;
    let condition = begun.elapsed();
    until("an Event names the field", begun, || {
        let events = node.get(&["-n", "default", "events.events.k8s.io"]);
        let refusal = |event: &Value| {
            event["reason"] == "InvalidSpec"
                && event["note"].as_str().is_some_and(|note| note.contains(FINDING))
        };
        events["items"].as_array().unwrap().iter().any(refusal)
    })
    .await;
    node.step(&format!(
        "the condition was seen within {} ms of the edit, the Event within {} ms",
        condition.as_millis(),
        begun.elapsed().as_millis()
    ));
    assert_eq!(node.corefile(), corefile);
    let status = &node.get(&["dns.operator/default"])["status"];
    assert_eq!(status["corefile"]["specInForce"], "LastGood", "{status}");
    assert_eq!(node.dns.a("refused.ttl60.stub.test.").await.ttl(), 60);
    while load.counts().0 < QUESTIONS {
        sleep(Duration::from_millis(200)).await;
    }
    node.edited("s/- not a zone/- stub.test/");
    let tally = load.finish().await.unwrap();
    assert!(
        tally.answered.len() >= QUESTIONS,
        "only {} questions",
        tally.answered.len()
    );
    assert!(
        tally.failures.is_empty(),
        "{:?}",
        Tally::failures_by_reason(&tally.failures)
    );
    node.step(&format!("{} questions answered meanwhile", tally.answered.len()));
}

async fn until(what: &str, begun: Instant, is_so: impl Fn() -> bool) {
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(50)).await;
    }
}
