//! What a DNSProvider is told, without a cluster.

use api::{DnsProviderSpec, DnsProviderStatus, DnsRateLimit};
use k8s_openapi::jiff::Timestamp;
use operator::records::dns_provider::problem::Problem;
use operator::records::dns_provider::selection::{Rules, Selection};
use operator::records::dns_provider::status::{Verdict, status};
use operator::records::status::Status as _;
use records::{Name, Zone, ZoneId};
use serde_json::{Value, json};

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
}

fn spec(fields: Value) -> DnsProviderSpec {
    serde_json::from_value(fields).unwrap()
}

fn selection(spec: &DnsProviderSpec) -> Selection {
    let zones = ["z.example", "a.example"].map(|name| Zone {
        id: ZoneId(name.to_uppercase().into()),
        name: Name::parse(name).unwrap(),
    });
    Rules::of(spec).unwrap().select(&zones)
}

fn ready(old: &DnsProviderStatus, spec: &DnsProviderSpec, now: Timestamp) -> DnsProviderStatus {
    let verdict = Verdict {
        generation: 2,
        spec: Some(spec),
        rate_limit: None,
        selection: Some(&selection(spec)),
        problem: None,
    };
    status(old, &verdict, now)
}

fn failed(old: &DnsProviderStatus, problem: &Problem, now: Timestamp) -> DnsProviderStatus {
    let verdict = Verdict {
        generation: 3,
        spec: None,
        rate_limit: None,
        selection: None,
        problem: Some(problem),
    };
    status(old, &verdict, now)
}

fn json(status: &DnsProviderStatus) -> Value {
    serde_json::to_value(status).unwrap()
}

#[test]
fn a_usable_account_is_told_what_is_used() {
    let spec = spec(json!({ "zones": { "exclude": ["OTHER"] }, "domains": { "include": ["z.example"] } }));
    let verdict = Verdict {
        generation: 2,
        spec: Some(&spec),
        rate_limit: Some(DnsRateLimit {
            burst: 5,
            requests_per_day: 1440,
        }),
        selection: Some(&selection(&spec)),
        problem: None,
    };
    let told = status(&DnsProviderStatus::default(), &verdict, at(1));
    let expected = json!({
        "state": "Ready", "message": "provider operational", "observedGeneration": 2,
        "defaultTTL": 300, "rateLimit": { "burst": 5, "requestsPerDay": 1440 },
        "domains": { "included": ["z.example"], "excluded": ["a.example"] },
        "zones": { "included": ["Z.EXAMPLE"], "excluded": ["A.EXAMPLE"] },
        // In whole seconds, as the API server keeps them.
        "lastUpdateTime": "2027-01-15T08:00:00Z",
    });
    assert_eq!(json(&told), expected);
}

#[test]
fn lists_are_sorted_and_what_is_foreign_is_told() {
    let spec =
        spec(json!({ "defaultTTL": 60, "domains": { "include": ["z.example", "x.test", "a.example"] } }));
    let told = json(&ready(&DnsProviderStatus::default(), &spec, at(0)));
    assert_eq!(told["domains"], json!({ "included": ["a.example", "z.example"] }));
    assert_eq!(told["zones"], json!({ "included": ["A.EXAMPLE", "Z.EXAMPLE"] }));
    assert_eq!(
        told["message"],
        "provider operational; in no zone of the account: x.test"
    );
    assert_eq!(told["defaultTTL"], 60);
}

#[test]
fn a_problem_is_told_and_the_last_good_lists_stay() {
    let good = ready(&DnsProviderStatus::default(), &spec(json!({})), at(0));
    let problem = Problem::Error("the server answers NOTAUTH".into());
    let told = failed(&good, &problem, at(5_000));
    let (before, after) = (json(&good), json(&told));
    assert_eq!(after["state"], "Error");
    assert_eq!(after["message"], "the server answers NOTAUTH");
    assert_eq!(
        after["lastError"],
        json!({ "description": "the server answers NOTAUTH", "lastUpdateTime": "2027-01-15T08:00:05Z" })
    );
    assert_eq!(after["observedGeneration"], 3);
    for field in ["domains", "zones", "defaultTTL"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let invalid = failed(&good, &Problem::Invalid("spec.type".into()), at(0));
    assert_eq!(json(&invalid)["state"], "Invalid");
    let mended = ready(&told, &spec(json!({})), at(9_000));
    assert_eq!(json(&mended)["lastError"], Value::Null);
    assert_eq!(mended.patch()["lastError"], Value::Null, "the field goes");
}

#[test]
fn time_alone_is_no_news() {
    let spec = spec(json!({}));
    let first = ready(&DnsProviderStatus::default(), &spec, at(0));
    let again = ready(&first, &spec, at(60_000));
    assert_eq!(again, first);
    let problem = Problem::Error("no".into());
    let failed_first = failed(&first, &problem, at(60_000));
    let failed_again = failed(&failed_first, &problem, at(120_000));
    assert_eq!(failed_again, failed_first);
    assert!(failed_first.differs(&first));
    let other = failed(&failed_first, &Problem::Error("never".into()), at(180_000));
    assert!(other.differs(&failed_first));
    assert_eq!(json(&other)["lastUpdateTime"], "2027-01-15T08:03:00Z");
}

#[test]
fn what_gardeners_controller_says_beside_stays() {
    let operation = json!({ "lastOperation": { "type": "Reconcile" } });
    let old: DnsProviderStatus = serde_json::from_value(operation).unwrap();
    let told = ready(&old, &spec(json!({})), at(0));
    assert_eq!(told.last_operation, old.last_operation);
    let patch = told.patch();
    assert!(
        !patch.as_object().unwrap().contains_key("lastOperation"),
        "{patch}"
    );
}

#[test]
fn a_status_stays_small() {
    let long = Problem::Error("é".repeat(10_000));
    let told = failed(&DnsProviderStatus::default(), &long, at(0));
    assert_eq!(told.message, Some("é".repeat(1024) + "…"));
}
