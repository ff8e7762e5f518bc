//! What a DNSEndpoint is told of its records, without a cluster.

use api::DnsEndpointStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use operator::records::dns_endpoint::{MOST_LISTED, judge, status};
use operator::records::source::DnsEndpointObject;
use records::verdict::{Refusal, Rival, State, Verdict, Verdicts};
use records::{Endpoint, RecordKey, RecordType};
use serde_json::{Value, json};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn object(endpoints: &Value) -> DnsEndpointObject {
    let object = json!({
        "apiVersion": "externaldns.k8s.io/v1alpha1", "kind": "DNSEndpoint",
        "metadata": { "namespace": "team", "name": "web", "uid": "1", "generation": 3 },
        "spec": { "endpoints": endpoints },
    });
    DnsEndpointObject::of(serde_json::from_value(object).unwrap()).unwrap()
}

fn endpoint(name: &str) -> Value {
    json!({ "dnsName": name, "recordType": "A", "targets": ["192.0.2.1"] })
}

fn verdict(name: &str, state: State) -> Verdict {
    let key = serde_json::from_value::<Endpoint>(endpoint(name))
        .unwrap()
        .key()
        .unwrap();
    Verdict {
        key,
        resource: "crd/team/web".into(),
        state,
    }
}

fn told(
    endpoints: &Value,
    verdicts: Vec<Verdict>,
    old: &DnsEndpointStatus,
    now: Timestamp,
) -> DnsEndpointStatus {
    let verdicts: Verdicts = verdicts.into_iter().collect();
    status(old, 3, &judge(&object(endpoints), &verdicts), now)
}

/// `type=status reason: message` of each condition.
fn conditions(status: &DnsEndpointStatus) -> Vec<String> {
    let conditions = status.conditions.iter().flatten();
    conditions
        .map(|condition| {
            let Condition {
                type_,
                status,
                reason,
                message,
                ..
            } = condition;
            format!("{type_}={status} {reason}: {message}")
        })
        .collect()
}

#[test]
fn all_is_well_when_every_record_set_is_in_place() {
    let list = json!([endpoint("a"), endpoint("b")]);
    let verdicts = vec![verdict("a", State::InPlace), verdict("B.", State::InPlace)];
    let status = told(&list, verdicts, &DnsEndpointStatus::default(), at(0));
    assert_eq!(
        conditions(&status),
        ["Accepted=True Accepted: ", "Programmed=True Programmed: "]
    );
    assert_eq!((&status.not_in_place, status.not_in_place_count), (&None, None));
    assert_eq!(status.observed_generation, Some(3));
    let nothing = told(&json!([]), vec![], &DnsEndpointStatus::default(), at(0));
    assert_eq!(nothing, status, "nothing is wanted");
}

/// One of two record sets is in place, and of the other is told this.
fn the_other_is_told(state: State, reason: &str, message: &str, accepted: bool) {
    let list = json!([endpoint("a"), endpoint("b")]);
    let verdicts = vec![verdict("a", State::InPlace), verdict("b", state)];
    let status = told(&list, verdicts, &DnsEndpointStatus::default(), at(0));
    let listed = status.not_in_place.iter().flatten();
    let listed: Vec<_> = listed
        .map(|set| (&*set.dns_name, &*set.reason, &*set.message))
        .collect();
    assert_eq!(listed, [("b", reason, message)]);
    let programmed =
        format!("Programmed=False {reason}: 1 of 2 record sets are not in place; b A: {message}");
    let accepted = if accepted {
        "Accepted=True Accepted: ".into()
    } else {
        format!("Accepted=False {reason}: 1 of 2 record sets are not taken; b A: {message}")
    };
    assert_eq!(conditions(&status), [accepted, programmed]);
}

#[test]
fn a_record_set_that_is_not_written_yet_is_accepted() {
    let pending = State::Pending {
        reason: "the provider is throttled".into(),
    };
    the_other_is_told(pending, "Pending", "the provider is throttled", true);
    let rejected = State::Rejected {
        reason: Refusal::Provider,
        message: "no".into(),
    };
    the_other_is_told(rejected, "RejectedByProvider", "no", true);
}

