//! The rules of Prometheus: series to record, and alerts.

use serde_json::{Value, json};

use crate::{Alert, Source};

/// The object that the Prometheus operator reads.
#[must_use]
pub fn prometheus_rule(source: &Source, metadata: &Value) -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": groups(source),
    })
}

/// The same as a file of Prometheus itself: one group, so that alerts are decided by
/// what was recorded just before.
#[must_use]
pub fn groups(source: &Source) -> Value {
    let series = source
        .series
        .iter()
        .map(|series| json!({ "record": series.record, "expr": series.expr }));
    let alerts = source
        .alerts
        .iter()
        .map(|alert| rule(alert, &runbook(source, alert)));
    let rules: Vec<Value> = series.chain(alerts).collect();
    json!({ "groups": [{ "name": "openshift-dns.rules", "rules": rules }] })
}

/// The section of the document that tells what to do.
fn runbook(source: &Source, alert: &Alert) -> String {
    // Headings become anchors in lower case.
    format!("{}#{}", source.runbooks, alert.alert.to_lowercase())
}

fn rule(alert: &Alert, runbook: &str) -> Value {
    let mut labels = json!({ "severity": alert.severity });
    if let Some(namespace) = &alert.namespace {
        labels["namespace"] = namespace.as_str().into();
    }
    json!({
        "alert": alert.alert,
        "expr": alert.expr,
        "for": alert.lasting,
        "labels": labels,
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": runbook,
        },
    })
}
