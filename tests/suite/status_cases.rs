//! The DNS's conditions, against what OpenShift's operator says of the same state.

use std::net::IpAddr;

use api::OperatorCondition;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use operator::dns::ca_bundle::CaBundles;
use operator::dns::config::Config;
use operator::dns::status::{Observation, Rollout, TOLERANCE};
use operator::upstreams::report::Report;
use serde_json::{Value, json};
use tests::cases::{self, StatusCase};
use tests::differences::Differences;

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// The conditions so far. Another tolerance than ours is the same as ours with
/// conditions that are older or younger by as much.
fn old_conditions(case: &StatusCase) -> Vec<OperatorCondition> {
    let inputs = &case.request.status;
    let tolerance = i64::try_from(TOLERANCE.as_secs()).unwrap();
    let shift = tolerance - inputs.tolerance_seconds.unwrap_or(tolerance);
    let decode = |condition: &Value| {
        let age = condition["ageSeconds"].as_f64().unwrap();
        let age = SignedDuration::from_secs_f64(age) + SignedDuration::from_secs(shift);
        let mut condition = condition.clone();
        condition.as_object_mut().unwrap().remove("ageSeconds");
        condition["lastTransitionTime"] = json!(now() - age);
        serde_json::from_value(condition).unwrap()
    };
    inputs.old_conditions.iter().map(decode).collect()
}

/// The DaemonSets as they are where their status is all that matters.
fn rollout(case: &StatusCase, status: &Value) -> Rollout {
    let mut daemon_set = json!({ "status": status });
    let config = Config::decode(&case.request.dns["spec"]).unwrap();
    daemon_set["spec"]["template"]["spec"] = json!({
        "nodeSelector": config.placement.node_selector,
        "tolerations": config.placement.tolerations,
    });
    Rollout::of(&daemon_set)
}

/// The conditions by type, their order, and when they are looked at again.
fn ours(case: &StatusCase) -> Value {
    let inputs = &case.request.status;
    let config = Config::decode(&case.request.dns["spec"]).unwrap();
    let old = old_conditions(case);
    let dns = match &inputs.dns_daemon_set {
        Some(daemon_set) => Rollout::of(daemon_set),
        None => rollout(case, &inputs.dns_daemon_set_status),
    };
    let node_resolver = rollout(case, &inputs.node_resolver_daemon_set_status);
    let assessment = Observation {
        now: now(),
        old: &old,
        unmanaged: case.request.dns["spec"]["managementState"] == "Unmanaged",
        service_address: case.request.cluster_ip.parse::<IpAddr>().ok(),
        dns: inputs.have_dns_daemon_set.then_some(dns),
        node_resolver: inputs.have_node_resolver_daemon_set.then_some(node_resolver),
        placement: Some(&config.placement),
        invalid: None,
        bundles: &CaBundles::default(),
        remarks: &[],
        upstreams: &Report::Nothing,
        failures: &[],
    }
    .assess();
    let transition = |condition: &OperatorCondition| {
        let since = &condition.last_transition_time;
        let kept = old
            .iter()
            .any(|old| old.kind == condition.kind && old.last_transition_time == *since);
        // What is both is told by the status: it is kept while that is.
        let is_now = since.0 == now();
        let changed = !old
            .iter()
            .any(|old| old.kind == condition.kind && old.status == condition.status);
        match (kept, is_now) {
            (true, true) if changed => "now",
            (true, _) => "kept",
            (false, true) => "now",
            (false, false) => "made up",
        }
    };
    let conditions = assessment.conditions.iter().map(|condition| {
        json!({
            "type": condition.kind, "status": condition.status, "reason": condition.reason,
            "message": condition.message, "transition": transition(condition),
        })
    });
    by_type(
        &conditions.collect::<Vec<_>>(),
        assessment.look_again.map_or(0, |wait| wait.as_secs()),
    )
}

fn by_type(conditions: &[Value], look_again: u64) -> Value {
    let mut found = json!({ "look again": look_again });
    let mut order = Vec::new();
    for condition in conditions {
        let kind = condition["type"].as_str().unwrap();
        order.push(kind);
        let mut fields = condition.clone();
        fields.as_object_mut().unwrap().remove("type");
        found[kind] = fields;
    }
    found["order"] = order.into();
    found
}

fn reference(case: &StatusCase) -> Value {
    let expected = &case.expected;
    // It looks again by an error, too, at a status that it has not written.
    let waits = [Some(expected.requeue_after_seconds), expected.retry_after_seconds];
    let look_again = waits.into_iter().flatten().filter(|wait| *wait > 0).min();
    by_type(&expected.conditions, look_again.unwrap_or(0).unsigned_abs())
}

#[test]
fn conditions_are_the_reference_s_but_for_what_is_listed() {
    let differences = Differences::load("status-differences.yaml").unwrap();
    let cases = cases::status().unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| differences.mismatch(&case.name, &reference(case), &ours(case), |_| Value::Null))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} cases differ otherwise than listed:\n{}",
        wrong.len(),
        wrong.join("")
    );
    for listed in differences.cases() {
        assert!(
            cases.iter().any(|case| case.name == listed),
            "{listed} is no case"
        );
    }
    assert!(cases.len() >= 85);
}
