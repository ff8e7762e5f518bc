//! `hack/bench servers`: a DNS with very many servers.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use devcluster::Progress;
use operator::dns::config::Config;
use operator::dns::corefile::Templates;
use operator::dns::inputs::{DEFAULT_CLUSTER_DOMAIN, Inputs};
use operator::dns::tls_profile::TlsProfile;
use operator::images::Images;
use serde_json::{Value, json};

use crate::audit::Requests;
use crate::cli::ServersArgs;
use crate::edits::OPERATOR;
use crate::figures::{Distribution, milliseconds};
use crate::process::memory;
use crate::sheet::{Figure, Sheet, figure};
use crate::stage::{CALM, SETTLE, Stage};
use crate::subject::{self, Subject};
use crate::table::{REQUESTS, megabytes, parts};

/// The most that a ConfigMap may hold, in bytes: the API server checks it.
const CONFIG_MAP: u32 = 1 << 20;
/// The most that a request to etcd may hold, in bytes, by etcd's default.
const ETCD: u32 = 3 << 19;

/// Measures and prints.
pub async fn run(args: &ServersArgs) -> Result<()> {
    let progress = Progress::shown();
    let servers = servers(args);
    let mut figures = rendering(args, &servers)?;
    let (edits, requests) = editing(args, &servers, &progress).await?;
    figures.extend(edits);
    let sheet = Sheet {
        peer: None,
        title: format!("{} servers of {} zones each", args.servers, args.zones),
        figures,
        notes: vec![
            format!("a ConfigMap may hold {CONFIG_MAP} bytes, a request to etcd {ETCD}"),
            format!("requests: {}", parts(&requests)),
        ],
    };
    sheet.print(args.subject.output)
}

fn servers(args: &ServersArgs) -> Value {
    let server = |number: u32| {
        let zones: Vec<String> = (0..args.zones)
            .map(|zone| format!("zone-{zone}.site-{number}.example.com"))
            .collect();
        json!({
            "name": format!("site-{number}"),
            "zones": zones,
            "forwardPlugin": { "upstreams": ["192.0.2.1", "192.0.2.2:5353"], "policy": "RoundRobin" },
        })
    };
    (0..args.servers).map(server).collect()
}

/// Checks and renders in this process, as the operator does.
fn rendering(args: &ServersArgs, servers: &Value) -> Result<Vec<Figure>> {
    let spec = json!({ "servers": servers });
    let templates = Templates::new().map_err(|error| anyhow!("{error}"))?;
    let inputs = inputs();
    let (mut checks, mut renderings) = (Vec::new(), Vec::new());
    let mut size = 0;
    for _ in 0..args.edits {
        let begun = Instant::now();
        let config = Config::decode(&spec).map_err(|error| anyhow!("{error}"))?;
        let checked = Instant::now();
        let corefile = templates
            .render(&config, &inputs)
            .map_err(|error| anyhow!("{error}"))?;
        renderings.push(checked.elapsed());
        checks.push(checked.saturating_duration_since(begun));
        size = corefile.len();
    }
    let bytes = |size: usize| {
        u32::try_from(size)
            .map(f64::from)
            .context("too many bytes to count")
    };
    let size = bytes(size)?;
    Ok(vec![
        figure("the DNS as JSON, bytes", 0, bytes(spec.to_string().len())?).at_most(ETCD.into()),
        figure("the Corefile, bytes", 0, size).at_most(CONFIG_MAP.into()),
        figure("  for one server", 0, size / f64::from(args.servers)),
        figure(
            "time to check the specification, median, ms",
            2,
            Distribution::milliseconds(&checks).median(),
        ),
        figure(
            "time to render the Corefile, median, ms",
            2,
            Distribution::milliseconds(&renderings).median(),
        ),
    ])
}

fn inputs() -> Inputs {
    Inputs {
        images: Images::from_env_or_placeholders(),
        service_address: None,
        cluster_domain: DEFAULT_CLUSTER_DOMAIN.into(),
        ca_bundles: std::collections::BTreeMap::new(),
        tls_profile: TlsProfile::default(),
        name_resolver_namespaces: Vec::new(),
        topology_hints: Some(false),
        owner_uid: String::new(),
        monitored: false,
        daemon_set_uid: None,
    }
}

async fn editing(
    args: &ServersArgs,
    servers: &Value,
    progress: &Progress,
) -> Result<(Vec<Figure>, Requests)> {
    let subject = Subject::operator(args.subject.program.as_deref())?;
    let mut stage = Stage::set_up(&[], progress).await?;
    let (process, _) = stage.start(&subject).await?;
    progress.say(format!("{} servers, {} edits", args.servers, args.edits));
    let last = format!("# site-{}\n", args.servers - 1);
    stage.editor.set_servers(OPERATOR, servers, &last).await?;
    tokio::time::sleep(CALM).await;
    let mark = stage.audit.mark()?;
    let before = crate::process::processor_time(process.id())?;
    let mut latencies = Vec::new();
    for _ in 0..args.edits {
        latencies.push(stage.editor.edit(OPERATOR).await?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(SETTLE).await;
    let processor = crate::process::processor_time(process.id())?.saturating_sub(before);
    let requests = stage.audit.since(mark, crate::audit::Sender::Subject)?;
    let memory = memory(process.id())?;
    subject::stop(process).await?;
    stage.strike()?;
    let edits = f64::from(args.edits);
    let latency = Distribution::milliseconds(&latencies);
    let figures = vec![
        figure("edit to ConfigMap, median, ms", 1, latency.median()),
        figure("  99th percentile", 1, latency.percentile(99)),
        figure(
            // Nobody is at the upstreams' addresses, which Events tell.
            "requests for one edit but for the Lease and Events",
            2,
            f64::from(requests.but_leases() - requests.of_events()) / edits,
        )
        .at_most(REQUESTS),
        figure(
            "processor time for one edit, ms",
            2,
            milliseconds(processor) / edits,
        ),
        figure("resident memory, MB", 2, megabytes(memory.resident)),
        figure("  at most", 2, megabytes(memory.peak)),
    ];
    Ok((figures, requests))
}
