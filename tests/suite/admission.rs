//! The resource definition on a real API server gives OpenShift's verdicts.

use kube::api::{DynamicObject, PostParams};
use serde_json::Value;
use tests::cases;

use crate::control_plane::Plane;

#[tokio::test]
async fn the_api_server_judges_and_defaults_as_on_openshift() {
    let plane = Plane::start().await;
    let dnses = plane.dnses();
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    for case in cases::render().unwrap() {
        let mut raw = case.dns_raw.clone();
        // The server sets these itself.
        for field in ["uid", "deletionTimestamp", "finalizers"] {
            raw["metadata"].as_object_mut().unwrap().remove(field);
        }
        let dns: DynamicObject = serde_json::from_value(raw).unwrap();
        let answer = dnses.create(&dry_run, &dns).await;
        match answer {
            Ok(stored) => {
                assert!(case.valid, "{} was accepted", case.name);
                let stored = serde_json::to_value(stored).unwrap();
                assert_eq!(stored["spec"], spec(&case.dns), "{}", case.name);
            }
            Err(kube::Error::Api(status)) => {
                assert!(!case.valid, "{}: {}", case.name, status.message);
                assert_eq!(status.code, 422, "{}: {}", case.name, status.message);
            }
            Err(error) => panic!("{}: {error}", case.name),
        }
    }
    plane.cluster.stop().unwrap();
}

/// Whole numbers have no fraction once they are stored.
fn spec(dns: &Value) -> Value {
    let mut spec = dns["spec"].clone();
    for toleration in spec
        .pointer_mut("/nodePlacement/tolerations")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(seconds) = toleration.get_mut("tolerationSeconds")
            && let Some(whole) = seconds.to_string().strip_suffix(".0")
        {
            *seconds = whole.parse().unwrap();
        }
    }
    spec
}
