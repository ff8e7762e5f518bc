//! What the status says of the configuration in force.

use api::{SpecInForce, TtlReason};
use devcluster::Distribution;
use k8s_openapi::jiff::Timestamp;
use operator::dns::config::Config;
use operator::dns::digest::sha256;
use operator::dns::status::InForce;
use operator::resources::{daemon_set_key, default_dns_key};
use serde_json::{Value, json};

use crate::control_plane::{Plane, eventually, quiet};
use crate::scenario::settled;

/// The Corefile's lines that matter here, for a `spec.cache`.
fn corefile(cache: &Value) -> String {
    let config = Config::decode(&json!({ "cache": cache })).unwrap().cache;
    format!(
        "    cache {} {{\n        denial 9984 {}\n    }}\n",
        config.positive, config.negative
    )
}

fn in_force<'a>(corefile: &'a str, spec: &'a Value) -> InForce<'a> {
    InForce {
        corefile,
        written: None,
        rendered_from: Some(7),
        old: None,
        spec,
        is_current: true,
        refused: false,
        unmanaged: false,
    }
}

#[test]
fn a_limit_that_is_not_what_was_typed_says_why() {
    for (typed, seconds, minimum, reason, message) in [
        (json!("1h30m"), 5400, 5, TtlReason::AsSpecified, None),
        (json!("0.5h10m"), 2400, 5, TtlReason::AsSpecified, None),
        (
            json!("1000ms"),
            1,
            1,
            TtlReason::AsSpecified,
            Some("floor of 5 seconds"),
        ),
        (json!("1.5s"), 2, 2, TtlReason::Rounded, Some("1.5s is rounded")),
        (
            json!("10.4s"),
            10,
            5,
            TtlReason::Rounded,
            Some("10.4s is rounded"),
        ),
        (
            json!(null),
            900,
            5,
            TtlReason::Default,
            Some("not set: the default of 900"),
        ),
        (json!("0"), 900, 5, TtlReason::Default, Some("0 is zero")),
        (
            json!("0.4s"),
            900,
            5,
            TtlReason::Default,
            Some("0.4s rounds to zero"),
        ),
        (
            json!("2000000h"),
            u32::MAX,
            5,
            TtlReason::Capped,
            Some("longest TTL"),
        ),
    ] {
        let spec = json!({ "cache": { "positiveTTL": typed } });
        let found = in_force(&corefile(&spec["cache"]), &spec)
            .cache()
            .positive_ttl
            .unwrap();
        assert_eq!(
            (found.seconds, found.minimum_seconds),
            (seconds, minimum),
            "{typed}"
        );
        assert_eq!(found.reason, reason, "{typed}");
        match (&found.message, message) {
            (Some(found), Some(part)) => assert!(found.contains(part), "{typed}: {found}"),
            (found, wanted) => assert_eq!(found.as_deref(), wanted, "{typed}"),
        }
    }
}

#[test]
fn each_limit_has_its_own_default() {
    let spec = json!({});
    let cache = in_force(&corefile(&json!({})), &spec).cache();
    assert_eq!(cache.positive_ttl.unwrap().seconds, 900);
    let negative = cache.negative_ttl.unwrap();
    assert_eq!((negative.seconds, negative.reason), (30, TtlReason::Default));
    assert!(negative.message.unwrap().contains("the default of 30 seconds"));
}

#[test]
fn limits_of_another_specification_are_told_as_such() {
    let corefile = corefile(&json!({ "positiveTTL": "60s" }));
    let spec = json!({ "cache": { "positiveTTL": "10s" } });
    let refused = InForce {
        refused: true,
        is_current: false,
        ..in_force(&corefile, &spec)
    };
    let limit = refused.cache().positive_ttl.unwrap();
    assert_eq!((limit.seconds, limit.reason), (60, TtlReason::NotInForce));
    assert!(limit.message.unwrap().contains("asks for 10s"));
}

#[test]
fn the_generation_in_force_outlives_a_restart() {
    let now = Timestamp::UNIX_EPOCH;
    let later: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let spec = json!({});
    let text = corefile(&json!({}));
    let before = InForce {
        written: Some(now),
        ..in_force(&text, &spec)
    }
    .corefile(later);
    assert_eq!(before.published_time.0, now, "as old as its ConfigMap");
    assert_eq!(
        (before.generation, before.spec_in_force),
        (Some(7), SpecInForce::Current)
    );
    let after = InForce {
        rendered_from: None,
        old: Some(&before),
        is_current: false,
        refused: true,
        ..in_force(&text, &spec)
    };
    let known = after.corefile(later);
    assert_eq!(
        (known.generation, known.spec_in_force),
        (Some(7), SpecInForce::LastGood)
    );
    assert_eq!(known.published_time.0, now);
    let other = InForce {
        corefile: "somebody's",
        ..after
    }
    .corefile(later);
    assert_eq!((other.generation, other.published_time.0), (None, later));
}