#[test]
fn a_record_set_that_nothing_comes_of_is_not_accepted() {
    let rejected = |reason| State::Rejected {
        reason,
        message: "no".into(),
    };
    the_other_is_told(rejected(Refusal::Endpoint), "InvalidEndpoint", "no", false);
    the_other_is_told(rejected(Refusal::Settings), "ExcludedBySettings", "no", false);
    let outside = "no zone that is kept holds the name";
    the_other_is_told(State::OutsideZones, "OutsideZones", outside, false);
    let conflict =
        |with, reason, message| the_other_is_told(State::Conflict { with }, reason, message, false);
    let owner = Rival::Owner(Some("x".into()));
    conflict(owner, "OwnedByAnother", "the name belongs to the owner \"x\"");
    let nobody = "the name has records that nobody is told to own";
    conflict(Rival::Owner(None), "OwnedByAnother", nobody);
    conflict(
        Rival::Resource("crd/a/b".into()),
        "WantedByAnother",
        "crd/a/b has it",
    );
    let record_set = RecordKey {
        record_type: RecordType::Cname,
        ..verdict("b", State::InPlace).key
    };
    let message = "the name has a record of type CNAME";
    conflict(Rival::RecordSet(record_set), "ExcludedByRecord", message);
}

#[test]
fn what_was_rejected_comes_first_and_what_has_no_verdict_is_pending() {
    let list = json!([endpoint("a"), { "dnsName": "b", "recordType": "TXT", "setIdentifier": "s" }]);
    let status = told(&list, vec![], &DnsEndpointStatus::default(), at(0));
    let listed = serde_json::to_value(&status.not_in_place).unwrap();
    let expected = json!([
        {
            "dnsName": "b", "recordType": "TXT", "setIdentifier": "s", "reason": "InvalidEndpoint",
            "message": "spec.endpoints[1].targets: at least one is needed",
        },
        { "dnsName": "a", "recordType": "A", "reason": "Pending", "message": "it has not been looked at yet" },
    ]);
    assert_eq!(listed, expected);
    assert!(
        conditions(&status)[1].starts_with("Programmed=False InvalidEndpoint: 2 of 2"),
        "{status:?}"
    );
}

#[test]
fn a_status_stays_small() {
    let many: Vec<Value> = (0..150).map(|index| endpoint(&format!("n{index}"))).collect();
    let long = State::Rejected {
        reason: Refusal::Provider,
        message: "é".repeat(10_000),
    };
    let status = told(
        &json!(many),
        vec![verdict("n0", long)],
        &DnsEndpointStatus::default(),
        at(0),
    );
    let listed = status.not_in_place.as_ref().unwrap();
    assert_eq!(
        (listed.len(), status.not_in_place_count),
        (MOST_LISTED, Some(150))
    );
    assert_eq!(listed[0].message, "é".repeat(256) + "…");
    assert_eq!(listed[99].dns_name, "n99");
    assert!(serde_json::to_string(&status).unwrap().len() < 100_000);
}

#[test]
fn a_condition_keeps_the_time_since_when_it_is_so() {
    let list = json!([endpoint("a")]);
    let times = |status: &DnsEndpointStatus| -> Vec<Timestamp> {
        status
            .conditions
            .iter()
            .flatten()
            .map(|condition| condition.last_transition_time.0)
            .collect()
    };
    let first = told(&list, vec![], &DnsEndpointStatus::default(), at(0));
    assert_eq!(times(&first), [at(0), at(0)]);
    let again = told(&list, vec![], &first, at(9));
    assert_eq!(again, first, "nothing has changed");
    let second = told(&list, vec![verdict("a", State::InPlace)], &first, at(10));
    assert_eq!(times(&second), [at(0), at(10)]);
}

#[test]
fn conditions_of_others_stay() {
    let foreign = Condition {
        last_transition_time: Time(at(-5)),
        message: String::new(),
        observed_generation: None,
        reason: "Why".into(),
        status: "True".into(),
        type_: "Audited".into(),
    };
    let old = DnsEndpointStatus {
        conditions: Some(vec![foreign.clone()]),
        ..DnsEndpointStatus::default()
    };
    let status = told(&json!([]), vec![], &old, at(0));
    assert_eq!(status.conditions.as_ref().unwrap()[2], foreign);
    assert_eq!(told(&json!([]), vec![], &status, at(1)), status);
}
