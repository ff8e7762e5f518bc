//! The dashboard, in Grafana's JSON model.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Dashboard, Panel};

/// The version of Grafana's schema: the first that has data sources as objects is 36.
const SCHEMA: u32 = 39;
/// The width of a row, and the size of a panel, in Grafana's grid.
const COLUMNS: usize = 24;
const WIDTH: usize = 12;
const HEIGHT: usize = 8;

/// The ConfigMap that OpenShift's console, or the sidecar of a Grafana, reads.
pub fn config_map(dashboard: &Dashboard, metadata: &Value) -> Result<Value> {
    let text = serde_json::to_string_pretty(&model(dashboard)).context("writing the dashboard")?;
    Ok(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": { format!("{}.json", dashboard.uid): text + "\n" },
    }))
}

/// The dashboard as Grafana imports it.
#[must_use]
pub fn model(dashboard: &Dashboard) -> Value {
    json!({
        "title": dashboard.title,
        "uid": dashboard.uid,
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": true,
        "tags": ["dns"],
        "timezone": "browser",
        "time": { "from": "now-1h", "to": "now" },
        "refresh": "30s",
        "annotations": { "list": [] },
        "links": [],
        "templating": { "list": [{
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "hide": 0,
            "refresh": 1,
        }] },
        "panels": panels(dashboard),
    })
}

/// Rows one below the other, and the panels of each from left to right.
fn panels(dashboard: &Dashboard) -> Vec<Value> {
    let mut panels = Vec::new();
    let mut y = 0;
    for row in &dashboard.rows {
        panels.push(json!({
            "id": panels.len() + 1,
            "type": "row",
            "title": row.title,
            "collapsed": false,
            "gridPos": { "x": 0, "y": y, "w": COLUMNS, "h": 1 },
            "panels": [],
        }));
        y += 1;
        let in_line = COLUMNS / WIDTH;
        for (at, panel) in row.panels.iter().enumerate() {
            let (x, y) = (at % in_line * WIDTH, y + at / in_line * HEIGHT);
            let place = json!({ "x": x, "y": y, "w": WIDTH, "h": HEIGHT });
            panels.push(time_series(panels.len() + 1, panel, &place));
        }
        y += row.panels.len().div_ceil(in_line) * HEIGHT;
    }
    panels
}

fn time_series(id: usize, panel: &Panel, place: &Value) -> Value {
    let source = json!({ "type": "prometheus", "uid": "${datasource}" });
    let targets: Vec<Value> = ('A'..)
        .zip(&panel.queries)
        .map(|(id, query)| {
            json!({
                "refId": id,
                "datasource": source,
                "expr": query.expr,
                "legendFormat": query.legend,
                "range": true,
            })
        })
        .collect();
    json!({
        "id": id,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": { "defaults": { "unit": panel.unit, "min": 0 }, "overrides": [] },
        "options": {
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
            "tooltip": { "mode": "multi", "sort": "desc" },
        },
        "targets": targets,
    })
}