async fn status(plane: &Plane) -> Value {
    plane.get(&default_dns_key()).await.unwrap()["status"].clone()
}

#[tokio::test]
async fn the_status_follows_edits_refusals_and_restarts() {
    let plane = Plane::start().await;
    let operator = plane.operator();
    settled(&plane).await;
    plane.edit(json!({ "cache": { "positiveTTL": "61.5s" } })).await;
    plane.corefile_has("cache 62 {").await;
    settled(&plane).await;
    let dns = plane.get(&default_dns_key()).await.unwrap();
    let good = dns["status"].clone();
    let generation = dns["metadata"]["generation"].clone();
    assert_eq!(good["corefile"]["sha256"], sha256(&plane.corefile().await));
    assert_eq!(good["corefile"]["generation"], generation);
    assert_eq!(good["corefile"]["specInForce"], "Current");
    assert_eq!(good["effectiveCache"]["positiveTTL"]["seconds"], 62);
    assert_eq!(good["effectiveCache"]["positiveTTL"]["reason"], "Rounded");
    assert_eq!(good["effectiveCache"]["negativeTTL"]["reason"], "Default");

    let servers = json!([{ "name": "a", "zones": ["b c"], "forwardPlugin": { "upstreams": ["192.0.2.1"] } }]);
    plane
        .edit(json!({ "servers": servers, "cache": { "positiveTTL": "30s" } }))
        .await;
    eventually("the refusal is told", async || {
        status(&plane).await["corefile"]["specInForce"] == "LastGood"
    })
    .await;
    let refused = status(&plane).await;
    for same in ["sha256", "generation", "publishedTime"] {
        assert_eq!(refused["corefile"][same], good["corefile"][same], "{same}");
    }
    assert_eq!(refused["effectiveCache"]["positiveTTL"]["seconds"], 62);
    assert_eq!(refused["effectiveCache"]["positiveTTL"]["reason"], "NotInForce");

    drop(operator);
    let _operator = plane.operator();
    quiet().await;
    assert_eq!(status(&plane).await["corefile"], refused["corefile"]);
    plane.edit(json!({ "servers": null })).await;
    eventually("the mended one is in force", async || {
        status(&plane).await["corefile"]["specInForce"] == "Current"
    })
    .await;
    let mended = status(&plane).await;
    assert_eq!(mended["effectiveCache"]["positiveTTL"]["seconds"], 30);
    assert!(mended["effectiveCache"]["positiveTTL"]["message"].is_null());

    plane.edit(json!({ "managementState": "Unmanaged" })).await;
    eventually("hands off", async || {
        status(&plane).await["corefile"]["specInForce"] == "Unmanaged"
    })
    .await;
}

#[tokio::test]
async fn counts_of_a_rollout_are_written_now_and_then() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    let _operator = plane.operator();
    settled(&plane).await;
    plane.rolled_out("node-resolver", [500, 500, 500]).await;
    plane.rolled_out("dns-default", [500, 500, 500]).await;
    quiet().await;
    let before = plane.requests().len();
    for updated in 1..=60 {
        plane.rolled_out("dns-default", [500, updated, 500]).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    eventually("the last count is told", async || {
        status(&plane).await["nodes"] == json!({ "desired": 500, "updated": 60 })
    })
    .await;
    let writes = plane.requests().split_off(before);
    let statuses = writes
        .iter()
        .filter(|request| *request == "patch dnses/status")
        .count();
    assert!(statuses <= 4, "{statuses} writes for 60 counts: {writes:?}");
}

/// A downgrade leaves the new program with the old definition for a while.
#[tokio::test]
async fn a_definition_without_the_new_fields_costs_no_requests() {
    let plane = Plane::without_controllers(Distribution::Kubernetes).await;
    let definition = "dnses.operator.openshift.io";
    let fields = ["corefile", "effectiveCache", "nodes", "observedGeneration"];
    let removals: Vec<Value> = fields
        .iter()
        .map(|field| {
            let path =
                format!("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/{field}");
            json!({ "op": "remove", "path": path })
        })
        .collect();
    plane.kubectl(&[
        "patch",
        "crd",
        definition,
        "--type=json",
        "-p",
        &json!(removals).to_string(),
    ]);
    let _operator = plane.operator();
    plane.corefile_has("cache 900 {").await;
    eventually("the status is written", async || {
        status(&plane).await["clusterIP"] == "172.30.0.10"
    })
    .await;
    // Otherwise the lack of pods is told in the end.
    for name in ["dns-default", "node-resolver"] {
        plane.rolled_out(name, [1, 1, 1]).await;
    }
    quiet().await;
    assert!(
        status(&plane).await["corefile"].is_null(),
        "the field is not known"
    );
    let before = plane.requests().len();
    // Wakes the operator for nothing.
    plane
        .patch(
            &daemon_set_key("dns-default"),
            json!({ "metadata": { "labels": { "a": "b" } } }),
        )
        .await;
    quiet().await;
    assert_eq!(plane.requests().split_off(before), Vec::<String>::new());
}
