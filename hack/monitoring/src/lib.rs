//! Alerts and the dashboard, made from one source: `manifests/monitoring/source.yaml`.
//!
//! [`Source`] is what people write, [`rules`] makes a PrometheusRule of it and
//! [`dashboard`] a Grafana dashboard. [`files`] has both for each kind of cluster.

pub mod dashboard;
pub mod rules;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Where the source lies below `manifests/`.
pub const SOURCE: &str = "monitoring/source.yaml";
/// The namespace of the operator.
const OPERATOR_NAMESPACE: &str = "openshift-dns-operator";
/// The first line of a file that is made here.
const HEADER: &str = "# Made by hack/generate from manifests/monitoring/source.yaml.\n";

/// Everything that is asked of Prometheus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The address of the document that has a section for every alert.
    pub runbooks: String,
    /// What is recorded, in this order.
    pub series: Vec<Series>,
    /// What people are called for.
    pub alerts: Vec<Alert>,
    /// What people look at.
    pub dashboard: Dashboard,
}

/// A recorded series.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Its name, `LABELS:METRIC:OPERATIONS` as Prometheus recommends.
    pub record: String,
    /// What it is made of.
    pub expr: String,
}

/// An alert.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Its name, which is its section in `docs/alerts.md` too.
    pub alert: String,
    /// It fires while this has an answer, one alert a series.
    pub expr: String,
    /// How long the answer must last.
    #[serde(rename = "for")]
    pub lasting: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// The namespace it is about, where the answer's labels do not tell.
    pub namespace: Option<String>,
    /// What is wrong, in one sentence.
    pub summary: String,
    /// The same with its labels and its value, and what follows from it.
    pub description: String,
}

/// The dashboard.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Its title.
    pub title: String,
    /// What Grafana knows it by, whatever its title.
    pub uid: String,
    /// Its panels, by what they are about.
    pub rows: Vec<Row>,
}

/// Panels that belong together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What they are about.
    pub title: String,
    /// From left to right.
    pub panels: Vec<Panel>,
}

/// A time series.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub description: String,
    /// The unit of its values, by Grafana's name.
    pub unit: String,
    /// Its lines.
    pub queries: Vec<Query>,
}

/// Lines of a panel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// What is asked.
    pub expr: String,
    /// The name of a line, with its labels in double braces.
    pub legend: String,
}

impl Source {
    /// Reads the source of a folder of manifests.
    pub fn read(manifests: &Path) -> Result<Self> {
        let path = manifests.join(SOURCE);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_saphyr::from_str(&text).with_context(|| format!("reading {}", path.display()))
    }
}

/// Every file that is made: its path below `manifests/`, and its text.
pub fn files(source: &Source) -> Result<[(&'static str, String); 4]> {
    let included = json!({
        "include.release.openshift.io/ibm-cloud-managed": "true",
        "include.release.openshift.io/self-managed-high-availability": "true",
        "include.release.openshift.io/single-node-developer": "true",
    });
    let none = json!({});
    let rule = json!({ "role": "alert-rules" });
    let console = json!({ "console.openshift.io/dashboard": "true" });
    let sidecar = json!({ "grafana_dashboard": "1" });
    let rule = |annotations| {
        let metadata = metadata("dns", OPERATOR_NAMESPACE, &rule, annotations);
        text(&rules::prometheus_rule(source, &metadata))
    };
    let board = |namespace, labels, annotations| {
        let metadata = metadata("cluster-dns-dashboard", namespace, labels, annotations);
        text(&dashboard::config_map(&source.dashboard, &metadata)?)
    };
    Ok([
        ("0000_90_dns-operator_03_prometheusrules.yaml", rule(&included)?),
        (
            "0000_90_dns-operator_05_dashboard.yaml",
            board("openshift-config-managed", &console, &included)?,
        ),
        ("kubernetes/monitoring/prometheus-rule.yaml", rule(&none)?),
        (
            "kubernetes/monitoring/dashboard.yaml",
            board(OPERATOR_NAMESPACE, &sidecar, &none)?,
        ),
    ])
}

fn metadata(name: &str, namespace: &str, labels: &Value, annotations: &Value) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".into(), name.into());
    metadata.insert("namespace".into(), namespace.into());
    metadata.insert("labels".into(), labels.clone());
    if annotations.as_object().is_some_and(|some| !some.is_empty()) {
        metadata.insert("annotations".into(), annotations.clone());
    }
    metadata.into()
}

fn text(object: &Value) -> Result<String> {
    let yaml = serde_saphyr::to_string(object).context("writing YAML")?;
    Ok(format!("{HEADER}{yaml}"))
}
