//! Prometheus: scrapes what it is told to, records and alerts by rules, and answers queries.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::children::{Launcher, Process, run, wait_until};
use crate::control_plane::{flag, free_port};
use crate::programs::{PROMETHEUS_SERVER, PROMTOOL};
use crate::progress::Progress;

/// How often targets are scraped and rules evaluated: often, so that a test need not wait.
const INTERVAL: &str = "1s";

/// Something to scrape.
#[derive(Debug, Clone)]
pub struct Target {
    /// `ADDRESS:PORT`, where `/metrics` is.
    pub address: String,
    /// The labels of its series, such as those that a ServiceMonitor gives.
    pub labels: BTreeMap<String, String>,
    /// How it is reached over TLS; in plain text if not given.
    pub tls: Option<Tls>,
}

/// How a target is reached over TLS.
#[derive(Debug, Clone)]
pub struct Tls {
    /// A file with the certificates that are trusted.
    pub authorities: PathBuf,
    /// The name that the target's certificate must have.
    pub server_name: String,
    /// A file with the bearer token.
    pub token: PathBuf,
}

impl Target {
    fn job(&self, name: &str) -> Value {
        let labelled = json!([{"targets": [self.address], "labels": self.labels}]);
        let mut job = json!({"job_name": name, "static_configs": labelled});
        if let Some(tls) = &self.tls {
            job["scheme"] = "https".into();
            job["tls_config"] = json!({"ca_file": tls.authorities, "server_name": tls.server_name});
            job["authorization"] = json!({"credentials_file": tls.token});
        }
        job
    }
}

/// A series of an answer, at the time of the query.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels, `__name__` among them if it has a name.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// A running Prometheus. Dropping it ends it.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    launcher: Launcher,
    promtool: PathBuf,
    url: String,
}

impl Prometheus {
    /// Starts Prometheus on loopback, with the groups of rules in a PrometheusRule's
    /// specification, and waits until it answers.
    pub async fn start(launcher: &Launcher, rules: &Value, targets: &[Target]) -> Result<Self> {
        let progress = Progress::hidden();
        let folder = launcher.state().join("prometheus");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        write(&folder.join("rules.json"), rules)?;
        let jobs = targets.iter().enumerate();
        let jobs: Vec<Value> = jobs
            .map(|(number, target)| target.job(&format!("target-{number}")))
            .collect();
        let config = folder.join("prometheus.json");
        let content = json!({
            "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
            "rule_files": ["rules.json"],
            "scrape_configs": jobs,
        });
        write(&config, &content)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = Command::new(PROMETHEUS_SERVER.path(&progress)?);
        command
            .arg(flag("--config.file", &config))
            .arg(flag("--storage.tsdb.path", &folder.join("data")))
            .arg(format!("--web.listen-address={address}"));
        let mut prometheus = Self {
            process: launcher.start("prometheus", &command)?,
            launcher: launcher.clone(),
            promtool: PROMTOOL.path(&progress)?,
            url: format!("http://{address}"),
        };
        prometheus.wait().await?;
        Ok(prometheus)
    }

    async fn wait(&mut self) -> Result<()> {
        let (launcher, promtool) = (self.launcher.clone(), self.promtool.clone());
        let url = self.url.clone();
        wait_until(
            "Prometheus",
            Duration::from_secs(60),
            &mut [&mut self.process],
            async || {
                let mut command = launcher.command(&promtool);
                run(command.args(["check", "ready", &format!("--url={url}")])).map(drop)
            },
        )
        .await
    }

    /// What a query in PromQL gives now, a sample a series.
    pub fn query(&self, expr: &str) -> Result<Vec<Sample>> {
        let mut command = self.launcher.command(&self.promtool);
        let text = run(command.args(["query", "instant", "--format=json", &self.url, expr]))?;
        let answer: Value =
            serde_json::from_str(&text).with_context(|| format!("reading the answer {text}"))?;
        let series = answer
            .as_array()
            .with_context(|| format!("not a vector: {text}"))?;
        series.iter().map(sample).collect()
    }
}

fn sample(series: &Value) -> Result<Sample> {
    let value = series["value"][1].as_str();
    let value = value.with_context(|| format!("not a sample: {series}"))?;
    Ok(Sample {
        labels: serde_json::from_value(series["metric"].clone()).context("reading labels")?,
        value: value.parse().with_context(|| format!("reading {value}"))?,
    })
}

/// Writes JSON, which Prometheus reads as the YAML that it is too.
fn write(path: &Path, content: &Value) -> Result<()> {
    fs::write(path, content.to_string()).with_context(|| format!("writing {}", path.display()))
}
